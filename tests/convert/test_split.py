"""One PDF of many documents taken apart: every file shows its own pages, and holds nothing of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
import pytest
from convert_forms import ALLOWED, ANCHOR, FONTS, add, form, packed, text_of
from docx import Document
from docx.shared import Mm
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from whole.glyphs import Pages

from signsvc.convert import libreoffice
from signsvc.convert.contents import read_uses
from signsvc.convert.drawn import Pictures as Shown
from signsvc.convert.libreoffice import LibreOffice
from signsvc.convert.marks import Part
from signsvc.convert.ownglyphs import FontShelf
from signsvc.convert.readback import read_back
from signsvc.convert.split import slim, split
from signsvc.errors import ConversionFailed
from signsvc.fill.values import qr_png
from signsvc.models import DocxBytes, PdfBytes
from signsvc.seal.intake import rewrite

HAN = "".join(chr(0x4E00 + 17 * index) for index in range(400))  # more than one subset of a font has room for
NAMES = ("欧阳若兰", "司马青山", "尉迟碧水")
MORE = ("", "", HAN)
SHELF = FontShelf(FONTS)


@dataclass(frozen=True)
class Joined:
    """The PDF of all documents, the pages of each, and the documents."""

    pdf: PdfBytes
    parts: Sequence[Part]
    documents: Sequence[DocxBytes]


def complete(document: DocxBytes, name: str) -> DocxBytes:
    """With the name in a TrueType font too, and a picture of its own."""
    opened = Document(BytesIO(document))
    add(opened, name, "BabelStone Han")
    opened.add_picture(BytesIO(code_of(name)), width=Mm(20))
    return packed(opened)


def code_of(name: str) -> bytes:
    return qr_png(f"https://example.org/{name}")


@pytest.fixture(scope="module")
def joined(office: LibreOffice) -> Joined:
    """What LibreOffice makes of all the forms in one file."""
    taken: list[tuple[PdfBytes, Sequence[Part]]] = []

    def taking(pdf: PdfBytes, parts: Sequence[Part], *more: Any) -> list[PdfBytes | ConversionFailed]:
        taken.append((pdf, parts))
        return split(pdf, parts, *more)

    documents = [complete(form(name, more), name) for name, more in zip(NAMES, MORE, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(libreoffice, "split", taking)
        office.convert(documents)
    [(pdf, parts)] = taken
    return Joined(pdf, parts, documents)


@pytest.fixture(scope="module")
def files(joined: Joined) -> list[PdfBytes]:
    return made(divided(joined.pdf, joined.parts))


def divided(pdf: bytes, parts: Sequence[Part]) -> list[PdfBytes | ConversionFailed]:
    return split(pdf, parts, (), SHELF)


def made(results: Sequence[PdfBytes | ConversionFailed]) -> list[PdfBytes]:
    assert not [result for result in results if isinstance(result, ConversionFailed)]
    return results  # type: ignore[return-value]


def streams(pdf: bytes) -> Iterator[bytes]:
    with pikepdf.open(BytesIO(pdf)) as opened:
        for item in opened.objects:
            if isinstance(item, Stream):
                yield item.read_bytes()


def look(pdf: bytes, numbers: range) -> list[tuple[bytes, str]]:
    """Pixels and text of pages."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number] for number in numbers]
    return [(bytes(page.render(scale=2).buffer), page.get_textpage().get_text_range()) for page in pages]


def test_a_file_shows_the_pages_as_they_were(joined: Joined, files: list[PdfBytes]) -> None:
    assert [len(part.pages) for part in joined.parts] == [1, 1, 2]
    for part, file in zip(joined.parts, files, strict=True):
        assert look(file, range(len(part.pages))) == look(joined.pdf, part.pages)


def test_it_is_accepted_by_those_who_get_it(joined: Joined, files: list[PdfBytes]) -> None:
    for name, document, file in zip(NAMES, joined.documents, files, strict=True):
        read_back(file, text_of(document), ALLOWED, ANCHOR, Shown(code_of(name)))
        rewrite(file)


def test_it_holds_its_own_glyphs_and_no_others(joined: Joined, files: list[PdfBytes]) -> None:
    for file in files:
        pages = Pages(file)
        assert len(pages.faces) >= 3  # bold, regular and one in a TrueType font
        assert pages.hidden_programs == []
        assert all(face.holds == face.shown for face in pages.faces.values())


def test_nothing_of_another_is_anywhere_in_it(joined: Joined, files: list[PdfBytes]) -> None:
    for own, file in enumerate(files):
        texts = b"\n".join(streams(file))
        for name in NAMES:
            for char in name:
                line = b"<%b>" % char.encode("utf-16-be").hex().encode()
                assert (line in texts.lower()) == (char in text_of(joined.documents[own]))


