"""Reading `.xlsx`: a foreign zip of foreign XML, weighed before it is opened.

Causes are cut off the errors here: they may quote cells.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from typing import IO, Any, Final
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.packaging.manifest import Manifest
from openpyxl.workbook import Workbook
from openpyxl.xml.constants import ARC_CONTENT_TYPES, SHARED_STRINGS
from openpyxl.xml.functions import fromstring

from signsvc.errors import InputError
from signsvc.requests.columns import Cell, Line

ENTRIES_LIMIT: Final = 2_000
TOTAL_LIMIT: Final = 256 * 1024**2  # bytes of all parts, unpacked; 200,000 rows have about 170 MB
STRINGS_LIMIT: Final = 48 * 1024**2  # bytes of the shared strings, unpacked; openpyxl holds them all
RATIO_LIMIT: Final = 200  # unpacked to packed, for parts that are large at all
SMALL: Final = 1024**2  # bytes; below that the ratio says nothing
WIDTH_LIMIT: Final = 100  # columns
HEIGHT_LIMIT: Final = 1_048_576  # rows of an Excel sheet


def lines(data: bytes) -> tuple[Iterator[Line], tuple[str, ...]]:
    """The rows of the first visible sheet that are not empty, by number, and warnings. Formulas give the value
    last computed.

    Raises InputError, also while the lines are taken, for whatever is no sound workbook or too large a one.
    """
    _weigh(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    except Exception:  # noqa: BLE001 the border to a hostile file: openpyxl fails in many ways
        raise _unreadable() from None
    visible = [place for place, sheet in enumerate(book.worksheets) if sheet.sheet_state == "visible"]
    if not visible:
        raise InputError("文件中没有可见的工作表")
    notes = ("只读取第一个可见的工作表，其余工作表未读取",) if len(visible) > 1 else ()
    return _cells(book, visible[0]), notes


def _cells(book: Workbook, place: int) -> Iterator[Line]:
    try:
        rows = book.worksheets[place].iter_rows(max_col=WIDTH_LIMIT, max_row=HEIGHT_LIMIT, values_only=True)
        for number, row in enumerate(rows, 1):
            if row.count(None) < len(row):  # a sheet may claim a million blank rows
                yield number, [_cell(value) for value in row]
    except Exception:  # noqa: BLE001 as above: the sheet is parsed while it is read
        raise _unreadable() from None


def _cell(value: object) -> Cell | None:
    if value is None or isinstance(value, str | int | float | datetime | date):
        return value
    return value.isoformat() if isinstance(value, time) else str(value)


def _weigh(data: bytes) -> None:
    """Refuse bombs by what the directory declares: zipfile never unpacks more of a part than that."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _require_sizes(parts)
            for part in parts:
                with archive.open(part) as stream:
                    _refuse_doctype(stream)
            _require_strings(archive)
    except InputError:
        raise
    except Exception:  # noqa: BLE001 as above: zipfile and zlib
        raise _unreadable() from None


def _require_sizes(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > ENTRIES_LIMIT or sum(part.file_size for part in parts) > TOTAL_LIMIT:
        raise InputError("文件解压后过大，请拆成几个文件")
    if any(part.file_size > max(SMALL, RATIO_LIMIT * part.compress_size) for part in parts):
        raise InputError("文件的压缩比异常，请在 Excel 中另存为新的 .xlsx 再试")


def _require_strings(archive: zipfile.ZipFile) -> None:
    """The part that openpyxl will take for the shared strings, found as openpyxl finds it, whatever it is called."""
    root: Any = fromstring(archive.read(ARC_CONTENT_TYPES))
    types: Any = Manifest.from_tree(root)
    strings = types.find(SHARED_STRINGS) if types else None
    if strings is not None and archive.getinfo(strings.PartName[1:]).file_size > STRINGS_LIMIT:
        raise InputError("文件中的文字过多，请拆成几个文件，或改用 .csv")


def _refuse_doctype(stream: IO[bytes]) -> None:
    """No workbook has a document type; without one there are no entities to grow or to fetch. What is no XML at all
    is not judged here, for names and types of parts are only what the file says of itself."""
    parser = expat.ParserCreate()
    begun = False

    def refuse(*_: object) -> None:
        raise ValueError("document type")

    def begin(*_: object) -> None:
        nonlocal begun
        begun = True

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = begin
    with suppress(expat.ExpatError):
        while not begun and (block := stream.read(4096)):
            parser.Parse(block, False)


def _unreadable() -> InputError:
    return InputError("不是完好的 .xlsx 文件：请用 Excel 或 WPS 打开后另存为 .xlsx（不加密码）再试")
