"""From the lines of a foreign table to its rows: which line has the headings, what stands above and between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signsvc.errors import InputError
from signsvc.policy.packs.pack import TableForm
from signsvc.tables.rows import (
    BLANK_HOLDER,
    ROWS_LIMIT,
    SERIAL,
    Row,
    Table,
    clean_cell,
    lines_of,
    require_known,
    squeezed,
)

EXAMPLE: Final = "示例"  # 序号 of the form's own example row
_ALIKE: Final = 2  # headings in common that make a line one of headings
_TITLE_LINES: Final = 4  # over which a title may be broken
_UNFILLED: Final = re.compile(r"[_＿xX×\s]{2,}|[（(]州[）)]或")


@dataclass(frozen=True)
class Line:
    """The cells of one line of a file; a paragraph outside of tables is a line that `stands_alone`.

    Which column a cell of a line with `merged` cells belongs to is not sure.
    """

    place: str
    cells: tuple[str, ...]
    stands_alone: bool = False
    merged: bool = False


def table_of(lines: Iterable[Line], form: TableForm, notes: tuple[str, ...] = ()) -> Table:
    """The table whose headings are the form's. InputError if there is none, with the columns that are lacking or too
    many, or if a row cannot be a matter's; what was passed over is noted."""
    require_known(form)
    lines = list(_few(lines))
    start = _start(lines, form)
    holder, doubt = _holder(lines[:start], form)
    rows, passed_over = _rows(lines[start:], form)
    if not rows:
        raise InputError("表头下面没有证明事项")
    headings = {field: heading for heading, field in form.columns if field != SERIAL}
    return Table(holder, headings, tuple(rows), (*notes, *doubt, *passed_over))


def _few(lines: Iterable[Line]) -> Iterator[Line]:
    """Not more lines than a list and what stands around it; said before all of a huge file is read."""
    for count, line in enumerate(lines):
        if count > 2 * ROWS_LIMIT:
            raise InputError(f"表格超过{ROWS_LIMIT}行，请拆成几个清单")
        yield line


def _named(line: Line) -> list[str]:
    return [squeezed(cell) for cell in line.cells]


def _is_heading(line: Line, form: TableForm) -> bool:
    named = [name for name in _named(line) if name]
    return sorted(named) == sorted(squeezed(heading) for heading, _ in form.columns)


def _looks_like_heading(line: Line, form: TableForm) -> bool:
    wanted = {squeezed(heading) for heading, _ in form.columns}
    return len(wanted.intersection(_named(line))) >= _ALIKE


def _start(lines: Sequence[Line], form: TableForm) -> int:
    """Index of the line of headings."""
    alike = None
    for at, line in enumerate(lines):
        if _is_heading(line, form):
            return at
        alike = alike or (line if _looks_like_heading(line, form) else None)
    wanted = "、".join(heading for heading, _ in form.columns)
    if alike is None:
        raise InputError(f"找不到表头：{form.label}的列应为 {wanted}")
    raise InputError(f"{alike.place}的表头与{form.label}不一致：{_difference(alike, form)}；应为 {wanted}")


def _difference(line: Line, form: TableForm) -> str:
    wanted = {squeezed(heading): heading for heading, _ in form.columns}
    named = [name for name in _named(line) if name]
    told = {
        "缺少": [heading for name, heading in wanted.items() if name not in named],
        "多出": [name[:30] for name in dict.fromkeys(named) if name not in wanted],
        "重复": [name[:30] for name in dict.fromkeys(named) if named.count(name) > 1],
    }
    return "，".join(f"{what}“{'”“'.join(columns)}”" for what, columns in told.items() if columns)


def _holder(above: Sequence[Line], form: TableForm) -> tuple[str, tuple[str, ...]]:
    """What fills the title's blank, and a note if the title is not there or its blank is not filled."""
    texts = [squeezed(text) for line in above for text in lines_of("\n".join(line.cells))]
    # The last title above the headings is this table's: a whole document has other annexes before it.
    for size in range(1, _TITLE_LINES + 1):
        for at in range(len(texts) - size, -1, -1):
            if found := _title(form).fullmatch("".join(texts[at : at + size])):
                return _filled(found)
    return "", (f"表头上方没有找到标题“{form.title.replace(BLANK_HOLDER, '……')}”，请核对这是不是该清单",)


def _title(form: TableForm) -> re.Pattern[str]:
    return re.compile(
        re.escape(squeezed(form.title)).replace(re.escape(BLANK_HOLDER), "(?P<holder>.{1,60}?)")
    )


def _filled(found: re.Match[str]) -> tuple[str, tuple[str, ...]]:
    holder = found.groupdict().get("holder") or ""
    if _UNFILLED.search(holder):
        return "", ("标题中的市（州）或部门没有填写",)
    return clean_cell(holder, "标题"), ()


def _rows(lines: Sequence[Line], form: TableForm) -> tuple[list[Row], list[str]]:
    """The rows under the headings, to the end or to other headings, and notes on what is no row."""
    fields: Mapping[int, str] = {}
    rows: list[Row] = []
    notes: list[str] = []
    for line in lines:
        if _is_heading(line, form):  # also repeated, at the top of each page
            fields = _fields(line, form)
        elif _looks_like_heading(line, form):
            notes.append(f"{line.place}起是另一张表，未读取")
            break
        elif not line.stands_alone and any(cell.strip() for cell in line.cells):
            _take(line, fields, form, rows, notes)
    return rows, notes


def _fields(line: Line, form: TableForm) -> Mapping[int, str]:
    known = {squeezed(heading): field for heading, field in form.columns}
    return {at: known[name] for at, name in enumerate(_named(line)) if name}


def _take(line: Line, fields: Mapping[int, str], form: TableForm, rows: list[Row], notes: list[str]) -> None:
    cells = _cells(line, fields, form)
    serial = cells.pop(SERIAL, "").strip()
    if not any(cell.strip() for cell in cells.values()):
        if not re.fullmatch(r"[\d.…]*", serial):  # the blank form has numbers and dots
            notes.append(f"{line.place}只有“{serial[:30]}”，未作为事项读取")
    elif line.merged:
        raise InputError(f"{line.place}有合并的单元格，请先取消合并，使各行与表头对齐")
    elif serial == EXAMPLE:
        notes.append(f"{line.place}是表式的示例，未读取")
    elif not cells["name"].strip():
        raise InputError(f"{line.place}没有证明名称：每项一行，名称必填，合并的单元格请先取消合并")
    elif len(rows) == ROWS_LIMIT:
        raise InputError(f"清单超过{ROWS_LIMIT}项，请拆成几个清单")
    else:
        rows.append(Row(line.place, cells))


def _cells(line: Line, fields: Mapping[int, str], form: TableForm) -> dict[str, str]:
    """Cells by field; a value under no heading is a shifted row, which must not pass in silence."""
    headings = {field: heading for heading, field in form.columns}
    if any(cell.strip() for at, cell in enumerate(line.cells) if at not in fields):
        raise InputError(f"{line.place}有内容不在任何一列之下：请取消合并的单元格，使各行与表头对齐")
    given = {fields[at]: cell for at, cell in enumerate(line.cells) if at in fields}
    return {
        field: clean_cell(given.get(field, ""), f"{line.place}“{headings[field]}”")
        for field in fields.values()
    }
