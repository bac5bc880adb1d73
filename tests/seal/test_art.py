"""The picture of the seal: looked at as pixels, and its parsers held against files that do not belong there."""

from __future__ import annotations

import math
import struct
import subprocess
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import absent, require
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject
from seal.pki import NOW, OFFICE, PLACE, SQUARE, TITLE, altered, document, ring, written

from signsvc.errors import SettingsError, SignsvcError
from signsvc.seal import art, png
from signsvc.seal.sign import Sealer

SONG = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc")
SONG_SC = 2
SIDE = 420  # pixels of a rendered seal: a tenth of a millimetre each
LONG = "青海省海西蒙古族藏族自治州德令哈市河东街道祁连路滨河社区居民委员会"


@pytest.fixture(autouse=True)
def _font_installed(request: pytest.FixtureRequest) -> None:
    if "song" in request.fixturenames and not SONG.exists():
        absent("fonts-noto-cjk")


@pytest.fixture
def song() -> tuple[Path, int]:
    return SONG, SONG_SC


class Picture:
    """A rendered seal; coordinates in tenths of a millimetre from the centre, y upwards."""

    def __init__(self, pdf: bytes, page: int = 0) -> None:
        rendered = pypdfium2.PdfDocument(pdf)[page].render(scale=SIDE / (42 / 25.4 * 72), rev_byteorder=True)
        self._bytes, self._stride, self._channels = (
            bytes(rendered.buffer),
            rendered.stride,
            rendered.n_channels,
        )
        self.size = (rendered.width, rendered.height)

    def at(self, x: float, y: float) -> tuple[int, int, int]:
        column, row = round(SIDE / 2 + x), round(SIDE / 2 - y)
        start = row * self._stride + column * self._channels
        red, green, blue = self._bytes[start : start + 3]
        return red, green, blue

    def inked(self, x: float, y: float) -> bool:
        red, green, _ = self.at(x, y)
        return red > 150 and green < 120

    def ink_in_ring(self, inner: float, outer: float, start: int, end: int) -> int:
        """Inked pixels between two radii, from `start` to `end` degrees clockwise from the top."""
        return sum(
            self.inked(radius * math.sin(math.radians(angle)), radius * math.cos(math.radians(angle)))
            for radius in range(round(inner), round(outer))
            for angle in range(start, end)
        )

    def ink_in_box(self, left: int, bottom: int, right: int, top: int) -> int:
        return sum(self.inked(x, y) for x in range(left, right) for y in range(bottom, top))


def test_a_seal_has_its_measure_its_rim_its_star_and_a_clear_ground(song: tuple[Path, int]) -> None:
    pdf = art.draw(OFFICE.name, *song)
    assert [float(value) for value in PdfReader(BytesIO(pdf)).pages[0].mediabox] == [0, 0, 119.06, 119.06]
    picture = Picture(pdf)
    assert all(picture.inked(204 * math.sin(a / 10), 204 * math.cos(a / 10)) for a in range(63))
    assert all(
        picture.inked(66 * math.sin(a), 66 * math.cos(a)) for a in [2 * math.pi * k / 5 for k in range(5)]
    )
    assert not picture.inked(66 * math.sin(math.pi / 5), 66 * math.cos(math.pi / 5))
    assert picture.at(209, 209) == (255, 255, 255)


@pytest.mark.parametrize("name", [OFFICE.name, "示范县团结镇向阳村村民委员会", LONG, "幸福社区居民委员会"])
def test_the_name_stays_between_rim_and_star(song: tuple[Path, int], name: str) -> None:
    picture = Picture(art.draw(name, *song))
    assert picture.ink_in_ring(140, 190, -60, 60) > 500
    assert picture.ink_in_ring(192, 196, 0, 360) == 0
    assert picture.ink_in_ring(72, 130, -90, 90) == 0


def test_a_long_name_has_its_rear_part_under_the_star(song: tuple[Path, int]) -> None:
    assert Picture(art.draw(LONG, *song)).ink_in_box(-75, -115, 75, -80) > 500
    assert Picture(art.draw(OFFICE.name, *song)).ink_in_box(-75, -115, 75, -80) == 0


@pytest.mark.parametrize("name", [OFFICE.name, LONG])
def test_a_demonstration_seal_says_so_inside(song: tuple[Path, int], name: str) -> None:
    plain, marked = (Picture(art.draw(name, *song, demo=demo)) for demo in (False, True))
    box = (-60, -160, 60, -75)
    assert marked.ink_in_box(*box) > plain.ink_in_box(*box) + 200


