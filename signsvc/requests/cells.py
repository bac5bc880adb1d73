"""The cells of one row, taken one by one; every fault is collected, nothing is raised."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from signsvc.errors import Fault
from signsvc.identity import TextTooLong, clean_text, normalise_name
from signsvc.requests.columns import Cell, lost_digits, plain, title_of

_DAY: Final = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号])"
)
# A spreadsheet that exports days may add their midnight.
_MIDNIGHT: Final = re.compile(r"[ T]0?0:00(:00(\.0+)?)?$")
# What stands in a cell whose formula failed.
_FORMULA_ERROR: Final = re.compile(r"#(REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!)")


class Cells:
    """Reads cells into values. `content` gathers the normal form of each cell that was given and is sound."""

    def __init__(self, row: Mapping[str, Cell], fixed: Mapping[str, str]) -> None:
        """`fixed` stands in where `row` is blank."""
        self._given = _filled(fixed) | _filled(row)
        self.faults: list[Fault] = []
        self.warnings: list[str] = []
        self.content: dict[str, str] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def __iter__(self) -> Iterator[str]:
        """The keys of the cells that are not blank."""
        return iter(self._given)

    def raw(self, key: str) -> Cell | None:
        """The cell as it stands in the file."""
        return self._given.get(key)

    def fault(self, code: str, key: str, message: str) -> None:
        """Note a fault of a column; `code` is the part after `request_invalid:`."""
        self.faults.append(Fault(f"request_invalid:{code}", f"{title_of(key)}：{message}", key))

    def keep(self, key: str, value: str) -> str:
        """Note the normal form of a cell, and return it."""
        self.content[key] = value
        return value

    def missing(self, key: str, code: str = "missing_field") -> None:
        """Note that a required cell is blank."""
        self.fault(code, key, "必填，现为空")

    def plain(self, key: str, code: str) -> str | None:
        """A cell as text not yet checked; None if it is blank, or (with a fault `code`) holds no usable value."""
        cell = self._given.get(key)
        if cell is None:
            return None
        if lost_digits(cell):
            self.fault(code, key, "数值超过15位，Excel 已丢失末尾数字：请把该列设为“文本”格式后重新填写")
            return None
        text = plain(cell)
        if _FORMULA_ERROR.fullmatch(text.strip()):
            self.fault(code, key, "单元格中的公式出错，没有值")
            return None
        return text

    def text(self, key: str, limit: int, required: str = "") -> str:
        """A line of text of at most `limit` characters; "" after a fault, and if the cell is blank, which is a fault
        of the code `required` if one is given."""
        if key not in self and required:
            self.missing(key, required)
        raw = self.plain(key, "forbidden_character")
        if raw is None:
            return ""
        try:
            if text := clean_text(raw, limit):
                return self.keep(key, text)
            if required:
                self.missing(key, required)
        except TextTooLong as error:
            self.fault("text_too_long", key, str(error))
        except ValueError as error:
            self.fault("forbidden_character", key, str(error))
        return ""

    def name(self, key: str, required: str = "") -> str:
        """A name in normal form, its changes noted as warnings. Blank: as `text`."""
        if key not in self and required:
            self.missing(key, required)
        raw = self.plain(key, "invalid_name")
        if raw is None:
            return ""
        try:
            name, warnings = normalise_name(raw)
        except TextTooLong as error:
            self.fault("text_too_long", key, str(error))
        except ValueError as error:
            self.fault("invalid_name", key, str(error))
        else:
            self.warnings += [f"{title_of(key)}：{warning}" for warning in warnings]
            return self.keep(key, name)
        return ""

    def day(self, key: str, required: str = "") -> date | None:
        """A day: 2027-05-20, 2027/5/20, 2027.5.20, 2027年5月20日, or a date cell; else None, as `text`."""
        if key not in self and required:
            self.missing(key, required)
        raw = self.plain(key, "invalid_date")
        if raw is None:
            return None
        day = parse_day(raw)
        if day is None:
            self.fault("invalid_date", key, "不是存在的日期：请写成 2027-05-20、2027/5/20 或 2027年5月20日")
            return None
        self.keep(key, day.isoformat())
        return day


def _filled(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    return {key: cell for key, cell in cells.items() if not isinstance(cell, str) or cell.strip()}


def parse_day(raw: str) -> date | None:
    """The day that a text names in one of the forms above, full width and spaces allowed; None if there is none."""
    text = _MIDNIGHT.sub("", unicodedata.normalize("NFKC", raw).strip())
    found = _DAY.fullmatch("".join(text.split()))
    if not found:
        return None
    year, _, month, day, month_zh, day_zh = found.groups()
    try:
        return date(int(year), int(month or month_zh), int(day or day_zh))
    except ValueError:
        return None
