"""The marks of joined forms: bookmarks in the .docx, named destinations in the PDF (ISO 32000-2 12.3.2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_float, c_int, pointer
from dataclasses import dataclass
from typing import Self

import pypdfium2
from pypdfium2 import raw


@dataclass(frozen=True)
class Mark:
    """A page (from 0) and a place on it, in points."""

    page: int
    x: float
    y: float


@dataclass(frozen=True)
class Part:
    """What is found of one form: its pages (from 0), and the mark of its picture, if that was left out."""

    pages: range
    picture: Mark | None = None


def beginning(part: int) -> str:
    """The name of a form's first mark: letters and digits stand in a PDF as they are."""
    return f"part{part + 1:04d}"


def place(part: int) -> str:
    """The name of the mark of a form's picture."""
    return f"place{part + 1:04d}"


def bookmark(name: str, number: int) -> str:
    """A mark as WordprocessingML; `number` is like no other's in the document."""
    return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/><w:bookmarkEnd w:id="{number}"/>'


def find_parts(pdf: bytes, count: int, pictured: bool) -> list[Part]:
    """Each of the `count` forms joined, with the mark of its picture if they are `pictured`; nothing if they cannot be
    told apart."""
    try:
        with _Marks.opened(pdf) as marks:
            starts = [marks.at(beginning(part)).page for part in range(count)]
            ends = [*starts[1:], marks.pages]
            pages = [range(start, end) for start, end in zip(starts, ends, strict=True)]
            places = [marks.at(place(part)) if pictured else None for part in range(count)]
    except (pypdfium2.PdfiumError, LookupError):
        return []
    parts = [Part(some, mark) for some, mark in zip(pages, places, strict=True)]
    whole = starts[0] == 0 and all(pages)
    return (
        parts
        if whole and all(part.picture is None or part.picture.page in part.pages for part in parts)
        else []
    )


class _Marks:
    """The named destinations of a PDF."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document, self.pages = document, len(document)

    @classmethod
    @contextmanager
    def opened(cls, pdf: bytes) -> Iterator[Self]:
        document = pypdfium2.PdfDocument(pdf)
        try:
            yield cls(document)
        finally:
            document.close()

    def at(self, name: str) -> Mark:
        """Raises LookupError if there is none of that name, or none that tells where on the page it is."""
        destination = raw.FPDF_GetNamedDestByName(self._document, name.encode())
        told, (x, y, zoom) = [c_int() for _ in range(3)], [c_float() for _ in range(3)]
        whole = destination and raw.FPDFDest_GetLocationInPage(
            destination, *map(pointer, told), *map(pointer, (x, y, zoom))
        )
        if not (whole and told[0].value and told[1].value):
            raise LookupError(name)
        return Mark(int(raw.FPDFDest_GetDestPageIndex(self._document, destination)), x.value, y.value)