def test_it_holds_its_own_picture_alone(files: list[PdfBytes]) -> None:
    pictures = [
        [image.read_bytes() for page in opened.pages for image in page.get_images().values()]
        for opened in map(pikepdf.open, map(BytesIO, files))
    ]
    assert [len(found) for found in pictures] == [1, 1, 1]
    assert len({found[0] for found in pictures}) == 3


def test_codes_without_use_have_neither_width_nor_text(files: list[PdfBytes]) -> None:
    with pikepdf.open(BytesIO(files[1])) as opened:
        [page] = opened.pages
        used = read_uses(page.Contents.read_bytes()).codes
        assert used.keys() == page.Resources.Font.keys()
        for name, codes in used.items():
            font = page.Resources.Font[name]
            widths = dict(enumerate(map(int, font.Widths), font.FirstChar))
            assert {code for code, width in widths.items() if width} == codes
            assert (font.FirstChar, font.LastChar) == (min(codes), max(codes))
            text = font.ToUnicode.read_bytes().decode()
            assert {int(line[1:3], 16) for line in text.splitlines() if line.endswith(">") and "> <" in line
                    and line != "<00> <FF>"} == codes  # fmt: skip


def test_it_tells_nothing_of_the_whole(files: list[PdfBytes]) -> None:
    for file in files:
        assert file.startswith(b"%PDF-1.7")
        with pikepdf.open(BytesIO(file)) as opened:
            assert opened.Root.keys() <= {"/Type", "/Pages", "/Lang", "/ViewerPreferences"}
            assert opened.trailer.keys() == {"/Root", "/Size", "/ID"}
            assert opened.get_warnings() == []


def test_the_same_pdf_gives_the_same_bytes(joined: Joined, files: list[PdfBytes]) -> None:
    assert divided(joined.pdf, joined.parts) == files


def test_a_font_without_its_original_stays_whole_or_is_not_taken_apart(joined: Joined) -> None:
    results = split(joined.pdf, [Part(range(4)), *joined.parts], (), FontShelf([]))
    assert [isinstance(result, ConversionFailed) for result in results] == [False, True, True, True]
    with pikepdf.open(BytesIO(made(results[:1])[0])) as opened:
        assert "/FontFile" in opened.pages[0].Resources.Font["/F1"].FontDescriptor


def changed(joined: Joined, change: Callable[[Pdf], object]) -> PdfBytes:
    with pikepdf.open(BytesIO(joined.pdf)) as opened:
        change(opened)
        opened.save(out := BytesIO())
    return PdfBytes(out.getvalue())


def append(text: bytes) -> Callable[[Pdf], object]:
    """More content on the second page."""

    def change(opened: Pdf) -> None:
        contents = opened.pages[1].Contents
        contents.write(contents.read_bytes() + b"\n" + text)

    return change


def draw(**entries: object) -> Callable[[Pdf], object]:
    """A stream with these entries, drawn on the second page."""

    def change(opened: Pdf) -> None:
        page = opened.pages[1]
        page.Resources.XObject["/X1"] = Stream(opened, b"", Dictionary(**entries))
        append(b"/X1 Do")(opened)

    return change


def set_page(key: str, make: Callable[[Pdf], object]) -> Callable[[Pdf], object]:
    return lambda opened: opened.pages[1].obj.__setitem__(key, make(opened))


def set_state(**entries: object) -> Callable[[Pdf], object]:
    def change(opened: Pdf) -> None:
        opened.pages[1].Resources.ExtGState = Dictionary(G1=Dictionary(**entries))
        append(b"/G1 gs")(opened)

    return change


def link_to_another_page(opened: Pdf) -> Array:
    rectangle = Array([0, 0, 9, 9])
    link = Dictionary(Subtype=Name.Link, Rect=rectangle, Dest=Array([opened.pages[0].obj, Name.Fit]))
    return Array([opened.make_indirect(link)])


def put_font_inside(opened: Pdf) -> None:
    page = opened.pages[1]
    page.obj.Resources = Dictionary(page.Resources)
    page.Resources.Font = Dictionary(page.Resources.Font)
    page.Resources.Font["/F1"] = Dictionary(page.Resources.Font["/F1"])


