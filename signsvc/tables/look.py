"""How the forms look, after GB/T 9704-2012: fonts, sizes and the page, A4 on its side for a form of many columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from signsvc.policy.packs.pack import TableForm

HEADING_FONT: Final = "黑体"
TITLE_FONT: Final = "方正小标宋简体"
BODY_FONT: Final = "仿宋_GB2312"
LABEL_SIZE, TITLE_SIZE, TEXT_SIZE = 16, 22, 12  # points: 3号, 2号, 小4号
_UPRIGHT_COLUMNS: Final = 5  # that fit a page which stands
# Shares of the page's width.
_WIDE: Final = {"serial": 3.2, "name": 6, "handled": 7, "bases": 17, "purposes": 6, "addressee": 6}


@dataclass(frozen=True)
class Page:
    """An A4 page with its margins, in millimetres; lying, it is the standing one turned a quarter clockwise."""

    landscape: bool
    top: int
    right: int
    bottom: int
    left: int

    @classmethod
    def of(cls, form: TableForm) -> Page:
        """The page that fits the form's columns."""
        if len(form.columns) > _UPRIGHT_COLUMNS:
            return cls(True, top=28, right=37, bottom=26, left=35)
        return cls(False, top=37, right=26, bottom=35, left=28)

    @property
    def width(self) -> int:
        return 297 if self.landscape else 210

    @property
    def height(self) -> int:
        return 210 if self.landscape else 297

    def widths(self, form: TableForm) -> tuple[float, ...]:
        """Of the columns: together the text's width."""
        shares = [_WIDE[field] for _, field in form.columns]
        return tuple((self.width - self.left - self.right) * share / sum(shares) for share in shares)
