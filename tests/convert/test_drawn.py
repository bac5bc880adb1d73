"""The pictures of a certificate: its own QR code where it can be read, what the template shows, and nobody else's."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from convert_forms import ALLOWED, ANCHOR, form, packed, text_of
from docx import Document
from docx.enum.table import WD_ROW_HEIGHT_RULE
from docx.shared import Mm
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from signsvc.convert.drawn import Pictures
from signsvc.convert.libreoffice import LibreOffice
from signsvc.convert.pixels import bitmap, bitmap_of_png
from signsvc.convert.readback import pictures_in, read_back
from signsvc.errors import ConversionFailed, MakingEnded, SignsvcError, TextMismatch
from signsvc.fill.values import qr_png
from signsvc.models import DocxBytes, PdfBytes

OWN, OTHER, LOGO = (
    qr_png(f"https://zm.example.gov.cn/v/{name}") for name in ("7F3KQ2M9XA4RTW1C", "8F3KQ2M9XA4RTW1C", "x")
)
CODE = bitmap_of_png(OWN)
GREY = b"".join(  # a byte a pixel
    b"\xff" if CODE.rows[row * ((CODE.width + 7) // 8) + column // 8] & 0x80 >> column % 8 else b"\0"
    for row in range(CODE.height)
    for column in range(CODE.width)
)
SCANLINES = b"".join(  # as in the PNG
    b"\0" + CODE.rows[at : at + (CODE.width + 7) // 8]
    for at in range(0, len(CODE.rows), (CODE.width + 7) // 8)
)
FILLED = bytes(255 - byte for byte in CODE.rows)  # inverted, and filled up with 1
HERE = "60 0 0 60 80 80"  # a matrix that puts the code beside the text
WHITE = "1 1 1 rg 80 80 60 60 re f"  # a white sheet there
PNG_ROWS = Dictionary(Predictor=15, Columns=CODE.width, BitsPerComponent=1)

Change = Callable[[Pdf, Any, Any], None]


def pictured(*codes: bytes) -> DocxBytes:
    """The small form with pictures under it."""
    document = Document(BytesIO(form()))
    for code in codes:
        document.add_picture(BytesIO(code), width=Mm(20))
    return packed(document)


@pytest.fixture(scope="module")
def pdfs(office: LibreOffice) -> dict[str, PdfBytes]:
    """With the code, with a logo before it, with another's code behind it, and without any."""
    wanted = {"plain": [OWN], "logo": [LOGO, OWN], "two": [OWN, OTHER], "none": []}
    results = {name: office.convert([pictured(*codes)])[0] for name, codes in wanted.items()}
    return {name: result for name, result in results.items() if isinstance(result, bytes)}


def read(pdf: PdfBytes, pictures: Pictures) -> None:
    read_back(pdf, text_of(form()), ALLOWED, ANCHOR, pictures)


def never() -> frozenset[bytes]:
    raise AssertionError("there is nothing but the code")


def test_the_code_alone_passes_and_so_does_a_form_without_one(pdfs: dict[str, PdfBytes]) -> None:
    read(pdfs["plain"], Pictures(OWN, never))
    read(pdfs["none"], Pictures())


@pytest.mark.parametrize(
    ("name", "code"), [("plain", OTHER), ("plain", None), ("none", OWN), ("two", OWN), ("two", OTHER)]
)
def test_any_other_code_or_none_is_refused(pdfs: dict[str, PdfBytes], name: str, code: bytes | None) -> None:
    with pytest.raises(TextMismatch):
        read(pdfs[name], Pictures(code))


def test_a_picture_of_the_template_passes_and_no_other(
    pdfs: dict[str, PdfBytes], office: LibreOffice
) -> None:
    (nobodys,) = office.convert([pictured(LOGO, OTHER)])
    assert isinstance(nobodys, bytes)
    shown = pictures_in(nobodys, OTHER)
    assert len(shown) == 1
    read(pdfs["logo"], Pictures(OWN, lambda: shown))
    with pytest.raises(TextMismatch):
        read(pdfs["two"], Pictures(OWN, lambda: shown))


