"""Journals: whatever is done to a line is found, and a crash costs at most the event that nobody was told of."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc import journal
from signsvc.errors import CatalogueChanged, SettingsError
from signsvc.journal import Journals, opened
from signsvc.report import BEIJING

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=BEIJING)
EVENTS = [
    {"event": "first", "text": "第一行\n第二行"},
    {"event": "second", "day": None},
    {"event": "third", "n": 3},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "catalogue"
    with opened(folder, write=True) as journals:
        for event in EVENTS:
            journals.append("a-list", event, NOW)
    return folder


def file_of(folder: Path) -> Path:
    return folder / "a-list.jsonl"


def read(folder: Path) -> list[object]:
    with opened(folder) as journals:
        return [entry.data for entry in journals.read("a-list").entries]


def test_what_was_written_is_read_again_with_its_time(folder: Path) -> None:
    assert read(folder) == EVENTS
    with opened(folder) as journals:
        assert {entry.at for entry in journals.read("a-list").entries} == {NOW}
        assert journals.names() == ("a-list",)


def test_the_file_is_lines_of_json_that_only_its_owner_reads(folder: Path) -> None:
    lines = [json.loads(line) for line in file_of(folder).read_text("utf-8").splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert [line["prev"] for line in lines[1:]] == [line["digest"] for line in lines[:-1]]
    assert lines[0]["at"] == "2026-11-21T10:30:00+08:00"
    assert stat.S_IMODE(file_of(folder).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_list_that_nobody_wrote_is_empty(tmp_path: Path) -> None:
    with opened(tmp_path / "nowhere") as journals:
        assert journals.names() == ()
        assert journals.read("a-list").entries == ()
    assert not (tmp_path / "nowhere").exists()


def test_no_byte_can_be_changed(folder: Path) -> None:
    whole = file_of(folder).read_bytes()
    journals = Journals(folder)
    for at in range(len(whole)):
        for flipped in (whole[at] ^ 1, whole[at] ^ 0x20, ord("\n")):
            if flipped == whole[at]:
                continue
            file_of(folder).write_bytes(whole[:at] + bytes([flipped]) + whole[at + 1 :])
            with pytest.raises(CatalogueChanged):
                journals.read("a-list")


@pytest.mark.parametrize(
    ("order", "line"),
    [((1, 2), 1), ((0, 2), 2), ((0, 2, 1), 2), ((1, 0, 2), 1), ((0, 0, 1, 2), 2), ((0, 1, 2, 2), 4)],
)
def test_lines_cannot_be_removed_moved_or_repeated(folder: Path, order: tuple[int, ...], line: int) -> None:
    lines = file_of(folder).read_bytes().splitlines(keepends=True)
    file_of(folder).write_bytes(b"".join(lines[at] for at in order))
    with pytest.raises(CatalogueChanged, match=f"第{line}行") as found:
        read(folder)
    assert found.value.code == "catalogue_changed"


def test_a_line_of_another_journal_does_not_fit(folder: Path) -> None:
    with opened(folder, write=True) as journals:
        for event in reversed(EVENTS):
            journals.append("b-list", event, NOW)
    mine, other = (file.read_bytes().splitlines(keepends=True) for file in sorted(folder.iterdir()))
    file_of(folder).write_bytes(mine[0] + other[1] + mine[2])
    with pytest.raises(CatalogueChanged):
        read(folder)


@pytest.mark.parametrize("keep", ["nothing", "one", "half", "all but the end"])
def test_a_torn_line_is_told_does_not_count_and_goes_with_the_next_append(folder: Path, keep: str) -> None:
    whole = file_of(folder).read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    kept = {"nothing": 0, "one": 1, "half": len(last) // 2, "all but the end": len(last) - 1}[keep]
    file_of(folder).write_bytes(whole[: len(whole) - len(last) + kept])
    with opened(folder, write=True) as journals:
        assert journals.read("a-list").torn is (kept > 0)
        assert read_data(journals) == EVENTS[:2]
        assert file_of(folder).stat().st_size == len(whole) - len(last) + kept  # reading repairs nothing
        journals.append("a-list", EVENTS[2], NOW)
        assert not journals.read("a-list").torn
        assert read_data(journals) == EVENTS
    assert file_of(folder).read_bytes() == whole


def read_data(journals: Journals) -> list[object]:
    return [entry.data for entry in journals.read("a-list").entries]


@given(st.data())
def test_wherever_a_crash_cuts_a_line_the_ones_before_it_stand(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    journals = Journals(folder)
    for event in EVENTS:
        journals.append("a-list", event, NOW)
    whole = file_of(folder).read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    file_of(folder).write_bytes(whole[:at])
    assert read_data(journals) == EVENTS[: whole[:at].count(b"\n")]


def test_a_file_that_a_crash_left_full_of_nothing_is_torn(folder: Path) -> None:
    with file_of(folder).open("ab") as file:
        file.write(bytes(200))
    with opened(folder) as journals:
        assert journals.read("a-list").torn
    assert read(folder) == EVENTS


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted"])
def test_an_append_that_failed_is_there_whole_or_not_at_all(
    folder: Path, persisted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError("the power is gone")

    with opened(folder, write=True) as journals:
        with monkeypatch.context() as patched:
            patched.setattr(journal.os, "fsync" if persisted else "write", fails)
            with pytest.raises(OSError, match="power"):
                journals.append("a-list", {"event": "fourth"}, NOW)
        fourth = [{"event": "fourth"}] if persisted else []
        assert read_data(journals) == EVENTS + fourth
        journals.append("a-list", {"event": "fifth"}, NOW)
        assert read_data(journals) == [*EVENTS, *fourth, {"event": "fifth"}]


def test_a_disk_that_is_full_leaves_a_torn_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with opened(folder, write=True) as journals:
        with monkeypatch.context() as patched:
            patched.setattr(journal.os, "write", lambda file, line: write(file, line[:20]))
            with pytest.raises(OSError, match="space"):
                journals.append("a-list", {"event": "fourth"}, NOW)
        assert journals.read("a-list").torn
        assert read_data(journals) == EVENTS


WRITER = """
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from signsvc.journal import opened
from signsvc.report import BEIJING
for number in range(25):
    with opened(Path(sys.argv[1]), write=True) as journals:
        count = len(journals.read("a-list").entries)
        journals.append("a-list", {"who": sys.argv[2], "count": count}, datetime.now(BEIJING))
