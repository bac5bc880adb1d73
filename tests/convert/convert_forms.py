"""Small forms as the filler makes them: every run has its font set, date and office line at the right."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from docx import Document
from docx.document import Document as DocumentObject
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from signsvc.convert.place import Reading, read_again
from signsvc.models import DocxBytes, PdfBytes

NOTO = Path("/usr/share/fonts/opentype/noto")
FONTS = (NOTO / "NotoSerifCJK-Regular.ttc", NOTO / "NotoSerifCJK-Bold.ttc")
BODY = "Noto Serif CJK SC"
DATE = "2026年11月21日"
OFFICE = "（青海省示范市示范区和平街道幸福社区居民委员会盖章）"
ANCHOR = (DATE, OFFICE)
ALLOWED = frozenset(
    {"NotoSerifCJKjp-Regular", "NotoSerifCJKjp-Bold", "NotoSerifCJKsc-Regular", "BabelStoneHan"}
)


def add(
    document: DocumentObject, text: str, family: str = BODY, bold: bool = False, right: bool = False
) -> None:
    """A paragraph of 16 points in one font."""
    paragraph = document.add_paragraph()
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    run = paragraph.add_run(text)
    run.font.name, run.font.size, run.bold = family, Pt(16), bold
    for script in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        run._element.rPr.rFonts.set(qn(script), family)


def blank() -> DocumentObject:
    """An empty A4 document."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    return document


def packed(document: DocumentObject) -> DocxBytes:
    """Its bytes."""
    out = BytesIO()
    document.save(out)
    return DocxBytes(out.getvalue())


def form(name: str = "张三", more: str = "", office: str = OFFICE, family: str = BODY) -> DocxBytes:
    """A certificate in small."""
    document = blank()
    add(document, "幸福社区基层群众性自治组织证明", family, bold=True)
    add(document, f"兹证明{name}属于本社区居民{more}，有效期至2027年5月20日。", family)
    add(document, DATE, family, right=True)
    add(document, office, family, right=True)
    add(document, "查验码：7F3K-Q2M9-XA4R-TW1C", family)
    return packed(document)


def text_of(document: DocxBytes) -> str:
    """The text of the paragraphs."""
    return "\n".join(paragraph.text for paragraph in Document(BytesIO(document)).paragraphs)


def read_whole(pdf: PdfBytes) -> Reading:
    """What PDFium reads, its `anchor` being every letter."""
    return read_again(pdf, read_again(pdf, "").text)
