"""Which glyphs a PDF embeds and which it shows, from its font programs and content streams alone.

Written apart from the package's own reading back, so that one does not repeat the other's mistake: ToUnicode and
everything else that a file says about itself is left aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools.cffLib import CFFFontSet
from fontTools.ttLib import TTCollection, TTFont
from pypdf import PdfReader
from pypdf.generic import ContentStream, DictionaryObject, IndirectObject, StreamObject

NOTDEF = ".notdef"
_FONT_HEADS = (b"\x01\x00\x04", b"%!", b"\x80\x01", b"\x00\x01\x00\x00", b"OTTO", b"true", b"ttcf")


@dataclass
class Face:
    """An embedded font: `codes` to glyph names, every glyph it `holds` but .notdef, and those `shown`."""

    codes: dict[int, str]
    holds: set[str]
    shown: set[str] = field(default_factory=set)


class Pages:
    """What all pages and appearances of a file show."""

    def __init__(self, pdf: bytes) -> None:
        self.faces: dict[int, Face] = {}  # by the object number of the font program
        self._reader = PdfReader(BytesIO(pdf))
        for page in self._reader.pages:
            contents = page.get_contents()
            if contents is not None:
                self._walk(contents, page["/Resources"].get_object())
            for note in page.get("/Annots", []):
                self._appearance(note.get_object())

    @property
    def hidden_programs(self) -> list[int]:
        """Object numbers of the font programs that no page uses."""
        found = []
        for number in range(1, int(self._reader.trailer["/Size"])):
            item = self._reader.get_object(IndirectObject(number, 0, self._reader))
            if isinstance(item, StreamObject) and number not in self.faces and _is_font(item):
                found.append(number)
        return found

    def _appearance(self, note: DictionaryObject) -> None:
        shown = note["/AP"]["/N"].get_object()
        self._walk(
            ContentStream(shown, self._reader), shown.get("/Resources", DictionaryObject()).get_object()
        )

    def _walk(self, content: ContentStream, resources: DictionaryObject) -> None:
        face: Face | None = None
        for operands, operator in content.operations:
            if operator == b"Tf":
                face = self._face(resources["/Font"][operands[0]])
            elif operator in (b"Tj", b"TJ", b"'", b'"'):
                assert face is not None
                for code in _codes(operands[-1]):
                    face.shown.add(face.codes.get(code, NOTDEF))
            elif operator == b"Do":
                drawn = resources["/XObject"][operands[0]].get_object()
                if drawn["/Subtype"] == "/Form":
                    inner = drawn.get("/Resources", resources).get_object()
                    self._walk(ContentStream(drawn, self._reader), inner)

    def _face(self, font: DictionaryObject) -> Face:
        assert font["/Subtype"] in ("/Type1", "/TrueType"), "a kind of font that this test does not read"
        assert "/Encoding" not in font
        descriptor = font["/FontDescriptor"]
        key = "/FontFile3" if "/FontFile3" in descriptor else "/FontFile2"
        number = descriptor.raw_get(key).idnum
        if number not in self.faces:
            program = descriptor[key].get_data()
            self.faces[number] = _compact(program) if key == "/FontFile3" else _truetype(program)
        return self.faces[number]


def _is_font(stream: StreamObject) -> bool:
    if stream.get("/Subtype") in ("/Type1C", "/CIDFontType0C", "/OpenType") or "/Length1" in stream:
        return True
    return stream.get("/Subtype") != "/Image" and stream.get_data().startswith(_FONT_HEADS)


def _codes(shown: Any) -> Iterator[int]:
    for part in shown if isinstance(shown, list) else [shown]:
        if isinstance(part, bytes):
            yield from part
        elif isinstance(part, str):
            yield from part.original_bytes  # type: ignore[attr-defined]


def _compact(program: bytes) -> Face:
    """A CFF program with its own encoding; nothing may hide outside the charstrings."""
    fonts = CFFFontSet()
    fonts.decompile(BytesIO(program), None)
    [top] = [fonts[name] for name in fonts.fontNames]
    names = top.charset
    assert len(top.CharStrings.charStringsIndex) == len(names) == len(set(names))
    assert len(top.GlobalSubrs) == 0
    assert not hasattr(top.Private, "Subrs")
    assert not isinstance(top.Encoding, str)
    return Face(
        {code: name for code, name in enumerate(top.Encoding) if name != NOTDEF}, set(names) - {NOTDEF}
    )


def _truetype(program: bytes) -> Face:
    font = TTFont(BytesIO(program))
    tables = {(table.platformID, table.platEncID): table.cmap for table in font["cmap"].tables}
    cmap = tables.get((3, 0)) or tables[1, 0]
    names = font.getGlyphOrder()
    return Face({code & 0xFF: name for code, name in cmap.items() if name != names[0]}, set(names[1:]))


@cache
def characters(original: Path) -> dict[int, set[str]]:
    """CID to the characters that the faces of a CID-keyed collection show with it."""
    found: dict[int, set[str]] = {}
    for font in TTCollection(str(original), lazy=True):
        for code, name in font.getBestCmap().items():
            found.setdefault(int(name.removeprefix("cid")), set()).add(chr(code))
    return found
