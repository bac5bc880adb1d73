from __future__ import annotations

import stat
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from home import a_row
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from xlsxwriter.worksheet import Worksheet

from signsvc.batch import CHUNK, Line, chunks, each_chunk, even, read
from signsvc.errors import Fault
from signsvc.models import Number, Outcome, Request
from signsvc.report import BEIJING
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.results import COLUMNS, UNFINISHED, neutral, results
from signsvc.wiring.home import now


def a_line(number: int, request_id: str) -> Line:
    request = row.parse(RawRow(number, dict(a_row(number, request_id=request_id))), now().date(), {}, 0)
    return Line(number, request_id, request)


LINES = {name: a_line(1, name) for name in ("a", "b", "c")}


@given(st.lists(st.sampled_from(sorted(LINES)), max_size=30), st.integers(1, 5))
def test_chunks_keep_the_order_and_never_hold_a_request_id_twice(names: list[str], size: int) -> None:
    cut = list(chunks([LINES[name] for name in names], size))
    assert [line.request_id for chunk in cut for line in chunk] == names
    for chunk in cut:
        assert 0 < len(chunk) <= size
        assert len({line.request_id for line in chunk}) == len(chunk)


@pytest.mark.parametrize(
    ("rows", "makers", "size"),
    [(1, 1, 1), (100, 1, 100), (101, 2, 51), (1000, 2, 100), (1100, 2, 92), (150, 1, 75)],
)
def test_every_maker_has_as_many_chunks_and_none_is_too_large(rows: int, makers: int, size: int) -> None:
    assert even(rows, makers) == size <= CHUNK


def test_a_faulty_row_carries_its_faults_its_line_and_its_id() -> None:
    rows = [RawRow(7, dict(a_row(1, name="", request_id="x")))]
    [line] = read(rows, lambda raw: row.parse(raw, now().date(), {}, 0))
    assert (line.line, line.request_id, line.request.request_id) == (7, "x", "x")
    assert [fault.code for fault in line.request.faults] == ["request_invalid:missing_field"]


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_would_run_becomes_text(cell: str) -> None:
    assert neutral(cell) == "'" + cell


