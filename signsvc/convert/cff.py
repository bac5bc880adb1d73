"""Writes a small CFF font (Adobe Technical Note 5176): the given outlines under the given one-byte codes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

_STANDARD_STRINGS = 391  # string identifiers below this are predefined
_ENDCHAR = b"\x0e"
_PRIVATE_DICT = b"\x8b\x14"  # defaultWidthX 0
# Operators of the top DICT (9, table 9) with operands of constant length, so that offsets are known beforehand.
_CHARSET, _ENCODING, _CHARSTRINGS, _PRIVATE = 15, 16, 17, 18


class Glyph(NamedTuple):
    """A name, and a Type 2 charstring with its width against 0."""

    name: bytes
    outline: bytes


def build(name: str, glyphs: Mapping[int, Glyph], box: Sequence[int]) -> bytes:
    """The font program of `glyphs` by code, at most 255.

    .notdef is added, empty. Widths are complete in the charstrings: nominalWidthX is 0.
    """
    count = len(glyphs)
    header = b"\x01\x00\x04\x04" + _index([name.encode("ascii")])
    strings = _index([glyph.name for glyph in glyphs.values()]) + _index([])
    encoding = bytes([0, count, *glyphs])
    charset = struct.pack(f">B{count}H", 0, *range(_STANDARD_STRINGS, _STANDARD_STRINGS + count))
    charstrings = _index([_ENDCHAR, *[glyph.outline for glyph in glyphs.values()]])

    encoding_at = len(header) + len(_index([_top(box, 0, 0, 0, 0)])) + len(strings)
    charset_at = encoding_at + len(encoding)
    charstrings_at = charset_at + len(charset)
    top = _top(box, charset_at, encoding_at, charstrings_at, charstrings_at + len(charstrings))
    return header + _index([top]) + strings + encoding + charset + charstrings + _PRIVATE_DICT


def _top(box: Sequence[int], charset: int, encoding: int, charstrings: int, private: int) -> bytes:
    return (
        b"".join(_number(side) for side in box)
        + b"\x05"
        + b"".join(
            _number(offset) + bytes([operator])
            for offset, operator in ((charset, _CHARSET), (encoding, _ENCODING), (charstrings, _CHARSTRINGS))
        )
        + _number(len(_PRIVATE_DICT))
        + _number(private)
        + bytes([_PRIVATE])
    )


def _number(value: int) -> bytes:
    return b"\x1d" + struct.pack(">i", value)


def _index(items: Sequence[bytes]) -> bytes:
    """INDEX (5) with four-byte offsets."""
    if not items:
        return b"\x00\x00"
    offsets = accumulate(map(len, items), initial=1)
    return struct.pack(f">HB{len(items) + 1}I", len(items), 4, *offsets) + b"".join(items)
