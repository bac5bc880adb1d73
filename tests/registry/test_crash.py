"""The crash story: each write is lost, or persists although its writer heard of a failure; running again ends well."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from registry.samples import NOW, certificate, claim, create, issue, known, reopen, reserve

from signsvc.errors import RegistryError
from signsvc.models import Certificate, Number
from signsvc.registry import ISSUED, Lost, Recorded, Registry, Reservation
from signsvc.statuses import Event

Run = Callable[[Registry], Any]


class CrashError(Exception):
    """Stands for the end of the process."""


@contextmanager
def crash_at_commit(registry: Registry, number: int, persisted: bool) -> Iterator[None]:
    """The `number`-th write transaction from here fails, before or after it became durable."""
    dialect = registry._book.engine.dialect
    real = dialect.do_commit
    seen = 0

    def do_commit(connection: Any) -> None:
        nonlocal seen
        written = connection.total_changes
        if persisted:
            real(connection)
        if written > before.setdefault(id(connection), start):
            before[id(connection)] = written
            seen += 1
            if seen == number:
                raise CrashError
        if not persisted:
            real(connection)

    before: dict[int, int] = {}
    with registry._book.engine.connect() as connection:
        start = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
    dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        dialect.do_commit = real  # type: ignore[method-assign]


def attempt(registry: Registry, requests: list[str]) -> list[Certificate]:
    """What issuing does at this level: recall, reserve, commit. Running it again must end well, whatever happened."""
    wishes = [claim(registry, item) for item in requests]
    done: list[Certificate] = []
    known = registry.recall([wish.mark for wish in wishes])
    done += [item.certificate for item in known if isinstance(item, Recorded)]
    held = registry.reserve([wish for wish, item in zip(wishes, known, strict=True) if item is None], NOW)
    mine = [item for item in held if isinstance(item, Reservation)]
    results = registry.commit([certificate(item, str(os.getpid())) for item in mine], NOW)
    for item in [*results, *held]:
        if isinstance(item, Certificate):
            done.append(item)
        elif isinstance(item, Lost) and isinstance(item.known, Recorded):
            done.append(item.known.certificate)
    return done


def check_whole(registry: Registry, requests: list[str]) -> None:
    """Each request issued once, its number found, serials gapless, log whole and published."""
    assert registry.audit() == []
    numbers = sorted(item.number for item in attempt(registry, requests))
    assert numbers == [f"qh-demo-2026-{serial:06d}" for serial in range(1, len(requests) + 1)]


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted anyway"])
@pytest.mark.parametrize("transaction", [1, 2, 3], ids=["reserve", "commit", "publish"])
def test_a_transaction_that_fails_either_way(tmp_path: Path, transaction: int, persisted: bool) -> None:
    registry = create(tmp_path)
    requests = ["a", "b", "c"]
    with crash_at_commit(registry, transaction, persisted), pytest.raises(CrashError):
        attempt(registry, requests)
    assert [item for item in registry.audit() if item.severity == "fault"] == []
    again = reopen(tmp_path)
    attempt(again, requests)
    again.publish()
    check_whole(again, requests)


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted anyway"])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_shown_checkpoint_that_fails_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, persisted: bool
) -> None:
    registry = create(tmp_path)
    real: Callable[..., Any] = getattr(os, step)

    def fail(*given: Any) -> None:
        if persisted:
            real(*given)
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(f"signsvc.durable.os.{step}", fail)
        with pytest.raises(RegistryError):
            attempt(registry, ["a", "b"])
    assert [item for item in registry.audit() if item.severity == "fault"] == []
    attempt(reopen(tmp_path), ["a", "b", "c"])
    check_whole(registry, ["a", "b", "c"])


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted anyway"])
@pytest.mark.parametrize("transaction", [1, 2], ids=["change", "publish"])
def test_a_status_event_that_fails_either_way_is_whole_or_not_there(
    tmp_path: Path, transaction: int, persisted: bool
) -> None:
    registry = create(tmp_path)
    number = issue(registry, "a")[0].number
    with crash_at_commit(registry, transaction, persisted), pytest.raises(CrashError):
        registry.change_status(number, Event.REVOKE, "other", None, b"", NOW)
    happened = transaction == 2 or persisted
    again = reopen(tmp_path)
    assert len(known(again, number).history) == (2 if happened else 1)
    again.publish()
    assert again.audit() == []


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted anyway"])
@pytest.mark.parametrize("transaction", [1, 2], ids=["void", "publish"])
def test_voiding_that_fails_either_way_loses_no_number(
    tmp_path: Path, transaction: int, persisted: bool
) -> None:
    registry = create(tmp_path)
    held = reserve(registry, "a")
    with crash_at_commit(registry, transaction, persisted), pytest.raises(CrashError):
        registry.void([(held[0], "seal_failed")], NOW)
    again = reopen(tmp_path)
    attempt(again, ["a"])
    assert again.audit() == []
    happened = transaction == 2 or persisted
    [number] = [item.number for item in again.boxes() if item.kind == ISSUED]
    assert number == Number(f"qh-demo-2026-{2 if happened else 1:06d}")


def _work(folder: Path, requests: list[str], start: Any, results: Any) -> None:
    registry = reopen(folder)
    start.wait()
    for place in range(0, len(requests), 3):
        results.put([item.number for item in attempt(registry, requests[place : place + 3])])
    registry.close()


def test_processes_that_issue_the_same_requests_at_once_issue_each_once(tmp_path: Path) -> None:
    create(tmp_path).close()
    requests = [f"r{n}" for n in range(30)]
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(3), context.Queue()
    workers = [
        context.Process(target=_work, args=(tmp_path, order, start, results))
        for order in (requests, requests[::-1], requests)
    ]
    for worker in workers:
        worker.start()
    told = [number for _ in range(30) for number in results.get(timeout=60)]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert len(told) == 90
    assert len(set(told)) == 30
    check_whole(reopen(tmp_path), requests)
