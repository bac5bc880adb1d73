"""The layout of a form's first and last paragraphs, their styles included: what meets its neighbours when joined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_PARAGRAPH = re.compile(r"<w:p(?: [^<>]*)?(?<!/)>(?:<w:pPr>.*?</w:pPr>|<w:pPr/>)?", re.DOTALL)
_STYLE = re.compile(r"<w:style ([^<>]*)>(.*?)</w:style>", re.DOTALL)
_ID, _BASE = re.compile(r'w:styleId="([^"]*)"'), re.compile(r'<w:basedOn w:val="([^"]*)"')
_NAMED = re.compile(r'<w:pStyle w:val="([^"]*)"')
_DEFAULTS = re.compile(r"<w:pPrDefault>.*?</w:pPrDefault>", re.DOTALL)
_LINES = re.compile(r"<w:(?:pBdr|tblBorders|tcBorders|tblStyle)[ />]")
_AUTOMATIC = re.compile(r'Autospacing="(?:1|true|on)"')


def first_paragraph(content: str) -> re.Match[str] | None:
    """The beginning of a form's first paragraph, with its properties; None for one that begins otherwise."""
    return _PARAGRAPH.match(content)


def is_automatic(content: str, styles: str) -> bool:
    """Whether a program decides the space before the first paragraph: at the top of a file it does otherwise."""
    found = _PARAGRAPH.match(content)
    return found is not None and bool(_AUTOMATIC.search(_layout(found[0], styles)))


def is_bordered(content: str, styles: str) -> bool:
    """Whether first or last paragraph has a border: equal ones are drawn as one, even over a page break."""
    last = max(content.rfind("<w:p>"), content.rfind("<w:p "))
    found = (_PARAGRAPH.match(content), _PARAGRAPH.match(content, last))
    return any(item is None or "<w:pBdr" in _layout(item[0], styles) for item in found)


def draws_lines(content: str, styles: str) -> bool:
    """Whether anything in a form has a border, or is in a table that might have some."""
    used = {"", *_NAMED.findall(content)}
    return bool(_LINES.search(content)) or any("<w:pBdr" in _styled(style, styles) for style in used)


def _layout(paragraph: str, styles: str) -> str:
    """The paragraph's properties, those of its styles, and the defaults."""
    named = _NAMED.search(paragraph)
    return paragraph + _styled(named[1] if named else "", styles)


@lru_cache(maxsize=256)
def _styled(style: str, styles: str) -> str:
    """What a style and those below it say, and the defaults."""
    by_id, words = _read(styles)
    seen = set[str]()
    while style in by_id and style not in seen:
        seen.add(style)
        words += by_id[style]
        base = _BASE.search(by_id[style])
        style = base[1] if base else ""
    return words


@lru_cache(maxsize=4)
def _read(styles: str) -> tuple[Mapping[str, str], str]:
    """Each style by its id, the default one by no id as well; and the defaults of all paragraphs."""
    found: dict[str, str] = {}
    for about, body in _STYLE.findall(styles):
        name = _ID.search(about)
        found |= {name[1]: body} if name else {}
        if 'w:type="paragraph"' in about and 'w:default="1"' in about:
            found[""] = body
    return found, "".join(_DEFAULTS.findall(styles))
