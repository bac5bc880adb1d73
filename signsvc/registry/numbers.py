"""Certificate numbers (编号): reserved from 1 per office and year without a gap, then issued or voided, never reused.

A reservation belongs to a request. Whoever retries the request takes it up again, in whichever process; with another
office or year the old number is voided, for it is printed nowhere that counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, tuple_

from signsvc.errors import RegistryError
from signsvc.models import OfficeId
from signsvc.registry import log
from signsvc.registry.book import Book
from signsvc.registry.match import Mark, MatchKey, same
from signsvc.registry.records import Claim, NewEntry, Reservation, stamp, voided_entry
from signsvc.registry.schema import counters, reservations, slices, typed

REQUEST_CHANGED = "request_changed"
_REASON = re.compile(r"[a-z_]{1,40}(:[a-z_]{1,40})?")
Place = tuple[str, int]


@dataclass
class Desk:
    """One transaction's view of numbers: what is read once, and what is to be written."""

    key: MatchKey
    at: datetime
    held: dict[str, Reservation]
    last: dict[Place, int]
    gone: set[str] = field(default_factory=set)  # request keys whose rows are replaced or leave
    fresh: dict[str, Reservation] = field(default_factory=dict)
    voided: list[NewEntry] = field(default_factory=list)

    def take(self, claim: Claim) -> Reservation:
        """The number of this claim: the one it holds already, or the next."""
        held = self.held.get(claim.mark.request_key)
        if held is None:
            return self._keep(self._next(claim))
        if held.mark == claim.mark and _place(held) == _wanted(claim):
            return held
        self.gone.add(claim.mark.request_key)
        if _place(held) == _wanted(claim):
            return self._keep(Reservation(claim.mark, held.office, held.year, held.serial, held.printed))
        self.voided.append(voided_entry(held, REQUEST_CHANGED, self.at))
        return self._keep(self._next(claim))

    def _next(self, claim: Claim) -> Reservation:
        place = _wanted(claim)
        serial = self.last[place] = self.last.get(place, 0) + 1
        return Reservation(claim.mark, claim.office, place[1], serial, _printed(claim, serial))

    def _keep(self, reservation: Reservation) -> Reservation:
        self.held[reservation.mark.request_key] = self.fresh[reservation.mark.request_key] = reservation
        return reservation


def open_reservations(
    connection: Connection, key: MatchKey, request_keys: Sequence[str]
) -> dict[str, Reservation]:
    """What is reserved for these requests; RegistryError if such a row was changed."""
    found = {}
    for part in slices(request_keys):
        query = select(reservations).where(reservations.c.request_key.in_(part))
        for row in connection.execute(query).mappings():
            if not reservation_holds(key, row):
                raise RegistryError("登记库中有预留编号被改动：请运行 signsvc log verify", "registry_damaged")
            found[row["request_key"]] = reservation(row)
    return found


def reserve(connection: Connection, book: Book, claims: Sequence[Claim], at: datetime) -> list[Reservation]:
    """A number for each claim. Part of a larger transaction; four statements and a few rows each, whatever the size."""
    held = open_reservations(connection, book.key, [claim.mark.request_key for claim in claims])
    places = sorted({_wanted(claim) for claim in claims})
    desk = Desk(book.key, at, held, _last(connection, book.key, places))
    before = dict(desk.last)
    taken = [desk.take(claim) for claim in claims]
    release(connection, sorted(desk.gone))
    _write(connection, desk)
    moved = {place: last for place, last in desk.last.items() if before.get(place) != last}
    _write_counters(connection, book.key, moved, before)
    log.append(connection, book.key, desk.voided)
    return taken


