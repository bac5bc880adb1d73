"""Many filled forms of one template as one .docx.

A start of LibreOffice costs a second and a file a tenth of one; a form within a file costs a few thousandths. Each form
begins on a new page and keeps margins, headers and footers: in a section that all share, or in one of its own. What
numbers or names things across a document would come out otherwise than in the form alone, so forms that have any of it
are not joined.

A picture of its own costs LibreOffice as much as half of the form's text. Where it stands alone in its paragraph, only
the first form keeps it; the others keep its place, a line of the same height, and get it when their PDF is divided.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from signsvc.models import DocxBytes

from .bitmap import Bitmap
from .marks import beginning, bookmark
from .vacancy import is_fitting, vacated

_DOCUMENT, _RELATIONS, _CORE = "word/document.xml", "word/_rels/document.xml.rels", "docProps/core.xml"
_TYPES = "[Content_Types].xml"
_NO_CORE = (
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)
_IMAGE = (
    '<Relationship Id="{key}" Target="/{entry}"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"/>'
)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
# Up to the body, its content, the properties of its only section, the end.
_PARTS = re.compile(
    r"(.*?<w:body>)(.*</w:p>)(<w:sectPr[ >].*</w:sectPr>)(</w:body></w:document>\s*)", re.DOTALL
)
_FIRST_PARAGRAPH = re.compile(r"<w:p(?: [^<>]*)?(?<!/)>(?:<w:pPr>.*?</w:pPr>|<w:pPr/>)?", re.DOTALL)
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
_RELATION = re.compile(r'<Relationship [^<>]*?\bId="([^"]*)"[^<>]*>')
_TARGET = re.compile(r'\bTarget="([^"]*)"')
# Counts pages or paragraphs, or refers to another place: in the body, and in what the forms share.
_REACHING = re.compile(
    r"<\w+:(?:fldChar|fldSimple|instrText|pgNum|numPr|lnNumType|footnoteReference|endnoteReference|sdt|permStart"
    r"|framePr|pict|AlternateContent|pPrChange)[ />]|<w:hyperlink [^<>]*w:anchor=|<!|<\?(?!xml )"
)
_SHARED_REACHING = re.compile(
    rb"<\w+:(?:fldChar|fldSimple|instrText|pgNum|evenAndOddHeaders|mirrorMargins|bookFold\w*)[ />]"
)
# Carries the properties of the section before it. LibreOffice drops a paragraph that has nothing else to show.
_END = (
    '<w:p><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>{section}</w:pPr></w:p>'
)
_ENTRY_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Joined:
    """A .docx of so many forms, and the pictures that they have no more than a place for: all of them, or none."""

    docx: DocxBytes
    parts: int
    pictures: Sequence[Bitmap] = ()


class _Apart(ValueError):
    """These forms, or one of them, cannot be joined exactly."""


def join(documents: Sequence[DocxBytes]) -> Joined | None:
    """One .docx with the pages of each form, or None where they would not be exactly those of the form alone.

    The forms must be fillings of one template. Its own bookmarks are dropped; each form's first paragraph, and the
    place of its picture, get one of their own, by which they are found again.
    """
    try:
        return _joined([_entries(document) for document in documents])
    except (_Apart, zipfile.BadZipFile, zlib.error, KeyError, UnicodeDecodeError):
        return None


def _entries(document: DocxBytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _joined(packages: Sequence[Mapping[str, bytes]]) -> Joined:
    first = packages[0]
    if any(_SHARED_REACHING.search(data) for name, data in first.items() if name.endswith(".xml")):
        raise _Apart
    pictures = _own_pictures(packages)
    bodies = [package[_DOCUMENT].decode() for package in packages]
    left_out = _left_out(packages, bodies, pictures)
    document = _document(bodies, tuple(pictures), bool(left_out)).encode()
    entries = {**first, _CORE: _NO_CORE, _DOCUMENT: document}
    added = ""
    for part, package in enumerate(packages[:1] if left_out else packages):
        for key, name in pictures.items():
            own = _own(name, part)
            # What the template has under this name already would be shown in its place, in every form.
            if own in entries or f'"{_own(key, part)}"'.encode() in first[_RELATIONS]:
                raise _Apart
            entries[own] = package[name]
            added += _IMAGE.format(key=_own(key, part), entry=own)
    if first[_RELATIONS].count(b"</Relationships>") != 1:
        raise _Apart
    entries[_RELATIONS] = first[_RELATIONS].replace(b"</Relationships>", f"{added}</Relationships>".encode())
    return Joined(_zip(entries), len(packages), left_out)


def _own_pictures(packages: Sequence[Mapping[str, bytes]]) -> dict[str, str]:
    """The pictures that are not the same in every form: id of the relation -> entry.

    Raises _Apart if anything else differs but the body and the properties, or if a header or footer shows one of them.
    """
    first = packages[0]
    if any(package.keys() != first.keys() for package in packages):
        raise _Apart
    differing = {name for package in packages for name, data in package.items() if data != first[name]}
    targets = _targets(first[_RELATIONS].decode())
    pictures = {key: name for key, name in targets.items() if name in differing and not name.endswith(".xml")}
    if differing - {_DOCUMENT, _CORE, *pictures.values()}:
        raise _Apart
    others = (name for name in first if name == _TYPES or (name.endswith(".rels") and name != _RELATIONS))
    elsewhere = b"".join(first[name] for name in others)
    if any(posixpath.basename(name).encode() in elsewhere for name in pictures.values()):
        raise _Apart
    return pictures


def _left_out(
    packages: Sequence[Mapping[str, bytes]], bodies: Sequence[str], pictures: Mapping[str, str]
) -> Sequence[Bitmap]:
    """The only own picture of each form, if every one of them could be put into the PDF as well; else nothing."""
    if len(pictures) != 1:
        return ()
    [(key, name)] = pictures.items()
    bitmaps = [Bitmap.from_png(package[name]) for package in packages]
    sound = all(bitmaps) and all(is_fitting(body, key) for body in bodies)
    return [bitmap for bitmap in bitmaps if bitmap] if sound else ()


def _targets(relations: str) -> dict[str, str]:
    """Id of each relation of the body -> the entry it leads to."""
    return {
        found[1]: posixpath.normpath(posixpath.join("/word", target[1])).lstrip("/")
        for found in _RELATION.finditer(relations)
        if (target := _TARGET.search(found[0]))
    }


def _own(text: str, part: int) -> str:
    """A relation's id, or a picture's entry, for one form alone."""
    folder, name = posixpath.split(text)
    return posixpath.join(folder, beginning(part) + name)


@dataclass(frozen=True)
class _Form:
    """The body of one form: what comes before it, its content, its section's properties, what comes after."""

    head: str
    content: str
    section: str
    tail: str

    @classmethod
    def read(cls, xml: str, part: int, pictures: Sequence[str], left_out: bool) -> _Form:
        """Cut up, with names of its own; raises _Apart for a body that would not look the same among others.

        If pictures are `left_out`, there is a mark where one stands, and nothing but the first form's.
        """
        cut = _PARTS.fullmatch(xml)
        if cut is None or xml.count("<w:sectPr") != 1 or xml.count(_WORD) != 1 or _REACHING.search(xml):
            raise _Apart
        content = _BOOKMARK.sub("", cut[2])
        if left_out:
            content = vacated(content, part)
        for key in pictures:
            content = re.sub(
                rf'(<a:blip [^<>]*?r:embed="){re.escape(key)}"', rf'\g<1>{_own(key, part)}"', content
            )
            if re.search(rf'<[^<>]*"{re.escape(key)}"', content):
                raise _Apart
        return cls(cut[1], _marked(content, part), _SECTION_TYPE.sub("", cut[3]), cut[4])

    def shares_section(self) -> bool:
        """Whether its pages are the same among others of its section: no first page of another kind, no columns."""
        return (
            set(_SECTION_TAG.findall(self.section)) <= _ALIKE_ON_ALL_PAGES
            and not _FIRST_PAGE.search(self.section)
            and bool(_UNBROKEN.match(self.content))
        )

    def on_new_page(self) -> str:
        """Its content with a page break before the first paragraph."""
        return _UNBROKEN.sub(r"\g<0><w:pageBreakBefore/>", self.content, count=1)


