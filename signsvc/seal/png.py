"""An office's seal image as PNG: only the form that a stamp needs, 8-bit RGBA, unpacked within bounds.

Written out because a stamp wants exactly one kind of PNG, and a general image library would bring dozens of parsers
for foreign bytes with it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from signsvc.errors import SettingsError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 1200  # pixels: 720 dpi at 42 mm
_CHANNELS = 4


@dataclass(frozen=True)
class Pixels:
    """Rows from the top, 8 bits a sample."""

    width: int
    height: int
    colour: bytes  # RGB, 3 bytes a pixel
    alpha: bytes  # 1 byte a pixel


def read(data: bytes) -> Pixels:
    """The pixels of an RGBA PNG (ISO/IEC 15948); raises SettingsError saying how to export it otherwise."""
    try:
        chunks = list(_chunks(data))
        kind, header = chunks[0]
        width, height, *form = struct.unpack(">IIBBBBB", header)
    except (struct.error, IndexError) as error:
        raise SettingsError("印章图片不是完整的 PNG 文件") from error
    if kind != b"IHDR" or form != [8, 6, 0, 0, 0]:
        raise SettingsError("印章图片应为带透明背景的 PNG：8 位 RGBA、非隔行；请重新导出")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise SettingsError(f"印章图片过大：边长不超过 {MAX_SIDE} 像素")
    packed = b"".join(body for name, body in chunks if name == b"IDAT")
    rows = list(_rows(_inflate(packed, height * (width * _CHANNELS + 1)), width * _CHANNELS))
    pixels = b"".join(rows)
    colour = bytearray(width * height * 3)
    for channel in range(3):
        colour[channel::3] = pixels[channel::_CHANNELS]
    return Pixels(width, height, bytes(colour), pixels[3::_CHANNELS])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(_SIGNATURE):
        raise SettingsError("印章图片不是 PNG 文件")
    at, name = len(_SIGNATURE), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(name + body) != check:
            raise SettingsError("印章图片已损坏（校验和不符）")
        yield name, body
        at += 12 + length


def _inflate(packed: bytes, size: int) -> bytes:
    """Exactly `size` bytes: a bomb is not unpacked further than that."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, size + 1)
    except zlib.error as error:
        raise SettingsError("印章图片已损坏（无法解压）") from error
    if len(data) != size:
        raise SettingsError("印章图片已损坏（数据长度不符）")
    return data


def _rows(data: bytes, width: int) -> Iterator[bytes]:
    """Undo the filter of each row (ISO/IEC 15948 clause 9)."""
    above = bytes(width)
    for start in range(0, len(data), width + 1):
        above = _unfilter(data[start], bytearray(data[start + 1 : start + 1 + width]), above)
        yield above


def _unfilter(kind: int, row: bytearray, above: bytes) -> bytes:
    if kind > 4:
        raise SettingsError("印章图片已损坏（未知的行过滤方式）")
    for at in range(len(row)) if kind else ():
        left = row[at - _CHANNELS] if at >= _CHANNELS else 0
        corner = above[at - _CHANNELS] if at >= _CHANNELS else 0
        guess = (0, left, above[at], (left + above[at]) // 2, 0)[kind]
        row[at] = (row[at] + (_paeth(left, above[at], corner) if kind == 4 else guess)) & 0xFF
    return bytes(row)


def _paeth(left: int, up: int, corner: int) -> int:
    """The neighbour nearest to left + up - corner; ties go to left, then up."""
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
