"""The form: a template compiled once, filled many times in one strict pass.

Loading turns the template into pieces of XML with slots between them; filling joins them again, so that nothing
is parsed per certificate and a value can never be taken for a field.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import get_args
from xml.sax.saxutils import escape, quoteattr

from signsvc.errors import TemplateError
from signsvc.fill.compile import STANDARD_FACE, Package, Slot, compile_template
from signsvc.fill.fields import CERTIFICATE, Fields
from signsvc.models import BOLD, DocxBytes, Role

Choose = Callable[[str, Role], str]
# Zip entries and properties carry dates; fixed ones make the same values give the same bytes.
_ENTRY_DATE = (1980, 1, 1, 0, 0, 0)
_CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>{title}</dc:title>'
    '<dcterms:created xsi:type="dcterms:W3CDTF">1980-01-01T00:00:00Z</dcterms:created>'
    "<dc:language>zh-CN</dc:language></cp:coreProperties>"
)
_LINE_BREAK = "<w:r><w:br/></w:r>"
_NO_TEXT = frozenset({"Cc", "Cs", "Cn"})


@dataclass(frozen=True)
class Form:
    """A template ready to be filled. Frozen: one form may serve many threads."""

    _package: Package
    _fields: Fields

    @classmethod
    def load(cls, template: bytes, fields: Fields = CERTIFICATE) -> Form:
        """Check that a .docx is safe, then find its fields.

        Raises TemplateError if it is unsafe or unreadable, lacks a field, or holds one that the form does not know.
        """
        return cls(compile_template(template, fields), fields)

    def fixed_text(self, role: Role) -> str:
        """What the template prints in the face of `role` besides the fields, the same in every certificate."""
        slots = (
            piece for pieces in self._package.parts.values() for piece in pieces if isinstance(piece, Slot)
        )
        return "".join(text for slot in slots if slot.role == role for text in slot.texts[::2])

    def fill(self, values: Mapping[str, str], picture: bytes | None, choose: Choose) -> DocxBytes:
        """The filled .docx: every character carries the face that `choose(char, role)` gives for it.

        A face is `Family` or `Family:bold`. A value is text, whatever it looks like; only a line feed means a line
        break. `picture` is the PNG of the form's picture field, None for a form without one. Raises TemplateError if
        values and picture are not exactly the form's fields or hold control characters, and whatever `choose` raises.
        """
        _check(values, picture, self._fields)
        package, faces = self._package, _faces(choose)
        standard = escape(faces["body"]["文"].removesuffix(BOLD))
        entries = dict(package.fixed)
        for name, pieces in package.parts.items():
            xml = "".join(
                piece if isinstance(piece, str) else _runs(piece, values, faces) for piece in pieces
            )
            entries[name] = xml.replace(STANDARD_FACE, standard).encode()
        if picture is not None:
            entries |= dict.fromkeys(package.pictures, picture)
        entries[package.core] = _CORE.format(title=escape(values["编号"])).encode()
        return _zip((name, entries[name]) for name in package.order)


def _check(values: Mapping[str, str], picture: bytes | None, fields: Fields) -> None:
    if wrong := set(values).symmetric_difference(fields.texts):
        raise TemplateError("填写的内容与字段不符：" + "、".join(sorted(wrong)))
    if (picture is None) == bool(fields.picture):
        raise TemplateError("图片与字段不符")
    for name, value in values.items():
        if not _NO_TEXT.isdisjoint(map(unicodedata.category, value.replace("\n", ""))):
            raise TemplateError(f"字段「{name}」含有不能打印的字符")


class _Faces(dict[str, str]):
    """The face of each character in one role, asked for once."""

    def __init__(self, choose: Choose, role: Role) -> None:
        super().__init__()
        self._choose, self._role = choose, role

    def __missing__(self, char: str) -> str:
        face = self[char] = self._choose(char, self._role)
        return face


@lru_cache(maxsize=4)
def _faces(choose: Choose) -> Mapping[Role, _Faces]:
    """Kept from one certificate to the next: most characters come again."""
    return {role: _Faces(choose, role) for role in get_args(Role)}


def _runs(slot: Slot, values: Mapping[str, str], faces: Mapping[Role, _Faces]) -> str:
    """The runs of one slot, cut where the face changes."""
    texts = (values[text] if at % 2 else text for at, text in enumerate(slot.texts))
    lines = "".join(texts).split("\n")
    inherited = faces["body"]["文"] if slot.plain else ""
    return _LINE_BREAK.join(_line(slot, line, faces[slot.role], inherited) for line in lines)


def _line(slot: Slot, text: str, faces: _Faces, inherited: str) -> str:
    by_face = groupby(text, faces.__getitem__)
    return "".join(_run(slot, face, "".join(chars), inherited) for face, chars in by_face)


def _run(slot: Slot, face: str, text: str, inherited: str) -> str:
    """A run in its face: what its style hands down is not said again, for every word of it costs the converter."""
    handed_down = face == inherited and not face.endswith(BOLD)
    properties = f"{slot.style}{'' if handed_down else _face(face)}{slot.properties}"
    told = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{told}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _face(face: str) -> str:
    family, bold = quoteattr(face.removesuffix(BOLD)), int(face.endswith(BOLD))
    return (
        f"<w:rFonts w:ascii={family} w:hAnsi={family} w:eastAsia={family} w:cs={family}/>"
        f'<w:b w:val="{bold}"/><w:bCs w:val="{bold}"/>'
    )


def _zip(entries: Iterator[tuple[str, bytes]]) -> DocxBytes:
    """Stored, not deflated: the file lives only until it is converted."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name, _ENTRY_DATE), data)
    return DocxBytes(stream.getvalue())
