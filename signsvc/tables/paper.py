"""The forms as `.docx`, written: label at the top left, title, and a table whose headings repeat on each page."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from docx import Document
from docx.document import Document as DocumentObject
from docx.enum.section import WD_ORIENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Mm

from signsvc.policy.packs.pack import TableForm
from signsvc.tables.look import BODY_FONT, HEADING_FONT, LABEL_SIZE, TEXT_SIZE, TITLE_FONT, TITLE_SIZE, Page
from signsvc.tables.packing import NO_TIME, repacked

_LINE, _ROW_LINE = 29, 18  # points: of the label and the title (22 lines to a page), of the table
_TWIPS_PER_MM: Final = 1440 / 25.4
_SIDES: Final = ("top", "left", "bottom", "right")
_BORDERS: Final = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
    for side in (*_SIDES, "insideH", "insideV")
)
# Twentieths of a point: characters must not touch the lines.
_MARGINS: Final = "<w:tblCellMar>{}</w:tblCellMar>".format(
    "".join(
        f'<w:{side} w:w="{width}" w:type="dxa"/>'
        for side, width in zip(_SIDES, (40, 80, 40, 80), strict=True)
    )
)
# Parts of python-docx's start document that a form does not need.
_UNNEEDED: Final = ("/thumbnail", "/customXml", "/stylesWithEffects", "/webSettings", "/numbering")


def write(form: TableForm, title: str, rows: Sequence[Sequence[str]]) -> bytes:
    """The document; a cell's lines are its paragraphs."""
    document = Document()
    page = Page.of(form)
    _set_page(document, page)
    body = document.element.body
    for xml in (
        _paragraph(form.label, HEADING_FONT, LABEL_SIZE, "left", _LINE),
        _paragraph("", BODY_FONT, LABEL_SIZE, "left", _LINE),
        _paragraph(title, TITLE_FONT, TITLE_SIZE, "center", _LINE, after=_LINE / 2),
        "".join(_table(form, page.widths(form), rows)),
        _paragraph("", BODY_FONT, 1, "left", 1),  # that must follow a table, and shall not need a page
    ):
        body.insert(len(body) - 1, parse_xml(xml.replace(">", f" {nsdecls('w')}>", 1)))
    _strip(document, title)
    stream = io.BytesIO()
    document.save(stream)
    return repacked(stream.getvalue())


def _set_page(document: DocumentObject, page: Page) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE if page.landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(page.width), Mm(page.height)
    section.top_margin, section.right_margin = Mm(page.top), Mm(page.right)
    section.bottom_margin, section.left_margin = Mm(page.bottom), Mm(page.left)


def _strip(document: DocumentObject, title: str) -> None:
    core = document.core_properties
    core.title, core.author, core.comments, core.keywords = title, "", "", ""
    core.last_modified_by, core.language = "", "zh-CN"
    core.created = core.modified = NO_TIME
    for owner in (document.part.package, document.part):
        for key, relation in list(owner.rels.items()):
            if relation.reltype.endswith(_UNNEEDED):
                del owner.rels[key]


def _table(form: TableForm, widths: Sequence[float], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    twips = [round(width * _TWIPS_PER_MM) for width in widths]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
    yield (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(twips)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{_BORDERS}</w:tblBorders><w:tblLayout w:type="fixed"/>{_MARGINS}</w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>"
    )
    headings = [
        _cell(heading, width, HEADING_FONT, "center")
        for (heading, _), width in zip(form.columns, twips, strict=True)
    ]
    yield f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(headings)}</w:tr>"
    for row in rows:
        cells = [
            _cell(text, width, BODY_FONT, "center" if field == "serial" else "left")
            for text, width, (_, field) in zip(row, twips, form.columns, strict=True)
        ]
        yield f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{''.join(cells)}</w:tr>"
    yield "</w:tbl>"


def _cell(text: str, width: int, font: str, align: str) -> str:
    paragraphs = "".join(_paragraph(line, font, TEXT_SIZE, align, _ROW_LINE) for line in text.split("\n"))
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>{paragraphs}</w:tc>'


def _paragraph(text: str, font: str, size: int, align: str, line: int, after: float = 0) -> str:
    """Lengths in points."""
    face = (
        f'<w:rPr><w:rFonts w:ascii="{font}" w:hAnsi="{font}" w:eastAsia="{font}" w:cs="{font}"/>'
        f'<w:sz w:val="{2 * size}"/><w:szCs w:val="{2 * size}"/>'
        '<w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr>'
    )
    run = f'<w:r>{face}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>' if text else ""
    return (
        f'<w:p><w:pPr><w:spacing w:before="0" w:after="{20 * after:.0f}" w:line="{20 * line}" w:lineRule="exact"/>'
        f'<w:jc w:val="{align}"/>{face}</w:pPr>{run}</w:p>'
    )
