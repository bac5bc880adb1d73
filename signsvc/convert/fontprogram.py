"""What a font in a PDF really shows: the text of each code, and whether the code has a glyph at all.

Text extraction believes the file's own account of itself. A box printed for a missing glyph reads back as the right
character, so the embedded program is asked too (ISO 32000-2, 9.6 to 9.10).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from fontTools.ttLib import TTFont
from isal import isal_zlib
from pikepdf import Dictionary, Name, Object, Stream

from . import type1
from .cffreading import Cff, read_cff

NOTDEF = ".notdef"
_SUBSET = re.compile(r"^/?[A-Z]{6}\+")
_SECTION = re.compile(rb"begin(bfchar|bfrange)(.*?)end\1", re.DOTALL)
_TOKEN = re.compile(rb"<([0-9A-Fa-f\s]*)>|([\[\]])")


class Unacceptable(ValueError):
    """A font of a kind, or with a gap, that is not allowed in a certificate."""


@dataclass(frozen=True)
class Program:
    """An embedded font: PostScript `name` without subset prefix, `width` bytes a code, the text and glyph of codes.

    `glyphs` maps a code to an identity of its glyph, without codes that show .notdef; `total` counts the glyphs in
    the program besides .notdef, None where they cannot be counted cheaply.
    """

    name: str
    width: int
    text: dict[int, str]
    glyphs: dict[int, object]
    total: int | None

    def codes(self, shown: bytes) -> Sequence[int]:
        """The character codes in a shown string."""
        if self.width == 1:
            return shown
        return [int.from_bytes(shown[at : at + self.width], "big") for at in range(0, len(shown), self.width)]


def read_program(font: Object) -> Program:
    """Read a font dictionary of a page; raises Unacceptable, or whatever a broken program provokes."""
    kind = font.get("/Subtype")
    if kind == "/Type0":
        return _composite(font)
    if kind not in ("/Type1", "/TrueType"):
        raise Unacceptable(f"font type {kind}")
    if "/Encoding" in font:
        raise Unacceptable("encoding outside the font program")
    descriptor = _dictionary(font, "/FontDescriptor")
    glyphs, total = _simple_glyphs(descriptor)
    return Program(font_name(descriptor), 1, _to_unicode(font), glyphs, total)


def _simple_glyphs(descriptor: Object) -> tuple[dict[int, object], int | None]:
    if "/FontFile" in descriptor:
        names = type1.encoding(_stream(descriptor, "/FontFile"))
        return {code: name for code, name in names.items() if name != NOTDEF}, None
    if "/FontFile2" in descriptor:
        return _truetype_glyphs(_stream(descriptor, "/FontFile2"))
    font = _cff(descriptor, "/Type1C")
    if font.encoding is None:
        raise Unacceptable("predefined encoding")
    return {code: gid for code, gid in font.encoding.items() if font.charset[gid]}, len(font.charset) - 1


def _truetype_glyphs(data: bytes) -> tuple[dict[int, object], int]:
    """By the rules for symbolic TrueType fonts: cmap (3,0) at F000 plus the code, else (1,0)."""
    font = TTFont(BytesIO(data), lazy=True)
    tables = {(table.platformID, table.platEncID): table.cmap for table in font["cmap"].tables}
    cmap = {code & 0xFF: name for code, name in (tables.get((3, 0)) or tables.get((1, 0)) or {}).items()}
    return {code: name for code, name in cmap.items() if font.getGlyphID(name) != 0}, font[
        "maxp"
    ].numGlyphs - 1


def _composite(font: Object) -> Program:
    if font.get("/Encoding") != "/Identity-H":
        raise Unacceptable("encoding other than Identity-H")
    inner = font["/DescendantFonts"][0]
    descriptor = _dictionary(inner, "/FontDescriptor")
    text = _to_unicode(font)
    if inner.get("/Subtype") == "/CIDFontType2":
        count = TTFont(BytesIO(_stream(descriptor, "/FontFile2")), lazy=True)["maxp"].numGlyphs
        glyph_of = _cid_to_gid(inner, count)
    else:
        program = _cff(descriptor, "/CIDFontType0C")
        count = len(program.charset)
        cids = program.charset if program.by_cid else range(count)
        glyph_of = {cid: gid for gid, cid in enumerate(cids)}
    glyphs: dict[int, object] = {cid: gid for cid, gid in glyph_of.items() if 0 < gid < count}
    return Program(font_name(descriptor), 2, text, glyphs, count - 1)


def _cid_to_gid(inner: Object, count: int) -> dict[int, int]:
    mapping = inner.get("/CIDToGIDMap", "/Identity")
    if mapping == "/Identity":
        return {gid: gid for gid in range(count)}
    data = _stream(inner, "/CIDToGIDMap")
    return {cid: int.from_bytes(data[2 * cid : 2 * cid + 2], "big") for cid in range(len(data) // 2)}


def _cff(descriptor: Object, subtype: str) -> Cff:
    stream = descriptor.get("/FontFile3")
    if not isinstance(stream, Stream) or stream.get("/Subtype") != subtype:
        raise Unacceptable("font is not embedded, or as a kind that is not read")
    return read_cff(_data(stream))


def _to_unicode(font: Object) -> dict[int, str]:
    """The ToUnicode CMap: code -> text (9.10.3)."""
    text: dict[int, str] = {}
    for kind, body in _SECTION.findall(_stream(font, "/ToUnicode")):
        tokens = _TOKEN.findall(body)
        text |= _characters(tokens) if kind == b"bfchar" else _ranges(iter(tokens))
    return text


def _characters(tokens: Sequence[tuple[bytes, bytes]]) -> dict[int, str]:
    """Each code and its text."""
    digits = [item for item, _ in tokens]
    codes, texts = [int(item, 16) for item in digits[::2]], digits[1::2]
    if all(len(item) == 4 for item in texts):  # one unit each, as nearly always
        return dict(zip(codes, _utf16(b"".join(texts)), strict=True))
    return dict(zip(codes, map(_utf16, texts), strict=True))


def _ranges(tokens: Iterator[tuple[bytes, bytes]]) -> dict[int, str]:
    """First and last code, and the text of the first or, in brackets, of each."""
    text: dict[int, str] = {}
    for first, _ in tokens:
        (last, _), (target, bracket) = next(tokens), next(tokens)
        start, span = int(first, 16), int(last, 16) - int(first, 16) + 1
        if not 0 < span <= 0x10000:
            raise Unacceptable("ToUnicode range")
        if bracket:
            text |= {start + step: _utf16(next(tokens)[0]) for step in range(span)}
            next(tokens)  # ]
        else:
            stem, end = _utf16(target)[:-1], ord(_utf16(target)[-1])
            text |= {start + step: stem + chr(end + step) for step in range(span)}
    return text


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode("ascii")).decode("utf-16-be")


def font_name(descriptor: Mapping[str, Any] | Object) -> str:
    """PostScript name without the prefix that marks a subset."""
    return _SUBSET.sub("", str(descriptor["/FontName"])).removeprefix("/")


def _dictionary(parent: Object, key: str) -> Object:
    value = parent[key]
    if not isinstance(value, Dictionary):
        raise Unacceptable(f"no {key}")
    return value


def _stream(parent: Object, key: str) -> bytes:
    value = parent.get(key)
    if not isinstance(value, Stream):
        raise Unacceptable(f"no {key}")
    return _data(value)


def _data(stream: Stream) -> bytes:
    """What the stream holds. ISA-L inflates twice as fast as zlib, and most of a font is inflating it."""
    if stream.get("/Filter") == Name.FlateDecode and "/DecodeParms" not in stream:
        return isal_zlib.decompress(stream.read_raw_bytes())
    return stream.read_bytes()
