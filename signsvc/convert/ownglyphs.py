"""The fonts that LibreOffice embeds from, and their outlines by CID, each prepared once for any number of files."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import uharfbuzz
from fontTools.pens.basePen import BasePen
from fontTools.pens.boundsPen import ControlBoundsPen
from fontTools.pens.filterPen import FilterPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont, TTLibError

from . import cff, type1

_CID_NAME = re.compile(r"cid(\d+)$")


class Original:
    """The CFF table of a CID-keyed font file: outlines by CID, each prepared once.

    The faces of a collection share the table, so the first one stands for all. HarfBuzz reads the outlines: fontTools
    takes five times as long, and a fifth of a second for the table.
    """

    def __init__(self, path: Path) -> None:
        """Raises KeyError if glyphs are not in the order of their CIDs."""
        with TTFont(str(path), fontNumber=0, lazy=True) as font:
            top: Any = font["CFF "].cff[0]
            self.names = [fd.FontName for fd in top.FDArray] if hasattr(top, "FDArray") else []
            self.box = [round(side) for side in top.FontBBox]
            self._count = _glyphs_in_order(font.reader["CFF "], top)
        self._font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)), 0))
        self._glyphs: dict[int, cff.Glyph] = {}
        self._same: dict[str, bool] = {}

    def glyph(self, cid: int) -> cff.Glyph:
        """That of a CID, without subroutines and hints; KeyError if the font has no such CID."""
        if cid not in self._glyphs:
            pen = T2CharStringPen(None, None)
            self._draw(cid, _Open(pen))
            charstring = pen.getCharString()
            charstring.program.insert(0, self._font.get_glyph_h_advance(cid))
            charstring.compile()
            self._glyphs[cid] = cff.Glyph(b"cid%d" % cid, charstring.bytecode)
        return self._glyphs[cid]

    def is_source_of(self, name: str, program: bytes) -> bool:
        """Whether the Type 1 program `name` was made from this file, not from another version of the same font.

        Found out once a name, by the extent of every glyph in the first program that bears it: up to 255.
        """
        if name not in self._same:
            outlines = {
                int(cid[1]): outline
                for glyph, outline in type1.charstrings(program).items()
                if (cid := _CID_NAME.fullmatch(glyph))
            }
            same = (_extent(outline.draw) == self._extent(cid) for cid, outline in outlines.items())
            self._same[name] = bool(outlines) and all(same)
        return self._same[name]

    def _extent(self, cid: int) -> tuple[float, ...] | None:
        return _extent(lambda pen: self._draw(cid, pen)) if cid < self._count else None

    def _draw(self, cid: int, pen: BasePen) -> None:
        if not cid < self._count:
            raise KeyError(cid)
        self._font.draw_glyph_with_pen(cid, pen)


class _Open(FilterPen):  # type: ignore[misc]
    """Leaves out the line back to where a contour began: closing draws it."""

    _start: tuple[float, float] | None = None
    _line: tuple[float, float] | None = None  # not drawn yet

    def moveTo(self, pt: tuple[float, float]) -> None:  # noqa: N802 (the pen protocol's names)
        self._start = pt
        super().moveTo(pt)

    def lineTo(self, pt: tuple[float, float]) -> None:  # noqa: N802
        self._draw_line()
        self._line = pt

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802
        self._draw_line()
        super().curveTo(*points)

    def closePath(self) -> None:  # noqa: N802
        if self._line != self._start:
            self._draw_line()
        self._line = None
        super().closePath()

    def _draw_line(self) -> None:
        if self._line is not None:
            super().lineTo(self._line)
        self._line = None


def _glyphs_in_order(table: bytes, top: Any) -> int:
    """How many glyphs there are, if the charset is one range (Adobe Technical Note 5176, 13); KeyError for another."""
    [count] = struct.unpack_from(">H", table, top.rawDict["CharStrings"])
    if struct.unpack_from(">B2H", table, top.rawDict["charset"]) != (2, 1, count - 2):
        raise KeyError("charset")
    return int(count)


class FontShelf:
    """The originals of embedded fonts, opened when first needed."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(dict.fromkeys(file.resolve() for file in files))

    @cached_property
    def originals(self) -> Mapping[str, Original]:
        """By the name of each font DICT."""
        opened = [original for file in self._files if (original := _open(file))]
        return {name: original for original in opened for name in original.names}


def _extent(draw: Callable[[BasePen], None]) -> tuple[float, ...] | None:
    draw(pen := ControlBoundsPen(None))
    return cast(tuple[float, ...] | None, pen.bounds)


def _open(path: Path) -> Original | None:
    """The original in a font file, or None if it is of another kind or cannot be read: then fonts stay as they are."""
    try:
        return Original(path)
    except (TTLibError, OSError, KeyError, struct.error):
        return None
