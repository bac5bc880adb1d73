"""The forms as `.xlsx`."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from signsvc.errors import InputError
from signsvc.policy.packs.pack import TableForm
from signsvc.requests import workbook
from signsvc.requests.columns import Line as SheetLine
from signsvc.requests.columns import plain
from signsvc.tables.grid import Line, table_of
from signsvc.tables.look import BODY_FONT, HEADING_FONT, LABEL_SIZE, TEXT_SIZE, TITLE_FONT, TITLE_SIZE, Page
from signsvc.tables.packing import NO_TIME, repacked
from signsvc.tables.rows import Table

FILE_LIMIT: Final = 10 * 1024**2  # bytes
HEADING_ROW: Final = 3  # under the label and the title
# Where Excel, LibreOffice or whoever retypes the cell would see a formula.
_FORMULA: Final = ("=", "+", "-", "@")
# Excel writes characters as _x000D_, and _x005F_ for the _ of what only looks so (ECMA-376 part 1, 22.9.2.19).
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WOULD_BE_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_LINE: Final = Side(style="thin")
_FRAME: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_MM_PER_WIDTH: Final = 2.1  # of Excel's column width, one digit of the standard font


def write(form: TableForm, title: str, rows: Sequence[Sequence[str]]) -> bytes:
    """A workbook of one sheet: label, title, headings that repeat on each page, and the rows, all cells text."""
    book = Workbook()
    book.properties.creator, book.properties.title = "", title
    book.properties.created = book.properties.modified = NO_TIME
    sheet = book.worksheets[0]
    sheet.title = form.label
    _head(sheet, form, title)
    for number, row in enumerate(rows, HEADING_ROW + 1):
        for place, (text, (_, field)) in enumerate(zip(row, form.columns, strict=True), 1):
            _put(sheet.cell(number, place), text, BODY_FONT, centred=field == "serial")
    _page(sheet, form)
    stream = io.BytesIO()
    # Not book.save: that writes the hour into the file.
    ExcelWriter(book, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)).save()
    return repacked(stream.getvalue())


def _head(sheet: Worksheet, form: TableForm, title: str) -> None:
    sheet["A1"].value, sheet["A1"].font = form.label, Font(name=HEADING_FONT, size=LABEL_SIZE)
    sheet["A2"].value, sheet["A2"].font = title, Font(name=TITLE_FONT, size=TITLE_SIZE)
    sheet["A2"].alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    sheet.merge_cells(start_row=2, start_column=1, end_row=2, end_column=len(form.columns))
    sheet.row_dimensions[2].height = 3 * TITLE_SIZE
    for place, (heading, _) in enumerate(form.columns, 1):
        _put(sheet.cell(HEADING_ROW, place), heading, HEADING_FONT, centred=True)


def _put(cell: Cell | MergedCell, text: str, font: str, *, centred: bool) -> None:
    """Text that no program computes: typed as a string, and marked so (Excel's leading ') where it begins as a
    formula does. The text itself is not altered."""
    cell.value = _WOULD_BE_ESCAPED.sub("_x005F_", text)
    cell.data_type = "s"
    cell.font, cell.border = Font(name=font, size=TEXT_SIZE), _FRAME
    cell.alignment = Alignment(horizontal="center" if centred else "left", vertical="center", wrap_text=True)
    cell.quotePrefix = text.startswith(_FORMULA)


def _page(sheet: Worksheet, form: TableForm) -> None:
    page = Page.of(form)
    for place, width in enumerate(page.widths(form), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width / _MM_PER_WIDTH
    sheet.page_setup.orientation = "landscape" if page.landscape else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for side in ("top", "right", "bottom", "left"):
        setattr(sheet.page_margins, side, getattr(page, side) / 25.4)
    sheet.print_title_rows = f"{HEADING_ROW}:{HEADING_ROW}"
    sheet.freeze_panes = f"A{HEADING_ROW + 1}"


def read(data: bytes, form: TableForm) -> Table:
    """The list in a foreign workbook's first visible sheet; InputError if it is none."""
    if len(data) > FILE_LIMIT:
        raise InputError(f"文件超过 {FILE_LIMIT // 1024**2} MB，请拆成几个文件")
    with warnings.catch_warnings(action="ignore"):  # openpyxl's remarks on styles and the like
        lines, notes = workbook.lines(data)
        return table_of(_lines(lines), form, notes)


def _lines(lines: Iterator[SheetLine]) -> Iterator[Line]:
    for number, cells in lines:
        texts = ("" if cell is None else _unescaped(plain(cell)) for cell in cells)
        yield Line(f"第{number}行", tuple(texts))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
