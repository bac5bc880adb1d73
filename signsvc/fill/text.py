"""The text of a .docx as it is printed, for comparing with what a PDF shows."""

from __future__ import annotations

import io
from collections.abc import Iterator

from docx import Document
from docx.oxml.ns import qn
from lxml import etree

from signsvc.fill.compile import story_parts
from signsvc.models import DocxBytes

_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT, _PARAGRAPH = qn("w:t"), qn("w:p")
_BREAKS = (qn("w:br"), qn("w:cr"), qn("w:tab"))


def text_of(docx: DocxBytes) -> str:
    """Headers, body, footers in this order, a line a paragraph. White space tells nothing about the printed page."""
    document = Document(io.BytesIO(docx))
    body, *margins = story_parts(document)
    headers = [part for part in margins if part.content_type.endswith("header+xml")]
    footers = [part for part in margins if part not in headers]
    return "\n".join("".join(_text(part.element)) for part in (*headers, body, *footers)).strip()


def _text(element: etree._Element) -> Iterator[str]:
    """Texts below `element`; of a text box only the form that is shown, not its stand-in for old programs."""
    for child in element:
        if child.tag == _FALLBACK:
            continue
        if child.tag == _TEXT:
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield " "
        else:
            yield from _text(child)
    if element.tag == _PARAGRAPH:
        yield "\n"
