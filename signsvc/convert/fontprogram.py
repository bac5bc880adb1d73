"""What a font in a PDF really shows: the text of each code, and whether the code has a glyph at all.

Text extraction believes the file's own account of itself. A box printed for a missing glyph reads back as the right
character, so the embedded program is asked too (ISO 32000-2, 9.6 to 9.10).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, cast

from fontTools.cffLib import CFFFontSet
from fontTools.ttLib import TTFont
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from . import type1

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

    def codes(self, shown: bytes) -> Iterator[int]:
        """The character codes in a shown string."""
        for start in range(0, len(shown), self.width):
            yield int.from_bytes(shown[start : start + self.width], "big")


def read_program(font: DictionaryObject) -> Program:
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


def _simple_glyphs(descriptor: DictionaryObject) -> tuple[dict[int, object], int | None]:
    if "/FontFile" in descriptor:
        names = type1.encoding(_stream(descriptor, "/FontFile"))
        return {code: name for code, name in names.items() if name != NOTDEF}, None
    if "/FontFile2" in descriptor:
        return _truetype_glyphs(_stream(descriptor, "/FontFile2"))
    top = _cff(descriptor, "/Type1C")
    if isinstance(top.Encoding, str):
        raise Unacceptable("predefined encoding")
    return {code: name for code, name in enumerate(top.Encoding) if name != NOTDEF}, len(top.charset) - 1


def _truetype_glyphs(data: bytes) -> tuple[dict[int, object], int]:
    """By the rules for symbolic TrueType fonts: cmap (3,0) at F000 plus the code, else (1,0)."""
    font = TTFont(BytesIO(data), lazy=True)
    tables = {(table.platformID, table.platEncID): table.cmap for table in font["cmap"].tables}
    cmap = {code & 0xFF: name for code, name in (tables.get((3, 0)) or tables.get((1, 0)) or {}).items()}
    return {code: name for code, name in cmap.items() if font.getGlyphID(name) != 0}, font[
        "maxp"
    ].numGlyphs - 1


def _composite(font: DictionaryObject) -> Program:
    if font.get("/Encoding") != "/Identity-H":
        raise Unacceptable("encoding other than Identity-H")
    inner = cast(ArrayObject, font["/DescendantFonts"].get_object())[0].get_object()
    descriptor = _dictionary(inner, "/FontDescriptor")
    text = _to_unicode(font)
    if inner.get("/Subtype") == "/CIDFontType2":
        count = TTFont(BytesIO(_stream(descriptor, "/FontFile2")), lazy=True)["maxp"].numGlyphs
        glyph_of = _cid_to_gid(inner, count)
    else:
        top = _cff(descriptor, "/CIDFontType0C")
        count = len(top.charset)
        glyph_of = dict(_cids(top.charset)) if hasattr(top, "ROS") else {gid: gid for gid in range(count)}
    glyphs: dict[int, object] = {cid: gid for cid, gid in glyph_of.items() if 0 < gid < count}
    return Program(font_name(descriptor), 2, text, glyphs, count - 1)


def _cids(charset: list[str]) -> Iterator[tuple[int, int]]:
    for gid, name in enumerate(charset):
        if name != NOTDEF:
            yield int(name.removeprefix("cid")), gid


def _cid_to_gid(inner: DictionaryObject, count: int) -> dict[int, int]:
    mapping = inner.get("/CIDToGIDMap", "/Identity")
    if mapping == "/Identity":
        return {gid: gid for gid in range(count)}
    data = _stream(inner, "/CIDToGIDMap")
    return {cid: int.from_bytes(data[2 * cid : 2 * cid + 2], "big") for cid in range(len(data) // 2)}


def _cff(descriptor: DictionaryObject, subtype: str) -> Any:
    stream = descriptor["/FontFile3"].get_object() if "/FontFile3" in descriptor else None
    if not isinstance(stream, StreamObject) or stream.get("/Subtype") != subtype:
        raise Unacceptable("font is not embedded, or as a kind that is not read")
    fonts = CFFFontSet()
    fonts.decompile(BytesIO(stream.get_data()), None)
    return fonts[0]


def _to_unicode(font: DictionaryObject) -> dict[int, str]:
    """The ToUnicode CMap: code -> text (9.10.3)."""
    text: dict[int, str] = {}
    for kind, body in _SECTION.findall(_stream(font, "/ToUnicode")):
        tokens = iter(_TOKEN.findall(body))
        read = partial(_read, tokens)
        for first, _ in tokens:
            start = int(first, 16)
            if kind == b"bfchar":
                text[start] = _utf16(read())
                continue
            span, target = int(read(), 16) - start + 1, read()
            if not 0 < span <= 0x10000:
                raise Unacceptable("ToUnicode range")
            if target is None:
                text |= {start + step: _utf16(read()) for step in range(span)}
                read()  # ]
            else:
                stem, last = _utf16(target)[:-1], ord(_utf16(target)[-1])
                text |= {start + step: stem + chr(last + step) for step in range(span)}
    return text


def _read(tokens: Iterator[tuple[bytes, bytes]]) -> Any:
    digits, bracket = next(tokens)
    return None if bracket else digits


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode("ascii")).decode("utf-16-be")


def font_name(descriptor: DictionaryObject) -> str:
    """PostScript name without the prefix that marks a subset."""
    return _SUBSET.sub("", str(descriptor["/FontName"])).removeprefix("/")


def _dictionary(parent: DictionaryObject, key: str) -> DictionaryObject:
    value = parent[key].get_object()
    if not isinstance(value, DictionaryObject) or isinstance(value, ArrayObject):
        raise Unacceptable(f"no {key}")
    return value


def _stream(parent: DictionaryObject, key: str) -> bytes:
    value = parent[key].get_object() if key in parent else None
    if not isinstance(value, StreamObject):
        raise Unacceptable(f"no {key}")
    return value.get_data()
