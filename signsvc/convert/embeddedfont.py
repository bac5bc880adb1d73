"""A font of a PDF cut down to some of its codes: program, widths and ToUnicode hold those and nothing else.

LibreOffice embeds the glyphs of a CFF font as a Type 1 program, whose encryption defies compression. The outlines are
taken again from the original font, by CID, and put under the same codes, so the page and its text stay as they are
and the file loses a third of its size. A TrueType program is cut down as it is. Any other, or one whose original is
not at hand, stays as it is if all of it is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from isal import isal_zlib
from pikepdf import Dictionary, Name, Object, Pdf, Stream

from . import cff
from .contents import Unreadable
from .fontprogram import Program, read_program
from .ownglyphs import Original
from .truetype import TrueType

_KEYS = frozenset(
    {"/Type", "/Subtype", "/BaseFont", "/FirstChar", "/LastChar", "/Widths", "/FontDescriptor", "/ToUnicode"}
)
# Of a descriptor: what tells of the face, and not which glyphs it has.
_DESCRIPTOR = frozenset(
    {
        "/Type",
        "/FontName",
        "/Flags",
        "/FontBBox",
        "/ItalicAngle",
        "/Ascent",
        "/Descent",
        "/CapHeight",
        "/StemV",
    }
)
_WHOLE = ("/FontFile", "/FontFile2", "/FontFile3")  # programs that may stay as they are
_CID_NAME = re.compile(r"cid0*(\d+)")
_LEVEL = 3  # the highest
_LINES = 100  # in one section of a CMap, at most
_CMAP = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<00> <FF>
endcodespacerange
%bendcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class EmbeddedFont:
    """A simple font as LibreOffice embeds it: read once, cut down for many files."""

    def __init__(self, font: Object, originals: Mapping[str, Original]) -> None:
        """Raises Unreadable, or whatever else a font of another kind provokes."""
        self._font, self._program = font, read_program(font)
        if font.keys() != _KEYS or self._program.width != 1:
            raise Unreadable("font of another kind")
        self._widths = dict(enumerate(font.Widths, int(font.FirstChar)))
        self._lines = _lines(self._program.text)
        self._descriptor = font.FontDescriptor
        self._cids = _cids(self._program)
        self._original = self._source(originals.get(self._program.name))
        self._truetype = _truetype(self._descriptor)

    def cut(self, codes: Collection[int], file: Pdf) -> Object:
        """The font with those codes, as an object of another file."""
        first, last = min(codes), max(codes)
        lines = [line for code, line in self._lines.items() if code in codes]
        font = Dictionary(
            Type=Name.Font,
            Subtype=self._font.Subtype,
            BaseFont=self._font.BaseFont,
            FirstChar=first,
            LastChar=last,
            Widths=[self._widths[code] if code in codes else 0 for code in range(first, last + 1)],
            FontDescriptor=file.make_indirect(self._described(codes, file)),
            ToUnicode=_packed(file, _to_unicode(lines)),
        )
        return file.make_indirect(font)

    def _described(self, codes: Collection[int], file: Pdf) -> Dictionary:
        """The font's descriptor, with its program."""
        kept = {key: value for key, value in self._descriptor.items() if key in _DESCRIPTOR}
        return Dictionary({**kept, **self._embedded(codes, file)})

    def _embedded(self, codes: Collection[int], file: Pdf) -> dict[str, Object]:
        """The program under its key."""
        if self._original:
            glyphs = {code: self._original.glyph(cid) for code, cid in self._cids.items() if code in codes}
            program = cff.build(self._program.name, glyphs, self._original.box)
            return {"/FontFile3": _packed(file, program, Subtype=Name.Type1C)}
        if self._truetype:
            program = self._truetype.cut(codes)
            return {"/FontFile2": _packed(file, program, Length1=len(program))}
        if not self._program.glyphs or self._program.glyphs.keys() - codes:
            raise Unreadable("glyphs of others in a font whose original is not at hand")
        return {key: file.copy_foreign(self._descriptor[key]) for key in _WHOLE if key in self._descriptor}

    def _source(self, original: Original | None) -> Original | None:
        """The original, if the program was made from it."""
        if original is None or "/FontFile" not in self._descriptor or not self._cids:
            return None
        program = self._descriptor.FontFile.read_bytes()
        return original if original.is_source_of(self._program.name, program) else None


def _truetype(descriptor: Object) -> TrueType | None:
    """The TrueType program, if there is one and it can be cut down."""
    try:
        return TrueType(descriptor.FontFile2.read_bytes()) if "/FontFile2" in descriptor else None
    except Unreadable:
        return None


def _cids(program: Program) -> dict[int, int]:
    """Code -> CID; none at all if any glyph is named otherwise. CID 0 is .notdef, which reading back refuses."""
    found = {code: _CID_NAME.fullmatch(str(name)) for code, name in program.glyphs.items()}
    if not all(found.values()):
        return {}
    return {code: cid for code, name in found.items() if name and (cid := int(name[1]))}


def _lines(text: Mapping[int, str]) -> dict[int, bytes]:
    """The lines of a CMap, by code (ISO 32000-2, 9.10.3)."""
    return {
        code: b"<%02X> <%b>\n" % (code, char.encode("utf-16-be").hex().encode("ascii"))
        for code, char in sorted(text.items())
    }


def _to_unicode(lines: Sequence[bytes]) -> bytes:
    """A CMap of these lines."""
    blocks = (lines[at : at + _LINES] for at in range(0, len(lines), _LINES))
    return _CMAP % b"".join(
        b"%d beginbfchar\n%bendbfchar\n" % (len(block), b"".join(block)) for block in blocks
    )


def _packed(file: Pdf, data: bytes, **entries: Object | int) -> Stream:
    """A stream, compressed; zlib takes most of a part's time for it, and saves one byte in a hundred more."""
    return Stream(file, isal_zlib.compress(data, _LEVEL), Filter=Name.FlateDecode, **entries)
