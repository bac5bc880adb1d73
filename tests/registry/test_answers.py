"""Whoever writes into the database without a key gets errors or nothing out of it: never another answer."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from registry.samples import (
    NOW,
    OFFICE,
    certificate,
    claim,
    create,
    issue,
    known,
    one_of_everything,
    reopen,
)
from registry.tampering import changes, database, deletions, restore, rows, swaps

from signsvc.errors import RegistryError
from signsvc.models import OfficeId
from signsvc.registry import Registry, Reservation
from signsvc.statuses import Event

ANSWERING = ["entries", "standings", "nodes", "checkpoints"]
Answers = dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    one_of_everything(folder).close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path


def asked(registry: Registry) -> list[Reservation]:
    """One that was suspended and resumed, one revoked and one good, by what they were issued for."""
    return [
        Reservation(claim(registry, request_id).mark, office, 2026, serial, f"2026-{serial:06d}")
        for request_id, office, serial in (
            ("r3", OFFICE, 3),
            ("r4", OFFICE, 4),
            ("g1", OfficeId("gd-demo"), 1),
        )
    ]


def answers(registry: Registry, held: Sequence[Reservation]) -> Answers:
    """What is answered about each certificate by each way to ask; None where it is nothing or an error."""
    told: Answers = {}
    for item in held:
        new, number = certificate(item), item.number
        ways: dict[str, Callable[[], Any]] = {
            "find": lambda number=number, new=new: registry.find(number, new.code),
            "by_code": lambda new=new: registry.by_code(new.code),
            "by_sha256": lambda new=new: registry.by_sha256(new.sha256),
            "by_signed_sha256": lambda new=new: registry.by_signed_sha256(new.signed_sha256),
            "by_number": lambda number=number: registry.by_number(number),
        }
        for name, ask in ways.items():
            try:
                found = ask()
            except RegistryError:
                found = None
            told[name, number] = (found.certificate, found.history) if found else None
            told[f"{name} in the log", number] = "proven" if found and found.size else None
    return told


def others(now: Answers, before: Answers) -> list[tuple[str, str]]:
    """The answers that are neither nothing nor what they were."""
    return [way for way, answer in now.items() if answer is not None and answer != before[way]]


@pytest.mark.parametrize("table", ANSWERING)
@pytest.mark.parametrize("tamper", [changes, deletions, swaps], ids=["cell", "deletion", "swap"])
def test_no_change_to_the_database_makes_another_answer(
    folder: Path, table: str, tamper: Callable[[sqlite3.Connection, str], Iterator[Any]]
) -> None:
    registry = reopen(folder, log_key=None)
    held = asked(registry)
    before = answers(registry, held)
    assert None not in before.values()
    with database(folder) as connection:
        found = [(change, others(answers(registry, held), before)) for change in tamper(connection, table)]
    assert found
    assert [item for item in found if item[1]] == []
    assert answers(registry, held) == before


@pytest.mark.parametrize(
    "column", ["closes", "request_key", "code_hash", "sha256", "signed_sha256", "number"]
)
def test_a_revoked_certificate_does_not_borrow_the_answer_of_another(folder: Path, column: str) -> None:
    registry = reopen(folder, log_key=None)
    held = asked(registry)
    before = answers(registry, held)
    revoked, good = held[1].number, held[2].number
    with database(folder) as connection:
        query = f"SELECT {column} FROM entries WHERE number = ? AND kind = 'issued'"
        [(value,)] = connection.execute(query, [revoked])
        connection.execute(
            f"UPDATE entries SET {column} = ? WHERE number = ? AND kind = 'issued'",
            [f"{value}-was" if column == "number" else None, revoked],
        )
        connection.execute(
            f"UPDATE entries SET {column} = ? WHERE number = ? AND kind = 'issued'", [value, good]
        )
    assert others(answers(registry, held), before) == []


HIDE = {
    "deleted": "DELETE FROM entries WHERE kind = 'revoked'",
    "as a copy": "UPDATE entries SET kind = 'copied' WHERE kind = 'revoked'",
    "as another's": "UPDATE entries SET number = 'qh-demo-2026-000001' WHERE kind = 'revoked'",
    "under junk": "UPDATE entries SET number = 'x', record = '{}', private = '{}', mac = '' WHERE kind = 'revoked'",
}


@pytest.mark.parametrize("how", HIDE)
def test_a_revocation_cannot_be_hidden(folder: Path, how: str) -> None:
    registry = reopen(folder)
    number = asked(registry)[1].number
    with database(folder) as connection:
        assert connection.execute(HIDE[how]).rowcount == 1
    for refused in (
        lambda: registry.by_number(number),
        lambda: registry.record_copy(number, b"", NOW),  # nor covered up by the next entry
        lambda: registry.change_status(number, Event.SUSPEND, "other", None, b"", NOW),
    ):
        with pytest.raises(RegistryError) as error:
            refused()
        assert error.value.code == "registry_damaged"


def test_a_suspension_in_the_past_cannot_be_hidden_either(folder: Path) -> None:
    registry = reopen(folder)
    number = asked(registry)[0].number
    assert len(known(registry, number).history) == 3
    with database(folder) as connection:
        connection.execute("DELETE FROM entries WHERE number = ? AND kind = 'suspended'", [number])
    with pytest.raises(RegistryError):
        registry.by_number(number)


def test_a_database_older_than_the_shown_checkpoint_attests_nothing(tmp_path: Path) -> None:
    registry = create(tmp_path)
    one, two = (item.number for item in issue(registry, "a", "b"))
    registry.close()
    shutil.copy(tmp_path / "registry.sqlite3", tmp_path / "earlier")
    registry = reopen(tmp_path)
    registry.change_status(one, Event.REVOKE, "other", None, b"", NOW)
    registry.close()
    shutil.copy(tmp_path / "earlier", tmp_path / "registry.sqlite3")
    reader = reopen(tmp_path, log_key=None)
    assert (known(reader, one).size, known(reader, two).size) == (None, None)


@pytest.mark.parametrize("shown", [None, b"", b"somebody's note"])
def test_under_a_shown_checkpoint_that_is_not_ours_nothing_is_attested(
    tmp_path: Path, shown: bytes | None
) -> None:
    registry = create(tmp_path)
    number = issue(registry, "a")[0].number
    if shown is None:
        (tmp_path / "log" / "checkpoint").unlink()
    else:
        (tmp_path / "log" / "checkpoint").write_bytes(shown)
    assert known(registry, number).size is None


def test_an_entry_that_is_not_published_yet_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = create(tmp_path)
    one, two = issue(registry, "a", "b")
    monkeypatch.setattr("signsvc.registry.log.publish", lambda book, committed: None)
    registry.change_status(one.number, Event.SUSPEND, "other", None, b"", NOW)
    assert known(registry, one.number).size is None
    assert known(registry, two.number).size == 2


def test_what_was_put_back_to_hide_a_revocation_is_found_by_the_audit(tmp_path: Path) -> None:
    """The limit of what a single answer can tell: rows kept from before, and junk in the place of the rest."""
    registry = create(tmp_path)
    number = issue(registry, "a")[0].number
    with database(tmp_path) as connection:
        [standing] = rows(connection, "standings")
        registry.change_status(number, Event.REVOKE, "other", None, b"", NOW)
        connection.execute(HIDE["under junk"])
        restore(connection, "standings", standing)
    assert known(registry, number).size == 2
    assert {"entry_changed", "node_changed"} <= {item.code for item in registry.audit()}