"""


def test_writers_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), who])
        for who in ("first", "second", "third")
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with opened(folder) as journals:
        told = [entry.data for entry in journals.read("a-list").entries]
    assert [event["count"] for event in told] == list(range(75))  # nobody wrote between a look and its line


def test_a_journal_under_another_name_is_found(folder: Path) -> None:
    file_of(folder).rename(folder / "b-list.jsonl")
    with opened(folder) as journals, pytest.raises(CatalogueChanged, match="b-list"):
        journals.read("b-list")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink(path.parent / "x", path)])
def test_only_a_regular_file_is_read_and_nothing_is_waited_for(
    folder: Path, make: Callable[[Path], None]
) -> None:
    make(folder / "odd.jsonl")
    with opened(folder) as journals, pytest.raises(SettingsError, match=r"odd\.jsonl"):
        journals.read("odd")


def test_a_file_in_place_of_the_folder_is_no_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "catalogue").write_text("")
    with pytest.raises(SettingsError), opened(tmp_path / "catalogue"):
        pass


def test_a_process_that_holds_the_journals_is_not_waited_for_forever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LOCK_SECONDS", 0.2)
    with opened(folder, write=True), pytest.raises(SettingsError, match="占用"), opened(folder):
        pass


def test_names_are_short_words(folder: Path) -> None:
    (folder / f"{'a' * 65}.jsonl").touch()
    (folder / "Ä.jsonl").touch()
    with opened(folder) as journals:
        assert journals.names() == ("a-list",)