def edited(pdf: PdfBytes, change: Change) -> PdfBytes:
    """With its first page and the picture on it changed."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        page = opened.pages[0]
        [image] = page.Resources.XObject.values()
        change(opened, page, image)
        out = BytesIO()
        opened.save(out)
    return PdfBytes(out.getvalue())


def drawn(matrix: str, before: str = "", after: str = "") -> Change:
    """The code drawn by this matrix alone, which comes after what stands `before`; `after` it is painted on top."""

    def change(opened: Pdf, page: Any, image: Any) -> None:
        [name] = page.Resources.XObject.keys()
        content = page.Contents.read_bytes().replace(f"{name} Do".encode(), b"")
        page.Contents = opened.make_stream(content + f"\nq {before} {matrix} cm {name} Do Q {after}".encode())

    return change


def in_a_form(matrix: list[float], side: int = 60) -> Change:
    """The code, 60 points wide, in a form that shows `side` points of it and is drawn with this matrix."""

    def change(opened: Pdf, page: Any, image: Any) -> None:
        [name] = page.Resources.XObject.keys()
        form = opened.make_stream(b"60 0 0 60 0 0 cm /Im Do", Type=Name.XObject, Subtype=Name.Form)
        form.BBox, form.Matrix = Array([0, 0, side, side]), Array(matrix)
        form.Resources = Dictionary(XObject=Dictionary(Im=image))
        page.Resources.XObject[name] = form
        drawn("1 0 0 1 0 0")(opened, page, image)

    return change


def with_entry(key: str, value: Callable[[Pdf], Any]) -> Change:
    def change(opened: Pdf, page: Any, image: Any) -> None:
        image[key] = value(opened)

    return change


def unseen(opened: Pdf, page: Any, image: Any) -> None:
    page.Resources.XObject["/Other"] = mask(opened)


def mask(opened: Pdf) -> Stream:
    """One black pixel."""
    entries = {"Width": 1, "Height": 1, "ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
    return opened.make_stream(b"\0", Type=Name.XObject, Subtype=Name.Image, **entries)


@pytest.mark.parametrize("change", [drawn(HERE), drawn("6 0 0 6 8 8", "10 0 0 10 0 0 cm"),
                                    drawn("42.6 0 0 44.5 81.37 90.81"), in_a_form([1, 0, 0, 1, 80, 80])])  # fmt: skip
def test_a_code_elsewhere_on_the_page_passes(pdfs: dict[str, PdfBytes], change: Change) -> None:
    read(edited(pdfs["plain"], change), Pictures(OWN))


@pytest.mark.parametrize(
    "change",
    [
        drawn("0 0 0 0 80 80"),
        drawn("20 0 0 20 80 80"),
        drawn("60 0 0 30 80 80"),
        drawn("60 0 0 -60 80 140"),
        drawn("0 60 -60 0 140 80"),
        drawn("60 0 0 60 560 80"),
        drawn("60 0 0 60 80 -900"),
        drawn(HERE, "1 0 0 1 0 2000 cm"),
        in_a_form([0.1, 0, 0, 0.1, 80, 80]),
        with_entry("/SMask", mask),
        with_entry("/Mask", lambda _: Array([0, 0])),
        with_entry("/Decode", lambda _: Array([1, 0])),
        with_entry("/ImageMask", lambda _: True),
        with_entry("/Alternates", lambda opened: Array([Dictionary(Image=mask(opened))])),
        with_entry("/Width", lambda _: CODE.width + 1),
        unseen,
    ],
    ids=[
        *(
            "no size",
            "small",
            "flat",
            "upside down",
            "turned",
            "over the edge",
            "below the page",
            "above it",
        ),
        *("small in a form", "mask", "colour mask", "inverted", "stencil", "alternate", "wider", "unseen"),
    ],
)
def test_a_code_that_cannot_be_read_as_it_is_is_refused(pdfs: dict[str, PdfBytes], change: Change) -> None:
    with pytest.raises(TextMismatch):
        read(edited(pdfs["plain"], change), Pictures(OWN, frozenset))


def under(**state: Any) -> Change:
    """The code drawn on white in this graphics state."""

    def change(opened: Pdf, page: Any, image: Any) -> None:
        page.Resources.ExtGState = Dictionary(State=Dictionary(**state))
        drawn(HERE, f"{WHITE} /State gs")(opened, page, image)

    return change


def with_page_entry(key: str, value: Any) -> Change:
    def change(opened: Pdf, page: Any, image: Any) -> None:
        drawn(HERE)(opened, page, image)
        page.obj[key] = value

    return change


def under_a_link(opened: Pdf, page: Any, image: Any) -> None:
    """A link that looks like a white sheet lies over the code."""
    drawn(HERE)(opened, page, image)
    box = {"BBox": Array([0, 0, 60, 60]), "Type": Name.XObject, "Subtype": Name.Form}
    sheet = opened.make_stream(b"1 1 1 rg 0 0 60 60 re f", **box)
    link = {"Type": Name.Annot, "Subtype": Name.Link, "Rect": Array([80, 80, 140, 140])}
    page.obj.Annots = Array([opened.make_indirect(Dictionary(**link, AP=Dictionary(N=sheet), F=4))])


def of_unknown_grey(opened: Pdf, page: Any, image: Any) -> None:
    """Not every reader makes the same of a profile that is none."""
    image.ColorSpace = Array([Name.ICCBased, opened.make_stream(b"nothing", N=1)])


OTHER_MODULES = " ".join(
    f"{80 + 3 * x} {80 + 3 * y} 3 3 re f" for x in range(20) for y in range(20) if x * y % 3
)


@pytest.mark.parametrize(
    "change",
    [
        drawn(HERE, after=WHITE),
        drawn(HERE, "80 80 1 1 re W n"),
        drawn(HERE, "80 80 60 30 re W n"),
        drawn(HERE, after=f"0 0 0 rg {OTHER_MODULES}"),
        in_a_form([1, 0, 0, 1, 80, 80], side=1),
        under(ca=0),
        under(ca=0.4),
        under(BM=Name.Difference),
        under(TR=Dictionary(FunctionType=2, Domain=Array([0, 1]), C0=Array([1]), C1=Array([0]), N=1)),
        under_a_link,
        of_unknown_grey,
        with_page_entry("/UserUnit", 0.2),
        with_page_entry("/CropBox", Array([-2000, -2000, 3000, 3000])),
    ],
    ids=[
        *(
            "covered",
            "clipped",
            "cut in half",
            "other modules",
            "form's box",
            "transparent",
            "pale",
            "inverted",
        ),
        *("transferred", "under a link", "unknown grey", "smaller page", "larger page"),
    ],
)
def test_a_code_that_does_not_look_like_itself_is_refused(pdfs: dict[str, PdfBytes], change: Change) -> None:
    with pytest.raises(TextMismatch):
        read(edited(pdfs["plain"], change), Pictures(OWN, frozenset))


def test_a_picture_of_the_template_over_the_code_is_refused(pdfs: dict[str, PdfBytes]) -> None:
    def cover(opened: Pdf, page: Any, image: Any) -> None:
        drawn(HERE, after=f"q {HERE} cm /Cover Do Q")(opened, page, image)
        page.Resources.XObject["/Cover"] = mask(opened)

    covered = edited(pdfs["plain"], cover)
    with pytest.raises(TextMismatch, match="二维码"):
        read(covered, Pictures(OWN, lambda: pictures_in(covered, OWN)))


def test_a_row_of_a_table_that_cuts_the_code_is_refused(office: LibreOffice) -> None:
    def in_a_row(height: int) -> PdfBytes:
        document = Document(BytesIO(form()))
        row = document.add_table(1, 1).rows[0]
        row.height, row.height_rule = Mm(height), WD_ROW_HEIGHT_RULE.EXACTLY
        row.cells[0].paragraphs[0].add_run().add_picture(BytesIO(OWN), width=Mm(20))
        (pdf,) = office.convert([packed(document)])
        assert isinstance(pdf, bytes)
        return pdf

    read(in_a_row(25), Pictures(OWN))
    with pytest.raises(TextMismatch, match="二维码"):
        read(in_a_row(10), Pictures(OWN))


def test_a_code_of_many_small_modules_is_seen(office: LibreOffice) -> None:
    code = qr_png("https://zm.example.gov.cn/" + "v" * 300)
    (pdf,) = office.convert([pictured(code)])
    assert isinstance(pdf, bytes)
    read(pdf, Pictures(code))


@pytest.mark.parametrize("error", [ConversionFailed("转换超时"), MakingEnded("转换程序不能工作")])
def test_why_there_is_no_sample_is_told_as_it_is(pdfs: dict[str, PdfBytes], error: SignsvcError) -> None:
    def own() -> frozenset[bytes]:
        raise error

    with pytest.raises(type(error), match=str(error)):
        read(pdfs["logo"], Pictures(OWN, own))


def test_a_code_over_text_is_refused(pdfs: dict[str, PdfBytes]) -> None:
    with pytest.raises(TextMismatch, match="重叠"):
        read(edited(pdfs["plain"], drawn("60 0 0 60 100 700")), Pictures(OWN))


def image(data: bytes, space: Any, depth: int, **entries: Any) -> Stream:
    """The code's image in some form, in a PDF of its own."""
    size = {"Width": CODE.width, "Height": CODE.height, "BitsPerComponent": depth, "ColorSpace": space}
    known = {"Subtype": Name.Image, "Filter": Name.FlateDecode, **size, **entries}
    return Stream(KEPT, zlib.compress(data), Dictionary(**known))


