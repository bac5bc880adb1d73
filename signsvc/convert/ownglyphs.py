"""Embedded fonts cut down to what they show: LibreOffice's Type 1 subsets become CFF fonts of the same glyphs.

LibreOffice embeds the glyphs of a CFF font as a Type 1 program, whose encryption defies compression. The outlines are
taken again from the original font, by CID, and put under the same codes, so the page and its text stay as they are
and the file loses a third of its size. A font whose original is not at hand stays as LibreOffice made it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from fontTools.pens.boundsPen import ControlBoundsPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont, TTLibError
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject

from signsvc.models import PdfBytes

from . import cff, type1
from .fontprogram import font_name

_CID_NAME = re.compile(r"cid(\d+)$")


class Original:
    """The CFF table of a CID-keyed font file: outlines by CID, each prepared once.

    The faces of a collection share the table, so the first one stands for all.
    """

    def __init__(self, path: Path) -> None:
        self._font = TTFont(str(path), fontNumber=0, lazy=True)
        self._top: Any = self._font["CFF "].cff[0]
        self._outlines: dict[int, bytes] = {}
        self._same: dict[str, bool] = {}
        self.box = [round(side) for side in self._top.FontBBox]

    @property
    def names(self) -> list[str]:
        """The names LibreOffice may embed it under: those of its font DICTs."""
        return [fd.FontName for fd in self._top.FDArray] if hasattr(self._top, "FDArray") else []

    def outline(self, cid: int) -> bytes:
        """Type 2 charstring of a CID, without subroutines and hints; KeyError if the font has no such CID."""
        if cid not in self._outlines:
            glyph = self._glyph(cid)
            glyph.draw(pen := T2CharStringPen(None, None))
            charstring = pen.getCharString()
            charstring.program.insert(0, round(glyph.width))
            charstring.compile()
            self._outlines[cid] = charstring.bytecode
        return self._outlines[cid]

    def is_source_of(self, name: str, program: bytes) -> bool:
        """Whether the Type 1 program `name` was made from this file, not from another version of the same font.

        Found out once a name, by the extent of every glyph in the first program that bears it.
        """
        if name not in self._same:
            outlines = {
                int(cid[1]): outline
                for glyph, outline in type1.charstrings(program).items()
                if (cid := _CID_NAME.fullmatch(glyph))
            }
            same = (_extent(outline) == _extent(self._glyph(cid)) for cid, outline in outlines.items())
            self._same[name] = bool(outlines) and all(same)
        return self._same[name]

    def _glyph(self, cid: int) -> Any:
        return self._top.CharStrings[f"cid{cid:05d}"]


class FontShelf:
    """The originals of embedded fonts, opened when first needed."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(dict.fromkeys(file.resolve() for file in files))

    @cached_property
    def originals(self) -> Mapping[str, Original]:
        """By the name of each font DICT."""
        opened = [original for file in self._files if (original := _open(file))]
        return {name: original for original in opened for name in original.names}


def slim(pdf: PdfBytes, shelf: FontShelf) -> PdfBytes:
    """The same pages with smaller fonts, and without the open action that LibreOffice adds.

    Raises whatever a broken PDF provokes.
    """
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf)))
    writer.pdf_header = "%PDF-1.7"
    writer.root_object.pop("/OpenAction", None)
    for descriptor in _descriptors(writer):
        _replace(descriptor, shelf.originals)
    out = BytesIO()
    writer.write(out)
    return PdfBytes(out.getvalue())


def _descriptors(writer: PdfWriter) -> list[DictionaryObject]:
    """Descriptors of the pages' Type 1 fonts, each once."""
    found = {}
    for page in writer.pages:
        resources = cast(DictionaryObject, page["/Resources"].get_object())
        fonts = cast(DictionaryObject, resources.get("/Font", DictionaryObject()).get_object())
        for font in fonts.values():
            descriptor = font.get_object().get("/FontDescriptor", DictionaryObject()).get_object()
            if "/FontFile" in descriptor:
                found[id(descriptor)] = descriptor
    return list(found.values())


def _replace(descriptor: DictionaryObject, originals: Mapping[str, Original]) -> None:
    """Exchange a Type 1 program, if its original is known and every glyph has a CID."""
    name = font_name(descriptor)
    stream = cast(StreamObject, descriptor["/FontFile"].get_object())
    program = stream.get_data()
    codes = type1.encoding(program)
    cids = {code: int(cid[1]) for code, glyph in codes.items() if (cid := _CID_NAME.fullmatch(glyph))}
    original = originals.get(name)
    # A code without a CID is .notdef: reading back refuses that document anyway.
    if original is None or len(cids) < len(codes) or not original.is_source_of(name, program):
        return
    stream.set_data(
        cff.build(
            name, [(f"cid{cid}", code, original.outline(cid)) for code, cid in cids.items()], original.box
        )
    )
    for key in ("/Length1", "/Length2", "/Length3"):
        stream.pop(key, None)
    stream[NameObject("/Subtype")] = NameObject("/Type1C")
    descriptor[NameObject("/FontFile3")] = descriptor.raw_get("/FontFile")
    del descriptor["/FontFile"]


def _extent(outline: Any) -> tuple[float, ...] | None:
    outline.draw(pen := ControlBoundsPen(None))
    return cast(tuple[float, ...] | None, pen.bounds)


def _open(path: Path) -> Original | None:
    """The original in a font file, or None if it is of another kind or cannot be read: then fonts stay as they are."""
    try:
        return Original(path)
    except (TTLibError, OSError, KeyError):
        return None
