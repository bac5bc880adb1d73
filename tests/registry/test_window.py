"""Between a commit and its publishing, and after both: what a writer without keys can still take back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from registry.samples import NOW, create, issue, known, refusal, reopen, reserve
from registry.tampering import database, kept, put_back

from signsvc.errors import RegistryError
from signsvc.models import Number, Status
from signsvc.registry import Registry, log
from signsvc.statuses import Event

Work = Callable[[Registry, Number], Any]
WORKS: dict[str, Work] = {
    "revoke": lambda registry, number: registry.change_status(
        number, Event.REVOKE, "other", None, b"box", NOW
    ),
    "copy": lambda registry, number: registry.record_copy(number, b"box", NOW),
    "issue": lambda registry, _: issue(registry, "c"),
    "refuse": lambda registry, _: registry.record_refusals([refusal(registry, "n")], NOW),
    "void": lambda registry, _: registry.void([(reserve(registry, "v")[0], "seal_failed")], NOW),
}


def before_publishing(monkeypatch: pytest.MonkeyPatch, meddle: Callable[[], object]) -> None:
    """Let somebody take the lock between the next commit and its publishing."""
    real = log.publish

    def late(*given: Any) -> Any:
        monkeypatch.setattr(log, "publish", real)
        meddle()
        return real(*given)

    monkeypatch.setattr(log, "publish", late)


@pytest.mark.parametrize("work", WORKS)
def test_what_is_taken_back_before_it_is_published_is_not_reported_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    registry = create(tmp_path)
    number = issue(registry, "a", "b")[0].number
    before = kept(tmp_path)
    before_publishing(monkeypatch, lambda: put_back(tmp_path, before))
    with pytest.raises(RegistryError) as refused:
        WORKS[work](registry, number)
    assert refused.value.code == "registry_damaged"


@pytest.mark.parametrize("others", [0, 1, 2, 5])
def test_what_is_put_in_its_place_and_published_is_noticed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """The next entries of honest processes, at the place of the one that was taken back."""
    registry, other = create(tmp_path), reopen(tmp_path)
    number = issue(registry, "a", "b")[0].number
    before = kept(tmp_path)

    def meddle() -> None:
        put_back(tmp_path, before)
        for n in range(others + 1):
            other.record_copy(number, f"box {n}".encode(), NOW)

    before_publishing(monkeypatch, meddle)
    with pytest.raises(RegistryError) as refused:
        registry.change_status(number, Event.REVOKE, "other", None, b"box", NOW)
    assert refused.value.code == "registry_damaged"


@pytest.mark.parametrize("size", range(1, 9))
def test_another_process_may_publish_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    registry, other = create(tmp_path), reopen(tmp_path)
    number = issue(registry, *(f"r{n}" for n in range(size)))[0].number
    before_publishing(monkeypatch, lambda: issue(other, "x", "y", "z"))
    revoked = registry.change_status(number, Event.REVOKE, "other", None, b"box", NOW)
    assert revoked.status is Status.REVOKED
    assert known(registry, number).size == size + 4
    assert registry.audit() == []


def test_a_replaced_standing_is_left_nowhere_in_the_files(tmp_path: Path) -> None:
    registry = create(tmp_path)
    held = [item for turn in range(3) for item in issue(registry, *(f"{turn}-{n}" for n in range(60)))]
    number = held[20].number
    with database(tmp_path) as connection:
        query = "SELECT mac FROM standings WHERE number = ?"
        [(old,)] = connection.execute(query, [number])
    registry.change_status(number, Event.REVOKE, "other", None, b"box", NOW)
    found = [
        path.name
        for path in sorted(tmp_path.iterdir())
        if path.is_file() and old.encode() in path.read_bytes()
    ]
    assert found == []


def test_a_reader_delays_no_revocation(tmp_path: Path) -> None:
    registry = create(tmp_path)
    number = issue(registry, "a")[0].number
    with database(tmp_path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM entries").fetchone()
        revoked = registry.change_status(number, Event.REVOKE, "other", None, b"box", NOW)
    assert revoked.status is Status.REVOKED
