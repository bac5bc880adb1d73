"""Pictures of one bit a pixel, taken from a PNG into a PDF as they are.

What deflates a PNG's rows deflates a PDF's image too (ISO/IEC 15948 10.3, ISO 32000-2 7.4.4.4): nothing is computed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Self

from pikepdf import Dictionary, Name, Pdf, Stream

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ONE_BIT_GREY = (1, 0, 0, 0, 0)  # depth, colour type, compression, filter, interlace
_PNG_PREDICTORS = 15


@dataclass(frozen=True)
class PngImage:
    """Black and white, `width` by `height` pixels; `data` are its filtered rows, deflated."""

    width: int
    height: int
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, png: bytes) -> Self | None:
        """The picture, if the PNG has one bit a pixel and nothing but a header, data and an end."""
        if not png.startswith(_SIGNATURE):
            return None
        try:
            chunks = list(_chunks(png))
            kinds = b"".join(kind for kind, _ in chunks)
            width, height, *how = struct.unpack(">2I5B", chunks[0][1])
        except (struct.error, IndexError):
            return None
        data = b"".join(body for _, body in chunks[1:-1])
        known = kinds == b"IHDR" + b"IDAT" * (len(chunks) - 2) + b"IEND"
        return cls(width, height, data) if known and data and tuple(how) == _ONE_BIT_GREY else None

    def object(self, file: Pdf) -> Stream:
        """An image XObject for this PDF."""
        reading = Dictionary(Predictor=_PNG_PREDICTORS, Columns=self.width, BitsPerComponent=1)
        return Stream(
            file,
            self.data,
            Dictionary(
                Type=Name.XObject, Subtype=Name.Image, Width=self.width, Height=self.height,
                ColorSpace=Name.DeviceGray, BitsPerComponent=1, Filter=Name.FlateDecode, DecodeParms=reading,
            ),
        )  # fmt: skip


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(_SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        found.append((kind, png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found
