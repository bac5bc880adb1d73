"""Certificates that are stopped (停用): suspended, revoked or superseded. What the public list is made from.

A list that leaves one out is worse than none. So it is not enough that the rows which are there are as they were
written: each place of the log must hold an entry, each number's entries must be those that its standing stands for, and
of every number with more than one the entries themselves are checked. Then no event was taken away, moved or disguised,
but by what can deceive a single answer too (see `Known`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, select

from signsvc.errors import RegistryError
from signsvc.models import Status
from signsvc.registry import log, status
from signsvc.registry.book import Book
from signsvc.registry.records import ISSUED
from signsvc.registry.schema import Row, entries, slices, standings
from signsvc.registry.standings import holds, told
from signsvc.registry.treenodes import DAMAGED


@dataclass(frozen=True)
class Stopped:
    """A certificate by its `status_id` (see identity.status_id), its status, why (a key of the public list) and since
    when."""

    status_id: str
    status: Status
    reason: str
    since: datetime


_PLACES = (
    select(entries.c.number, entries.c.idx, standings.c.mac)
    .select_from(entries.outerjoin(standings, entries.c.number == standings.c.number))
    .order_by(entries.c.number, entries.c.idx)
)


def stopped(book: Book) -> list[Stopped]:
    """Every stopped certificate, in the order of their issue; RegistryError if that cannot be told for certain."""
    shown = log.shown_checkpoint(book)  # before the transaction: what it shows is in the database by then
    with book.reading() as connection:
        several = list(_several(connection, book, shown.size if shown else 0))
        found = (
            item
            for part in slices(several)
            for rows in told(connection, book.key, part).values()
            if (item := _stopped(rows))
        )
        return [item for _, item in sorted(found, key=itemgetter(0))]


def _several(connection: Connection, book: Book, published: int) -> Iterator[str]:
    """The numbers with more than one entry, once every place and every standing was found whole."""
    count, last = 0, -1
    for number, rows in groupby(connection.execute(_PLACES), key=itemgetter(0)):
        places = [(row[1], row[2]) for row in rows]
        indexes = [index for index, _ in places]
        if not holds(book.key, number, indexes, places[0][1]):
            raise _damaged()
        count, last = count + len(indexes), max(last, indexes[-1])
        if len(indexes) > 1:
            yield number
    if count != last + 1 or count < published:
        raise _damaged()


def _stopped(rows: list[Row]) -> tuple[int, Stopped] | None:
    """What the list says of one certificate, after the index of its issue; None if it is not stopped."""
    if rows[0]["kind"] != ISSUED:
        return None
    now = status.events(rows)[-1]
    if now.status is Status.ISSUED:
        return None
    name = json.loads(rows[0]["private"]).get("status_id")
    if name is None:
        raise RegistryError("登记库中有早期版本出具的证明，无法列入停用清单", "registry_outdated")
    return rows[0]["idx"], Stopped(name, now.status, now.reason, now.at)


def _damaged() -> RegistryError:
    return RegistryError(DAMAGED, "registry_damaged")
