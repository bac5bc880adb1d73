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
from xml.etree.ElementTree import Element
from xml.parsers import expat

from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import ARC_CONTENT_TYPES, SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from signsvc.errors import InputError
from signsvc.requests.columns import Cell, Line
from signsvc.requests.parts import SHEET_ROWS, STRINGS, WholeParts, units

ENTRIES_LIMIT: Final = 2_000
TOTAL_LIMIT: Final = 256 * 1024**2  # bytes of all parts, unpacked; 200,000 rows have about 170 MB
STRINGS_LIMIT: Final = 48 * 1024**2  # bytes of the shared strings, unpacked; openpyxl holds them all
RATIO_LIMIT: Final = 200  # unpacked to packed, for parts that are large at all
SMALL: Final = 1024**2  # bytes; below that the ratio says nothing
WIDTH_LIMIT: Final = 100  # columns
HEIGHT_LIMIT: Final = 1_048_576  # rows of an Excel sheet
_TEXT: Final = f"{{{SHEET_MAIN_NS}}}t"
_TEXT_OF_RUN: Final = f"{{{SHEET_MAIN_NS}}}r/{_TEXT}"


def lines(data: bytes) -> tuple[Iterator[Line], tuple[str, ...]]:
    """The rows of the first visible sheet that are not empty, by number, and warnings. Formulas give the value
    last computed.

    Raises InputError, also while the lines are taken, for whatever is no sound workbook or too large a one.
    """
    _weigh(data)
    try:
        book = _Reader(data)
        book.open()
    except InputError:
        raise
    except Exception:  # noqa: BLE001 the border to a hostile file: openpyxl fails in many ways
        raise _unreadable() from None
    if not book.visible:
        raise InputError("文件中没有可见的工作表")
    notes = ("只读取第一个可见的工作表，其余工作表未读取",) if len(book.visible) > 1 else ()
    return _cells(book), notes


class _Reader(ExcelReader):
    """What openpyxl knows of a workbook, as far as the rows of one sheet need it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), data_only=True, keep_links=False)
        self.zip = self.archive
        self.archive: Any = WholeParts(self.zip)
        self.visible: list[str] = []  # the parts of the sheets

    def open(self) -> None:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        parts = frozenset(self.valid_files)
        for sheet, relation in self.parser.find_sheets():
            if sheet.state == "visible" and relation.target in parts and "chartsheet" not in relation.Type:
                self.visible.append(relation.target)

    def read_strings(self) -> None:
        """All strings of the workbook, for the cells to point at."""
        package: Any = self.package
        part = package.find(SHARED_STRINGS)
        if part is not None:
            with self.zip.open(part.PartName[1:]) as stream:
                self.shared_strings = [_text(item) for item in units(stream, STRINGS)]

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Number and cells of each row of the first visible sheet."""
        book: Any = self.wb
        formats = {"date_formats": book._date_formats, "timedelta_formats": book._timedelta_formats}
        with self.zip.open(self.visible[0]) as stream:
            parser = WorkSheetParser(stream, self.shared_strings, data_only=True, epoch=book.epoch, **formats)
            items: Iterator[Any] = units(stream, SHEET_ROWS)
            for item in items:
                yield parser.parse_row(item)
                parser.row_dimensions.clear()  # openpyxl would keep the attributes of every row


def _text(string: Element) -> str:
    """As openpyxl gives it: the text itself or that of its runs, without how it is pronounced."""
    texts = (*string.findall(_TEXT), *string.findall(_TEXT_OF_RUN))
    return "".join(text.text or "" for text in texts).replace("x005F_", "")


def _cells(book: _Reader) -> Iterator[Line]:
    before = 0
    try:
        for number, cells in book.rows():
            if number <= before:  # one would hide the other
                raise _unreadable()
            if number > HEIGHT_LIMIT:
                break
            before = number
            row: list[Cell | None] = [None] * WIDTH_LIMIT
            for cell in cells:
                if cell["column"] <= WIDTH_LIMIT:
                    row[cell["column"] - 1] = _cell(cell["value"])
            if row.count(None) < len(row):
                yield number, row
    except InputError:
        raise
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
    if archive.getinfo(ARC_CONTENT_TYPES).file_size > SMALL:
        raise InputError("文件内部的目录过大，请在 Excel 中另存为新的 .xlsx 再试")
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
