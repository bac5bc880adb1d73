"""Counters (编号计数): the last serial given out, per office and year, and what vouches for them.

A counter that is missing would begin at 1 again, an older one would give numbers out a second time, and so would a
reservation that was used up and is there again. So one fact of the registry stands for the size of the log, all
counters and all open reservations together. It is checked when a write transaction begins and renewed when it ends.
Who puts back what was there on an earlier day, together with the fact of that day, names a log that was shorter than
the one that is there now. The cost grows with offices, years and open reservations, not with certificates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, select

from signsvc.errors import RegistryError
from signsvc.registry.facts import get_fact, put_facts
from signsvc.registry.match import MatchKey
from signsvc.registry.schema import among, counters, packed, reservations, slices
from signsvc.registry.writes import put

Place = tuple[str, int]  # office and year
FACT = "numbers"


def stored(connection: Connection) -> list[tuple[Any, ...]]:
    """Office, year and last of every counter as they stand."""
    query = select(counters.c.office, counters.c.year, counters.c.last)
    return [tuple(row) for row in connection.execute(query.order_by(counters.c.office, counters.c.year))]


def fact(connection: Connection, size: int) -> str:
    """What stands for the numbers as they are: the size of the log, and a SHA-256 of counters and reservations."""
    held = connection.execute(select(reservations).order_by(reservations.c.request_key))
    # `ascii` tells types apart, whatever the database gives back.
    told = ascii((stored(connection), [tuple(row) for row in held]))
    return f"{size} {sha256(told.encode()).hexdigest()}"


def check(connection: Connection, key: MatchKey, size: int) -> None:
    """RegistryError unless the numbers are as the last writer left them, when the log held `size` entries."""
    if get_fact(connection, key, FACT) != fact(connection, size):
        raise RegistryError(
            "登记库的编号计数或预留编号缺失、被改动，或与日志不符：请运行 signsvc log verify",
            "registry_damaged",
        )


def renew(connection: Connection, key: MatchKey, size: int) -> None:
    """Let the fact stand for the numbers as they are now."""
    now = fact(connection, size)
    if get_fact(connection, key, FACT) != now:
        put_facts(connection, key, {FACT: now})


def read(connection: Connection) -> dict[Place, int]:
    """Every counter. They were checked when this transaction began."""
    return {(office, year): last for office, year, last in stored(connection)}


def write(connection: Connection, moved: Mapping[Place, int]) -> None:
    """Set the counters of these places."""
    _remove(connection, moved)
    rows = [{"office": office, "year": year, "last": last} for (office, year), last in moved.items()]
    put(connection, counters, rows)


def _remove(connection: Connection, places: Collection[Place]) -> None:
    named = delete(counters).where(among(counters.c.office, counters.c.year))
    for part in slices(list(places)):
        connection.execute(named, packed(part))
