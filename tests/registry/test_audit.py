"""Nothing in the registry can be changed without the audit telling."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from registry.samples import CHAIN, create, issue, one_of_everything, reopen

from signsvc.errors import RegistryError
from signsvc.registry import Registry

TABLES = {
    "meta": ["key"],
    "counters": ["office", "year"],
    "reservations": ["office", "year", "serial"],
    "entries": ["idx"],
    "nodes": ["level", "idx"],
    "checkpoints": ["size"],
    "certificates": ["sha256"],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    one_of_everything(folder).close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path


def database(folder: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(folder / "registry.sqlite3", isolation_level=None))


def rows(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608
    names = [item[0] for item in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def kinds(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row of each kind: of entry, of level in the tree; elsewhere every row is of its own kind."""
    return list({row.get("kind", row.get("level", n)): row for n, row in enumerate(found)}.values())


def mutations(value: Any) -> Iterator[Any]:
    """Other values for a cell: something near, and something that is not there any more."""
    match value:
        case int():
            yield from (value + 1, value + 1000, -1)
        case bytes():
            yield from (bytes([value[0] ^ 1]) + value[1:], value[:-1], value + b"\0")
        case str():
            yield from (value[:-1] + chr(ord(value[-1]) ^ 1), value + " ")
        case None:
            yield "0" * 64
    if value is not None:
        yield None


def faults(folder: Path, opened: Registry | None = None) -> list[str]:
    """Codes of the faults found, by `opened` or by a fresh start; a registry that refuses to open is one fault."""
    try:
        registry = opened or reopen(folder)
    except RegistryError as error:
        return [error.code]
    try:
        return [item.code for item in registry.audit() if item.severity == "fault"]
    finally:
        registry.close()


def test_a_registry_that_nobody_touched_has_no_fault_and_its_reservation_is_a_note(folder: Path) -> None:
    registry = reopen(folder)
    assert [(item.severity, item.code) for item in registry.audit()] == [("note", "reservation_open")]


@pytest.mark.parametrize("table", TABLES)
def test_every_cell_of_every_row_is_guarded(folder: Path, table: str) -> None:
    missed = []
    tried = 0
    opened = (
        None if table == "meta" else reopen(folder)
    )  # what an open registry knows of itself was checked before
    with database(folder) as connection:
        for row in kinds(rows(connection, table)):
            place = " AND ".join(f"{name} = ?" for name in TABLES[table])
            key = [row[name] for name in TABLES[table]]
            for column, value in row.items():
                for other in mutations(value):
                    try:
                        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {place}", [other, *key])  # noqa: S608
                    except sqlite3.IntegrityError:
                        continue  # the database itself refuses it
                    tried += 1
                    if not faults(folder, opened):
                        missed.append((key, column, other))
                    now = [other if name == column else row[name] for name in TABLES[table]]
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {place}", [value, *now])  # noqa: S608
    assert tried
    assert missed == []
    assert faults(folder) == []


@pytest.mark.parametrize("table", TABLES)
def test_no_row_can_be_deleted(folder: Path, table: str) -> None:
    with database(folder) as connection:
        for row in rows(connection, table):
            place = " AND ".join(f"{name} = ?" for name in TABLES[table])
            key = [row[name] for name in TABLES[table]]
            connection.execute(f"DELETE FROM {table} WHERE {place}", key)  # noqa: S608
            assert faults(folder), (table, key)
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", list(row.values()))  # noqa: S608
    assert faults(folder) == []


@pytest.mark.parametrize("table", TABLES)
def test_rows_cannot_change_places(folder: Path, table: str) -> None:
    with database(folder) as connection:
        kept = rows(connection, table)
        place = " AND ".join(f"{name} = ?" for name in TABLES[table])
        columns = [name for name in kept[0] if name not in TABLES[table]]
        for left, right in pairwise(kept):
            if [left[name] for name in columns] == [right[name] for name in columns]:
                continue
            exchange(connection, table, place, left, right, columns)
            assert faults(folder), (left, right)
            for row in (left, right):
                restore(connection, table, row)
    assert faults(folder) == []


def exchange(
    connection: sqlite3.Connection,
    table: str,
    place: str,
    left: dict[str, Any],
    right: dict[str, Any],
    columns: list[str],
) -> None:
    for row in (left, right):
        connection.execute(f"DELETE FROM {table} WHERE {place}", [row[name] for name in TABLES[table]])  # noqa: S608
    for row, other in ((left, right), (right, left)):
        mixed = {**row, **{name: other[name] for name in columns}}
        restore(connection, table, mixed)


def restore(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", list(row.values()))  # noqa: S608


@pytest.mark.parametrize(
    "table", ["counters", "reservations", "entries", "nodes", "checkpoints", "certificates", "meta"]
)
def test_no_row_can_be_added(folder: Path, table: str) -> None:
    with database(folder) as connection:
        row = rows(connection, table)[-1]
        for name, value in row.items():
            if name in TABLES[table] or name in ("closes", "request_key", "code_hash"):
                row[name] = value + 1 if isinstance(value, int) else None if value is None else "other"
        restore(connection, table, row)
    assert faults(folder)


def test_the_shown_checkpoint_can_neither_be_changed_nor_removed_nor_put_back(
    folder: Path, whole: Path
) -> None:
    shown = folder / "log" / "checkpoint"
    note = shown.read_text()
    with database(folder) as connection:
        older = rows(connection, "checkpoints")[-2]["note"]
    for text in (note.replace("example", "exemple"), note[:-5] + "AAA=\n", "", older):
        shown.write_text(text)
        assert faults(folder)
    shown.unlink()
    assert faults(folder)


def test_an_older_database_under_a_newer_shown_checkpoint_is_found_and_nothing_more_is_signed(
    tmp_path: Path,
) -> None:
    registry = create(tmp_path)
    issue(registry, "r1")
    registry.close()
    shutil.copy(tmp_path / "registry.sqlite3", tmp_path / "backup")
    registry = reopen(tmp_path)
    issue(registry, "r2")
    registry.close()
    shutil.copy(tmp_path / "backup", tmp_path / "registry.sqlite3")
    assert "entry_missing" in faults(tmp_path)
    with pytest.raises(RegistryError) as refused:
        issue(reopen(tmp_path), "r3")
    assert refused.value.code == "registry_damaged"


def test_a_chain_certificate_is_kept_once(folder: Path) -> None:
    with database(folder) as connection:
        assert sorted(row["der"] for row in rows(connection, "certificates")) == sorted(CHAIN)


def test_pages_do_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in (1, 3, 4, 5):
        monkeypatch.setattr("signsvc.registry.audit.PAGE", page)
        assert faults(folder) == []
