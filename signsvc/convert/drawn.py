"""The pictures that a PDF shows: the QR code of the certificate by its pixels, and what the template itself shows.

Any other picture may be somebody else's code, seen or hidden, and is refused; so is one that lies in the file unseen.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from pikepdf import Array, Name, Object, Stream

from .fontprogram import Unacceptable

Matrix = tuple[float, float, float, float, float, float]
_SMALLEST = 15 * 72 / 25.4  # points; what is smaller, telephones do not read on paper
_SLACK = 2.0  # points by which a picture may be no square, lean, or reach over the page's edge
# Entries of an image that is shown as its samples are; any other masks, turns round or replaces them.
_PLAIN = frozenset(
    f"/{key}"
    for key in (
        *("Type", "Subtype", "Width", "Height", "BitsPerComponent", "ColorSpace"),
        *("Filter", "DecodeParms", "Length"),
    )
)
_MASKS = ("/SMask", "/Mask")
_KNOWN = _PLAIN | {*_MASKS, "/Decode", "/ImageMask", "/Interpolate", "/Intent", "/Matte"}
# The digit of each sample of one bit, and of one byte: 0 black, 1 white.
_BITS, _BYTES = b"01", b"0" + b"?" * 254 + b"1"


class Drawn(NamedTuple):
    """An image, the matrix that puts its unit square on the page (ISO 32000-2 8.3.3), the page's number from 0 and its
    left, bottom, right, top."""

    image: Stream
    matrix: Matrix
    page: int
    edges: Sequence[float]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Of an image that stands upright: its left, bottom, right, top."""
        width, _, _, height, left, bottom = self.matrix
        return left, bottom, left + width, bottom + height


@dataclass(frozen=True)
class Pictures:
    """What a PDF must and may show: `code` is the PNG of its QR code, None for one without; `own` gives the `looks` of
    the template's own pictures, and is asked only if there are others than the code."""

    code: bytes | None = None
    own: Callable[[], Collection[bytes]] = frozenset


NO_PICTURES = Pictures()


class Bitmap(NamedTuple):
    """Black (0) and white (1) pixels, row by row from the top, each row filled up with 0 to whole bytes."""

    width: int
    height: int
    rows: bytes


def check_pictures(drawn: Sequence[Drawn], objects: Iterable[Object], pictures: Pictures) -> Sequence[Drawn]:
    """Where the QR code is drawn.

    Raises Unacceptable for any picture but these, for a code that is missing or cannot be read where it is, and for a
    picture among the `objects` of the file that is not drawn.
    """
    codes, others = parted(drawn, pictures.code)
    if pictures.code is not None and not codes:
        raise Unacceptable("the QR code is missing")
    for code in codes:
        _check_place(code)
    if others and not others <= frozenset(pictures.own()):
        raise Unacceptable("a picture that is neither the QR code nor the template's")
    stored = {
        item.objgen for item in objects if isinstance(item, Stream) and item.get("/Subtype") == "/Image"
    }
    if stored.difference(*(_numbers(each.image) for each in drawn)):
        raise Unacceptable("a picture that is not shown")
    return codes


def parted(drawn: Iterable[Drawn], code: bytes | None) -> tuple[list[Drawn], frozenset[bytes]]:
    """Where the QR code is drawn whose PNG is `code`, and the `looks` of all other pictures."""
    wanted = None if code is None else bitmap_of_png(code)
    codes, others = list[Drawn](), dict[tuple[int, int], Stream]()
    for each in drawn:
        if wanted is not None and bitmap(each.image, wanted.width, wanted.height) == wanted:
            codes.append(each)
        else:
            others[each.image.objgen] = each.image
    return codes, frozenset(map(looks, others.values()))


def _check_place(drawn: Drawn) -> None:
    """Upright, square, large enough to be read, and on the page."""
    a, b, c, d, x, y = drawn.matrix
    left, bottom, right, top = drawn.edges
    upright = min(a, d) >= _SMALLEST and max(abs(b), abs(c), abs(a - d)) <= _SLACK
    inside = min(x - left, y - bottom, right - x - a, top - y - d) >= -_SLACK
    if not upright or not inside:
        raise Unacceptable("the QR code is not where it can be read")


def _numbers(image: Stream) -> list[tuple[int, int]]:
    """Of the image and its masks."""
    return [image.objgen, *(image[key].objgen for key in _MASKS if isinstance(image.get(key), Stream))]


def bitmap_of_png(png: bytes) -> Bitmap:
    """The pixels of a PNG as filling writes it: one bit of grey, one piece of data, no filters."""
    width, height, *how = struct.unpack_from(">2I5B", png, 16)
    size, kind = struct.unpack_from(">I4s", png, 33)
    data, line = zlib.decompress(png[41 : 41 + size]), (width + 7) // 8 + 1
    if how != [1, 0, 0, 0, 0] or kind != b"IDAT" or len(data) != height * line or any(data[::line]):
        raise ValueError("not the PNG of a QR code")
    return Bitmap(width, height, b"".join(data[at + 1 : at + line] for at in range(0, len(data), line)))


def bitmap(image: Stream, width: int, height: int) -> Bitmap | None:
    """The pixels of an image of that size; None for one of another size, of other colours than black and white, or that
    is more than its samples."""
    if not image.keys() <= _PLAIN or [int(image["/Width"]), int(image["/Height"])] != [width, height]:
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
        count = int(space[1]["/N"])
        return count if count in (1, 3) else 0
    return {"/DeviceGray": 1, "/DeviceRGB": 3}.get(str(space), 0) if isinstance(space, Name) else 0


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


def looks(image: Stream) -> bytes:
    """A digest by which the pictures that one converter makes of one template are known again, masks included.

    Raises Unacceptable for entries that show something else elsewhere (/Alternates, /OPI), or are not known.
    """
    return sha256(_told(image)).digest()


def _told(value: Any) -> bytes:
    """Everything about a value but where it is stored; samples as they are stored."""
    if isinstance(value, Stream):
        if "/Width" in value and not value.keys() <= _KNOWN:
            raise Unacceptable("a picture with more to it than samples and masks")
        entries = (key.encode() + b" " + _told(value[key]) for key in sorted(value.keys()))
        return b"<<" + b" ".join(entries) + b">>" + value.read_raw_bytes()
    if isinstance(value, Array):
        return b"[" + b" ".join(map(_told, value)) + b"]"
    return value.unparse(resolved=True) if isinstance(value, Object) else repr(value).encode()