KEPT = pikepdf.new()
ICC = KEPT.make_stream(b"", N=1)
PURE = Array([Name.Indexed, Name.DeviceRGB, 1, pikepdf.String(b"\0\0\0\xff\xff\xff")])
SWAPPED = Array([Name.Indexed, Name.DeviceGray, 1, pikepdf.String(b"\xff\0")])
TINTED = Array([Name.Indexed, Name.DeviceRGB, 1, pikepdf.String(b"\0\0\0\xff\xff\xfe")])
SAME = {
    "one bit": image(CODE.rows, Name.DeviceGray, 1),
    "as in a PNG": image(SCANLINES, Name.DeviceGray, 1, DecodeParms=PNG_ROWS),
    "grey": image(GREY, Name.DeviceGray, 8),
    "colours": image(b"".join(bytes([level]) * 3 for level in GREY), Name.DeviceRGB, 8),
    "two colours": image(CODE.rows, PURE, 1),
    "swapped, filled up": image(FILLED, SWAPPED, 1),
    "numbers": image(GREY.replace(b"\xff", b"\x01"), PURE, 8),
}
NOT_THE_SAME = {
    "unknown profile": image(GREY, Array([Name.ICCBased, ICC]), 8),
    "inverted": image(FILLED, Name.DeviceGray, 1),
    "other grey": image(GREY.replace(b"\xff", b"\xfe"), Name.DeviceGray, 8),
    "blue": image(b"".join(bytes([level, level, 255]) for level in GREY), Name.DeviceRGB, 8),
    "tinted": image(CODE.rows, TINTED, 1),
    "a row short": image(GREY[: -CODE.width], Name.DeviceGray, 8),
    "a row more": image(GREY + GREY[: CODE.width], Name.DeviceGray, 8),
    "one pixel": image(GREY[:-1] + bytes([255 - GREY[-1]]), Name.DeviceGray, 8),
    "unknown space": image(GREY, Name.DeviceCMYK, 8),
    "unknown depth": image(GREY, Name.DeviceGray, 4),
    "photograph": image(GREY, Name.DeviceGray, 8, Filter=Name.DCTDecode),
    "turned round": image(CODE.rows, Name.DeviceGray, 1, Decode=Array([1, 0])),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_pixels_are_the_same_picture_in_any_form(name: str) -> None:
    assert CODE.width % 8  # what fills up the rows is seen
    assert bitmap(SAME[name], CODE.width, CODE.height) == CODE


@pytest.mark.parametrize("name", NOT_THE_SAME)
def test_other_pixels_are_another_picture(name: str) -> None:
    assert bitmap(NOT_THE_SAME[name], CODE.width, CODE.height) != CODE


@pytest.mark.parametrize("png", [b"", OWN[:60], OWN.replace(b"IDAT", b"IDOT")])
def test_only_the_png_of_a_code_is_looked_for(pdfs: dict[str, PdfBytes], png: bytes) -> None:
    with pytest.raises(TextMismatch):
        read(pdfs["plain"], Pictures(png))
