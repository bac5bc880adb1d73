"""Where the letters of a PDF stand, and from that where the seal goes.

Custom (and GB/T 9704) has the round seal across the date and the name of the office, its centre a little above the
middle of those lines.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

from signsvc.errors import TextMismatch
from signsvc.models import PdfBytes, SealPlace

from .drawn import Drawn
from .painted import look

SEAL_RADIUS = 21.0 * 72 / 25.4  # points; half of 42 mm
_SLACK = 2.0  # points a glyph may reach over an edge
_RAISE = 0.1  # part of the radius by which the seal's centre is above the middle of the lines
# PDFium's two ways of marking a hyphen at the end of a line.
_LINE_END_HYPHENS = {0x02: "-", 0xFFFE: "-"}
# Left, bottom, right, top, in points from the page's lower left corner.
Box = tuple[float, float, float, float]


class Letter(NamedTuple):
    """One character and its box in points from the lower left corner of `page` (from 0)."""

    char: str
    page: int
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True)
class Reading:
    """All text without white space, in reading order, and the width and height of each page.

    `pieces` are the pages of all pieces of lines with their boxes; `anchor` are the letters of the words that were
    asked for, where they stand last; `looks` is how the pictures asked for look, each as `painted.look` tells.
    """

    text: str
    sizes: Sequence[tuple[float, float]]
    pieces: Sequence[tuple[int, Box]]
    anchor: Sequence[Letter]
    looks: Sequence[bytes]

    def is_inside(self) -> bool:
        """Whether all text is on its page."""
        return all(
            min(left, bottom) >= -_SLACK
            and right <= self.sizes[page][0] + _SLACK
            and top <= self.sizes[page][1] + _SLACK
            for page, (left, bottom, right, top) in self.pieces
        )

    def touches(self, number: int, box: Box) -> bool:
        """Whether text of that page reaches into the box."""
        left, bottom, right, top = box
        return any(
            min(right, piece[2]) - max(left, piece[0]) > _SLACK
            and min(top, piece[3]) - max(bottom, piece[1]) > _SLACK
            for page, piece in self.pieces
            if page == number
        )


def read_again(pdf: PdfBytes, anchor: str, drawn: Iterable[Drawn] = ()) -> Reading:
    """What PDFium reads, and how it paints the upright pictures that are `drawn`.

    `anchor` is without white space; there are no letters where it does not stand.
    """
    document = pypdfium2.PdfDocument(pdf)
    try:
        sheets = [_Sheet(document[number], number) for number in range(len(document))]
        text = "".join([sheet.text for sheet in sheets])
        start = text.rfind(anchor)
        places = [(sheet, index) for sheet in sheets for index in sheet.indices]
        found = places[start : start + len(anchor)] if start >= 0 else ()
        letters = [sheet.letter(index) for sheet, index in found]
        pieces = [(sheet.number, piece) for sheet in sheets for piece in sheet.pieces()]
        looks = [look(sheets[each.page].page, each) for each in drawn]
        return Reading(text, [sheet.size for sheet in sheets], pieces, letters, looks)
    finally:
        document.close()


class _Sheet:
    """A page as PDFium reads it: its text without white space, and where in what PDFium gives each character stands."""

    def __init__(self, page: pypdfium2.PdfPage, number: int) -> None:
        self.page, self.size = page, page.get_size()
        self.number, self._textpage = number, page.get_textpage()
        self._given = _text_of(self._textpage.raw)
        self.text = "".join(self._given.split())
        self.indices = [index for index, char in enumerate(self._given) if not char.isspace()]
        self._sides = [ctypes.c_double() for _ in range(4)]

    def pieces(self) -> Iterator[Box]:
        """The boxes of pieces of lines, which together hold all text; PDFium tells them faster than letters."""
        for piece in range(raw.FPDFText_CountRects(self._textpage.raw, 0, -1)):
            left, top, right, bottom = self._box(raw.FPDFText_GetRect, piece)
            yield left, bottom, right, top

    def letter(self, index: int) -> Letter:
        """The character there. PDFium counts in UTF-16."""
        unit = len(self._given[:index].encode("utf-16-le")) // 2
        at = raw.FPDFText_GetCharIndexFromTextIndex(self._textpage.raw, unit)
        left, right, bottom, top = self._box(raw.FPDFText_GetCharBox, at)
        return Letter(self._given[index], self.number, left, bottom, right, top)

    def _box(self, ask: Callable[..., int], number: int) -> list[float]:
        """The sides of a box in the order in which they are told."""
        if not ask(self._textpage.raw, number, *map(ctypes.byref, self._sides)):
            raise TextMismatch("转换后的 PDF 无法读取")
        return [side.value for side in self._sides]


def _text_of(page: raw.FPDF_TEXTPAGE) -> str:
    count = raw.FPDFText_CountChars(page)
    units = (ctypes.c_ushort * (2 * count + 1))()
    size = raw.FPDFText_GetText(page, 0, count, units)  # with a zero at the end
    return bytes(units)[: 2 * max(size - 1, 0)].decode("utf-16-le").translate(_LINE_END_HYPHENS)


def find_place(
    letters: Sequence[Letter], sizes: Sequence[tuple[float, float]], date: str, office: str, radius: float
) -> SealPlace:
    """The seal's centre over the last `date` that is followed by `office` (both without white space).

    The office's line may wrap. The centre is in the middle of what date and office share across, moved as far as needed
    for the whole seal to be on the page. Raises TextMismatch if they are not there, or not on one page.
    """
    start = "".join(letter.char for letter in letters).rfind(date + office)
    if start < 0:
        raise TextMismatch("找不到出具日期和其下的盖章处，请检查模板")
    here = letters[start : start + len(date) + len(office)]
    page = here[0].page
    if here[-1].page != page:
        raise TextMismatch("出具日期和盖章处不在同一页，请缩短证明事项，或检查模板")
    lines = (here[: len(date)], here[len(date) :])
    centre_x = _shared_middle([_extent(line) for line in lines])
    centre_y = (max(item.top for item in here) + min(item.bottom for item in here)) / 2 + _RAISE * radius
    width, height = sizes[page]
    return SealPlace(page, _clamp(centre_x, radius, width), _clamp(centre_y, radius, height))


def _extent(line: Sequence[Letter]) -> tuple[float, float]:
    return min(letter.left for letter in line), max(letter.right for letter in line)


def _shared_middle(extents: Sequence[tuple[float, float]]) -> float:
    """Middle of what the lines have in common across, or of all of them if they have nothing in common."""
    left, right = max(low for low, _ in extents), min(high for _, high in extents)
    if left > right:
        left, right = min(low for low, _ in extents), max(high for _, high in extents)
    return (left + right) / 2


def _clamp(value: float, margin: float, size: float) -> float:
    return min(max(value, margin), size - margin)
