"""A PDF that LibreOffice made of many documents, taken apart: each gets a file with its own pages and glyphs alone.

The fonts of such a PDF hold the glyphs of all its documents, and its resources all their pictures. What a page uses
is read from its content; that alone goes into its file, and nothing that belongs to the whole: no destinations,
outline, metadata or open action.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from types import MappingProxyType
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name, Object, Page, Pdf, Stream

from signsvc.errors import ConversionFailed
from signsvc.models import PdfBytes

from .alone import copied
from .contents import Unreadable
from .insets import Inset, place_all
from .marks import Part
from .ownglyphs import FontShelf
from .pngimage import PngImage
from .sheets import Sheet, Source

_VERSION = "1.7"
# Entries of a page: those that are kept, those that are written anew or tell of the whole. No others may be there.
_PAGE = frozenset({"/MediaBox", "/CropBox", "/Rotate", "/Group", "/Annots"})
_PAGE_ANEW = frozenset({"/Type", "/Parent", "/Resources", "/Contents", "/StructParents", "/Tabs"})
_CATALOGUE = frozenset({"/Lang", "/ViewerPreferences"})
_STREAM = frozenset({"/Length", "/Filter", "/Resources"})


def split(
    pdf: bytes, parts: Sequence[Part], pictures: Sequence[PngImage], shelf: FontShelf
) -> list[PdfBytes | ConversionFailed]:
    """The pages of each part as a file of its own, with its picture if that was left out, or why there is none.

    A part with anything that is not known for certain fails, and leaves the others alone; so does one with a character
    that looks like another's: LibreOffice gives their common glyph but one text.
    """
    try:
        with _opened(pdf) as whole:
            source = Source(whole, shelf)
            insets = place_all(source.pages, parts, pictures)
            return [_split_off(source, part.pages, inset) for part, inset in zip(parts, insets, strict=True)]
    except Exception:  # noqa: BLE001 (a PDF that cannot be read may raise anything)
        return [_failed() for _ in parts]


def slim(pdf: bytes, shelf: FontShelf) -> PdfBytes | ConversionFailed:
    """All pages as one file, in the same way: the PDF of one document."""
    try:
        with _opened(pdf) as whole:
            return _split_off(Source(whole, shelf, alone=True), range(len(whole.pages)), None)
    except Exception:  # noqa: BLE001 (as above)
        return _failed()


@contextmanager
def _opened(pdf: bytes) -> Iterator[Pdf]:
    """Nothing is guessed, and what is not sound is not taken."""
    with pikepdf.open(BytesIO(pdf), attempt_recovery=False) as whole:
        yield whole
        if whole.get_warnings():
            raise Unreadable("damaged")


def _split_off(source: Source, pages: range, inset: Inset | None) -> PdfBytes | ConversionFailed:
    try:
        with pikepdf.new() as file:
            return _Part(source, file).made_of(pages, inset)
    except Exception:  # noqa: BLE001 (as above)
        return _failed()


def _failed() -> ConversionFailed:
    return ConversionFailed("转换得到的 PDF 无法读取，请用 signsvc template check 检查模板")


class _Part:
    """The file of one document in the making: its fonts first, then the pages that show them."""

    def __init__(self, source: Source, file: Pdf) -> None:
        self._source, self._file = source, file
        self._fonts: dict[tuple[int, int], Object] = {}  # by their numbers in the source
        self._drawn: dict[tuple[int, int], Object] = {}

    def made_of(self, numbers: range, inset: Inset | None) -> PdfBytes:
        """The whole file, with a picture put in."""
        pages = [self._source.pages[number] for number in numbers]
        if not pages:
            raise Unreadable("no page")
        sheets = [Sheet.read(page.Contents, page.Resources) for page in pages]
        self._add_fonts(sheets)
        for page, sheet in zip(pages, sheets, strict=True):
            self._file.pages.append(self._page(page, sheet))
        if inset:
            inset.put_on(self._file.pages[inset.page - numbers.start], self._file)
        for key in _CATALOGUE.intersection(self._source.root.keys()):
            self._file.Root[key] = copied(self._source.root[key], self._file)
        out = BytesIO()
        self._file.save(out, force_version=_VERSION, deterministic_id=True)
        return PdfBytes(out.getvalue())

    def _add_fonts(self, sheets: Iterable[Sheet]) -> None:
        """Each font with the codes that all sheets show of it, forms within them included."""
        codes = defaultdict[tuple[int, int], set[int]](set)
        fonts = {}
        for sheet in self._with_forms(sheets):
            if sheet.uses.retold and not self._source.alone:
                raise Unreadable("a glyph whose text another document has decided")
            for name, font in sheet.fonts:
                fonts[font.objgen] = font
                codes[font.objgen] |= sheet.uses.codes[name]
        for number, font in fonts.items():
            self._fonts[number] = self._source.font(font).cut(codes[number], self._file)

    def _with_forms(self, sheets: Iterable[Sheet]) -> list[Sheet]:
        met: list[Sheet] = []
        waiting = list(sheets)
        while waiting:
            sheet = waiting.pop(0)
            if not any(sheet is other for other in met):
                met.append(sheet)
                waiting += self._source.forms(sheet)
        return met

    def _page(self, page: Object, sheet: Sheet) -> Page:
        if unknown := page.keys() - _PAGE - _PAGE_ANEW:
            raise Unreadable(min(unknown))
        kept = {key: copied(page[key], self._file) for key in sorted(_PAGE.intersection(page.keys()))}
        made = Dictionary(
            {
                **kept,
                "/Type": Name.Page,
                "/Contents": self._stream(sheet.content),
                "/Resources": self._resources(sheet),
            }
        )
        return Page(self._file.make_indirect(made))

    def _resources(self, sheet: Sheet) -> Dictionary:
        """What a sheet uses, under the names that it uses."""
        groups = {
            kind: Dictionary({name: self._resource(value) for name, value in sheet.named(kind)})
            for kind in sheet.uses.names
        }
        fonts = {name: self._fonts[font.objgen] for name, font in sheet.fonts}
        return Dictionary({**groups, "/Font": Dictionary(fonts)})

    def _resource(self, value: Object) -> Any:
        form = self._source.form(value) if isinstance(value, Stream) else None
        if form is None:
            return copied(value, self._file)
        if value.objgen not in self._drawn:
            entries = {key: copied(value[key], self._file) for key in sorted(value.keys() - _STREAM)}
            resources = self._resources(form)
            self._drawn[value.objgen] = self._stream(value, {**entries, "/Resources": resources})
        return self._drawn[value.objgen]

    def _stream(self, content: Object, entries: Mapping[str, Any] = MappingProxyType({})) -> Stream:
        """A content stream, still compressed, with these `entries` beside."""
        if content.get("/Filter") != Name.FlateDecode or "/DecodeParms" in content:
            raise Unreadable("content in another encoding")
        return Stream(self._file, content.read_raw_bytes(), {**entries, "/Filter": Name.FlateDecode})
