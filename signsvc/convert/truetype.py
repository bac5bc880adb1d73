"""Cuts down a TrueType program as LibreOffice embeds it: the glyphs of some codes and what draws them, and no name.

Written for such programs only: codes of one byte in a Macintosh cmap, no composite glyphs (OpenType 1.9, font file).
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Collection, Mapping
from itertools import accumulate, pairwise

from .contents import Unreadable

_VERSIONS = (b"\0\1\0\0", b"true")
_RECORD = struct.Struct(">4s3I")  # tag, checksum, offset and length of a table
_CMAP = struct.Struct(">4HI3H")  # one subtable, for Macintosh Roman, in format 0 of 262 bytes
_CMAP_HEAD = (0, 1, 1, 0, 12, 0, 262, 0)
_PROGRAMS = ("cvt ", "fpgm", "prep")  # what hints rest on; not every font has them
# Where tables count or are told of: the format of loca, the metrics in hmtx, the glyphs.
_LOCA_FORMAT, _METRICS, _GLYPHS = 50, 34, 4


class TrueType:
    """The program, taken apart once and cut down for many files."""

    def __init__(self, data: bytes) -> None:
        """Raises Unreadable, struct.error or KeyError if it is not such a program."""
        self._tables = _tables(data)
        self._glyphs = _glyphs(self._tables)
        self._metrics = _metrics(self._tables, len(self._glyphs))
        self._gids = _gids(self._tables["cmap"])
        if any(glyph[:1] >= b"\x80" for glyph in self._glyphs):
            raise Unreadable("composite glyphs")

    def cut(self, codes: Collection[int]) -> bytes:
        """A program of .notdef and the glyphs of `codes`."""
        kept = {0: 0} | {gid: 0 for code in sorted(codes) if (gid := self._gids[code])}
        kept = {gid: new for new, gid in enumerate(kept)}
        glyphs = [self._glyphs[gid] for gid in kept]
        encoding = bytes(kept[self._gids[code]] if code in codes else 0 for code in range(256))
        tables = {tag: self._tables[tag] for tag in _PROGRAMS if tag in self._tables} | {
            "cmap": _CMAP.pack(*_CMAP_HEAD) + encoding,
            "glyf": b"".join(glyphs),
            "head": _changed(self._tables["head"], _LOCA_FORMAT, 1),
            "hhea": _changed(self._tables["hhea"], _METRICS, len(kept)),
            "hmtx": b"".join(self._metrics[gid] for gid in kept),
            "loca": struct.pack(f">{len(kept) + 1}I", *accumulate(map(len, glyphs), initial=0)),
            "maxp": _changed(self._tables["maxp"], _GLYPHS, len(kept)),
        }
        return _font_file(tables)


def _tables(data: bytes) -> dict[str, bytes]:
    version, count = struct.unpack_from(">4sH", data)
    if version not in _VERSIONS:
        raise Unreadable("font program")
    records = (_RECORD.unpack_from(data, 12 + at * _RECORD.size) for at in range(count))
    return {tag.decode("latin-1"): data[start : start + length] for tag, _, start, length in records}


def _glyphs(tables: Mapping[str, bytes]) -> list[bytes]:
    """The outlines by glyph number, each filled up to whole words."""
    [count] = struct.unpack_from(">H", tables["maxp"], _GLYPHS)
    [wide] = struct.unpack_from(">H", tables["head"], _LOCA_FORMAT)
    places = struct.unpack_from(f">{count + 1}{'I' if wide else 'H'}", tables["loca"])
    step = 1 if wide else 2
    glyphs = [tables["glyf"][at * step : end * step] for at, end in pairwise(places)]
    return [_filled(glyph) for glyph in glyphs]


def _metrics(tables: Mapping[str, bytes], count: int) -> list[bytes]:
    """Advance and left side of each glyph; those after the last advance share it."""
    [full] = struct.unpack_from(">H", tables["hhea"], _METRICS)
    table = tables["hmtx"]
    advance = table[4 * full - 4 : 4 * full - 2]
    sides = (table[4 * full + 2 * at : 4 * full + 2 * at + 2] for at in range(count - full))
    return [*(table[4 * at : 4 * at + 4] for at in range(full)), *(advance + side for side in sides)]


def _gids(cmap: bytes) -> bytes:
    """The glyph number of each code."""
    if _CMAP.unpack_from(cmap) != _CMAP_HEAD:
        raise Unreadable("encoding of a font program")
    return cmap[_CMAP.size : _CMAP.size + 256]


def _changed(table: bytes, at: int, value: int) -> bytes:
    """With another 16-bit number."""
    return table[:at] + struct.pack(">H", value) + table[at + 2 :]


def _font_file(tables: Mapping[str, bytes]) -> bytes:
    power = len(tables).bit_length() - 1
    search = 16 << power
    head = struct.pack(">4s4H", _VERSIONS[0], len(tables), search, power, 16 * len(tables) - search)
    at, records, bodies = len(head) + _RECORD.size * len(tables), [], []
    for tag, table in sorted(tables.items()):
        body = _filled(table)
        records.append(_RECORD.pack(tag.encode("latin-1"), _checksum(body), at, len(table)))
        bodies.append(body)
        at += len(body)
    return b"".join([head, *records, *bodies])


def _filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _checksum(data: bytes) -> int:
    words = array("I", data)
    if sys.byteorder == "little":
        words.byteswap()
    return sum(words) & 0xFFFFFFFF
