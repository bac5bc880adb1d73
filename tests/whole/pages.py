"""What a sealed file shows and where its seal stands, by readers of PDF."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
from pypdf import PdfReader
from pypdfium2 import raw

Box = tuple[float, float, float, float]  # left, bottom, right, top in points
_HYPHENS = str.maketrans({"\ufffe": "-", "\x02": "-"})  # PDFium's marks of a hyphen at the end of a line
_DATE = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日$")


@dataclass(frozen=True)
class Seal:
    """The only signature field: its page (from 0), its box, and the size of that page."""

    page: int
    box: Box
    size: tuple[float, float]


def texts(file: Path) -> list[str]:
    """The text of each page, without white space."""
    with pypdfium2.PdfDocument(file) as document:
        return [
            "".join(page.get_textpage().get_text_range().split()).translate(_HYPHENS) for page in document
        ]


def seal(file: Path) -> Seal:
    """Where the seal stands; a file has exactly one."""
    [found] = [
        Seal(number, box(note["/Rect"]), (float(page.mediabox.width), float(page.mediabox.height)))
        for number, page in enumerate(PdfReader(file).pages)
        for note in (item.get_object() for item in page.get("/Annots", []))
        if note.get("/FT") == "/Sig"
    ]
    return found


def signing_block(file: Path, office_line: str) -> tuple[int, Box, Box]:
    """The page that ends with the date and, under it, the office's line; the boxes of the two."""
    with pypdfium2.PdfDocument(file) as document:
        for number, page in reversed(list(enumerate(document))):
            letters = _letters(page.get_textpage())
            text = "".join(char for char, _ in letters)
            start = text.rfind(office_line)
            if start >= 0:
                date = _DATE.search(text[:start])
                assert date is not None
                line = letters[start : start + len(office_line)]
                return number, _around(letters[date.start() : start]), _around(line)
    raise AssertionError("no page has the office's line")


def overlap(one: Box, other: Box) -> bool:
    across = max(one[0], other[0]) < min(one[2], other[2])
    return across and max(one[1], other[1]) < min(one[3], other[3])


def box(rectangle: object) -> Box:
    left, bottom, right, top = (float(side) for side in rectangle)  # type: ignore[attr-defined]
    return left, bottom, right, top


def _letters(page: pypdfium2.PdfTextPage) -> list[tuple[str, Box]]:
    """Every unit of text that is no white space; halves of a surrogate pair count apart and do not matter here."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    found = []
    for index in range(page.count_chars()):
        char = chr(raw.FPDFText_GetUnicode(page, index))
        if not char.isspace():
            raw.FPDFText_GetCharBox(page, index, left, right, bottom, top)
            found.append((char, (left.value, bottom.value, right.value, top.value)))
    return found


def _around(letters: list[tuple[str, Box]]) -> Box:
    sides = list(zip(*(place for _, place in letters), strict=True))
    return min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])
