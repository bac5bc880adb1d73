"""The fonts that LibreOffice embeds from, and their outlines by CID, each prepared once for any number of files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from fontTools.pens.boundsPen import ControlBoundsPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont, TTLibError

from . import cff, type1

_CID_NAME = re.compile(r"cid(\d+)$")


class Original:
    """The CFF table of a CID-keyed font file: outlines by CID, each prepared once.

    The faces of a collection share the table, so the first one stands for all.
    """

    def __init__(self, path: Path) -> None:
        self._font = TTFont(str(path), fontNumber=0, lazy=True)
        self._top: Any = self._font["CFF "].cff[0]
        self._glyphs: dict[int, cff.Glyph] = {}
        self._same: dict[str, bool] = {}
        self.box = [round(side) for side in self._top.FontBBox]

    @property
    def names(self) -> list[str]:
        """The names LibreOffice may embed it under: those of its font DICTs."""
        return [fd.FontName for fd in self._top.FDArray] if hasattr(self._top, "FDArray") else []

    def glyph(self, cid: int) -> cff.Glyph:
        """That of a CID, without subroutines and hints; KeyError if the font has no such CID."""
        if cid not in self._glyphs:
            outline = self._outline(cid)
            outline.draw(pen := T2CharStringPen(None, None))
            charstring = pen.getCharString()
            charstring.program.insert(0, round(outline.width))
            charstring.compile()
            self._glyphs[cid] = cff.Glyph(b"cid%d" % cid, charstring.bytecode)
        return self._glyphs[cid]

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
            same = (_extent(outline) == _extent(self._outline(cid)) for cid, outline in outlines.items())
            self._same[name] = bool(outlines) and all(same)
        return self._same[name]

    def _outline(self, cid: int) -> Any:
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


def _extent(outline: Any) -> tuple[float, ...] | None:
    outline.draw(pen := ControlBoundsPen(None))
    return cast(tuple[float, ...] | None, pen.bounds)


def _open(path: Path) -> Original | None:
    """The original in a font file, or None if it is of another kind or cannot be read: then fonts stay as they are."""
    try:
        return Original(path)
    except (TTLibError, OSError, KeyError):
        return None
