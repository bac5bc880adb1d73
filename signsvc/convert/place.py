"""Where the letters of a PDF stand, and from that where the seal goes.

Custom (and GB/T 9704) has the round seal across the date and the name of the office, its centre a little above the
middle of those lines.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

from signsvc.errors import TextMismatch
from signsvc.models import PdfBytes, SealPlace

SEAL_RADIUS = 21.0 * 72 / 25.4  # points; half of 42 mm
_SLACK = 2.0  # points a glyph may reach over the page's edge
_RAISE = 0.1  # part of the radius by which the seal's centre is above the middle of the lines
# PDFium's two ways of marking a hyphen at the end of a line.
_LINE_END_HYPHENS = {0x02: "-", 0xFFFE: "-"}


class Letter(NamedTuple):
    """One character and its box in points from the lower left corner of `page` (from 0)."""

    char: str
    page: int
    left: float
    bottom: float
    right: float
    top: float

    def inside(self, size: tuple[float, float]) -> bool:
        """Whether the whole letter is on a page of that width and height."""
        width, height = size
        across = self.left >= -_SLACK and self.right <= width + _SLACK
        return across and self.bottom >= -_SLACK and self.top <= height + _SLACK


def read_letters(pdf: PdfBytes) -> tuple[list[Letter], list[tuple[float, float]]]:
    """Every letter that is not white space, in reading order, and the size of each page."""
    letters: list[Letter] = []
    sizes = []
    document = pypdfium2.PdfDocument(pdf)
    try:
        for number in range(len(document)):
            page = document[number]
            sizes.append(page.get_size())
            letters += _letters_of(page.get_textpage(), number)
    finally:
        document.close()
    return letters, sizes


def _letters_of(textpage: pypdfium2.PdfTextPage, number: int) -> list[Letter]:
    page, box_of = textpage.raw, raw.FPDFText_GetCharBox
    sides = [ctypes.c_double() for _ in range(4)]
    left, right, bottom, top = sides
    into = [ctypes.byref(side) for side in sides]
    letters = []
    for index, char in _characters(page):
        if char.isspace():
            continue
        if not box_of(page, index, *into):
            raise TextMismatch("转换后的 PDF 无法读取")
        letters.append(Letter(char, number, left.value, bottom.value, right.value, top.value))
    return letters


def _characters(page: raw.FPDF_TEXTPAGE) -> Iterator[tuple[int, str]]:
    """Index and character; PDFium counts the two halves of a surrogate pair apart and gives both the same box."""
    high, unit_at = 0, raw.FPDFText_GetUnicode
    for index in range(raw.FPDFText_CountChars(page)):
        unit = unit_at(page, index)
        if 0xD800 <= unit < 0xDC00:
            high = unit
        elif 0xDC00 <= unit < 0xE000:
            yield index, chr(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00))
        elif unit:
            yield index, _LINE_END_HYPHENS.get(unit) or chr(unit)


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
