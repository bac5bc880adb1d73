"""Which glyphs a CFF font has, and under which codes (Adobe Technical Note 5176). Outlines are not looked at.

fontTools reads far more of a font, and takes longer for it than everything else that is asked of a page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_CHARSET, _ENCODING, _CHARSTRINGS, _ROS = (15,), (16,), (17,), (12, 30)
_PREDEFINED = 2  # offsets up to this are numbers of charsets that stand in no file; with encodings it is 1


@dataclass(frozen=True)
class Cff:
    """`charset` names each glyph by a number, 0 for .notdef; `encoding` maps codes to glyphs, None if predefined."""

    by_cid: bool  # the names are CIDs, otherwise numbers of strings
    charset: tuple[int, ...]
    encoding: dict[int, int] | None


def read_cff(data: bytes) -> Cff:
    """The only font in a CFF program; ValueError, IndexError or struct.error if it is not sound."""
    _, after_names = _index(data, data[2])
    [top_dict], _ = _index(data, after_names)
    top = dict(_entries(top_dict))
    count = struct.unpack_from(">H", data, top[_CHARSTRINGS][0])[0]
    charset = _charset(data, top.get(_CHARSET, [0])[0], count, _ROS in top)
    if len(charset) != count or len(set(charset)) != count:
        raise ValueError("charset")
    encoding_at = top.get(_ENCODING, [0])[0]
    encoding = _encoding(data, encoding_at, count) if encoding_at > 1 else None
    return Cff(_ROS in top, charset, encoding)


def _index(data: bytes, at: int) -> tuple[list[bytes], int]:
    """The items of an INDEX (5), and where it ends."""
    count = struct.unpack_from(">H", data, at)[0]
    if count == 0:
        return [], at + 2
    size = data[at + 2]
    base = at + 3 + (count + 1) * size - 1
    if not 1 <= size <= 4 or base >= len(data):
        raise ValueError("index")
    offsets = [
        int.from_bytes(data[at + 3 + n * size : at + 3 + (n + 1) * size], "big") for n in range(count + 1)
    ]
    if offsets[0] != 1 or sorted(offsets) != offsets or base + offsets[-1] > len(data):
        raise ValueError("index")
    return [data[base + low : base + high] for low, high in pairwise(offsets)], base + offsets[-1]


def _entries(data: bytes) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Operator and operands of a DICT (4); real numbers count as 0, for no operator of interest takes one."""
    at, operands = 0, list[int]()
    while at < len(data):
        first = data[at]
        at += 1
        if first <= 21:
            wide = first == 12
            yield (first, data[at]) if wide else (first,), operands
            at, operands = at + wide, []
        elif first == 30:
            while data[at] & 0x0F != 0x0F and data[at] >> 4 != 0x0F:
                at += 1
            at, operands = at + 1, [*operands, 0]
        else:
            value, size = _integer(data, at, first)
            at, operands = at + size, [*operands, value]


def _integer(data: bytes, at: int, first: int) -> tuple[int, int]:
    """The integer whose first byte was `first`, and how many bytes follow that."""
    if 32 <= first <= 246:
        return first - 139, 0
    if 247 <= first <= 250:
        return (first - 247) * 256 + data[at] + 108, 1
    if 251 <= first <= 254:
        return -(first - 251) * 256 - data[at] - 108, 1
    if first in (28, 29):
        size = 2 if first == 28 else 4
        return int.from_bytes(data[at : at + size], "big", signed=True), size
    raise ValueError("operand")


def _charset(data: bytes, at: int, count: int, by_cid: bool) -> tuple[int, ...]:
    """13. Format 0 lists the names, 1 and 2 give runs of them; a predefined one is refused where it names CIDs."""
    if at <= _PREDEFINED:
        if by_cid:
            raise ValueError("predefined charset")
        return tuple(range(count))
    form, at, names = data[at], at + 1, [0]
    if form == 0:
        return (0, *struct.unpack_from(f">{count - 1}H", data, at))
    if form not in (1, 2):
        raise ValueError("charset format")
    run = struct.Struct(">HB" if form == 1 else ">HH")
    while len(names) < count:
        first, more = run.unpack_from(data, at)
        names += range(first, first + more + 1)
        at += run.size
    return tuple(names)


def _encoding(data: bytes, at: int, count: int) -> dict[int, int]:
    """12. Format 0 lists the codes, 1 gives runs of them; supplements are refused, and so are codes given twice."""
    form, size = data[at], data[at + 1]
    if form == 0:
        codes = list(data[at + 2 : at + 2 + size])
    elif form == 1:
        runs = ((data[at + 2 + 2 * n], data[at + 3 + 2 * n]) for n in range(size))
        codes = [code for first, more in runs for code in range(first, first + more + 1)]
    else:
        raise ValueError("encoding format")
    if len(codes) >= count or len(set(codes)) != len(codes):
        raise ValueError("encoding")
    return {code: gid for gid, code in enumerate(codes, 1)}
