"""The list of stopped certificates is whole, or there is none."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from registry.samples import NOW, OFFICE, claim, code_of, create, issue, one_of_everything, reopen
from registry.tampering import changes, database, deletions, swaps

from signsvc.errors import RegistryError
from signsvc.identity import status_id
from signsvc.models import Status
from signsvc.registry import Registry, Reservation, Stopped
from signsvc.registry.match import MatchKey
from signsvc.registry.records import NewEntry
from signsvc.statuses import Event


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    one_of_everything(folder).close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path


def told(registry: Registry) -> list[Stopped] | None:
    try:
        return registry.stopped()
    except RegistryError:
        return None


def test_every_stopped_certificate_is_listed_under_its_number_and_code(folder: Path) -> None:
    registry = reopen(folder, log_key=None)

    def item(serial: int, status: Status, reason: str) -> Stopped:
        held = Reservation(claim(registry, f"r{serial}").mark, OFFICE, 2026, serial, f"2026-{serial:06d}")
        return Stopped(status_id(held.number, code_of(held)), status, reason, NOW + timedelta(hours=1))

    assert registry.stopped() == [
        item(2, Status.SUSPENDED, "information_wrong"),
        item(4, Status.REVOKED, "issued_in_error"),
        item(5, Status.SUPERSEDED, "superseded"),
    ]


def test_nobody_is_listed_where_nothing_was_stopped(tmp_path: Path) -> None:
    registry = create(tmp_path)
    assert registry.stopped() == []
    issue(registry, "a")
    assert registry.stopped() == []


@pytest.mark.parametrize("table", ["entries", "standings"])
@pytest.mark.parametrize("tamper", [changes, deletions, swaps], ids=["cell", "deletion", "swap"])
def test_no_change_to_the_database_shortens_the_list(
    folder: Path, table: str, tamper: Callable[[sqlite3.Connection, str], Iterator[Any]]
) -> None:
    registry = reopen(folder, log_key=None)
    before = registry.stopped()
    with database(folder) as connection:
        found = [(change, told(registry)) for change in tamper(connection, table)]
    assert found
    assert [change for change, answer in found if answer not in (None, before)] == []
    assert registry.stopped() == before


@pytest.mark.parametrize("rows", [1, 2])
def test_a_log_that_lost_its_end_has_no_list(tmp_path: Path, rows: int) -> None:
    """A whole certificate gone with its revocation and its standing, as if it had never been."""
    registry = create(tmp_path)
    issue(registry, "a")
    number = issue(registry, "b")[0].number
    registry.change_status(number, Event.REVOKE, "other", None, b"", NOW)
    with database(tmp_path) as connection:
        connection.execute("DELETE FROM entries WHERE idx >= ?", [3 - rows])
        connection.execute("DELETE FROM standings WHERE number = ?", [number])
    with pytest.raises(RegistryError):
        registry.stopped()


def test_entries_that_are_not_published_yet_fill_no_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = create(tmp_path)
    issue(registry, "a")
    number = issue(registry, "b")[0].number
    registry.change_status(number, Event.REVOKE, "other", None, b"", NOW)
    monkeypatch.setattr("signsvc.registry.log.publish", lambda book, committed: None)
    issue(registry, "c", "d", "e")
    assert len(registry.stopped()) == 1
    with database(tmp_path) as connection:
        for table in ("entries", "standings"):
            connection.execute(f"DELETE FROM {table} WHERE number = ?", [number])
    with pytest.raises(RegistryError):
        registry.stopped()


def test_a_certificate_without_its_name_for_the_list_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = NewEntry.row

    def earlier(entry: NewEntry, index: int, key: MatchKey) -> dict[str, Any]:
        private = {name: value for name, value in entry.private.items() if name != "status_id"}
        return real(replace(entry, private=private), index, key)

    monkeypatch.setattr(NewEntry, "row", earlier)
    registry = create(tmp_path)
    number = issue(registry, "a")[0].number
    assert registry.stopped() == []
    registry.change_status(number, Event.REVOKE, "other", None, b"", NOW)
    with pytest.raises(RegistryError) as refused:
        registry.stopped()
    assert refused.value.code == "registry_outdated"
