"""The pixels of a QR code: as its PNG has them, as an image of a PDF has them, and as they look on the page."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from pikepdf import Array, Name, Object, Stream

from .pngimage import PngImage

# Entries of an image that is shown as its samples are; any other masks, turns round or replaces them.
PLAIN = frozenset(
    f"/{key}"
    for key in (
        *("Type", "Subtype", "Width", "Height", "BitsPerComponent", "ColorSpace"),
        *("Filter", "DecodeParms", "Length"),
    )
)
# SHA-256 of sGrey-v4.icc (saucecontrol/Compact-ICC-Profiles), which the embedded converter gives its grey pictures.
_GREY = "00c0f94e09127520a17dc0e1d9264b5702081d96dbdb1549ee88e3631ce42a9d"
# The digit of each sample of one bit, and of one byte: 0 black, 1 white.
_BITS, _BYTES = b"01", b"0" + b"?" * 254 + b"1"
# And of each grey that a page shows: 0 dark, 1 light.
_SEEN = b"0" * 80 + b"?" * 96 + b"1" * 80


class Bitmap(NamedTuple):
    """Black (0) and white (1) pixels, row by row from the top, each row filled up with 0 to whole bytes."""

    width: int
    height: int
    rows: bytes


def bitmap_of_png(png: bytes) -> Bitmap:
    """The pixels of a PNG as filling writes it; ValueError for another."""
    if (picture := PngImage.of(png)) is None:
        raise ValueError("not the PNG of a QR code")
    return bitmap_of(picture)


def bitmap_of(picture: PngImage) -> Bitmap:
    """The pixels of a picture whose rows have no filters; ValueError for another."""
    rows, line = zlib.decompress(picture.data), (picture.width + 7) // 8 + 1
    if len(rows) != picture.height * line or any(rows[::line]):
        raise ValueError("not the PNG of a QR code")
    told = b"".join(rows[at + 1 : at + line] for at in range(0, len(rows), line))
    return Bitmap(picture.width, picture.height, told)


def bitmap(image: Stream, width: int, height: int) -> Bitmap | None:
    """The pixels of an image of that size; None for one of another size, of other colours than black and white, or that
    is more than its samples."""
    if not image.keys() <= PLAIN or [int(image["/Width"]), int(image["/Height"])] != [width, height]:
        return None
    depth = int(image["/BitsPerComponent"])
    components, digits = _reading(image["/ColorSpace"], depth)
    if not digits or image.get("/Filter", Name.FlateDecode) != Name.FlateDecode:
        return None
    data = image.read_bytes()
    rows = _of_bits(data, width, digits) if depth == 1 else _of_bytes(data[::components], width, digits)
    grey = all(data[::components] == data[more::components] for more in range(1, components))
    return Bitmap(width, height, rows) if grey and len(rows) == (width + 7) // 8 * height else None


def _reading(space: Object, depth: int) -> tuple[int, bytes]:
    """The samples of a pixel, and the digit of each value: 0 black, 1 white. No digits for a space that is not read."""
    indexed = isinstance(space, Array) and space[0] == "/Indexed"
    components = _components(space[1] if indexed else space)
    if components == 0 or depth not in (1, 8) or (components, depth, indexed) == (3, 1, False):
        return 1, b""
    if not indexed:
        return components, _BITS if depth == 1 else _BYTES
    table = space[3].read_bytes() if isinstance(space[3], Stream) else bytes(space[3])
    colours = [table[at : at + components] for at in range(0, len(table), components)]
    named = {bytes(components): b"0", b"\xff" * components: b"1"}
    return 1, b"".join(named.get(colour, b"?") for colour in colours)[: 1 << depth].ljust(1 << depth, b"?")


def _components(space: Object) -> int:
    """Of a colour: 1 for grey, 3 for red, green and blue, 0 for a space that is not read."""
    if isinstance(space, Array) and space[0] == "/ICCBased":
        return 1 if _is_grey(space[1]) else 0
    return {"/DeviceGray": 1, "/DeviceRGB": 3}.get(str(space), 0) if isinstance(space, Name) else 0


def _is_grey(profile: Object) -> bool:
    """Whether it is the one profile that is known to leave black black and white white."""
    told = [float(end) for end in profile.get("/Range", (0, 1))]
    return told == [0, 1] and sha256(profile.read_bytes()).hexdigest() == _GREY


def _of_bits(data: bytes, width: int, digits: bytes) -> bytes:
    """Rows of one bit a sample; nothing if there is another colour among them."""
    if digits not in (b"01", b"10"):
        return b""
    line = (width + 7) // 8
    kept = ((1 << width) - 1 << 8 * line - width).to_bytes(line, "big") * (len(data) // line)
    bits = int.from_bytes(data, "big") ^ (-1 if digits == b"10" else 0)
    return (bits & int.from_bytes(kept, "big")).to_bytes(len(data), "big")


def _of_bytes(data: bytes, width: int, digits: bytes) -> bytes:
    """Rows of one byte a sample; nothing if there is another colour among them."""
    read = data.translate(digits)
    if not read or b"?" in read:
        return b""
    line = (width + 7) // 8 * 8
    if line > width:
        read = b"".join(read[at : at + width].ljust(line, b"0") for at in range(0, len(read), width))
    return int(read, 2).to_bytes(len(read) // 8, "big")


def shows(look: bytes, code: Bitmap) -> bool:
    """Whether the middle of every module, those of the quiet zone too, has its colour in what a page shows: grey, a
    byte for each pixel of the code, row by row from the top."""
    width, line = code.width, (code.width + 7) // 8
    rows = [code.rows[at : at + line] for at in range(0, len(code.rows), line)]
    side = _side(rows)
    first = side // 2
    wanted = [_digits(row)[first:width:side] for row in rows[first::side]]
    seen = [look[at + first : at + width : side] for at in range(first * width, len(look), side * width)]
    return b"".join(seen).translate(_SEEN) == b"".join(wanted)


def _side(rows: Sequence[bytes]) -> int:
    """Pixels of a module: the first dark ones are an edge of a finder pattern, which is seven modules long."""
    edge = _digits(next(row for row in rows if row != rows[0]))
    return len(edge.lstrip(b"1").split(b"1", 1)[0]) // 7


def _digits(row: bytes) -> bytes:
    return f"{int.from_bytes(row, 'big'):0{8 * len(row)}b}".encode()