UNKNOWN = {
    "text beside that of the glyphs": append(b"/Span<</ActualText<FEFF4E00>>> BDC EMC"),
    "font within the page": put_font_inside,
    "inline image": append(b"BI /W 1 /H 1 /BPC 8 /CS /G ID a EI"),
    "literal string": append(b"BT /F1 9 Tf (A) Tj ET"),
    "text in no font": append(b"BT <01> Tj ET"),
    "font that is not there": append(b"BT /F77 9 Tf <01> Tj ET"),
    "code beyond the widths": append(b"BT /F1 9 Tf <FF> Tj ET"),
    "picture that is not there": append(b"/Im77777 Do"),
    "several streams": set_page("/Contents", lambda opened: Array([opened.pages[0].Contents])),
    "no content": lambda opened: opened.pages[1].obj.__delitem__("/Contents"),
    "unknown entry": set_page("/AA", lambda opened: Dictionary()),
    "link to another page": set_page("/Annots", link_to_another_page),
    "external object of no kind": draw(),
    "form without resources": draw(Subtype=Name.Form, BBox=Array([0, 0, 9, 9])),
    "picture that tells of itself": draw(Subtype=Name.Image, Metadata=Dictionary()),
    "picture that holds a font": draw(Subtype=Name.Image, Other=Dictionary(BaseFont=Name.F)),
    "state with a font": set_state(Font=Array([])),
    "state with a form": set_state(SMask=Dictionary(G=Dictionary(BBox=Array([])))),
}


@pytest.mark.parametrize("change", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_for_certain_fails_alone(joined: Joined, change: Callable[[Pdf], object]) -> None:
    results = divided(changed(joined, change), joined.parts)
    assert [isinstance(result, ConversionFailed) for result in results] == [False, True, False]


def encode(opened: Pdf) -> None:
    opened.pages[0].Resources.Font["/F1"].Encoding = Name.WinAnsiEncoding


def forget_text(opened: Pdf) -> None:
    del opened.pages[0].Resources.Font["/F1"]["/ToUnicode"]


def break_program(opened: Pdf) -> None:
    opened.pages[0].Resources.Font["/F1"].FontDescriptor.FontFile.write(b"%!PS")


def forget_resources(opened: Pdf) -> None:
    del opened.pages[1].obj["/Resources"]


@pytest.mark.parametrize("change", [encode, forget_text, break_program, forget_resources])
def test_a_font_or_page_that_is_not_known_for_certain_fails_all(
    joined: Joined, change: Callable[[Pdf], object]
) -> None:
    results = divided(changed(joined, change), joined.parts)
    assert all(isinstance(result, ConversionFailed) for result in results)


@pytest.mark.parametrize("keep", [0, 20, 2000, -2000])
def test_a_broken_pdf_fails(joined: Joined, keep: int) -> None:
    results = divided(joined.pdf[:keep], joined.parts)
    assert all(isinstance(result, ConversionFailed) for result in [*results, slim(joined.pdf[:keep], SHELF)])


def test_pages_that_are_not_there_fail_alone(joined: Joined) -> None:
    results = divided(joined.pdf, [Part(range(1)), Part(range(3, 5)), Part(range(0))])
    assert [isinstance(result, ConversionFailed) for result in results] == [False, True, True]


def test_text_in_a_form_is_text_of_the_page(joined: Joined, files: list[PdfBytes]) -> None:
    def wrap(opened: Pdf) -> None:
        """The second page draws all it has through a form, twice nested."""
        page = opened.pages[1]
        inner = Stream(opened, page.Contents.read_bytes())
        for name in ("/Inner", "/Outer"):
            inner.Type, inner.Subtype, inner.BBox = Name.XObject, Name.Form, page.MediaBox
            inner.Resources = page.Resources
            page.Resources.XObject[name] = opened.make_indirect(inner)
            inner = Stream(opened, name.encode() + b" Do")
        page.Contents = inner

    [file] = made(divided(changed(joined, wrap), joined.parts[1:2]))
    assert look(file, range(1)) == look(joined.pdf, joined.parts[1].pages)
    assert [face.holds for face in Pages(file).faces.values()] == [
        face.holds for face in Pages(files[1]).faces.values()
    ]


def test_a_link_to_an_address_stays(joined: Joined) -> None:
    def link(opened: Pdf) -> None:
        action = Dictionary(S=Name.URI, URI="https://example.org/")
        link = Dictionary(Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
        opened.pages[1].obj.Annots = Array([opened.make_indirect(link)])

    [file] = made(divided(changed(joined, link), joined.parts[1:2]))
    with pikepdf.open(BytesIO(file)) as opened:
        assert opened.pages[0].Annots[0].A.URI == "https://example.org/"
    rewrite(file)


def test_a_document_alone_is_taken_in_the_same_way(joined: Joined) -> None:
    assert [slim(joined.pdf, SHELF)] == divided(joined.pdf, [Part(range(4))])


def test_a_character_that_looks_like_it_in_a_neighbour_changes_no_text(office: LibreOffice) -> None:
    """LibreOffice tells the text of their common glyph once in a file; what differs is told beside."""
    _, own = made(office.convert([form("王\u2f00"), form("王一")]))
    read_back(own, text_of(form("王一")), ALLOWED, ANCHOR)
