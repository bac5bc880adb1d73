"""A database that holds programs of its own: triggers and views in our transactions, put there without any key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from registry.samples import NOW, create, issue, known, refusal, reopen, reserve
from registry.tampering import database
from sqlalchemy import event

from signsvc.errors import RegistryError
from signsvc.models import Certificate, Number, Status
from signsvc.registry import Registry
from signsvc.statuses import Event

# Together they let a revocation be committed, and leave nothing of it.
UNMAKE = """
CREATE TRIGGER a BEFORE INSERT ON entries WHEN NEW.kind = 'revoked' BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER b BEFORE DELETE ON standings BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER c BEFORE INSERT ON standings WHEN EXISTS(SELECT 1 FROM standings WHERE number = NEW.number)
  BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER d BEFORE INSERT ON nodes WHEN NEW.level = 0 AND NEW.idx > (SELECT max(idx) FROM entries)
  BEGIN SELECT RAISE(IGNORE); END;
"""
STRANGE = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries WHERE idx = NEW.idx; END",
    "a trigger that keeps what is deleted": """CREATE TABLE loot (number, mac); CREATE TRIGGER k BEFORE DELETE
        ON standings BEGIN INSERT INTO loot VALUES (OLD.number, OLD.mac); END""",
    "a view": "CREATE VIEW v AS SELECT * FROM entries",
    "a view in a table's place": "ALTER TABLE nodes RENAME TO kept; CREATE VIEW nodes AS SELECT * FROM kept",
    "a table": "CREATE TABLE loot (number, mac)",
    "an index": "CREATE INDEX i ON entries (kind)",
    "a unique index": "CREATE UNIQUE INDEX i ON standings (number) WHERE number LIKE 'qh%'",
    "another column": "ALTER TABLE entries ADD COLUMN more TEXT",
    "a table of other rules": """DROP TABLE reservations; CREATE TABLE reservations (office, year, serial, printed,
        request_key UNIQUE ON CONFLICT REPLACE, content_key, reserved_at, mac)""",
    "an index gone": "DROP INDEX ix_entries_number",
}
WAYS: dict[str, Callable[[Registry], object]] = {
    "reserve": lambda registry: reserve(registry, "x"),
    "publish": lambda registry: registry.publish(),
    "by_number": lambda registry: registry.by_number("qh-demo-2026-000001"),
    "stopped": lambda registry: registry.stopped(),
    "seal_certificates": lambda registry: registry.seal_certificates(),
}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = create(tmp_path)
    issue(opened, "a", "b")
    opened.by_number("qh-demo-2026-000001")  # what the schema was then is remembered
    yield opened
    opened.close()


def run(folder: Path, script: str) -> None:
    with database(folder) as connection:
        connection.executescript(script)


def refused(work: Callable[[], object]) -> None:
    with pytest.raises(RegistryError) as error:
        work()
    assert error.value.code == "registry_damaged"


def first_number(registry: Registry) -> Number:
    return next(registry.boxes()).number


def revoke(registry: Registry) -> Certificate:
    return registry.change_status(first_number(registry), Event.REVOKE, "other", None, b"box", NOW)


@pytest.mark.parametrize("forget", [False, True], ids=["", "change counter put back"])
def test_triggers_that_would_unmake_a_revocation_stop_it_and_are_told(
    registry: Registry, tmp_path: Path, forget: bool
) -> None:
    with database(tmp_path) as connection:
        [(version,)] = connection.execute("PRAGMA schema_version")
        connection.executescript(UNMAKE)
        if forget:
            connection.execute(f"PRAGMA schema_version = {version}")
    refused(lambda: revoke(reopen(tmp_path)))
    told = [item for item in reopen(tmp_path).audit() if item.severity == "fault"]
    assert {item.code for item in told} == {"schema_changed"}
    assert [name in "".join(item.message for item in told) for name in ("trigger a", "trigger d")] == [
        True
    ] * 2


@pytest.mark.parametrize("what", STRANGE)
def test_nothing_is_written_or_answered_under_a_changed_schema(
    registry: Registry, tmp_path: Path, what: str
) -> None:
    run(tmp_path, STRANGE[what])
    for way in WAYS.values():
        refused(lambda way=way: way(registry))
    assert "schema_changed" in {item.code for item in registry.audit()}


def test_a_reader_is_not_deceived_by_a_change_counter_that_was_put_back(
    registry: Registry, tmp_path: Path
) -> None:
    with database(tmp_path) as connection:
        [(version,)] = connection.execute("PRAGMA schema_version")
        connection.executescript(f"CREATE VIEW v AS SELECT * FROM entries; PRAGMA schema_version = {version}")
    refused(lambda: registry.by_number("qh-demo-2026-000001"))
    refused(lambda: registry.by_number("qh-demo-2026-000001"))  # nor when he asks again


def test_no_registry_is_made_in_a_database_that_holds_something_else(tmp_path: Path) -> None:
    run(tmp_path, "CREATE TABLE loot (number, mac)")
    with pytest.raises(RegistryError):
        create(tmp_path)
    assert not (tmp_path / "log" / "checkpoint").exists()


def test_tidying_up_the_database_is_no_change(registry: Registry, tmp_path: Path) -> None:
    run(tmp_path, "VACUUM")
    assert revoke(registry).status is Status.REVOKED
    assert registry.audit() == []


LOST = {
    "entries": "INSERT ON main.entries",
    "standings": "INSERT ON main.standings",
    "nodes": "INSERT ON main.nodes",
    "checkpoints": "INSERT ON main.checkpoints",
    "certificates": "INSERT ON main.certificates",
    "reservations": "INSERT ON main.reservations",
    "reservations taken": "DELETE ON main.reservations",
    "counters": "INSERT ON main.counters",
    "meta": "INSERT ON main.meta",
    "meta kept": "DELETE ON main.meta",
}
CHANGED = {
    "entries": "UPDATE entries SET kind = 'copied' WHERE idx = NEW.idx",
    "standings": "UPDATE standings SET mac = '' WHERE number = NEW.number",
    "nodes": "UPDATE nodes SET hash = zeroblob(32) WHERE level = NEW.level AND idx = NEW.idx",
    "checkpoints": "UPDATE checkpoints SET note = '' WHERE size = NEW.size",
    "certificates": "UPDATE certificates SET der = x'00' WHERE sha256 = NEW.sha256",
    "reservations": "UPDATE reservations SET printed = '' WHERE request_key = NEW.request_key",
    "counters": "UPDATE counters SET last = 0 WHERE office = NEW.office",
    "meta": "UPDATE meta SET value = '' WHERE key = NEW.key",
}
HIDDEN = {
    **{f"{name} lost": f"BEFORE {when} BEGIN SELECT RAISE(IGNORE); END" for name, when in LOST.items()},
    **{
        f"{table} changed": f"AFTER INSERT ON main.{table} BEGIN {what}; END"
        for table, what in CHANGED.items()
    },
}


@pytest.mark.parametrize("what", HIDDEN)
def test_a_write_that_did_not_happen_is_noticed_even_if_the_schema_looks_whole(
    tmp_path: Path, what: str
) -> None:
    """A trigger on the registry's own connection alone, which no look at the schema shows."""
    registry = create(tmp_path)

    def hide(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"CREATE TEMP TRIGGER IF NOT EXISTS hidden {HIDDEN[what]}")

    event.listen(registry._book.engine, "checkout", hide)
    refused(lambda: issue(registry, "a"))
    registry.close()
    assert [item for item in reopen(tmp_path).audit() if item.severity == "fault"] == []


