"""The stand-in for machines without LibreOffice."""

from __future__ import annotations

import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from convert_forms import ANCHOR, DATE, form, text_of
from home import DEMO_REQUESTS, Home

from signsvc.convert import choose_converter
from signsvc.convert.embedded import Embedded
from signsvc.convert.libreoffice import LibreOffice
from signsvc.convert.readback import read_back
from signsvc.convert.shown import read_shown
from signsvc.errors import ConversionFailed, SettingsError, TextMismatch
from signsvc.models import DocxBytes, PdfBytes

pytest.importorskip("office2pdf")
FONT = Path(pytest.importorskip("pylopdf_fonts_zh_cn").serif_path())
FAMILY, ALLOWED = "Noto Serif SC", frozenset({"NotoSerifSC-Regular"})
NAMES = ("欧阳若兰", "司马青山")


@pytest.fixture(scope="module")
def pdfs(tmp_path_factory: pytest.TempPathFactory) -> list[PdfBytes | ConversionFailed]:
    documents = [form(NAMES[0], family=FAMILY), DocxBytes(b"bad"), form(NAMES[1], family=FAMILY)]
    with Embedded(tmp_path_factory.mktemp("embedded"), 120, [FONT]) as converter:
        return converter.convert(documents)


def test_it_converts_with_the_font_given_by_file(pdfs: list[PdfBytes | ConversionFailed]) -> None:
    for name, pdf in zip(NAMES, pdfs[::2], strict=True):
        assert isinstance(pdf, bytes)
        assert len(pdf) < 55_000
        place = read_back(pdf, text_of(form(name)), ALLOWED, ANCHOR)
        assert place.page == 0


def test_a_bad_document_fails_alone(pdfs: list[PdfBytes | ConversionFailed]) -> None:
    assert [isinstance(pdf, ConversionFailed) for pdf in pdfs] == [False, True, False]


def test_a_file_holds_only_its_own_glyphs(pdfs: list[PdfBytes | ConversionFailed]) -> None:
    for pdf in pdfs[::2]:
        assert isinstance(pdf, bytes)
        for program, codes in read_shown(pikepdf.open(BytesIO(pdf))).programs:
            assert program.total == len({program.glyphs[code] for code in codes})


def test_a_letter_its_font_lacks_is_refused(tmp_path: Path) -> None:
    with Embedded(tmp_path, 120, [FONT]) as converter:
        (pdf,) = converter.convert([form("𠅤藏བོད", family=FAMILY)])
    assert isinstance(pdf, bytes)
    with pytest.raises(TextMismatch):
        read_back(pdf, text_of(form("𠅤藏བོད")), ALLOWED, (DATE, ANCHOR[1]))


def test_a_hang_in_the_engine_ends(tmp_path: Path) -> None:
    engine = tmp_path / "engine.py"
    engine.write_text("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n")
    with Embedded(tmp_path / "work", 0.3, [FONT], engine) as converter:
        (result,) = converter.convert([form()])
    assert isinstance(result, ConversionFailed)
    assert list((tmp_path / "work").iterdir()) == []


def test_auto_takes_libreoffice_if_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("soffice"):
        with choose_converter("auto", tmp_path, 5) as converter:
            assert isinstance(converter, LibreOffice)
    monkeypatch.setenv("PATH", str(tmp_path))
    with choose_converter("auto", tmp_path, 5) as converter:
        assert isinstance(converter, Embedded)
        assert converter.version().startswith("office2pdf-python ")
    with pytest.raises(SettingsError):
        choose_converter("libreoffice", tmp_path, 5)


def test_the_demonstration_is_issued_whole_each_certificate_on_one_page(home: Home) -> None:
    rows = replace(home, extra={"SIGNSVC_CONVERTER": "embedded"}).sign(DEMO_REQUESTS)
    assert [row["status"] for row in rows] == ["issued"] * 10
    assert {len(pikepdf.open(home.folder / "out" / row["pdf"]).pages) for row in rows} == {1}