def void(
    connection: Connection, book: Book, voids: Sequence[tuple[Reservation, str]], at: datetime
) -> list[Reservation]:
    """Void numbers with their reasons (codes, no free text); those no longer held as given are left alone."""
    for _, reason in voids:
        if not _REASON.fullmatch(reason):
            raise ValueError("a reason for voiding is a code")
    standing = open_reservations(connection, book.key, [held.mark.request_key for held, _ in voids])
    mine = {
        held.mark.request_key: (held, reason)
        for held, reason in voids
        if standing.get(held.mark.request_key) == held
    }
    release(connection, list(mine))
    log.append(connection, book.key, [voided_entry(held, reason, at) for held, reason in mine.values()])
    return [held for held, _ in mine.values()]


def release(connection: Connection, request_keys: Sequence[str]) -> None:
    """Take reservations off the table: their numbers are used up in this same transaction."""
    for part in slices(request_keys):
        connection.execute(delete(reservations).where(reservations.c.request_key.in_(part)))


def reservation(row: Mapping[Any, Any]) -> Reservation:
    """The reservation in a row."""
    mark = Mark(row["request_key"], row["content_key"])
    return Reservation(mark, OfficeId(row["office"]), row["year"], row["serial"], row["printed"])


def reservation_mac(key: MatchKey, row: Mapping[Any, Any]) -> str:
    """The keyed hash that guards a reservation's row."""
    columns = ("office", "year", "serial", "printed", "request_key", "content_key", "reserved_at")
    return key.tag("reservation", *(row[name] for name in columns))


def counter_mac(key: MatchKey, office: str, year: int, last: int) -> str:
    """The keyed hash that guards a counter's row."""
    return key.tag("counter", office, year, last)


def reservation_holds(key: MatchKey, row: RowMapping) -> bool:
    """Whether a reservation's row is as it was written."""
    return typed(reservations, row) and same(row["mac"], reservation_mac(key, row))


def counter_holds(key: MatchKey, row: RowMapping) -> bool:
    """Whether a counter's row is as it was written."""
    return typed(counters, row) and same(
        row["mac"], counter_mac(key, row["office"], row["year"], row["last"])
    )


def _write(connection: Connection, desk: Desk) -> None:
    rows = []
    for item in desk.fresh.values():
        row = {name: value for name, value in vars(item).items() if name != "mark"}
        row |= {**vars(item.mark), "reserved_at": stamp(desk.at)}
        rows.append({**row, "mac": reservation_mac(desk.key, row)})
    if rows:
        connection.execute(insert(reservations), rows)


def _last(connection: Connection, key: MatchKey, places: Sequence[Place]) -> dict[Place, int]:
    last = {}
    for part in slices(places):
        query = select(counters).where(tuple_(counters.c.office, counters.c.year).in_(part))
        for row in connection.execute(query).mappings():
            if not counter_holds(key, row):
                raise RegistryError("登记库的编号计数被改动：请运行 signsvc log verify", "registry_damaged")
            last[row["office"], row["year"]] = row["last"]
    return last


def _write_counters(
    connection: Connection, key: MatchKey, moved: Mapping[Place, int], before: Mapping[Place, int]
) -> None:
    for part in slices([place for place in moved if place in before]):
        connection.execute(delete(counters).where(tuple_(counters.c.office, counters.c.year).in_(part)))
    rows = [
        {"office": office, "year": year, "last": last, "mac": counter_mac(key, office, year, last)}
        for (office, year), last in moved.items()
    ]
    if rows:
        connection.execute(insert(counters), rows)


def _place(held: Reservation) -> Place:
    return held.office, held.year


def _wanted(claim: Claim) -> Place:
    return claim.office, claim.issued_on.year


def _printed(claim: Claim, serial: int) -> str:
    """The number as printed; a format that leaves out year or serial would print one number twice."""
    year = claim.issued_on.year
    try:
        printed = claim.number_format.format(year=year, serial=serial)
    except (LookupError, ValueError, AttributeError) as error:
        raise RegistryError("编号格式无法使用：应含 {year} 和 {serial}") from error
    if str(year) not in printed or str(serial) not in printed or len(printed) > 64:
        raise RegistryError("编号格式无法使用：应含 {year} 和 {serial}")
    return printed
