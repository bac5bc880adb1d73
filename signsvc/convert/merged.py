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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from signsvc.models import DocxBytes

from .bodies import Apart, own_name, put_together
from .edges import draws_lines
from .pngimage import PngImage
from .vacancy import is_fitting

_DOCUMENT, _RELATIONS, _CORE = "word/document.xml", "word/_rels/document.xml.rels", "docProps/core.xml"
_TYPES, _STYLES = "[Content_Types].xml", "word/styles.xml"
_NO_CORE = (
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
)
_IMAGE = (
    '<Relationship Id="{key}" Target="/{entry}"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"/>'
)
_RELATION = re.compile(r'<Relationship [^<>]*?\bId="([^"]*)"[^<>]*>')
_TARGET = re.compile(r'\bTarget="([^"]*)"')
# In what the forms share: counts pages, or makes them differ.
_SHARED_REACHING = re.compile(
    rb"<\w+:(?:fldChar|fldSimple|instrText|pgNum|evenAndOddHeaders|mirrorMargins|bookFold\w*)[ />]"
)
# Pictures and shapes that may lie over or under another.
_FLOATING = re.compile(rb"<wp:anchor|<w:pict[ />]")
_ENTRY_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Joined:
    """A .docx of so many forms, and the pictures that they have no more than a place for: all of them, or none."""

    docx: DocxBytes
    parts: int
    pictures: Sequence[PngImage] = ()


def join(documents: Sequence[DocxBytes]) -> Joined | None:
    """One .docx with the pages of each form, or None where they would not be exactly those of the form alone.

    The forms must be fillings of one template. Its own bookmarks are dropped; each form's first paragraph, and the
    place of its picture, get one of their own, by which they are found again.
    """
    try:
        return _joined([_entries(document) for document in documents])
    except (Apart, zipfile.BadZipFile, zlib.error, KeyError, UnicodeDecodeError):
        return None


def _entries(document: DocxBytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _joined(packages: Sequence[Mapping[str, bytes]]) -> Joined:
    first = packages[0]
    if any(_SHARED_REACHING.search(data) for name, data in first.items() if name.endswith(".xml")):
        raise Apart
    pictures = _own_pictures(packages)
    bodies = [package[_DOCUMENT].decode() for package in packages]
    left_out = _left_out(packages, bodies, pictures)
    styles = first.get(_STYLES, b"").decode()
    document = put_together(bodies, tuple(pictures), bool(left_out), styles).encode()
    entries = {**first, _CORE: _NO_CORE, _DOCUMENT: document}
    added = ""
    for part, package in enumerate(packages[:1] if left_out else packages):
        for key, name in pictures.items():
            own = own_name(name, part)
            # What the template has under this name already would be shown in its place, in every form.
            if own in entries or f'"{own_name(key, part)}"'.encode() in first[_RELATIONS]:
                raise Apart
            entries[own] = package[name]
            added += _IMAGE.format(key=own_name(key, part), entry=own)
    if first[_RELATIONS].count(b"</Relationships>") != 1:
        raise Apart
    entries[_RELATIONS] = first[_RELATIONS].replace(b"</Relationships>", f"{added}</Relationships>".encode())
    return Joined(_zip(entries), len(packages), left_out)


def _own_pictures(packages: Sequence[Mapping[str, bytes]]) -> dict[str, str]:
    """The pictures that are not the same in every form: id of the relation -> entry.

    Raises Apart if anything else differs but the body and the properties, or if a header or footer shows one of them.
    """
    first = packages[0]
    if any(package.keys() != first.keys() for package in packages):
        raise Apart
    differing = {name for package in packages for name, data in package.items() if data != first[name]}
    targets = _targets(first[_RELATIONS].decode())
    pictures = {key: name for key, name in targets.items() if name in differing and not name.endswith(".xml")}
    if differing - {_DOCUMENT, _CORE, *pictures.values()}:
        raise Apart
    others = (name for name in first if name == _TYPES or (name.endswith(".rels") and name != _RELATIONS))
    elsewhere = b"".join(first[name] for name in others)
    if any(posixpath.basename(name).encode() in elsewhere for name in pictures.values()):
        raise Apart
    return pictures


def _left_out(
    packages: Sequence[Mapping[str, bytes]], bodies: Sequence[str], pictures: Mapping[str, str]
) -> Sequence[PngImage]:
    """The only own picture of each form, if every one of them could be put into the PDF as well; else nothing."""
    shared = b"".join(data for name, data in packages[0].items() if name.endswith(".xml"))
    if len(pictures) != 1 or _FLOATING.search(shared):
        return ()
    styles = packages[0].get(_STYLES, b"").decode()
    if any("<wp:anchor" in body or draws_lines(body, styles) for body in bodies):
        return ()
    [(key, name)] = pictures.items()
    images = [PngImage.of(package[name]) for package in packages]
    sound = all(images) and all(is_fitting(body, key) for body in bodies)
    return [image for image in images if image] if sound else ()


def _targets(relations: str) -> dict[str, str]:
    """Id of each relation of the body -> the entry it leads to."""
    return {
        found[1]: posixpath.normpath(posixpath.join("/word", target[1])).lstrip("/")
        for found in _RELATION.finditer(relations)
        if (target := _TARGET.search(found[0]))
    }


def _zip(entries: Mapping[str, bytes]) -> DocxBytes:
    """Stored, not deflated: the file lives only until it is converted."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, _ENTRY_DATE), data)
    return DocxBytes(stream.getvalue())
