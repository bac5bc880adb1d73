"""The form's picture field: a drawing in its run, and a line that fits it where it stands alone."""

from __future__ import annotations

import io
from typing import Any

from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.parts.story import StoryPart
from docx.shared import Mm
from docx.text.paragraph import Paragraph
from lxml import etree

from signsvc.fill.faces import Styles
from signsvc.fill.fields import FIELD, own_runs
from signsvc.fill.values import QR_MM, qr_png

_FROM_THE_LEFT = ("left", "start", "both")
# Elements that a body may be made of around a paragraph, and the properties that they have.
_BODY = tuple(qn(f"w:{name}") for name in ("document", "body", "tbl", "tr", "tc"))
_AROUND = tuple(qn(f"w:{name}") for name in ("tblPr", "tblPrEx", "trPr", "tcPr"))
_UNEVEN = tuple(
    qn(f"w:{name}")
    for name in (
        *("bidi", "bidiVisual", "pBdr", "shd", "framePr", "textDirection", "tblHeader"),
        *("tblStyle", "tblBorders", "tcBorders", "tblpPr"),
    )
)
FITTING = "fitting"  # the name of a drawing that what joins forms may leave out
_OBJECT = "\ufffc"  # stands for what is no text


def picture(part: StoryPart, fitting: bool) -> tuple[Any, str]:
    """A drawing element with a stand-in for the QR code, and the entry whose bytes the real one takes the place of."""
    inline = part.new_pic_inline(io.BytesIO(qr_png("stand-in")), Mm(QR_MM), Mm(QR_MM))
    inline.docPr.set("descr", "查验二维码")
    if fitting:
        inline.docPr.set("name", FITTING)
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


def fit_line(paragraph: Any, part: StoryPart, styles: Styles) -> bool:
    """Make its line as high as the picture: an exact one would cut it off, a grid or wider spacing leave a gap.

    Returns whether the picture stands just where an empty line of its height begins, over nothing and under nothing:
    then forms may be joined for conversion without it.
    """
    Paragraph(paragraph, part).paragraph_format.line_spacing = 1.0
    spacing = paragraph.find(f"{qn('w:pPr')}/{qn('w:spacing')}")
    spacing.addprevious(OxmlElement("w:snapToGrid", {qn("w:val"): "0"}))
    told, outer = list(styles.layout(paragraph)), list(paragraph.iterancestors())
    sides = (setting.find(qn("w:jc")) for setting in told)
    side = next((found.get(qn("w:val")) for found in sides if found is not None), "left")
    around = [setting for element in outer for setting in element if setting.tag in _AROUND]
    in_body = all(element.tag in _BODY for element in outer)
    return in_body and side in _FROM_THE_LEFT and not any(map(_is_uneven, (*told, *around)))


def _is_uneven(properties: etree._Element) -> bool:
    """Whether they draw something, turn the text round, repeat or cut a row."""
    exact = any(height.get(qn("w:hRule")) == "exact" for height in properties.iter(qn("w:trHeight")))
    return exact or next(properties.iter(*_UNEVEN), None) is not None
