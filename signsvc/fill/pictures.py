"""Pictures by their bytes: PNG (ISO/IEC 15948) and JPEG (ITU-T T.81), read from their first byte to their last.

LibreOffice takes a picture for what its bytes look like: SVG opens files, PostScript is handed to other programs. So
nothing is believed of a picture's name, and nothing may stand in front of it, behind it, or unknown within it.
"""

from __future__ import annotations

import struct
import zlib

MAX_SIDE = 10_000  # pixels
MAX_PIXELS = 40 * 10**6  # a page of A4 at 600 dots per inch
_PNG = b"\x89PNG\r\n\x1a\n"
_FIRST, _DATA, _LAST = b"IHDR", b"IDAT", b"IEND"
_CHUNKS = frozenset(
    {
        *(
            _FIRST,
            b"PLTE",
            _DATA,
            _LAST,
            b"tRNS",
            b"gAMA",
            b"cHRM",
            b"sRGB",
            b"iCCP",
            b"cICP",
            b"sBIT",
            b"sPLT",
        ),
        *(b"pHYs", b"bKGD", b"hIST", b"tIME", b"tEXt", b"zTXt", b"iTXt", b"eXIf"),
    }
)
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA  # SOI, EOI, SOS
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15
_SEGMENTS = _FRAMES | {0xC4, 0xCC, _SCAN, *range(0xDB, 0xE0), *range(0xE0, 0xF0), 0xFE}
_INSIDE_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})  # a stuffed FF, and restart markers


def pixels(data: bytes) -> int:
    """How many pixels a PNG or JPEG has; raises ValueError for anything else, or anything odd about it."""
    try:
        width, height = _png_size(data) if data.startswith(_PNG) else _jpeg_size(data)
    except (struct.error, IndexError) as error:
        raise ValueError("cut off") from error
    _require(0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE, "size")
    return width * height


def _png_size(data: bytes) -> tuple[int, int]:
    """Every chunk known and with its right checksum, IHDR first, IEND last and at the end."""
    at, kinds = len(_PNG), list[bytes]()
    while not kinds or kinds[-1] != _LAST:
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 4 : at + 8 + length]
        _require(kind in _CHUNKS and (kind == _FIRST) == (not kinds), "chunk")
        _require(struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(body), "checksum")
        kinds.append(kind)
        at += 12 + length
    _require(at == len(data) and _DATA in kinds, "end")
    width, height = struct.unpack_from(">II", data, len(_PNG) + 8)
    return int(width), int(height)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Every marker known, one frame, at least one scan, EOI at the end."""
    _require(data.startswith(bytes([0xFF, _START])), "neither PNG nor JPEG")
    at, frames, scans = 2, list[tuple[int, int]](), 0
    while data[at : at + 2] != bytes([0xFF, _END]):
        lead, marker, length = struct.unpack_from(">BBH", data, at)
        _require(lead == 0xFF and marker in _SEGMENTS and length >= 2, "marker")
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            frames.append((width, height))
        at += 2 + length
        if marker == _SCAN:
            scans += 1
            at = _scan_end(data, at)
    _require(at + 2 == len(data) and len(frames) == 1 and scans > 0, "end")
    return frames[0]


def _scan_end(data: bytes, at: int) -> int:
    """Where the marker behind the entropy-coded data stands."""
    while True:
        at = data.index(0xFF, at)
        if data[at + 1] not in _INSIDE_SCAN:
            return at
        at += 2


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
