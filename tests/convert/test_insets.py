"""Pictures put on the pages of joined forms: where the first form's place tells, and nowhere else."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image

from signsvc.convert.contents import Unreadable
from signsvc.convert.insets import Inset, place_all
from signsvc.convert.marks import Mark, Part
from signsvc.convert.pngimage import PngImage
from signsvc.fill.values import qr_png

PICTURES = [bitmap for text in "ABC" if (bitmap := PngImage.of(qr_png(text)))]
MARKS = [Mark(0, 90.0, 200.0), Mark(1, 90.0, 300.0), Mark(2, 90.0, 250.5)]
PARTS = [Part(range(at, at + 1), mark) for at, mark in enumerate(MARKS)]
# A picture of the template just where the mark is, and the code, 9 points to the right of its mark and 65 below.
CODE = b"q 65 0 0 65 99 135 cm\n/Im2 Do Q"
FIRST = b"0.1 w\nq 65 0 0 65 90 135 cm\n/Im1 Do Q\n" + CODE


@pytest.fixture
def file() -> Iterator[Pdf]:
    with pikepdf.new() as file:
        for content in (FIRST, b"q Q", b"q 2 0 0 2 0 0 cm Q"):
            page = file.add_blank_page()
            page.obj.Contents = Stream(file, content)
            page.obj.Resources = Dictionary()
        images = {"/Im1": PICTURES[1].object(file), "/Im2": PICTURES[0].object(file)}
        file.pages[0].obj.Resources.XObject = Dictionary(images)
        yield file


def placed(file: Pdf, parts: Sequence[Part]) -> list[Inset | None]:
    return place_all([page.obj for page in file.pages], parts, PICTURES)


def test_each_stands_from_its_mark_as_the_first_does(file: Pdf) -> None:
    assert placed(file, PARTS) == [
        None,
        Inset(1, 99.0, 235.0, 65.0, 65.0, PICTURES[1]),
        Inset(2, 99.0, 185.5, 65.0, 65.0, PICTURES[2]),
    ]


def test_without_pictures_nothing_is_put_anywhere(file: Pdf) -> None:
    assert place_all([page.obj for page in file.pages], PARTS, ()) == [None, None, None]


@pytest.mark.parametrize(
    "marks",
    [
        (MARKS[0], replace(MARKS[1], x=122.0), MARKS[2]),  # an empty line in the middle begins elsewhere
        (replace(MARKS[0], page=1), *MARKS[1:]),  # where nothing is drawn
    ],
)
def test_a_place_is_not_guessed(file: Pdf, marks: Sequence[Mark]) -> None:
    with pytest.raises(Unreadable):
        placed(file, [Part(range(at, at + 1), mark) for at, mark in enumerate(marks)])


@pytest.mark.parametrize("content", [FIRST.replace(CODE, b""), FIRST + b"\n" + CODE])
def test_the_first_picture_is_known_by_its_pixels_and_stands_there_once(file: Pdf, content: bytes) -> None:
    file.pages[0].obj.Contents = Stream(file, content)
    with pytest.raises(Unreadable):
        placed(file, PARTS)


def test_it_is_drawn_after_all_else(file: Pdf) -> None:
    inset = placed(file, PARTS)[2]
    assert inset
    inset.put_on(file.pages[2], file)
    streams = [stream.read_bytes() for stream in file.pages[2].obj.Contents]
    assert streams == [b"q 2 0 0 2 0 0 cm Q", b"q 65.000 0.000 0.000 65.000 99.000 185.500 cm /Own Do Q"]


@pytest.mark.parametrize("content", [b"2 0 0 2 0 0 cm q", b"Q q", b"q q Q"])
def test_a_page_that_ends_in_another_state_gets_no_picture(file: Pdf, content: bytes) -> None:
    file.pages[1].obj.Contents = Stream(file, content)
    inset = placed(file, PARTS)[1]
    assert inset
    with pytest.raises(Unreadable):
        inset.put_on(file.pages[1], file)


def test_a_name_that_is_taken_is_not_taken_again(file: Pdf) -> None:
    file.pages[1].obj.Resources.XObject = Dictionary(Own=Array([]))
    inset = placed(file, PARTS)[1]
    assert inset
    with pytest.raises(Unreadable):
        inset.put_on(file.pages[1], file)


@given(st.text(min_size=1, max_size=60))
def test_a_picture_keeps_every_pixel(text: str) -> None:
    png = qr_png(text)
    bitmap = PngImage.of(png)
    assert bitmap
    with pikepdf.new() as file:
        image = pikepdf.PdfImage(bitmap.object(file)).as_pil_image()
        assert image.convert("L").tobytes() == Image.open(io.BytesIO(png)).convert("L").tobytes()


def saved(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", **options)
    return out.getvalue()


OTHERS = {
    "grey": saved(Image.new("L", (9, 9))),
    "with its resolution": saved(Image.new("1", (9, 9)), dpi=(300, 300)),
    "with a transparent colour": saved(Image.new("1", (9, 9)), transparency=0),
    "cut off": qr_png("A")[:-9],
    "no picture": b"",
    "nothing in it": qr_png("A")[:8],
    "a JPEG": b"\xff\xd8\xff\xd9",
    "more behind it": qr_png("A") + b"more",
}


@pytest.mark.parametrize("png", OTHERS.values(), ids=OTHERS)
def test_other_pictures_are_left_to_libreoffice(png: bytes) -> None:
    assert PngImage.of(png) is None


def test_what_is_taken_is_what_the_png_holds() -> None:
    [bitmap] = PICTURES[:1]
    rows = zlib.decompress(bitmap.data)
    assert len(rows) == bitmap.height * (1 + (bitmap.width + 7) // 8)
    assert Name.Image == bitmap.object(pikepdf.new()).Subtype
