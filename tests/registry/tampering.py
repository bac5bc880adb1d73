"""What somebody who can write to the database does to it: every cell, row and order of rows changed and put back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from registry.samples import MATCH_KEY, url_in

from signsvc.models import Number
from signsvc.registry import counters, log
from signsvc.registry import database as opened
from signsvc.registry.match import MatchKey
from signsvc.registry.records import NewEntry, pack

TABLES = {
    "meta": ["key"],
    "counters": ["office", "year"],
    "reservations": ["office", "year", "serial"],
    "entries": ["idx"],
    "standings": ["number"],
    "nodes": ["level", "idx"],
    "checkpoints": ["size"],
    "certificates": ["sha256"],
}
Tables = dict[str, list[dict[str, Any]]]


def database(folder: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(folder / "registry.sqlite3", isolation_level=None))


def rows(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    names = [item[0] for item in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def kinds(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row of each kind: of entry, of level in the tree; elsewhere every row is of its own kind."""
    return list({row.get("kind", row.get("level", n)): row for n, row in enumerate(found)}.values())


def mutations(value: Any) -> Iterator[Any]:
    """Other values for a cell: something near, something of another type, and something that is not there any more."""
    match value:
        case int():
            yield from (value + 1, value + 1000, -1, "abc", b"\xff", 0.5)
        case bytes():
            yield from (bytes([value[0] ^ 1]) + value[1:], value[:-1], value + b"\0", "abc", 7)
        case str():
            yield from (value[:-1] + chr(ord(value[-1]) ^ 1), value + " ", "zz", b"\xff", value.encode())
        case None:
            yield from ("0" * 64, b"\xff")
    if value is not None:
        yield None


def changes(connection: sqlite3.Connection, table: str) -> Iterator[tuple[list[Any], str, Any]]:
    """Make each mutation of each cell, tell of it (key, column, value), and take it back."""
    place = " AND ".join(f"{name} = ?" for name in TABLES[table])
    for row in kinds(rows(connection, table)):
        key = [row[name] for name in TABLES[table]]
        for column, value in row.items():
            for other in mutations(value):
                try:
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {place}", [other, *key])
                except sqlite3.IntegrityError:
                    continue  # the database itself refuses it
                yield key, column, other
                now = [other if name == column else row[name] for name in TABLES[table]]
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {place}", [value, *now])


def deletions(connection: sqlite3.Connection, table: str) -> Iterator[list[Any]]:
    """Delete each row, tell its key, and put it back."""
    place = " AND ".join(f"{name} = ?" for name in TABLES[table])
    for row in rows(connection, table):
        key = [row[name] for name in TABLES[table]]
        connection.execute(f"DELETE FROM {table} WHERE {place}", key)
        yield key
        restore(connection, table, row)


def swaps(connection: sqlite3.Connection, table: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Let each two neighbours change places, tell which, and put them back."""
    kept = rows(connection, table)
    place = " AND ".join(f"{name} = ?" for name in TABLES[table])
    columns = [name for name in kept[0] if name not in TABLES[table]]
    for left, right in pairwise(kept):
        if [left[name] for name in columns] == [right[name] for name in columns]:
            continue
        exchange(connection, table, place, left, right, columns)
        yield left, right
        for row in (left, right):
            restore(connection, table, row)


def exchange(
    connection: sqlite3.Connection,
    table: str,
    place: str,
    left: dict[str, Any],
    right: dict[str, Any],
    columns: list[str],
) -> None:
    for row in (left, right):
        connection.execute(f"DELETE FROM {table} WHERE {place}", [row[name] for name in TABLES[table]])
    for row, other in ((left, right), (right, left)):
        mixed = {**row, **{name: other[name] for name in columns}}
        restore(connection, table, mixed)


def restore(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", list(row.values()))


def forge(folder: Path, kind: str, number: Number, box: bytes) -> None:
    """By a thief of the match key: an entry in the registry's own form, not published yet."""
    record = {"office": "qh-demo", "reason": "other", "registered_at": "2026-11-21T12:00:00+08:00"}
    with opened.writing(opened.connect(url_in(folder))) as connection:
        log.append(connection, MatchKey(MATCH_KEY), [NewEntry(kind, number, record, {"box": pack(box)})])
        counters.renew(connection, MatchKey(MATCH_KEY), log.size(connection))


def kept(folder: Path) -> Tables:
    """Every row there is."""
    with database(folder) as connection:
        return {table: rows(connection, table) for table in TABLES}


def put_back(folder: Path, before: Tables) -> None:
    """Every row of these tables as it was, by somebody who kept them; no key is needed for that."""
    with database(folder) as connection:
        for table, found in before.items():
            connection.execute(f"DELETE FROM {table}")
            for row in found:
                marks = ", ".join("?" for _ in row)
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", list(row.values()))