def test_the_serial_runs_along_the_lower_rim(song: tuple[Path, int]) -> None:
    plain, numbered = (
        Picture(art.draw(OFFICE.name, *song, serial=serial)) for serial in ("", "6301040012345")
    )
    assert plain.ink_in_ring(174, 194, 150, 210) == 0
    assert numbered.ink_in_ring(174, 194, 150, 210) > 100
    assert numbered.ink_in_ring(195, 197, 150, 210) == 0


def test_a_seal_is_outlines_without_a_font_and_small(song: tuple[Path, int]) -> None:
    pdf = art.draw(OFFICE.name, *song, demo=True)
    assert "/Font" not in PdfReader(BytesIO(pdf)).pages[0]["/Resources"]
    assert len(pdf) < 12_000


def test_other_diameters_are_the_same_seal(song: tuple[Path, int]) -> None:
    box = PdfReader(BytesIO(art.draw(OFFICE.name, *song, diameter_mm=38))).pages[0].mediabox
    assert float(box.width) == pytest.approx(38 / 25.4 * 72, abs=0.01)


def test_a_character_the_font_lacks_is_named(song: tuple[Path, int]) -> None:
    with pytest.raises(SignsvcError, match="U\\+2A6A5") as refusal:
        art.draw("𪚥社区居民委员会", *song)
    assert refusal.value.code == "glyph_missing"


def test_black_print_stays_black_under_the_star(song: tuple[Path, int]) -> None:
    page = DecodedStreamObject()
    page.set_data(b"0 g %d %d 400 4 re f" % (PLACE.x - 200, PLACE.y - 2))
    writer = altered(document())
    writer.pages[0][NameObject("/Contents")] = writer._add_object(page)
    key = ring().seal(OFFICE.id)
    sealed = Sealer(key, art.draw(OFFICE.name, *song), lambda: NOW).seal(written(writer), PLACE, TITLE)
    pdf = pypdfium2.PdfDocument(sealed.pdf)
    pdf.init_forms()
    shown = pdf[0].render(scale=2, rev_byteorder=True)
    start = round((842 - PLACE.y) * 2) * shown.stride + round(PLACE.x * 2) * shown.n_channels
    assert max(bytes(shown.buffer)[start : start + 3]) < 90


def rgba(width: int, height: int, pixel: bytes = b"\xdd\x00\x00\x80", kinds: bytes = b"\0") -> bytes:
    """A PNG of one colour, its rows filtered by `kinds` in turn."""
    rows = [
        _filtered(kinds[row % len(kinds)], pixel * width, pixel * width if row else bytes(4 * width))
        for row in range(height)
    ]
    return chunks(struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0), zlib.compress(b"".join(rows)))


def _filtered(kind: int, row: bytes, above: bytes) -> bytes:
    left, corner = bytes(4) + row[:-4], bytes(4) + above[:-4]
    guesses = {
        0: [0] * len(row),
        1: left,
        2: above,
        3: [(a + b) // 2 for a, b in zip(left, above, strict=True)],
        4: [_nearest(a, b, c) for a, b, c in zip(left, above, corner, strict=True)],
    }[kind]
    return bytes([kind]) + bytes((value - guess) % 256 for value, guess in zip(row, guesses, strict=True))


def _nearest(a: int, b: int, c: int) -> int:
    distances = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
    return (a, b, c)[distances.index(min(distances))]


def chunks(header: bytes, data: bytes) -> bytes:
    parts = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    framed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.binary(min_size=4, max_size=4), st.permutations(range(5)))
def test_every_filter_of_a_png_is_undone(width: int, height: int, pixel: bytes, kinds: list[int]) -> None:
    pixels = png.read(rgba(width, height, pixel, bytes(kinds)))
    assert (pixels.colour, pixels.alpha) == (pixel[:3] * width * height, pixel[3:] * width * height)


def test_a_png_keeps_shape_and_transparency() -> None:
    picture = Picture(art.from_image(rgba(20, 10), "PNG", 42.0, False, SONG))
    assert picture.at(0, 120) == (255, 255, 255)
    red, green, blue = picture.at(0, 0)
    assert red > 220
    assert green == pytest.approx(127, abs=3) == blue


