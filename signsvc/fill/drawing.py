"""The form's picture field: a drawing in its run, and a line that fits it where it stands alone."""

from __future__ import annotations

import io
from typing import Any

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.parts.story import StoryPart
from docx.shared import Mm
from docx.text.paragraph import Paragraph
from lxml import etree

from signsvc.fill.fields import FIELD, own_runs
from signsvc.fill.values import QR_MM, qr_png

_FROM_THE_LEFT = (None, WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.JUSTIFY)
_OBJECT = "\ufffc"  # stands for what is no text


def picture(part: StoryPart) -> tuple[Any, str]:
    """A drawing element with a stand-in for the QR code, and the entry whose bytes the real one takes the place of."""
    inline = part.new_pic_inline(io.BytesIO(qr_png("stand-in")), Mm(QR_MM), Mm(QR_MM))
    inline.docPr.set("descr", "查验二维码")
    key = inline.graphic.graphicData.pic.blipFill.blip.embed
    drawing = etree.Element(qn("w:drawing"))
    drawing.append(inline)
    return drawing, str(part.related_parts[key].partname.membername)


def is_alone(paragraph: Any, field: str) -> bool:
    """Whether a paragraph holds the picture's field and nothing else."""
    pieces = [piece for run in own_runs(paragraph) for piece in run if piece.tag != qn("w:rPr")]
    text = "".join(piece.text or "" if piece.tag == qn("w:t") else _OBJECT for piece in pieces)
    found = FIELD.fullmatch(text.strip())
    return found is not None and found[1] == field


def fit_line(paragraph: Any, part: StoryPart) -> None:
    """Make its line as high as the picture, beginning on the left if it is not told to be elsewhere.

    A line of exact height would cut the picture off, and a grid or wider spacing would leave a gap that depends on the
    program. What joins forms for conversion knows the picture's place by these words.
    """
    wrapped = Paragraph(paragraph, part)
    layout = wrapped.paragraph_format
    layout.line_spacing = 1.0
    spacing = paragraph.find(f"{qn('w:pPr')}/{qn('w:spacing')}")
    spacing.addprevious(OxmlElement("w:snapToGrid", {qn("w:val"): "0"}))
    if _alignment(wrapped) in _FROM_THE_LEFT:
        layout.alignment = WD_ALIGN_PARAGRAPH.LEFT


def _alignment(paragraph: Paragraph) -> WD_ALIGN_PARAGRAPH | None:
    """That of the paragraph, or of the nearest style that has one."""
    found: WD_ALIGN_PARAGRAPH | None = paragraph.paragraph_format.alignment
    style: Any = paragraph.style
    while found is None and style is not None:
        found, style = style.paragraph_format.alignment, style.base_style
    return found
