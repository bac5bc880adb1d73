"""The fields of each form, `{{姓名}}`, and how they are found where Word has split them over several runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from docx.oxml.ns import qn
from lxml import etree


@dataclass(frozen=True)
class Fields:
    """The fields of one form in its order; a template of that form must hold each of them and no others."""

    texts: tuple[str, ...]
    picture: str = ""  # the field that becomes a picture, if the form has one

    @property
    def names(self) -> tuple[str, ...]:
        """Every field, the picture last."""
        return (*self.texts, self.picture) if self.picture else self.texts


# The blanks of 附件4, and the verification block.
CERTIFICATE = Fields(
    (
        "标题", "县", "街道", "社区", "编号", "索要单位", "社区或村", "姓名", "证件名称", "证件号码", "依据", "居或村",
        "证明事项", "证明用途", "有效期至", "出具日期", "出具组织", "查验码", "查验网址",
    ),
    picture="二维码",
)  # fmt: skip
# The notice of refusal (不予出具告知单).
NOTICE = Fields(
    (
        "编号", "说明", "姓名", "证明事项", "索要单位", "不予出具的原因", "依据", "办事途径", "可以怎么办", "电话",
        "出具日期", "出具组织",
    )
)  # fmt: skip

FIELD = re.compile(r"\{\{[ \u3000]*([^{}\ufffc]+?)[ \u3000]*\}\}")
_STRAY = re.compile(r"\{\{|\}\}|｛｛|｝｝")
# Stands for anything in a run that is not text, so that no field is joined across a picture or a line break.
_OBJECT = "\ufffc"
_TEXT, _RUN, _PARAGRAPH = qn("w:t"), qn("w:r"), qn("w:p")
_RUN_PROPERTIES = qn("w:rPr")
_NOISE = tuple(
    qn(f"w:{name}") for name in ("proofErr", "lastRenderedPageBreak", "noProof", "permStart", "permEnd")
)


@dataclass
class Found:
    """What a walk over the template met: field names, those that were split, and text with stray braces."""

    fields: Fields
    names: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    stray: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields of the form that the template lacks."""
        return tuple(name for name in self.fields.names if name not in self.names)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names in braces that are no fields of the form."""
        return tuple(dict.fromkeys(name for name in self.names if name not in self.fields.names))


def merge_fields(root: etree._Element, found: Found) -> None:
    """Bring every field of a part into one text element, in place, and note it in `found`."""
    for element in list(root.iter(*_NOISE)):
        drop(element)
    for paragraph in root.iter(_PARAGRAPH):
        _merge_paragraph(paragraph, found)


def own_runs(paragraph: etree._Element) -> Iterator[etree._Element]:
    """Runs of the paragraph itself, not those of a text box anchored in it."""
    for run in paragraph.iter(_RUN):
        if next(run.iterancestors(_PARAGRAPH)) is paragraph:
            yield run


def _merge_paragraph(paragraph: etree._Element, found: Found) -> None:
    pieces = [child for run in own_runs(paragraph) for child in run if child.tag != _RUN_PROPERTIES]
    texts = [(piece.text or "") if piece.tag == _TEXT else _OBJECT for piece in pieces]
    whole = "".join(texts)
    found.stray |= bool(_STRAY.search(FIELD.sub("", whole)))
    matches = list(FIELD.finditer(whole))
    found.names += [match[1] for match in matches]
    for piece, text in zip(pieces, _repartition(whole, texts, matches, found), strict=True):
        if piece.tag == _TEXT:
            piece.text = text


def _repartition(whole: str, texts: list[str], matches: list[re.Match[str]], found: Found) -> Iterator[str]:
    """The same text, cut so that each piece ends where it did, or behind the field that runs over its end."""
    waiting = iter(matches)
    match = next(waiting, None)
    start = 0
    for boundary in accumulate(len(text) for text in texts):
        end = max(start, boundary)
        while match and match.end() <= end:
            match = next(waiting, None)
        if match and match.start() < end:
            found.split.append(match[1])
            end = match.end()
        yield whole[start:end]
        start = end


def drop(element: etree._Element) -> None:
    """Take an element out of its tree."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
