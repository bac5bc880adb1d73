"""PDFs that look right and are not, and where the seal goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from io import BytesIO
from math import hypot

import pytest
from convert_forms import ALLOWED, ANCHOR, BODY, DATE, OFFICE, add, blank, form, packed, read_whole, text_of
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NullObject,
    NumberObject,
)

from signsvc.convert.libreoffice import LibreOffice
from signsvc.convert.place import SEAL_RADIUS, Letter, find_place
from signsvc.convert.readback import read_back
from signsvc.errors import TextMismatch
from signsvc.models import DocxBytes, PdfBytes

TEXT = text_of(form())
LONG_OFFICE = "（青海省黄南藏族自治州河南蒙古族自治县优干宁镇德日隆村村民委员会盖章）"
TRAPS = {
    "tibetan": "藏文བོད་ཡིག",
    "kangxi": "⼀一",
    "unlisted font": "没有的字体",
    "rare": "䶮𬭎㛃𠅤𡱝",
    "ligatures": "office affine",
    "broken at hyphens": "2026-000001-" * 12,
}


def trap(text: str, family: str = BODY) -> DocxBytes:
    document = blank()
    add(document, text, family)
    add(document, DATE, right=True)
    add(document, OFFICE, right=True)
    return packed(document)


DOCUMENTS = {
    "plain": form(),
    "two pages": form(more="，经核实情况属实" * 80),
    "wrapped": form(office=LONG_OFFICE),
    **{name: trap(text) for name, text in TRAPS.items()},
    "unlisted font": trap(TRAPS["unlisted font"], "Noto Sans CJK SC"),
    "rare": trap(TRAPS["rare"], "BabelStone Han"),
}


@pytest.fixture(scope="module")
def pdfs(office: LibreOffice) -> dict[str, PdfBytes]:
    results = office.convert(list(DOCUMENTS.values()))
    return {
        name: result for name, result in zip(DOCUMENTS, results, strict=True) if isinstance(result, bytes)
    }


def changed(pdf: PdfBytes, change: Callable[[PdfWriter], object]) -> PdfBytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf)))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return PdfBytes(out.getvalue())


def painted(pdf: PdfBytes, edit: Callable[[bytes], bytes]) -> PdfBytes:
    """The same with the page's content stream edited."""

    def change(writer: PdfWriter) -> None:
        stream = DecodedStreamObject()
        contents = writer.pages[0].get_contents()
        assert contents is not None
        stream.set_data(edit(contents.get_data()))
        writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)

    return changed(pdf, change)


@pytest.mark.parametrize("name", ["plain", "two pages", "wrapped", "rare", "ligatures", "broken at hyphens"])
def test_an_honest_pdf_passes(pdfs: dict[str, PdfBytes], name: str) -> None:
    anchor = (DATE, LONG_OFFICE) if name == "wrapped" else ANCHOR
    read_back(pdfs[name], text_of(DOCUMENTS[name]), ALLOWED, anchor)


@pytest.mark.parametrize("name", ["tibetan", "kangxi", "unlisted font"])
def test_what_the_font_does_not_have_is_refused(pdfs: dict[str, PdfBytes], name: str) -> None:
    with pytest.raises(TextMismatch):
        read_back(pdfs[name], text_of(DOCUMENTS[name]), ALLOWED, ANCHOR)


@pytest.mark.parametrize(
    ("old", "new"), [("张三", "张四"), ("张三", "张三三"), ("2027", "2028"), ("有效期", "")]
)
def test_any_difference_of_text_is_refused(pdfs: dict[str, PdfBytes], old: str, new: str) -> None:
    with pytest.raises(TextMismatch):
        read_back(pdfs["plain"], TEXT.replace(old, new), ALLOWED, ANCHOR)


def test_a_font_that_is_not_allowed_is_refused(pdfs: dict[str, PdfBytes]) -> None:
    with pytest.raises(TextMismatch, match="字体"):
        read_back(pdfs["plain"], TEXT, ALLOWED - {"NotoSerifCJKjp-Bold"}, ANCHOR)


def test_glyphs_that_are_not_shown_are_refused(pdfs: dict[str, PdfBytes]) -> None:
    """With the last line gone, its letters are still in the font: they could be anybody's."""

    def without_last_line(content: bytes) -> bytes:
        heights = re.findall(rb"[\d.]+ ([\d.]+) Td", content)
        return re.sub(rb"BT\n[\d.]+ " + re.escape(heights[-1]) + rb" Td.*?ET", b"", content, flags=re.DOTALL)

    shorter = painted(pdfs["plain"], without_last_line)
    with pytest.raises(TextMismatch, match="字形"):
        read_back(shorter, TEXT.rpartition("\n")[0], ALLOWED, ANCHOR)


