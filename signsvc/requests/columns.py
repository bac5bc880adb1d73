"""The columns of a request file, by key and by Chinese header, and a row of cells before it is understood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from signsvc.identity.characters import is_forbidden

# Numbers and dates are what a spreadsheet made of a cell; text is what a person wrote.
Cell = str | int | float | date
# The number of a line in its file, and its cells; None is a blank one.
Line = tuple[int, list[Cell | None]]

# Key to the headers accepted for it; the first is the one shown to people.
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "request_id": ("申请编号",),
    "office": ("出具组织",),
    "matter": ("证明名称",),
    "addressee": ("索要单位", "证明索要单位", "致送单位"),
    "name": ("姓名",),
    "id_type": ("证件类型",),
    "id_number": ("身份证号", "证件号码", "身份证号码", "公民身份号码"),
    "guardian": ("监护人", "监护人姓名"),
    "guardian_relation": ("关系", "与监护人关系", "监护人关系"),
    "guardian_consent": ("监护人同意",),
    "statement": ("证明事项",),
    "legal_basis": ("法律法规依据", "依据"),
    "purpose": ("证明用途",),
    "valid_until": ("有效期至",),
    "issued_on": ("出具日期",),
    "verified_by": ("核实人",),
    "verified_how": ("核实方式",),
    "verified_on": ("核实日期",),
    "approved_by": ("审批人",),
}
REQUEST_ID_LIMIT: Final = 64


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file: its line there (the first line is 1), and its cells by column key or slot
    name. Blank cells are left out."""

    line: int
    cells: Mapping[str, Cell]

    @property
    def request_id(self) -> str:
        """The 申请编号 for messages and results, printable whatever the cell holds; "" if there is none."""
        text = plain(self.cells.get("request_id", "")).strip()[:REQUEST_ID_LIMIT]
        return "".join(character for character in text if not is_forbidden(character))


def title_of(key: str) -> str:
    """The header that people know a column by; a slot's is its own name."""
    return HEADERS[key][0] if key in HEADERS else key


def key_of(header: str, slot_names: Collection[str]) -> str | None:
    """The column that a header names, or None. Case, width, spaces, `*` and a note in brackets do not matter."""
    folded = _folded(header)
    known = _KEYS.get(folded) or _KEYS.get(_NOTE.sub("", folded))
    return known or next((name for name in slot_names if _folded(name) == folded), None)


def plain(cell: Cell) -> str:
    """A cell as text: days as 2027-05-20, whole numbers without a point."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer() and not lost_digits(cell):
        return str(int(cell))
    return repr(cell) if lost_digits(cell) else str(cell)


def lost_digits(cell: Cell) -> bool:
    """Whether a number is longer than the 15 digits that a spreadsheet keeps."""
    return isinstance(cell, int | float) and not -(10**15) < cell < 10**15


def _folded(header: str) -> str:
    return re.sub(r"[\s_*＊-]+", "", unicodedata.normalize("NFKC", header)).casefold()


_NOTE: Final = re.compile(r"\([^()]*\)$")
_KEYS: Final = {_folded(name): key for key, names in HEADERS.items() for name in (key, *names)}
