"""What the forms have in common: the page of GB/T 9704-2012, styles, rows that no page break divides, fixed bytes.

Lengths are points unless named otherwise.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docx import Document
from docx.blkcntnr import BlockItemContainer
from docx.document import Document as DocumentObject
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from docx.table import Table, _Cell

BODY_FONT = "仿宋_GB2312"  # what GB/T 9704 asks for; filling sets the installed font that stands for it
TITLE_FONT = "方正小标宋简体"
BODY = 16.0  # 3号
TITLE = 22.0  # 2号
COPIES = 14.0  # 4号
SMALL = 12.0  # 小4号
LEADING = 29.0  # 22 lines on 225 mm
WIDTH = 156 * 72 / 25.4  # of the text
# The signature block is centred on one axis in the right part of the page; 19 characters of 3号 fit its width.
SIGNATURE_INDENT = 8 * BODY
# A 42 mm seal over date and office reaches up to 42 pt above the date; 8 pt are in the lines.
SEAL_ABOVE = 34.0
SEAL_BELOW = 44.0  # 15 mm under the office's name, of which the seal takes up to 30 pt
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Style:
    """A paragraph style; `indent` counts its own characters for the first line, `left` points for all lines."""

    name: str
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.LEFT
    font: str = BODY_FONT
    size: float = BODY
    leading: float | None = LEADING
    indent: int = 0
    left: float = 0.0
    before: float = 0.0
    after: float = 0.0
    keep_next: bool = False


LAST_STYLE = Style("表尾", size=1.0, leading=1.0)  # the empty paragraph that must follow a table


def start(styles: Sequence[Style], style_id: str, title: str, modified: datetime) -> DocumentObject:
    """An empty A4 document with these styles, their ids `style_id` and a number."""
    document = Document()
    _page(document)
    _settings(document)
    _styles(document, styles, style_id)
    _properties(document, title, modified)
    return document


def finish(document: DocumentObject) -> bytes:
    """Its bytes, the same for the same content."""
    _prune(document)
    stream = io.BytesIO()
    document.save(stream)
    return _repack(stream.getvalue())


def row(owner: BlockItemContainer, *widths: float) -> tuple[_Cell, ...]:
    """The empty cells of a new table at the end of `owner`: one row without lines, margins or page breaks."""
    twips = [round(20 * width) for width in widths]
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
    cells = "".join(f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr></w:tc>' for width in twips)
    element: Any = parse_xml(_TABLE.format(ns=nsdecls("w"), width=sum(twips), columns=columns, cells=cells))
    owner._element._insert_tbl(element)
    return Table(element, owner).rows[0].cells


_TABLE = (
    '<w:tbl {ns}><w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:tblInd w:w="0" w:type="dxa"/>'
    '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/>'
    "</w:tblCellMar></w:tblPr><w:tblGrid>{columns}</w:tblGrid>"
    "<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr></w:tbl>"
)


def _page(document: DocumentObject) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.left_margin = Mm(37), Mm(28)
    section.right_margin, section.bottom_margin = Mm(210 - 28 - 156), Mm(297 - 37 - 225)
    section.header_distance, section.footer_distance = Mm(15), Mm(15)
    for grid in section._sectPr.findall(qn("w:docGrid")):
        section._sectPr.remove(grid)


def _settings(document: DocumentObject) -> None:
    """Word's own present-day mode (no compatibility warning), Chinese, nothing that alters text."""
    settings = document.settings.element
    for child in list(settings):
        settings.remove(child)
    for xml in (
        '<w:zoom %s w:percent="100"/>',
        '<w:defaultTabStop %s w:val="420"/>',
        '<w:autoHyphenation %s w:val="0"/>',
        '<w:characterSpacingControl %s w:val="doNotCompress"/>',
        '<w:compat %s><w:compatSetting w:name="compatibilityMode"'
        ' w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>',
        '<w:themeFontLang %s w:val="en-US" w:eastAsia="zh-CN"/>',
        '<w:decimalSymbol %s w:val="."/>',
        '<w:listSeparator %s w:val=","/>',
    ):
        settings.append(parse_xml(xml % nsdecls("w")))


def _styles(document: DocumentObject, styles: Sequence[Style], style_id: str) -> None:
    root = document.styles.element
    kept = {"Normal", "DefaultParagraphFont", "TableNormal", "NoList"}
    for child in list(root):
        if child.tag == qn("w:latentStyles") or (
            child.tag == qn("w:style") and child.get(qn("w:styleId")) not in kept
        ):
            root.remove(child)
    defaults = root.find(qn("w:docDefaults"))
    root.replace(defaults, parse_xml(_DEFAULTS % nsdecls("w")))
    for number, style in enumerate(styles, 1):
        _add_style(document, style, f"{style_id}{number}")


_DEFAULTS = (
    "<w:docDefaults %s><w:rPrDefault><w:rPr>"
    f'<w:rFonts w:ascii="{BODY_FONT}" w:hAnsi="{BODY_FONT}" w:eastAsia="{BODY_FONT}" w:cs="{BODY_FONT}"/>'
    '<w:sz w:val="32"/><w:szCs w:val="32"/><w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
    "</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
)


def _add_style(document: DocumentObject, wanted: Style, style_id: str) -> None:
    style: Any = document.styles.add_style(wanted.name, WD_STYLE_TYPE.PARAGRAPH)
    style.element.set(qn("w:styleId"), style_id)
    style.base_style = document.styles["Normal"]
    style.quick_style = True
    style.font.size = Pt(wanted.size)
    style.font.name = wanted.font
    fonts = style.element.rPr.rFonts
    for kind in ("w:eastAsia", "w:cs"):
        fonts.set(qn(kind), wanted.font)
    layout = style.paragraph_format
    layout.alignment = wanted.align
    layout.space_before, layout.space_after = Pt(wanted.before), Pt(wanted.after)
    layout.keep_with_next, layout.widow_control = wanted.keep_next, True
    if wanted.leading:
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(wanted.leading)
    if wanted.left:
        layout.left_indent = Pt(wanted.left)
    if wanted.indent:
        layout.first_line_indent = Pt(wanted.indent * wanted.size)
        # Word and WPS follow the characters, other programs the points.
        layout.element.pPr.ind.set(qn("w:firstLineChars"), str(100 * wanted.indent))


def _properties(document: DocumentObject, title: str, modified: datetime) -> None:
    core = document.core_properties
    core.title, core.author, core.comments, core.language = title, "", "", "zh-CN"
    core.last_modified_by, core.revision = "", 1
    core.created = core.modified = modified


def _prune(document: DocumentObject) -> None:
    """Drop the parts of python-docx's own start document that no form needs."""
    unneeded = ("/theme", "/customXml", "/stylesWithEffects", "/thumbnail", "/webSettings", "/numbering")
    for owner in (document.part.package, document.part):
        for key, relation in list(owner.rels.items()):
            if relation.reltype.endswith(unneeded):
                del owner.rels[key]


def _repack(data: bytes) -> bytes:
    """The same parts with fixed dates, so that the same script gives the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in sorted(old.namelist(), key=lambda part: (part != "[Content_Types].xml", part)):
            info = zipfile.ZipInfo(name, FIXED_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, old.read(name))
    return stream.getvalue()