def test_a_revocation_that_is_lost_in_its_own_transaction_is_not_reported(
    registry: Registry, tmp_path: Path
) -> None:
    number = first_number(registry)
    temporary = UNMAKE.replace("CREATE TRIGGER", "CREATE TEMP TRIGGER IF NOT EXISTS").replace(
        " ON ", " ON main."
    )
    event.listen(
        registry._book.engine, "checkout", lambda connection, *_: connection.executescript(temporary)
    )
    refused(lambda: revoke(registry))
    reader = reopen(tmp_path, log_key=None)
    assert known(reader, number).certificate.status is Status.ISSUED
    assert reader.audit() == []


def test_a_revocation_that_is_lost_in_the_last_statement_is_not_reported(
    registry: Registry, tmp_path: Path
) -> None:
    number = first_number(registry)
    with database(tmp_path) as connection:
        [(old,)] = connection.execute("SELECT mac FROM standings WHERE number = ?", [number])
    trigger = f"""CREATE TEMP TRIGGER IF NOT EXISTS t AFTER INSERT ON main.meta BEGIN
        DELETE FROM entries WHERE kind = 'revoked'; DELETE FROM nodes WHERE level = 0 AND idx = 2;
        UPDATE standings SET mac = '{old}' WHERE number = '{number}'; END"""
    event.listen(registry._book.engine, "checkout", lambda connection, *_: connection.execute(trigger))
    refused(lambda: revoke(registry))


def test_a_notice_that_is_lost_in_its_own_transaction_is_not_reported(registry: Registry) -> None:
    trigger = (
        "CREATE TEMP TRIGGER IF NOT EXISTS t BEFORE INSERT ON main.entries BEGIN SELECT RAISE(IGNORE); END"
    )
    event.listen(registry._book.engine, "checkout", lambda connection, *_: connection.execute(trigger))
    refused(lambda: registry.record_refusals([refusal(registry, "n")], NOW))


def test_what_analyze_leaves_is_no_stranger(registry: Registry, tmp_path: Path) -> None:
    run(tmp_path, "ANALYZE")
    assert registry.by_number("qh-demo-2026-000001") is not None
    assert registry.audit() == []
