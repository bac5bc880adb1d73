"""`signsvc log verify` without its command line: registry and archive held against each other, to the end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from registry.samples import DAY, LOG_KEY, MATCH_KEY, NOW, certificate, create, reopen, reserve, url_in
from registry.tampering import TABLES, changes, database, forge

from signsvc import boxes
from signsvc.archive import Archive
from signsvc.audit import audit
from signsvc.models import Number
from signsvc.policy.lists.changes import Edition, History
from signsvc.registry import COPIED, ISSUED, Boxes, NewCertificate, Registry, Reservation, box_context
from signsvc.statuses import Event

KEY = bytes(range(32))


def archive_in(folder: Path) -> Archive:
    return Archive(folder / "archive", folder / "tmp", KEY)


def archived(archive: Archive, held: Reservation) -> NewCertificate:
    kept = archive.put(f"%PDF-{held.number}".encode())
    return replace(certificate(held), sha256=kept, box=archive.lock(b"{}", box_context(ISSUED, held.number)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Issued, suspended, resumed, suspended again, copied, voided, reserved; and a file that is none of ours."""
    folder = tmp_path_factory.mktemp("whole")
    create(folder).close()
    archive = archive_in(folder)
    locking = Boxes(partial(boxes.opens, archive), partial(boxes.empty, archive))
    registry = Registry.open(url_in(folder), folder / "log", MATCH_KEY, LOG_KEY, locking)
    held = reserve(registry, "a", "b", "c", "open")
    registry.commit([archived(archive, item) for item in held[:2]], NOW)
    registry.void([(held[2], "seal_failed")], NOW)
    number = held[0].number
    for event in (Event.SUSPEND, Event.RESUME, Event.SUSPEND):
        registry.change_status(
            number, event, "other", None, archive.lock(b"{}", box_context(event, number)), NOW
        )
    registry.record_copy(number, archive.lock(b"{}", box_context(COPIED, number)), NOW)
    registry.close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def registry(folder: Path) -> Iterator[Registry]:
    registry = reopen(folder)
    yield registry
    registry.close()


def told(registry: Registry, folder: Path) -> list[str]:
    return [item.code for item in audit(registry, archive_in(folder), {}) if item.severity == "fault"]


def number_of(serial: int) -> Number:
    return Number(f"qh-demo-2026-{serial:06d}")


def test_an_untouched_registry_and_its_archive_are_whole(registry: Registry, folder: Path) -> None:
    assert told(registry, folder) == []


@pytest.mark.parametrize("table", TABLES)
def test_whatever_a_cell_holds_is_told_and_the_audit_goes_on(
    registry: Registry, folder: Path, table: str
) -> None:
    (folder / "archive" / "notes.txt").write_text("x")
    assert told(registry, folder) == ["archive_foreign"]
    with database(folder) as connection:
        found = [(change, told(registry, folder)) for change in changes(connection, table)]
    assert found
    assert [change for change, codes in found if codes == ["archive_foreign"]] == []
    assert [change for change, codes in found if "archive_foreign" not in codes] == []


@pytest.mark.parametrize("serial", [1, 2])
def test_a_file_that_is_gone_is_named(registry: Registry, folder: Path, serial: int) -> None:
    found = registry.by_number(number_of(serial))
    assert found is not None
    known = found.certificate
    (folder / "archive" / known.sha256).unlink()
    faults = [item for item in audit(registry, archive_in(folder), {}) if item.severity == "fault"]
    assert [item.code for item in faults] == ["archive_changed"]
    assert known.number in faults[0].message


@pytest.mark.parametrize("kind", ["resumed", "revoked", "copied"])
@pytest.mark.parametrize("locked_for", [None, 1, 2])
def test_an_event_made_without_the_archive_key_is_told(
    registry: Registry, folder: Path, kind: str, locked_for: int | None
) -> None:
    """By a thief of the match key: everything is right but the box: none, under another key, or another's."""
    key = bytes(32) if locked_for == 1 else KEY
    thief = Archive(folder / "archive", folder / "tmp", key)
    box = thief.lock(b"{}", box_context(kind, number_of(locked_for))) if locked_for else b""
    forge(folder, kind, number_of(1), box)
    assert told(registry, folder) == ["box_changed"]


def test_a_box_of_another_kind_or_used_twice_is_told(registry: Registry, folder: Path) -> None:
    kept = {item.kind: item.box for item in registry.boxes() if item.number == number_of(1)}
    forge(folder, "resumed", number_of(1), kept["resumed"])
    assert told(registry, folder) == ["box_changed"]
    forge(folder, "revoked", number_of(1), kept["suspended"])
    assert told(registry, folder) == ["box_changed", "box_changed", "box_changed"]


@pytest.mark.parametrize(
    ("effective", "text", "fault"),
    [
        (DAY, "一份清单", []),
        (DAY + timedelta(days=1), "一份清单", ["edition_early"]),
        (DAY, "另一份清单", ["edition_missing"]),
    ],
)
def test_the_list_of_a_certificate_must_be_there_with_its_text_and_hold_that_day(
    tmp_path: Path, effective: date, text: str, fault: list[str]
) -> None:
    first = Edition("a-list", 1, "一份清单", effective, "某机关", "某号", DAY)
    registry, archive = create(tmp_path), archive_in(tmp_path)
    [held] = reserve(registry, "a")
    registry.commit([replace(archived(archive, held), edition=first.label)], NOW)
    registry.publish()
    histories = {"a-list": History("a-list", (replace(first, text=text),))}
    assert [item.code for item in audit(registry, archive, histories) if item.severity == "fault"] == fault
    registry.close()