def test_results_are_complete_files_in_the_order_of_the_input(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with results(folder) as written:
        written.add(
            Outcome("=b", "refused", faults=(Fault("unknown_matter", "没有"), Fault("x:y", "<又>&\x07")))
        )
        written.add(Outcome("a", "issued", Number("o-2026-000001"), "C" * 16, b"%PDF", None, now().date()))
        seen = (folder / "results.csv").read_bytes()
        assert seen.startswith(b"\xef\xbb\xbf")
        assert seen.count(b"\n") == 3  # it grows as it goes
    assert (folder / "o-2026-000001.pdf").read_bytes() == b"%PDF"
    lines = (folder / "results.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1] == "'=b,refused,,,,,,,unknown_matter;x:y,没有；<又>&\x07"
    sheet = load_workbook(folder / "results.xlsx").active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == list(COLUMNS.values())
    assert sheet["B3"].value == "已出具"
    assert (sheet["A2"].value, sheet["J2"].value) == ("'=b", "没有；<又>&_x0007_")  # ECMA-376 22.9.2.19
    assert sorted(item.suffix for item in folder.iterdir()) == [".csv", ".pdf", ".xlsx"]
    assert now().tzinfo is BEIJING


def test_a_refusal_tells_what_can_be_done_instead(tmp_path: Path) -> None:
    refused = Outcome(
        "a", "refused", faults=(Fault("banned_matter", "不应出具"),), ways=("找派出所", "书面承诺")
    )
    with results(tmp_path / "out") as written:
        written.add(refused)
    told = (tmp_path / "out" / "results.csv").read_text("utf-8-sig").splitlines()[1]
    assert told.endswith("不应出具；可以怎么办：找派出所；书面承诺")


def test_what_a_batch_leaves_is_for_its_owner_only_and_no_link_is_followed(tmp_path: Path) -> None:
    folder, victim = tmp_path / "out", tmp_path / "victim"
    with results(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    victim.write_text("untouched", "utf-8")
    for name in ("results.csv", "results.xlsx"):
        (folder / name).unlink()
    for name in ("results.csv", "results.xlsx", UNFINISHED, "o-2026-000001.pdf"):
        (folder / name).symlink_to(victim)
    with results(folder) as written:
        written.add(Outcome("a", "issued", Number("o-2026-000001"), "C" * 16, b"%PDF"))
    assert victim.read_text("utf-8") == "untouched"
    for file in folder.iterdir():
        assert stat.S_IMODE(file.lstat().st_mode) == 0o600
        assert not file.is_symlink()


def test_what_a_killed_batch_left_is_wiped_and_the_files_of_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for other in (folder / "their.scratch", folder / UNFINISHED):
        other.mkdir(parents=True)
        (other / "inside").touch()
    for name in ("film.part", "o-2026-000001.part", "results.part", "note.scratch"):
        (folder / name).touch()
    with results(folder):
        pass
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    theirs = {"their.scratch", "their.scratch/inside", "film.part", "o-2026-000001.part", "results.part"}
    assert kept == theirs | {"note.scratch", "results.csv", "results.xlsx"}


def test_from_the_first_moment_the_lists_are_of_one_batch(tmp_path: Path) -> None:
    with results(tmp_path) as written:
        written.add(Outcome("a", "refused", faults=(Fault("unknown_matter", "没有"),)))
    with results(tmp_path):
        assert (tmp_path / "results.csv").read_text("utf-8-sig").splitlines() == [",".join(COLUMNS)]
        assert not (tmp_path / "results.xlsx").exists()


def test_a_batch_that_is_ended_while_it_writes_the_sheet_leaves_nothing_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Worksheet, "write_string", interrupted)
    with pytest.raises(KeyboardInterrupt), results(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]


def test_no_code_is_written_outside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    kept = elsewhere.stat().st_mtime_ns  # a file made and removed again would show in the folder's own time
    with results(tmp_path / "out") as written:
        written.add(Outcome("a", "issued", Number("o-2026-000001"), "C" * 16, b"%PDF"))
    assert elsewhere.stat().st_mtime_ns == kept
    assert tempfile.tempdir == str(elsewhere)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_chunks_are_begun_ahead_finished_in_order_and_none_while_its_ids_are_under_way(
    tmp_path: Path, ahead: int
) -> None:
    told: list[str] = []

    def work(requests: Sequence[Request]) -> Callable[[], list[Outcome]]:
        ids = [request.request_id for request in requests]
        told.append("begin " + " ".join(ids))

        def finish() -> list[Outcome]:
            told.append("finish " + " ".join(ids))
            return [Outcome(name, "refused") for name in ids]

        return finish

    lines = [a_line(number, name) for number, name in enumerate("abcadb")]
    with results(tmp_path / "out") as written:
        counts = each_chunk(work, lines, written, lambda _: None, ahead, size=1)
    assert counts == {"refused": 6}
    assert [line.split()[1] for line in told if line.startswith("finish")] == list("abcadb")
    for at, line in enumerate(told):
        deed, name = line.split()
        under_way = [told[before].split()[1] for before in range(at) if told[before].startswith("begin")]
        for before in range(at):
            if told[before].startswith("finish"):
                under_way.remove(told[before].split()[1])
        assert deed == "finish" or (name not in under_way and len(under_way) <= ahead)
    assert (told[:2] == ["begin a", "begin b"]) is bool(ahead)


def test_where_a_chunk_cannot_begin_those_under_way_are_finished_first(tmp_path: Path) -> None:
    told: list[str] = []

    def work(requests: Sequence[Request]) -> Callable[[], list[Outcome]]:
        [name] = [request.request_id for request in requests]
        if name == "c":
            raise ZeroDivisionError
        return lambda: (told.append(name), [Outcome(name, "refused")])[1]  # type: ignore[func-returns-value]

    lines = [a_line(number, name) for number, name in enumerate("abcd")]
    with results(tmp_path / "out") as written, pytest.raises(ZeroDivisionError):
        each_chunk(work, lines, written, lambda _: None, 2, size=1)
    assert told == ["a", "b"]
    assert len((tmp_path / "out" / "results.csv").read_text("utf-8-sig").splitlines()) == 3
