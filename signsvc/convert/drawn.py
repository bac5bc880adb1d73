"""The pictures that a PDF shows: the QR code of the certificate by its pixels, and what the template itself shows.

Any other picture may be somebody else's code, seen or hidden, and is refused; so is one that lies in the file unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from pikepdf import Array, Object, Stream

from .fontprogram import Unacceptable
from .pixels import PLAIN, Bitmap, bitmap

Matrix = tuple[float, float, float, float, float, float]
_SMALLEST = 15 * 72 / 25.4  # points; what is smaller, telephones do not read on paper
_SLACK = 2.0  # points by which a picture may be no square, lean, or reach over the page's edge
_MASKS = ("/SMask", "/Mask")
_KNOWN = PLAIN | {*_MASKS, "/Decode", "/ImageMask", "/Interpolate", "/Intent", "/Matte"}


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


def check_pictures(
    drawn: Sequence[Drawn],
    objects: Iterable[Object],
    code: Bitmap | None,
    own: Callable[[], Collection[bytes]],
) -> Sequence[Drawn]:
    """Where the QR code is drawn, whose pixels are `code`.

    Raises Unacceptable for any picture but it and the template's `own`, for a code that is missing or too small to be
    read, and for a picture among the `objects` of the file that is not drawn.
    """
    codes, others = parted(drawn, code)
    if code is not None and not codes:
        raise Unacceptable("the QR code is missing")
    for each in codes:
        _check_place(each)
    if others and not others <= frozenset(own()):
        raise Unacceptable("a picture that is neither the QR code nor the template's")
    stored = {
        item.objgen for item in objects if isinstance(item, Stream) and item.get("/Subtype") == "/Image"
    }
    if stored.difference(*(_numbers(each.image) for each in drawn)):
        raise Unacceptable("a picture that is not shown")
    return codes


def parted(drawn: Iterable[Drawn], code: Bitmap | None) -> tuple[list[Drawn], frozenset[bytes]]:
    """Where the QR code is drawn whose pixels are `code`, and the `looks` of all other pictures."""
    codes, others = list[Drawn](), dict[tuple[int, int], Stream]()
    for each in drawn:
        if code is not None and bitmap(each.image, code.width, code.height) == code:
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
