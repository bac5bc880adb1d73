"""Real conversions with LibreOffice."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from convert_forms import ALLOWED, ANCHOR, FONTS, add, blank, form, packed, text_of
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn
from needs import require
from pypdf import PdfReader
from whole.traces import traces

from signsvc.convert import libreoffice, type1
from signsvc.convert.fontprogram import font_name, read_program
from signsvc.convert.libreoffice import LibreOffice
from signsvc.convert.ownglyphs import Original
from signsvc.convert.readback import read_back
from signsvc.convert.shown import read_shown
from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

NAMES = ("欧阳若兰", "司马青山", "尉迟碧水")
HAN_200 = "".join(chr(0x4E00 + 17 * index) for index in range(150))  # beside some 50 of the form itself
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100"
    "c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def pdfs(office: LibreOffice) -> list[PdfBytes]:
    """The forms of NAMES, then one with 200 different characters."""
    return made(office, [*(form(name) for name in NAMES), form(more=HAN_200)])


def made(office: LibreOffice, documents: list[DocxBytes]) -> list[PdfBytes]:
    results = office.convert(documents)
    assert not [result for result in results if isinstance(result, ConversionFailed)]
    return results  # type: ignore[return-value]


def fonts_of(pdf: PdfBytes) -> Iterator[pikepdf.Object]:
    with pikepdf.open(BytesIO(pdf)) as document:
        for page in document.pages:
            yield from dict(page.resources.Font.items()).values()


def picture_of(pdf: PdfBytes) -> bytes:
    document = pypdfium2.PdfDocument(pdf)
    return bytes(document[0].render(scale=2, grayscale=True).buffer)


def has_picture(pdf: PdfBytes) -> bool:
    return "/XObject" in PdfReader(BytesIO(pdf)).pages[0]["/Resources"]  # type: ignore[operator]


def linking(target: str) -> DocxBytes:
    """A form with a picture that is not in it but linked."""
    document = blank()
    add(document, "文字")
    document.add_picture(BytesIO(PIXEL))
    link = document.part.relate_to(target, RELATIONSHIP_TYPE.IMAGE, is_external=True)
    (blip,) = document.element.body.iter(qn("a:blip"))
    blip.attrib.pop(qn("r:embed"))
    blip.set(qn("r:link"), link)
    return packed(document)


def test_each_document_gets_its_own_pdf_in_order(pdfs: list[PdfBytes]) -> None:
    for name, pdf in zip(NAMES, pdfs, strict=False):
        read_back(pdf, text_of(form(name)), ALLOWED, ANCHOR)


def test_a_bad_document_fails_alone(office: LibreOffice) -> None:
    broken = DocxBytes(form()[:3000])
    first, bad, half, last = office.convert([form(), DocxBytes(b"not a form"), broken, form("李四")])
    assert isinstance(bad, ConversionFailed)
    assert isinstance(half, ConversionFailed)
    assert isinstance(first, bytes)
    assert isinstance(last, bytes)
    read_back(last, text_of(form("李四")), ALLOWED, ANCHOR)


def test_a_file_holds_no_glyphs_of_its_neighbours(pdfs: list[PdfBytes]) -> None:
    for pdf in pdfs:
        used = {
            program.name: {program.glyphs[code] for code in codes}
            for program, codes in read_shown(pikepdf.open(BytesIO(pdf))).programs
        }
        for font in fonts_of(pdf):
            program = read_program(font)
            assert set(program.glyphs.values()) <= used[program.name]
            assert program.total == len(program.glyphs)
    texts = [
        {char for font in fonts_of(pdf) for char in read_program(font).text.values()} for pdf in pdfs[:3]
    ]
    assert set(NAMES[0]) <= texts[0]
    assert not set(NAMES[0]) & (texts[1] | texts[2])


def test_two_hundred_different_characters_stay_small(pdfs: list[PdfBytes]) -> None:
    assert len({*text_of(form(more=HAN_200))}) >= 200
    assert len(pdfs[-1]) < 55_000


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> PdfBytes:
    """The first form as LibreOffice makes it when the originals of the fonts are not given."""
    require("soffice")
    with LibreOffice(tmp_path_factory.mktemp("plain"), 120) as plain:
        return made(plain, [form(NAMES[0])])[0]


def test_smaller_fonts_change_no_pixel(pdfs: list[PdfBytes], untouched: PdfBytes) -> None:
    assert all("/FontFile" in font.FontDescriptor for font in fonts_of(untouched))
    assert all("/FontFile3" in font.FontDescriptor for font in fonts_of(pdfs[0]))
    assert picture_of(untouched) == picture_of(pdfs[0])
    read_back(untouched, text_of(form(NAMES[0])), ALLOWED, ANCHOR)


def test_another_version_of_a_font_is_not_its_source(untouched: PdfBytes) -> None:
    programs = {
        font_name(font.FontDescriptor): font.FontDescriptor.FontFile.read_bytes()
        for font in fonts_of(untouched)
    }
    regular, bold = (Original(path) for path in FONTS)
    for name, program in programs.items():
        assert bold.is_source_of(name, program) == ("Bold" in name)
        assert regular.is_source_of(name, program) == ("Regular" in name)
    assert len(programs) == 2


def test_one_glyph_drawn_otherwise_tells_another_version(untouched: PdfBytes) -> None:
    [program] = [
        font.FontDescriptor.FontFile.read_bytes()
        for font in fonts_of(untouched)
        if "Regular" in font_name(font.FontDescriptor)
    ]
    names = list(type1.charstrings(program))
    for odd in (names[1], names[len(names) // 2], names[-1]):
        original = Original(FONTS[0])
        draw, cid = original._draw, int(odd.removeprefix("cid"))
        original._draw = lambda number, pen, draw=draw, cid=cid: draw(number + (number == cid), pen)  # type: ignore[method-assign]
        assert not original.is_source_of("Regular", program)
    assert Original(FONTS[0]).is_source_of("Regular", program)


def test_linked_files_are_not_read(office: LibreOffice, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PIXEL)
    (pdf,) = made(office, [linking((tmp_path / "secret.png").as_uri())])
    assert not has_picture(pdf)


def test_linked_addresses_are_not_fetched(office: LibreOffice) -> None:
    asked: list[str] = []

    class Recorder(BaseHTTPRequestHandler):
        def handle(self) -> None:
            asked.append(str(self.client_address))

    server = HTTPServer(("127.0.0.1", 0), Recorder)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        (pdf,) = made(office, [linking(f"http://127.0.0.1:{server.server_port}/a.png")])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == []
    assert not has_picture(pdf)


def test_nothing_of_a_document_stays_after_its_call(tmp_path: Path) -> None:
    require("soffice")
    with LibreOffice(tmp_path / "work", 120, FONTS) as converter:
        made(converter, [form(name) for name in NAMES])
        made(converter, [form(NAMES[0])])
        assert standing_by(converter)
        assert traces([tmp_path / "work"], NAMES) == []
    assert list((tmp_path / "work").iterdir()) == []


def test_a_start_does_not_try_out_its_drawing(tmp_path: Path) -> None:
    """LibreOffice does so for a version that its profile does not know, and leaves a log of it there."""
    require("soffice")
    with LibreOffice(tmp_path, 120, FONTS) as converter:
        made(converter, [form()])
        profile = {path.name for path in tmp_path.rglob("profile/user/*")}
    assert "registrymodifications.xcu" in profile
    assert "GraphicsRenderTests.log" not in profile


def test_a_hanging_converter_is_a_failed_conversion(tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do :; done\n")
    program.chmod(0o755)
    with LibreOffice(tmp_path / "work", 0.3, program=str(program)) as converter:
        (result,) = converter.convert([form()])
    assert isinstance(result, ConversionFailed)
    assert "超时" in str(result)


def test_half_a_pdf_is_no_pdf(tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text('#!/bin/sh\nfor last; do :; done\nout="${last%/*}/../out"; name="${last##*/}"\n'
                       'printf "%%PDF-1.7 half" > "$out/${name%.docx}.pdf"\n')  # fmt: skip
    program.chmod(0o755)
    with LibreOffice(tmp_path / "work", 5, program=str(program)) as converter:
        (result,) = converter.convert([form()])
    assert isinstance(result, ConversionFailed)


def test_no_program_of_the_system_is_within_reach(tmp_path: Path) -> None:
    """LibreOffice looks for gs, pstoedit and convert when a picture turns out to be PostScript."""
    program = tmp_path / "soffice"
    program.write_text(f'#!/bin/sh\nprintf "%s" "$PATH" > {tmp_path}/path\n')
    program.chmod(0o755)
    with LibreOffice(tmp_path / "work", 5, program=str(program)) as converter:
        converter.convert([form()])
    path = (tmp_path / "path").read_text()
    assert path
    assert all(shutil.which(name, path=path) is None for name in ("gs", "pstoedit", "convert", "sh"))


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[LibreOffice]:
    """A LibreOffice of its own that stands by, and has converted once."""
    require("soffice")
    with LibreOffice(tmp_path / "work", 20, FONTS) as converter:
        made(converter, [form()])
        yield converter


def standing_by(converter: LibreOffice) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            if b"ready.txt" in words and bytes(converter._workshop.folder) in words:
                found.append(int(entry.name))
    return sorted(found)


def test_one_that_stands_by_takes_every_call(ready: LibreOffice) -> None:
    before = standing_by(ready)
    assert before
    for name in NAMES:
        (pdf,) = made(ready, [form(name)])
        read_back(pdf, text_of(form(name)), ALLOWED, ANCHOR)
    assert standing_by(ready) == before
    ready.close()
    assert standing_by(ready) == []


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_one_that_dies_or_hangs_makes_room_for_another(
    ready: LibreOffice, fate: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "_timeout", 3.0)
    before = standing_by(ready)
    for pid in before:
        os.kill(pid, fate)
    (pdf,) = made(ready, [form(NAMES[1])])
    read_back(pdf, text_of(form(NAMES[1])), ALLOWED, ANCHOR)
    assert not set(before) & set(standing_by(ready))


def test_one_that_stands_by_does_not_outlive_a_killed_warden(ready: LibreOffice) -> None:
    warden = ready._workshop._process
    before = standing_by(ready)
    warden.kill()
    warden.wait()
    deadline = time.monotonic() + 5
    while (left := set(before) & set(standing_by(ready))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == set()
    (pdf,) = made(ready, [form(NAMES[1])])  # and the next call goes on
    read_back(pdf, text_of(form(NAMES[1])), ALLOWED, ANCHOR)


def test_one_that_has_grown_is_replaced(ready: LibreOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    before = standing_by(ready)
    monkeypatch.setattr(libreoffice, "TOO_LARGE", 1)
    made(ready, [form()])
    assert not set(before) & set(standing_by(ready))


def test_one_that_never_comes_up_is_not_waited_for_by_every_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libreoffice, "_UP_WITHIN", 0.5)
    monkeypatch.setattr(libreoffice, "_WITHOUT", 4)
    program, started = tmp_path / "soffice", tmp_path / "started"
    program.write_text(
        f'#!/bin/sh\nfor last; do :; done\ncase "$last" in *ready.txt) echo >> {started}; kill -STOP $$ ;; esac\n'
    )
    program.chmod(0o755)
    with LibreOffice(tmp_path / "work", 5, program=str(program)) as converter:
        times = []
        for _ in range(5):  # of two calls each: a document is tried twice
            converter.convert([form()])
            times.append(len(started.read_text()))
    first, again = times[0], times[2]
    assert 1 <= first <= libreoffice._STARTS
    assert times[1] == first
    assert first < again <= 2 * libreoffice._STARTS
    assert times[3:] == [again, again]


def test_one_that_has_served_long_is_replaced(ready: LibreOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    before = standing_by(ready)
    monkeypatch.setattr(libreoffice, "RETIRES", 2)
    made(ready, [form()])
    assert standing_by(ready) == before
    made(ready, [form()])
    after = standing_by(ready)
    assert after
    assert not set(before) & set(after)


def test_the_version_is_told(office: LibreOffice) -> None:
    assert office.version().startswith("LibreOffice ")