def test_an_svg_keeps_shape_colour_and_transforms() -> None:
    drawn = b'<svg xmlns="http://www.w3.org/2000/svg" width="100px" height="100px"><g transform="translate(50 50)">'
    drawn += b'<circle r="40" style="fill:none;stroke:#d00;stroke-width:10"/>'
    drawn += b'<rect x="-5" y="10" width="10" height="9" fill="red"/></g></svg>'
    picture = Picture(art.from_image(drawn, "svg", 42.0, False, SONG))
    assert all(picture.inked(168 * math.sin(a / 10), 168 * math.cos(a / 10)) for a in range(63))
    assert picture.inked(0, -60)
    assert not picture.inked(0, 60)
    assert not picture.inked(0, 0)


def test_a_pdf_is_taken_over_whole_and_centred() -> None:
    source = art.from_image(SQUARE, "svg", 30.0, False, SONG)
    picture = Picture(art.from_image(source, "pdf", 42.0, False, SONG))
    assert max(picture.size) - SIDE <= 1
    assert picture.inked(0, 0)
    assert picture.inked(160, 160)
    assert not picture.inked(190, 190)


@pytest.mark.parametrize(("kind", "data"), [("png", rgba(40, 40, b"\xdd\x00\x00\xff")), ("svg", SQUARE)])
def test_demonstration_keys_mark_the_offices_own_picture_too(
    song: tuple[Path, int], kind: str, data: bytes
) -> None:
    font, index = song
    plain, marked = (Picture(art.from_image(data, kind, 42.0, demo, font, index)) for demo in (False, True))
    places = [(x, y) for x in range(-160, 160) for y in range(-60, 60)]
    lettered = [(x, y) for x, y in places if plain.at(x, y)[0] - marked.at(x, y)[0] > 150]
    assert 4000 < len(lettered) < len(places) / 2


def test_a_document_sealed_with_an_offices_own_png_is_whole() -> None:
    sealer = Sealer(
        ring().seal(OFFICE.id), art.from_image(rgba(60, 60), "png", 42.0, False, SONG), lambda: NOW
    )
    page = PdfReader(BytesIO(sealer.seal(document(), PLACE, TITLE).pdf)).pages[0]
    picture = page["/Annots"][0].get_object()["/AP"]["/N"]["/Resources"]["/XObject"]["/Picture"]
    assert picture["/SMask"]["/ColorSpace"] == "/DeviceGray"


RGBA = struct.pack(">IIBBBBB", 4, 4, 8, 6, 0, 0, 0)
BAD_PNG = {
    "not a PNG": b"GIF89a",
    "cut off": rgba(4, 4)[:-20],
    "without alpha": chunks(struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0), zlib.compress(bytes(4 * 13))),
    "interlaced": chunks(struct.pack(">IIBBBBB", 4, 4, 8, 6, 0, 0, 1), zlib.compress(bytes(4 * 17))),
    "too big": chunks(struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0), b""),
    "a bomb": chunks(RGBA, zlib.compress(bytes(50_000_000))),
    "too little data": chunks(RGBA, zlib.compress(bytes(10))),
    "an unknown filter": chunks(RGBA, zlib.compress(b"\x07" + bytes(67))),
    "a wrong checksum": rgba(4, 4)[:-1] + b"\0",
}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
BAD_SVG = {
    "text": SVG.format("<text>a</text>"),
    "script": SVG.format("<script>alert(1)</script>"),
    "outside image": SVG.format('<image href="https://example.org/a.png"/>'),
    "use": SVG.format('<use href="#a"/>'),
    "style sheet": SVG.format("<style>path{fill:red}</style>"),
    "gradient": SVG.format('<path d="M1 1H9V9Z" fill="url(#a)"/>'),
    "nothing": SVG.format(""),
    "bad path": SVG.format('<path d="hello"/>'),
    "bad number": SVG.format('<circle r="x"/>'),
    "no extent": SVG.format('<circle r="3"/>').replace("0 0 9 9", "0 0 0 0"),
    "no number": SVG.format('<circle r="3" stroke="#000" stroke-width="nan"/>'),
    "a transform to nowhere": SVG.format('<circle r="3" transform="scale(nan)"/>'),
    "entities": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
    + SVG.format("<path d='M1 1H9V9Z'/>"),
    "no size": '<svg xmlns="http://www.w3.org/2000/svg"><path d="M1 1H9V9Z"/></svg>',
    "no SVG": "<html/>",
    "no XML": "hello",
}