def _marked(content: str, part: int) -> str:
    """With a bookmark at its beginning, a paragraph: where a section begins with a table, its last line would stay."""
    first = _FIRST_PARAGRAPH.match(content)
    if first is None:
        raise _Apart
    return content[: first.end()] + bookmark(beginning(part), 2 * part + 1) + content[first.end() :]


def _document(bodies: Sequence[str], pictures: Sequence[str], left_out: bool) -> str:
    forms = [_Form.read(xml, part, pictures, left_out) for part, xml in enumerate(bodies)]
    last = forms[-1]
    if any(form.head != last.head for form in forms):
        raise _Apart
    ids = count(1)
    content = _DRAWING_ID.sub(lambda found: f"{found[1]}{next(ids)}", "".join(_contents(forms)))
    return last.head + content + last.section + last.tail


def _contents(forms: Sequence[_Form]) -> Iterator[str]:
    """The content of each form, in a section of its own where they cannot share one, which is a fifth faster."""
    if len({form.section for form in forms}) == 1 and forms[0].shares_section():
        yield from [forms[0].content, *(form.on_new_page() for form in forms[1:])]
        return
    yield from (form.content + _END.format(section=form.section) for form in forms[:-1])
    yield forms[-1].content


def _zip(entries: Mapping[str, bytes]) -> DocxBytes:
    """Stored, not deflated: the file lives only until it is converted."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, _ENTRY_DATE), data)
    return DocxBytes(stream.getvalue())
