"""What is asked of the database is found by its keys: no table that grows with certificates is read through."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from registry.samples import NOW, code_of, create, issue, refusal, reserve
from sqlalchemy import event

from signsvc.registry import Registry
from signsvc.statuses import Event

GROWING = ("entries", "nodes", "standings")


@contextmanager
def scans(registry: Registry) -> Iterator[set[str]]:
    """The statements run within the block for which SQLite reads a growing table from one end to the other.

    Asked of SQLite itself, for some statements go past SQLAlchemy.
    """
    run: set[str] = set()
    seen: set[str] = set()
    engine = registry._book.engine

    def trace(connection: sqlite3.Connection, *_: Any) -> None:
        connection.set_trace_callback(run.add)

    event.listen(engine, "checkout", trace)
    try:
        yield seen
    finally:
        event.remove(engine, "checkout", trace)
        with engine.connect() as connection:
            own = connection.connection.driver_connection
            own.set_trace_callback(None)
            for statement in sorted(run):
                if statement.startswith(("SELECT", "DELETE")):
                    plan = [row[3] for row in own.execute(f"EXPLAIN QUERY PLAN {statement}")]
                    if any(step.startswith(tuple(f"SCAN {table}" for table in GROWING)) for step in plan):
                        seen.add(f"{statement}: {plan}")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = create(tmp_path)
    issue(registry, *(f"first{n}" for n in range(40)))
    yield registry
    registry.close()


def test_issuing_and_all_that_comes_after_reads_no_table_through(registry: Registry) -> None:
    with scans(registry) as found:
        held = issue(registry, *(f"more{n}" for n in range(3)))
        registry.void([(reserve(registry, "failed")[0], "conversion_failed")], NOW)
        registry.change_status(
            held[0].number, Event.SUSPEND, "holder_request", None, b"box", NOW + timedelta(hours=1)
        )
        registry.record_copy(held[1].number, b"box", NOW)
        registry.record_refusals([refusal(registry, "refused")], NOW)
    assert found == set()


def test_verifying_reads_no_table_through(registry: Registry) -> None:
    held = issue(registry, "asked")[0]
    certificate = registry.find(held.number, code_of(held))
    assert certificate
    with scans(registry) as found:
        registry.find(held.number, code_of(held))
        registry.by_code(code_of(held))
        registry.by_sha256("00" * 32)
        registry.by_signed_sha256("00" * 32)
        registry.refusal_by_sha256("00" * 32)
        registry.matches(held.number, {"name": "甲"})
        registry.proof_bundle(held.number, code_of(held))
    assert found == set()


def test_a_table_that_is_read_through_is_seen(registry: Registry) -> None:
    with scans(registry) as found:
        list(registry.boxes())
        registry.audit()
    assert found
