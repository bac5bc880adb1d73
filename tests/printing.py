"""Filled forms as the converters print them, read back as before sealing, and where their words stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

from signsvc.convert import Choice, Pictures, choose_converter, read_back
from signsvc.fill import text_of
from signsvc.fonts import FontBook
from signsvc.models import DocxBytes, PdfBytes, SealPlace

MM = 72 / 25.4


class Filled(NamedTuple):
    """A filled form, the date and line under it between which its seal goes, and the PNG of its code."""

    document: DocxBytes
    anchor: tuple[str, str]
    code: bytes | None = None


def font_book() -> FontBook:
    """The faces of the default settings."""
    wanted = ("Noto Serif CJK SC", "Noto Serif CJK SC:bold", "BabelStone Han")
    return FontBook.load(*wanted[:2], wanted[2:], optional=wanted)


def converted_and_read(
    choice: Choice, book: FontBook, filled: Mapping[str, Filled], work: Path
) -> dict[str, tuple[bytes, SealPlace]]:
    """Each as a PDF that passed the reading back, converted in one call, and the place of its seal."""
    files = list(dict.fromkeys(face.file.path for face in book.faces))
    with choose_converter(choice, work, 120, files) as converter:
        results = converter.convert([one.document for one in filled.values()])
    pdfs = {name: pdf for name, pdf in zip(filled, results, strict=True) if isinstance(pdf, bytes)}
    assert len(pdfs) == len(filled)
    return {name: (pdf, _read(PdfBytes(pdf), book, filled[name])) for name, pdf in pdfs.items()}


def _read(pdf: PdfBytes, book: FontBook, one: Filled) -> SealPlace:
    return read_back(pdf, text_of(one.document), book.allowed_names, one.anchor, Pictures(one.code))


def boxes(page: pypdfium2.PdfPage, words: str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of `words` on the page, in points."""
    text = page.get_textpage()
    chars = [(chr(raw.FPDFText_GetUnicode(text, i)), i) for i in range(text.count_chars())]
    printed = [(char, i) for char, i in chars if not char.isspace()]
    start = "".join(char for char, _ in printed).find(words)
    assert start >= 0, words
    found = [text.get_charbox(i) for _, i in printed[start : start + len(words)]]
    return (
        min(b[0] for b in found),
        min(b[1] for b in found),
        max(b[2] for b in found),
        max(b[3] for b in found),
    )
