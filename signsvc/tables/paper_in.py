"""The forms as `.docx`, read: a foreign file, opened only after everything not known to be harmless was refused."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final

from docx import Document
from docx.oxml.ns import qn
from lxml import etree

from signsvc.errors import InputError
from signsvc.fill.limits import unclear_text
from signsvc.fill.safety import unsafe_reasons
from signsvc.policy.packs.pack import TableForm
from signsvc.tables.grid import Line, table_of
from signsvc.tables.rows import Table

_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TABLE, _ROW, _CELL, _PARAGRAPH = qn("w:tbl"), qn("w:tr"), qn("w:tc"), qn("w:p")
# Content controls hold paragraphs, rows or cells and are none themselves.
_WRAPPERS: Final = frozenset({qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml")})
_CHARACTERS: Final = {qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:tab"): " ", qn("w:noBreakHyphen"): "-"}


def read(data: bytes, form: TableForm) -> Table:
    """The list in a foreign document, over all of its tables; InputError if it is none."""
    if reasons := unsafe_reasons(data):
        raise InputError("文件不安全或无法使用：" + "；".join(reasons))
    try:
        body = Document(io.BytesIO(data)).element.body
    except Exception:  # noqa: BLE001 the border to a hostile file: python-docx fails in many ways
        raise InputError("不是完好的 .docx 文件：请用 Word 或 WPS 打开后另存为 .docx 再试") from None
    if reasons := unclear_text(body):
        raise InputError("文件中有" + "；".join(reasons))
    return table_of(_lines(body), form)


def _lines(body: etree._Element) -> Iterator[Line]:
    tables = 0
    for block in _within(body):
        if block.tag == _PARAGRAPH:
            yield Line("标题", (_text_of(block),), stands_alone=True)
        elif block.tag == _TABLE:
            tables += 1
            yield from _rows(block, tables)


def _rows(table: etree._Element, number: int) -> Iterator[Line]:
    rows = [[cell for cell in _within(row) if cell.tag == _CELL] for row in _within(table) if row.tag == _ROW]
    # Some tables are drawn so that each of their rows spans columns of the grid: a row is merged if it differs.
    usual = _spans(max(rows, key=len, default=[]))
    for at, cells in enumerate(rows, 1):
        place = f"第{number}个表格第{at}行"
        if any(next(cell.iter(_TABLE), None) is not None for cell in cells):
            raise InputError(f"{place}的单元格里还有表格，请改为文字")
        yield Line(place, tuple(_cell(cell) for cell in cells), merged=_spans(cells) != usual)


def _spans(cells: Sequence[etree._Element]) -> list[str]:
    """How many columns of the grid each cell of a row spans."""
    spans = [next(cell.iter(qn("w:gridSpan")), None) for cell in cells]
    return ["1" if span is None else span.get(qn("w:val"), "1") for span in spans]


def _within(element: etree._Element) -> Iterator[etree._Element]:
    for child in element:
        if child.tag in _WRAPPERS:
            yield from _within(child)
        else:
            yield child


def _cell(cell: etree._Element) -> str:
    return "\n".join(_text_of(block) for block in _within(cell) if block.tag == _PARAGRAPH)


def _text_of(paragraph: etree._Element) -> str:
    return "".join(_texts(paragraph))


def _texts(element: etree._Element) -> Iterator[str]:
    """Texts below `element`; of a choice made for old programs only the other one."""
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in _CHARACTERS:
            yield _CHARACTERS[child.tag]
        elif child.tag != _FALLBACK:
            yield from _texts(child)
