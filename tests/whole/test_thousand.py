"""A thousand realistic rows, signed once: what becomes of each, and what tools that are not ours say of the files."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from home import Home, read_results
from needs import require
from openpyxl import load_workbook
from thousand import BAD, RARE, TIBETAN, Row, thousand
from whole import pages
from whole.glyphs import NOTDEF, Pages, characters
from whole.outside import faulted, mupdf_accepts, openssl_accepts, poppler_accepts

from signsvc.results import COLUMNS, STATUS_NAMES
from signsvc.wiring.documents import font_files, load_fonts
from signsvc.wiring.rules import Rules

SEAL_SIDE = 42 / 25.4 * 72  # points


@dataclass(frozen=True)
class Signed:
    """The batch: its rows and, line by line, their results."""

    home: Home
    rows: list[Row]
    results: list[dict[str, str]]

    @property
    def out(self) -> Path:
        return self.home.folder / "out"

    @property
    def issued(self) -> list[tuple[Row, dict[str, str]]]:
        pairs = zip(self.rows, self.results, strict=True)
        return [(row, result) for row, result in pairs if result["status"] == "issued"]

    @property
    def files(self) -> list[Path]:
        return [self.out / result["pdf"] for _, result in self.issued]


@pytest.fixture(scope="module")
def signed(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    require("soffice")
    home = Home(Path(shutil.copytree(pristine, tmp_path_factory.mktemp("thousand") / "home")))
    rows = thousand()
    home.run("sign", home.write_rows("rows.csv", [row.cells for row in rows]), "-o", "out", expect=1)
    return Signed(home, rows, read_results(home.folder / "out"))


def test_every_row_ends_as_it_must(signed: Signed) -> None:
    wrong = [
        (row.cells["request_id"], row.code, result["status"], result["error"])
        for row, result in zip(signed.rows, signed.results, strict=True)
        if (result["status"], not result["error"])
        != ("issued" if row.code is None else "refused", row.code is None)
        or (row.code is not None and row.code not in result["error"].split(";"))
    ]
    assert wrong == []
    assert {row.code for row in signed.rows} == {None, *(code for _, code in BAD.values())}


def test_results_stand_in_the_order_of_the_file_also_in_the_spreadsheet(signed: Signed) -> None:
    wanted = [row.cells["request_id"] for row in signed.rows]
    assert [result["request_id"] for result in signed.results] == wanted
    sheet = load_workbook(signed.out / "results.xlsx", read_only=True).active
    head, *lines = [[cell or "" for cell in line] for line in sheet.iter_rows(values_only=True)]
    assert head == list(COLUMNS.values())
    told = [{**result, "status": STATUS_NAMES[result["status"]]} for result in signed.results]
    assert lines == [list(result.values()) for result in told]


def test_numbers_run_from_one_without_a_gap_in_the_order_of_the_rows(signed: Signed) -> None:
    serials: dict[str, list[int]] = defaultdict(list)
    for row, result in signed.issued:
        office, year, serial = re.fullmatch(r"(.+)-(\d{4})-(\d{6})", result["number"]).groups()  # type: ignore[union-attr]
        assert (office, f"{result['number']}.pdf") == (row.cells["office"], result["pdf"])
        serials[f"{office} {year}"].append(int(serial))
    assert len(serials) == 3
    assert all(found == list(range(1, len(found) + 1)) for found in serials.values())


def test_the_folder_holds_the_files_of_the_issued_rows_and_nothing_else(signed: Signed) -> None:
    assert {file.name: sha256(file.read_bytes()).hexdigest() for file in signed.files} == {
        result["pdf"]: result["sha256"] for _, result in signed.issued
    }
    assert {file.name for file in signed.out.iterdir()} == {
        *(file.name for file in signed.files),
        "results.csv",
        "results.xlsx",
    }
    assert len({result["code"] for _, result in signed.issued}) == len(signed.issued)


def test_every_file_says_what_its_row_asked_for(signed: Signed) -> None:
    wrong = []
    for row, result in signed.issued:
        text = "".join(pages.texts(signed.out / result["pdf"]))
        code = "-".join(re.findall("....", result["code"]))
        printed = result["number"].removeprefix(f"{row.cells['office']}-")
        wanted = [*(row.cells[key] for key in ("name", "id_number", "addressee")), printed, code]
        if not all(part in text for part in (*wanted, row.cells.get("statement", ""))):
            wrong.append(result["number"])
    assert wrong == []


def test_poppler_finds_every_file_signed_whole(signed: Signed) -> None:
    assert faulted(signed.files, poppler_accepts) == []


def test_mupdf_finds_every_file_unchanged(signed: Signed) -> None:
    assert faulted(signed.files, mupdf_accepts) == []


def test_openssl_verifies_every_signature_up_to_the_root(signed: Signed) -> None:
    root = signed.home.folder / "keys" / "root.pem"
    assert faulted(signed.files, lambda file: openssl_accepts(file, root)) == []


def test_every_file_is_one_revision(signed: Signed) -> None:
    for file in signed.files:
        data = file.read_bytes()
        assert data.startswith(b"%PDF-1.7\n"), file.name
        assert (data.count(b"startxref"), data.count(b"%%EOF")) == (1, 1), file.name
        assert data.rstrip(b"\n").endswith(b"%%EOF"), file.name


def test_a_one_page_file_is_below_80_kilobytes(signed: Signed) -> None:
    sizes = [file.stat().st_size for file in signed.files if len(pages.texts(file)) == 1]
    assert len(sizes) > 800
    assert max(sizes) < 80_000


def test_the_seal_stands_across_date_and_office_on_whichever_page_they_end(signed: Signed) -> None:
    """All the long ones, and some of the others."""
    long = [pair for pair in signed.issued if len(pages.texts(signed.out / pair[1]["pdf"])) > 1]
    assert len(long) > 10
    offices = Rules.load(signed.home.settings).offices
    for row, result in [*long, *signed.issued[::40]]:
        file = signed.out / result["pdf"]
        seal = pages.seal(file)
        page, date, line = pages.signing_block(file, f"（{offices[row.cells['office']].name}盖章）")
        assert seal.page == page == len(pages.texts(file)) - 1, result["number"]
        assert pages.overlap(seal.box, date), result["number"]
        assert pages.overlap(seal.box, line), result["number"]
        left, bottom, right, top = seal.box
        assert (right - left, top - bottom) == pytest.approx((SEAL_SIDE, SEAL_SIDE), abs=1)
        assert min(left, bottom) >= 0
        assert (right, top) <= seal.size


def test_fonts_hold_exactly_the_glyphs_that_the_pages_show(signed: Signed) -> None:
    """A hundred different residents of the same calls of the converter, and everybody with an unusual name."""
    unusual = [pair for pair in signed.issued if set(pair[0].cells["name"]) & {*RARE, *"".join(TIBETAN)}]
    for row, result in [*signed.issued[:100], *unusual]:
        shown = Pages((signed.out / result["pdf"]).read_bytes())
        assert shown.faces
        assert shown.hidden_programs == []
        for face in shown.faces.values():
            assert face.holds == face.shown, (row.cells["request_id"], face.holds ^ face.shown)
            assert NOTDEF not in face.shown


def test_no_file_holds_a_glyph_of_anybody_else(signed: Signed) -> None:
    """By the outlines of the original font: every letter of the name is there, and none that the pages lack."""
    fonts = load_fonts(signed.home.settings)
    known = characters(next(path for path in font_files(fonts) if "NotoSerifCJK" in path.name))
    for row, result in signed.issued[:100]:
        file = signed.out / result["pdf"]
        text = set("".join(pages.texts(file)))
        glyphs = {name for face in Pages(file.read_bytes()).faces.values() for name in face.holds}
        embedded = [known[cid] for cid in (int(name.removeprefix("cid")) for name in glyphs) if cid in known]
        assert set(row.cells["name"]) <= set().union(*embedded), result["number"]
        assert all(letters & text for letters in embedded), result["number"]


def test_the_log_is_whole(signed: Signed) -> None:
    assert signed.home.run("log", "verify").stdout == "日志完整\n"


def test_a_sample_is_valid_by_file_and_by_number(signed: Signed) -> None:
    sample = signed.files[::40]
    told = signed.home.run("verify", *sample, "--json").stdout.splitlines()
    assert len(told) == len(sample) > 20
    assert all('"verdict": "valid"' in line for line in told)
    for _, result in signed.issued[::400]:
        found = signed.home.json("lookup", result["number"], "--code", result["code"])
        assert found["certificate"]["sha256"] == result["sha256"]