def test_a_font_that_is_not_embedded_is_refused(pdfs: dict[str, PdfBytes]) -> None:
    def strip(writer: PdfWriter) -> None:
        for font in writer.pages[0]["/Resources"]["/Font"].values():  # type: ignore[index]
            font.get_object()["/FontDescriptor"].get_object().pop("/FontFile3", None)

    with pytest.raises(TextMismatch):
        read_back(changed(pdfs["plain"], strip), TEXT, ALLOWED, ANCHOR)


def test_another_glyph_under_the_same_text_is_not_taken_from_the_label(pdfs: dict[str, PdfBytes]) -> None:
    """ActualText says what a reader is told; the glyph says what a person sees."""

    def relabel(content: bytes) -> bytes:
        return content.replace(b"BT\n", b"/Span<</ActualText<FEFF4E00>>>BDC\nBT\n", 1).replace(
            b"ET\n", b"ET\nEMC\n", 1
        )

    with pytest.raises(TextMismatch):
        read_back(painted(pdfs["plain"], relabel), TEXT, ALLOWED, ANCHOR)


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.replace(b"BT\n", b"BT\n3 Tr\n", 1),
        lambda content: content.replace(b"BT\n", b"BT\n7 Tr\n", 1),
        lambda content: b"1 0 0 1 0 5000 cm\n" + content,
        lambda content: content + b"\nBT /F1 9 Tf 1 0 0 1 50 50 Tm <FE> Tj ET",
        lambda content: content + b"\nBT /F1 9 Tf 1 0 0 1 50 50 Tm (\xfe) Tj ET",
        lambda content: content + b"\nBT /F1 9 Tf 1 0 0 1 50 50 Tm [<FEFF00FE>] TJ ET",
        lambda content: content + b"\n/Nothing Do",
        lambda content: content[: len(content) // 2],
        lambda content: content + b"\nBI /W 1 /H 1 /BPC 8 /CS /G ID \xff EI",
        lambda content: content + b"\n1 0 0 0 0 0 d1",
        lambda content: content + b"\nBX 1 tf EX",
        lambda content: content + b"\n(",
    ],
    ids=[
        "invisible",
        "clipping",
        "off the page",
        "no glyph",
        "no glyph 2",
        "no glyph 3",
        "no form",
        "cut off",
        "picture in the text",
        "glyph description",
        "unknown operator",
        "half a string",
    ],
)
def test_painting_tricks_are_refused(pdfs: dict[str, PdfBytes], edit: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TextMismatch):
        read_back(painted(pdfs["plain"], edit), TEXT, ALLOWED, ANCHOR)


def test_an_edit_that_changes_nothing_passes(pdfs: dict[str, PdfBytes]) -> None:
    read_back(painted(pdfs["plain"], lambda content: content + b"\n% nothing"), TEXT, ALLOWED, ANCHOR)


def root(key: str, value: object) -> Callable[[PdfWriter], object]:
    return lambda writer: writer.root_object.update({NameObject(key): value})  # type: ignore[dict-item]


def add_annotation(kind: str, action: str | None, *more: str) -> Callable[[PdfWriter], object]:
    def change(writer: PdfWriter) -> None:
        box = ArrayObject(NumberObject(side) for side in (0, 0, 10, 10))
        annotation = DictionaryObject({NameObject("/Subtype"): NameObject(kind), NameObject("/Rect"): box})
        if action:
            annotation[NameObject("/A")] = DictionaryObject({NameObject("/S"): NameObject(action)})
        annotation |= {NameObject(key): DictionaryObject() for key in more}
        writer.pages[0][NameObject("/Annots")] = ArrayObject([annotation])

    return change