WHOLE = [("png", rgba(9, 9)), ("svg", SQUARE), ("pdf", document())]
SCRAPS = [
    b"",
    b"\0",
    b"\xff",
    b"0",
    b"-9",
    b"nan",
    b"1e400",
    b"R",
    b"<<",
    b">>",
    b"[",
    b"/",
    b'"',
    b"<a>",
    b"(",
]
LETTERS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.text">
<office:body><office:text><text:p>Seal 居民委员会</text:p></office:text></office:body></office:document>"""


@pytest.mark.parametrize("data", BAD_PNG.values(), ids=BAD_PNG.keys())
def test_a_png_that_is_no_stamp_is_refused(data: bytes) -> None:
    with pytest.raises(SettingsError, match="印章图片"):
        art.from_image(data, "png", 42.0, False, SONG)


@pytest.mark.parametrize("data", BAD_SVG.values(), ids=BAD_SVG.keys())
def test_an_svg_with_more_than_shapes_is_refused(data: str) -> None:
    with pytest.raises(SettingsError, match="SVG"):
        art.from_image(data.encode(), "svg", 42.0, False, SONG)


def scripted(writer: PdfWriter) -> None:
    action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript")})
    writer.root_object[NameObject("/OpenAction")] = action


def lettered(writer: PdfWriter) -> None:
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    loose = DictionaryObject({NameObject(key): NameObject(value) for key, value in font.items()})
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(loose)})
    writer.pages[0][NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})


@pytest.mark.parametrize("put", [scripted, lettered, lambda writer: writer.add_blank_page(9, 9)])
def test_a_pdf_with_more_than_one_still_page_is_refused(put: Callable[[PdfWriter], None]) -> None:
    writer = altered(document())
    put(writer)
    with pytest.raises(SettingsError, match="PDF 印章图片"):
        art.from_image(written(writer), "pdf", 42.0, False, SONG)


def font(descriptor: dict[str, Any]) -> Callable[[PdfWriter], None]:
    """Puts a font on the page, its descriptor behind a reference as LibreOffice writes it."""

    def put(writer: PdfWriter) -> None:
        lettered(writer)
        fonts = writer.pages[0]["/Resources"]["/Font"]["/F1"].get_object()
        described = DictionaryObject({NameObject(name): value for name, value in descriptor.items()})
        fonts[NameObject("/FontDescriptor")] = writer._add_object(described)

    return put


def test_a_pdf_with_its_fonts_embedded_is_taken_and_without_them_refused() -> None:
    for descriptor, taken in (({"/FontFile2": DecodedStreamObject()}, True), ({}, False)):
        writer = altered(document())
        font(descriptor)(writer)
        pdf = written(writer)
        if taken:
            assert art.from_image(pdf, "pdf", 42.0, False, SONG)
        else:
            with pytest.raises(SettingsError, match="字体没有嵌入"):
                art.from_image(pdf, "pdf", 42.0, False, SONG)


def test_a_pdf_by_libreoffice_is_taken(tmp_path: Path) -> None:
    (tmp_path / "seal.fodt").write_text(LETTERS, "utf-8")
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [require("soffice"), profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path]
    subprocess.run([*command, tmp_path / "seal.fodt"], check=True, capture_output=True, timeout=120)
    assert art.from_image((tmp_path / "seal.pdf").read_bytes(), "pdf", 42.0, False, SONG)


def test_small_slips_of_common_programs_are_passed_over() -> None:
    """Pillow counts the free entry of its table one too far."""
    plain = written(altered(document()))
    assert plain.count(b"0000000000 65535 f") == 1
    slipped = plain.replace(b"0000000000 65535 f", b"0000000000 65536 f")
    assert art.from_image(slipped, "pdf", 42.0, False, SONG)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_image_makes_anything_but_a_complaint(data: st.DataObject) -> None:
    kind, whole = data.draw(st.sampled_from(WHOLE))
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from(SCRAPS))
    with suppress(SettingsError):
        assert art.from_image(bytes(changed), kind, 42.0, False, SONG)


def test_other_kinds_and_huge_files_are_refused() -> None:
    for kind, data in {"jpeg": b"", "png": bytes(2_000_001)}.items():
        with pytest.raises(SettingsError):
            art.from_image(data, kind, 42.0, False, SONG)
