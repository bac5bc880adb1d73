"""Pictures are read from their first byte to their last."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.fill import qr_png
from signsvc.fill.pictures import MAX_SIDE, pixels

PNG = qr_png("https://zm.example.gov.cn/v/7F3KQ2M9XA4RTW1C")
END = PNG[-12:]


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 3, height: int = 2, *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(bytes(8)))
        + chunk(b"IEND")
    )


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


FRAME = segment(0xC0, struct.pack(">BHHB", 8, 2, 3, 1) + b"\x01\x11\x00")
SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
JFIF = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")


def jpeg(*segments: bytes, tail: bytes = b"\xff\xd9") -> bytes:
    return b"\xff\xd8" + b"".join(segments) + tail


def test_png_and_jpeg_are_measured() -> None:
    assert pixels(png()) == 6
    assert pixels(jpeg(JFIF, FRAME, SCAN)) == 6
    assert pixels(jpeg(JFIF, FRAME, SCAN, segment(0xC4, b"table"), SCAN)) == 6  # progressive
    assert pixels(PNG) == int(PNG[16:20].hex(), 16) ** 2


BAD = {
    "empty": b"",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0",
    "PNG, cut off": PNG[:-1],
    "PNG, something behind": PNG + b"\n",
    "PNG, two ends": PNG + END,
    "PNG without data": png().replace(chunk(b"IDAT", zlib.compress(bytes(8))), b""),
    "PNG, wrong checksum": png()[:-1] + b"\x00",
    "PNG, a GIF within": png(3, 2, chunk(b"msOG", b"MSOFFICE9.0GIF89a")),
    "PNG, two headers": png(3, 2, chunk(b"IHDR", bytes(13))),
    "PNG without width": png(0, 2),
    "PNG, too wide": png(MAX_SIDE + 1, 2),
    "JPEG, cut off": jpeg(JFIF, FRAME, SCAN, tail=b""),
    "JPEG, something behind": jpeg(JFIF, FRAME, SCAN) + b"<svg/>",
    "JPEG without a frame": jpeg(JFIF, SCAN),
    "JPEG without a scan": jpeg(JFIF, FRAME),
    "JPEG, something between": jpeg(JFIF, b"<svg/>", FRAME, SCAN),
    "JPEG, too high": jpeg(segment(0xC0, struct.pack(">BHHB", 8, MAX_SIDE + 1, 3, 1)), SCAN),
}


@pytest.mark.parametrize("kind", BAD)
def test_anything_else_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        pixels(BAD[kind])


@given(at=st.integers(8, len(PNG) - 1), value=st.integers(1, 255))
def test_no_byte_of_a_png_can_be_changed(at: int, value: int) -> None:
    changed = bytearray(PNG)
    changed[at] ^= value
    with pytest.raises(ValueError, match=r"\w"):
        pixels(bytes(changed))


@given(data=st.binary(max_size=60))
def test_no_bytes_crash_or_hang_the_reader(data: bytes) -> None:
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8"):
        with pytest.raises(ValueError, match=r"\w"):
            pixels(start + data)