@pytest.mark.parametrize(
    "change",
    [
        root("/Names", DictionaryObject({NameObject("/JavaScript"): DictionaryObject()})),
        lambda writer: writer.add_attachment("a.txt", b"x"),
        root("/OpenAction", DictionaryObject({NameObject("/S"): NameObject("/Launch")})),
        root("/AcroForm", DictionaryObject({NameObject("/Fields"): ArrayObject()})),
        root("/OCProperties", DictionaryObject()),
        root("/AA", DictionaryObject()),
        add_annotation("/Widget", None),
        add_annotation("/FreeText", None),
        add_annotation("/Link", None, "/AP"),
        add_annotation("/Link", "/Launch"),
        add_annotation("/Link", "/SubmitForm"),
        lambda writer: writer.encrypt("", "owner"),
    ],
    ids=[
        *("scripts", "attachment", "openaction", "acroform", "layers", "aa"),
        *("widget", "freetext", "drawn link", "launch", "submit", "encrypted"),
    ],
)
def test_what_acts_or_hides_is_refused(
    pdfs: dict[str, PdfBytes], change: Callable[[PdfWriter], object]
) -> None:
    with pytest.raises(TextMismatch):
        read_back(changed(pdfs["plain"], change), TEXT, ALLOWED, ANCHOR)


@pytest.mark.parametrize(
    "change",
    [
        add_annotation("/Link", "/URI"),
        root("/OpenAction", ArrayObject([NumberObject(0), NameObject("/XYZ"), NullObject()])),
    ],
    ids=["link", "first page"],
)
def test_a_link_and_a_place_to_open_at_are_harmless(
    pdfs: dict[str, PdfBytes], change: Callable[[PdfWriter], object]
) -> None:
    read_back(changed(pdfs["plain"], change), TEXT, ALLOWED, ANCHOR)


def test_a_second_revision_is_refused(pdfs: dict[str, PdfBytes]) -> None:
    pdf = pdfs["plain"]
    with pytest.raises(TextMismatch):
        read_back(PdfBytes(pdf + b"\n1 0 obj null endobj\nstartxref\n0\n%%EOF\n"), TEXT, ALLOWED, ANCHOR)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n%%EOF", b"PK\x03\x04", b"%PDF-1.7 startxref 9 %%EOF"])
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(TextMismatch):
        read_back(PdfBytes(data), TEXT, ALLOWED, ANCHOR)


def test_refusals_quote_nothing(pdfs: dict[str, PdfBytes]) -> None:
    with pytest.raises(TextMismatch) as caught:
        read_back(pdfs["plain"], TEXT + "630102199001011234", ALLOWED, ANCHOR)
    assert "张三" not in str(caught.value)
    assert "630102" not in str(caught.value)


@pytest.mark.parametrize("name", ["plain", "two pages", "wrapped"])
def test_the_seal_presses_date_and_office_and_stays_on_the_page(pdfs: dict[str, PdfBytes], name: str) -> None:
    office_line = LONG_OFFICE if name == "wrapped" else OFFICE
    place = read_back(pdfs[name], text_of(DOCUMENTS[name]), ALLOWED, (DATE, office_line))
    read = read_whole(pdfs[name])
    start, sizes = read.text.rfind(DATE), read.sizes
    block = read.anchor[start : start + len(DATE) + len(office_line)]

    def pressed(part: Sequence[Letter]) -> int:
        return sum(hypot(letter.left - place.x, letter.bottom - place.y) < SEAL_RADIUS for letter in part)

    assert place.page == len(sizes) - 1 == (1 if name == "two pages" else 0)
    assert pressed(block[: len(DATE)]) >= 3
    assert pressed(block[len(DATE) :]) >= 3
    width, height = sizes[place.page]
    assert SEAL_RADIUS <= place.x <= width - SEAL_RADIUS
    assert SEAL_RADIUS <= place.y <= height - SEAL_RADIUS


def letters_at(text: str, page: int, bottom: float) -> list[Letter]:
    return [
        Letter(char, page, 300 + 16 * at, bottom, 316 + 16 * at, bottom + 16) for at, char in enumerate(text)
    ]


def test_date_and_office_must_be_on_one_page() -> None:
    sizes = [(595.0, 842.0)] * 2
    together = [*letters_at("1日", 1, 700), *letters_at("（会盖章）", 1, 670)]
    assert find_place(together, sizes, "1日", "（会盖章）", SEAL_RADIUS).page == 1
    for office in ([(1, 770.0)], [(0, 100.0), (1, 770.0)]):
        lines = [letter for part, (page, y) in zip(("（会", "盖章）"), office * 2, strict=False)
                 for letter in letters_at(part, page, y)]  # fmt: skip
        with pytest.raises(TextMismatch, match="同一页"):
            find_place([*letters_at("1日", 0, 130), *lines], sizes, "1日", "（会盖章）", SEAL_RADIUS)


def test_without_date_and_office_there_is_no_place(pdfs: dict[str, PdfBytes]) -> None:
    with pytest.raises(TextMismatch, match="模板"):
        read_back(pdfs["plain"], TEXT, ALLOWED, ("2026年11月22日", OFFICE))
