"""Glyphs and codes of a CFF font: as fontTools reads them, and nothing from a font that is not sound."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from convert_forms import FONTS
from fontTools.cffLib import CFFFontSet
from fontTools.ttLib import TTFont

from signsvc.convert import cff
from signsvc.convert.cffreading import read_cff

ENDCHAR = b"\x0e"
GLYPHS = {1: cff.Glyph(b"cid900", ENDCHAR), 7: cff.Glyph(b"cid33", ENDCHAR), 200: cff.Glyph(b"cid4", ENDCHAR)}
BUILT = cff.build("Name", GLYPHS, (0, -250, 1000, 900))


def by_fonttools(program: bytes) -> Any:
    fonts = CFFFontSet()
    fonts.decompile(BytesIO(program), None)
    return fonts[0]


def test_codes_and_glyphs_of_a_font_of_ours() -> None:
    font, other = read_cff(BUILT), by_fonttools(BUILT)
    assert (font.by_cid, len(font.charset)) == (False, len(other.charset))
    names = {code: other.charset[gid] for code, gid in (font.encoding or {}).items()}
    assert names == {code: name for code, name in enumerate(other.Encoding) if name != ".notdef"}


def test_cids_of_a_font_that_is_keyed_by_them() -> None:
    program = TTFont(FONTS[0], fontNumber=0, lazy=True).getTableData("CFF ")
    font = read_cff(program)
    assert font.by_cid
    assert [f"cid{cid:05d}" for cid in font.charset[1:]] == by_fonttools(program).charset[1:]


@pytest.mark.parametrize("end", [0, 3, 20, BUILT.index(b"cid4"), BUILT.index(bytes([0, 3, 1, 7, 200])) + 3])
def test_a_font_that_is_cut_off_is_refused(end: int) -> None:
    with pytest.raises((ValueError, IndexError, struct.error)):
        read_cff(BUILT[:end])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (bytes([0, 3, 1, 7, 200]), bytes([0, 3, 1, 7, 7])),  # a code for two glyphs
        (bytes([0, 3, 1, 7, 200]), bytes([0, 4, 1, 7, 200])),  # a code for a glyph that is not there
        (bytes([0, 3, 1, 7, 200]), bytes([0x80, 3, 1, 7, 200])),  # a supplement
        (struct.pack(">3H", 391, 392, 393), struct.pack(">3H", 391, 392, 391)),  # a glyph twice
        (struct.pack(">3H", 391, 392, 393), struct.pack(">3H", 391, 0, 393)),  # .notdef twice
    ],
)
def test_what_leaves_a_choice_is_refused(old: bytes, new: bytes) -> None:
    assert BUILT.count(old) == 1
    with pytest.raises(ValueError, match=r"encoding|charset"):
        read_cff(BUILT.replace(old, new))
