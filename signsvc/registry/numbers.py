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

from sqlalchemy import Connection, RowMapping, select

from signsvc.errors import RegistryError
from signsvc.models import OfficeId
from signsvc.registry import counters, log
from signsvc.registry.book import Book
from signsvc.registry.counters import Place
from signsvc.registry.match import Mark, MatchKey, same
from signsvc.registry.records import VOIDED, Claim, NewEntry, Reservation, stamp, voided_entry
from signsvc.registry.schema import entries, reservations, slices, standings, typed
from signsvc.registry.writes import put, take

REQUEST_CHANGED = "request_changed"
_REASON = re.compile(r"[a-z_]{1,40}(:[a-z_]{1,40})?")


@dataclass
class Desk:
    """One transaction's view of numbers: what is read once, and what is to be written."""

    book: Book
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
        self.voided.append(_voided(self.book, held, REQUEST_CHANGED, self.at))
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
    """A number for each claim. Part of a larger transaction; a few statements and rows each, whatever the size.

    RegistryError if a counter leads to a number that was used before.
    """
    held = open_reservations(connection, book.key, [claim.mark.request_key for claim in claims])
    last = counters.read(connection)
    desk = Desk(book, at, held, dict(last))
    taken = [desk.take(claim) for claim in claims]
    _check_unused(connection, [item.number for item in desk.fresh.values()])
    release(connection, sorted(desk.gone))
    _write(connection, desk)
    counters.write(connection, dict(desk.last.items() - last.items()))
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
    log.append(connection, book.key, [_voided(book, held, reason, at) for held, reason in mine.values()])
    return [held for held, _ in mine.values()]


def release(connection: Connection, request_keys: Sequence[str]) -> None:
    """Take reservations off the table: their numbers are used up in this same transaction."""
    take(connection, reservations.c.request_key, request_keys)


def reservation(row: Mapping[Any, Any]) -> Reservation:
    """The reservation in a row."""
    mark = Mark(row["request_key"], row["content_key"])
    return Reservation(mark, OfficeId(row["office"]), row["year"], row["serial"], row["printed"])


def reservation_mac(key: MatchKey, row: Mapping[Any, Any]) -> str:
    """The keyed hash that guards a reservation's row."""
    columns = ("office", "year", "serial", "printed", "request_key", "content_key", "reserved_at")
    return key.tag("reservation", *(row[name] for name in columns))


def reservation_holds(key: MatchKey, row: RowMapping) -> bool:
    """Whether a reservation's row is as it was written."""
    return typed(reservations, row) and same(row["mac"], reservation_mac(key, row))


def _write(connection: Connection, desk: Desk) -> None:
    rows = []
    for item in desk.fresh.values():
        row = {name: value for name, value in vars(item).items() if name != "mark"}
        row |= {**vars(item.mark), "reserved_at": stamp(desk.at)}
        rows.append({**row, "mac": reservation_mac(desk.book.key, row)})
    put(connection, reservations, rows)


def _voided(book: Book, held: Reservation, reason: str, at: datetime) -> NewEntry:
    return voided_entry(held, reason, book.empty_box(VOIDED, held.number), at)


def _check_unused(connection: Connection, numbers: Sequence[str]) -> None:
    """That none of these numbers was issued or voided already, as far as any row still tells."""
    for part in slices(numbers):
        closed = select(entries.c.number).where(entries.c.closes.in_(part))
        stood = select(standings.c.number).where(standings.c.number.in_(part))
        if connection.execute(closed.union_all(stood).limit(1)).first() is not None:
            raise RegistryError(
                "登记库的编号计数退回到了已用编号：请运行 signsvc log verify", "registry_damaged"
            )


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
