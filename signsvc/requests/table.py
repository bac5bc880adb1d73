"""From the bytes of a request file to a Table of rows: `.csv` (UTF-8 or GB18030), `.xlsx`, `.jsonl`.

The whole file is read before its first row is used: a broken one is refused whole, nothing of it is issued.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import Final

from signsvc.errors import InputError
from signsvc.identity.characters import is_forbidden
from signsvc.requests import texts
from signsvc.requests.columns import Cell, Line, RawRow, key_of, plain, title_of

__all__ = ["RawRow", "Table", "read"]

SIZE_LIMIT: Final = 64 * 1024**2  # bytes of the file
COLUMNS_LIMIT: Final = 200
HEADER_DEPTH: Final = 10  # lines that may stand above the headers, such as a title
DELIMITERS: Final = ",;\t"
NO_HEADERS: Final = f"前{HEADER_DEPTH}行中找不到表头：需要一行列名，其中有“申请编号”（request_id）"


@dataclass(frozen=True)
class Table:
    """Rows of a request file, to be iterated as often as wanted; cells are shared and packed (about 1 kB a row)."""

    columns: tuple[str, ...]  # keys and slot names, in the order of the file
    unknown_columns: tuple[str, ...]  # headers nobody asked for; their cells are not read
    warnings: tuple[str, ...]  # about the file as a whole
    _lines: Sequence[tuple[int, tuple[Cell | None, ...]]]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[RawRow]:
        for number, cells in self._lines:
            given = zip(self.columns, cells, strict=True)
            yield RawRow(number, {key: cell for key, cell in given if cell is not None})


@dataclass(frozen=True)
class _Layout:
    """What stands where in each line, by the line of headers."""

    keys: tuple[str | None, ...]  # None: no header, or one that nobody asked for
    named: tuple[bool, ...]  # whether the column has a header at all
    unknown: tuple[str, ...]


def read(name: str, data: bytes, slot_names: Collection[str]) -> Table:
    """The rows of a file called `name`; `slot_names` are the further headers that may occur.

    Raises InputError for a file that cannot be used as a whole: empty, too large, of another kind than its suffix
    says, in an unknown encoding, without a line of headers, with a header twice or a value under none, with broken
    quoting or JSON.
    """
    if not data.strip():
        raise InputError("文件是空的")
    if len(data) > SIZE_LIMIT:
        raise InputError(f"文件超过 {SIZE_LIMIT // 1024**2} MB，请拆成几个文件")
    match PurePath(name).suffix.lower():
        case ".csv":
            return _from_csv(texts.decode(data), slot_names)
        case ".jsonl":
            return _table(texts.json_lines(texts.decode(data)), slot_names)
        case ".xlsx":
            return _from_workbook(data, slot_names)
        case _:
            raise InputError("文件类型不支持：请使用 .csv、.xlsx 或 .jsonl（旧式 .xls 请另存为 .xlsx）")


def _from_csv(text: str, slot_names: Collection[str]) -> Table:
    """Comma, semicolon or tab: whichever makes headers of the first lines."""
    for delimiter in DELIMITERS:
        head = islice(texts.csv_lines(text, delimiter), HEADER_DEPTH)
        if any(_is_header(cells) for _, cells in _until_broken(head)):
            return _table(texts.csv_lines(text, delimiter), slot_names)
    raise InputError(NO_HEADERS)


def _from_workbook(data: bytes, slot_names: Collection[str]) -> Table:
    # Here: openpyxl, which no other file needs, takes a sixth of a second to load.
    from signsvc.requests import workbook

    if data.startswith(texts.OLE):
        raise InputError("文件加了密码，或其实是旧式 .xls：请去掉密码，另存为 .xlsx 再试")
    with warnings.catch_warnings(action="ignore"):  # openpyxl's remarks on styles and the like
        lines, notes = workbook.lines(data)
        return _table(lines, slot_names, notes)


def _table(lines: Iterator[Line], slot_names: Collection[str], notes: tuple[str, ...] = ()) -> Table:
    header = next((cells for _, cells in islice(lines, HEADER_DEPTH) if _is_header(cells)), None)
    if header is None:
        raise InputError(NO_HEADERS)
    layout = _layout(header, slot_names)
    packed = list(_packed(lines, layout))
    if not packed:
        raise InputError("表头下面没有数据行")
    return Table(tuple(key for key in layout.keys if key), layout.unknown, notes, packed)


def _is_header(cells: Sequence[Cell | None]) -> bool:
    return any(isinstance(cell, str) and key_of(cell, ()) == "request_id" for cell in cells)


def _layout(header: Sequence[Cell | None], slot_names: Collection[str]) -> _Layout:
    if len(header) > COLUMNS_LIMIT:
        raise InputError(f"列数超过{COLUMNS_LIMIT}，请删去不用的列")
    names = [plain(cell).strip() if cell is not None else "" for cell in header]
    keys = tuple(key_of(name, slot_names) for name in names)
    known = [key for key in keys if key]
    if twice := sorted({title_of(key) for key in known if known.count(key) > 1}):
        raise InputError("同一列出现了两次，请只留一列：" + "、".join(twice))
    unknown = tuple(_shown(name) for name, key in zip(names, keys, strict=True) if name and not key)
    return _Layout(keys, tuple(map(bool, names)), unknown)


def _packed(lines: Iterable[Line], layout: _Layout) -> Iterator[tuple[int, tuple[Cell | None, ...]]]:
    """The wanted cells of each line that is not blank; equal texts are kept once."""
    pool: dict[str, str] = {}
    count = 0
    for number, line in lines:
        cells = [_kept(cell, pool) for cell in line]
        if not any(cell is not None for cell in cells):
            continue
        _require_headers(number, cells, layout)
        count += 1
        if count > texts.ROWS_LIMIT:
            raise InputError(f"超过{texts.ROWS_LIMIT}行，请拆成几个文件")
        cells += [None] * (len(layout.keys) - len(cells))
        yield number, tuple(cell for cell, key in zip(cells, layout.keys, strict=False) if key)


def _kept(cell: Cell | None, pool: dict[str, str]) -> Cell | None:
    if not isinstance(cell, str):
        return cell
    return pool.setdefault(cell, cell) if cell.strip() else None


def _require_headers(number: int, cells: Sequence[Cell | None], layout: _Layout) -> None:
    """A value under no header is a shifted line or a forgotten header; neither may pass in silence."""
    for place, cell in enumerate(cells):
        if cell is not None and (place >= len(layout.named) or not layout.named[place]):
            raise InputError(
                f"第{number}行第{place + 1}列有内容却没有表头：请补上表头；CSV 请检查内容中的分隔符是否加了引号"
            )


def _until_broken(lines: Iterator[Line]) -> Iterator[Line]:
    """For a guess at the delimiter, a line that cannot be read is only the end."""
    with suppress(InputError):
        yield from lines


def _shown(header: str) -> str:
    """A header of a foreign file as it may be shown."""
    return "".join(character for character in header if not is_forbidden(character))[:30]
