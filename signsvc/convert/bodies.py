"""The bodies of forms: cut up, marked, and put together as one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from .edges import first_paragraph, is_automatic, is_bordered
from .marks import beginning, bookmark
from .vacancy import vacated

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
# Up to the body, its content, the properties of its only section, the end.
_PARTS = re.compile(
    r"(.*?<w:body>)(.*</w:p>)(<w:sectPr[ >].*</w:sectPr>)(</w:body></w:document>\s*)", re.DOTALL
)
_BOOKMARK = re.compile(r"<w:bookmark(?:Start|End) [^<>]*/>")
_SECTION_TYPE = re.compile(r"<w:type [^<>]*/>")
_SECTION_TAG, _FIRST_PAGE = re.compile(r"<([\w:]+)"), re.compile(r'"first\w*"|w:num=')
_ALIKE_ON_ALL_PAGES = frozenset(
    f"w:{name}"
    for name in ("sectPr", "pgSz", "pgMar", "cols", "docGrid", "headerReference", "footerReference")
)
# A first paragraph that does not tell of page breaks itself, up to where it would.
_UNBROKEN = re.compile(
    r"<w:p(?: [^<>]*)?><w:pPr>(?!(?:(?!</w:pPr>).)*<w:pageBreakBefore)(?:<w:pStyle [^<>]*/>)?", re.DOTALL
)
_DRAWING_ID = re.compile(r'(<wp:docPr [^<>]*?\bid=")\d+')
# Counts pages or paragraphs, or refers to another place.
_REACHING = re.compile(
    r"<\w+:(?:fldChar|fldSimple|instrText|pgNum|numPr|lnNumType|footnoteReference|endnoteReference|sdt|permStart"
    r"|framePr|pict|AlternateContent|pPrChange)[ />]|<w:hyperlink [^<>]*w:anchor=|<!|<\?(?!xml )"
)
# Carries the properties of the section before it. LibreOffice drops a paragraph that has nothing else to show.
_END = (
    '<w:p><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>{section}</w:pPr></w:p>'
)


class Apart(ValueError):
    """These forms, or one of them, cannot be joined exactly."""


@dataclass(frozen=True)
class _Form:
    """The body of one form: what comes before it, its content, its section's properties, what comes after."""

    head: str
    content: str
    section: str
    tail: str

    @classmethod
    def read(cls, xml: str, part: int, pictures: Sequence[str], left_out: bool) -> _Form:
        """Cut up, with names of its own; raises Apart for a body that would not look the same among others.

        If pictures are `left_out`, there is a mark where one stands, and nothing but the first form's.
        """
        cut = _PARTS.fullmatch(xml)
        if cut is None or xml.count("<w:sectPr") != 1 or xml.count(_WORD) != 1 or _REACHING.search(xml):
            raise Apart
        content = _BOOKMARK.sub("", cut[2])
        if left_out:
            content = vacated(content, part)
        for key in pictures:
            content = re.sub(
                rf'(<a:blip [^<>]*?r:embed="){re.escape(key)}"', rf'\g<1>{own_name(key, part)}"', content
            )
            if re.search(rf'<[^<>]*"{re.escape(key)}"', content):
                raise Apart
        return cls(cut[1], _marked(content, part), _SECTION_TYPE.sub("", cut[3]), cut[4])

    def shares_section(self, styles: str) -> bool:
        """Whether its pages are the same among others of its section: no first page of another kind, no columns, no
        border that would meet one of the next form."""
        return (
            set(_SECTION_TAG.findall(self.section)) <= _ALIKE_ON_ALL_PAGES
            and not _FIRST_PAGE.search(self.section)
            and bool(_UNBROKEN.match(self.content))
            and not is_bordered(self.content, styles)
        )

    def on_new_page(self) -> str:
        """Its content with a page break before the first paragraph."""
        return _UNBROKEN.sub(r"\g<0><w:pageBreakBefore/>", self.content, count=1)


def _marked(content: str, part: int) -> str:
    """With a bookmark at its beginning, a paragraph: where a section begins with a table, its last line would stay."""
    first = first_paragraph(content)
    if first is None:
        raise Apart
    return content[: first.end()] + bookmark(beginning(part), 2 * part + 1) + content[first.end() :]


def put_together(bodies: Sequence[str], pictures: Sequence[str], left_out: bool, styles: str) -> str:
    """One document of the forms' bodies; `pictures` are the relations of the pictures that each has of its own.

    Raises Apart for forms whose pages would not be the same.
    """
    forms = [_Form.read(xml, part, pictures, left_out) for part, xml in enumerate(bodies)]
    last = forms[-1]
    if any(form.head != last.head or is_automatic(form.content, styles) for form in forms):
        raise Apart
    ids = count(1)
    content = _DRAWING_ID.sub(lambda found: f"{found[1]}{next(ids)}", "".join(_contents(forms, styles)))
    return last.head + content + last.section + last.tail


def _contents(forms: Sequence[_Form], styles: str) -> Iterator[str]:
    """The content of each form, in a section of its own where they cannot share one, which is a fifth faster."""
    if len({form.section for form in forms}) == 1 and all(form.shares_section(styles) for form in forms):
        yield from [forms[0].content, *(form.on_new_page() for form in forms[1:])]
        return
    yield from (form.content + _END.format(section=form.section) for form in forms[:-1])
    yield forms[-1].content


def own_name(text: str, part: int) -> str:
    """A relation's id, or a picture's entry, for one form alone."""
    folder, name = posixpath.split(text)
    return posixpath.join(folder, beginning(part) + name)
