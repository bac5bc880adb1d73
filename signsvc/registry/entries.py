"""Issued certificates: the commit that makes them exist, and every way to find them again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from signsvc.models import Certificate, Number
from signsvc.registry import log, numbers, seals, status
from signsvc.registry.book import Book
from signsvc.registry.match import Mark, MatchKey, same
from signsvc.registry.records import (
    COMMITTED,
    Boxed,
    Conflict,
    Lost,
    NewCertificate,
    Recorded,
    box_of,
    certificate,
    clear,
    issued_entry,
)
from signsvc.registry.rows import issued_row, rows_by
from signsvc.registry.schema import SLICE, Row, entries, slices


def recall(connection: Connection, book: Book, marks: Sequence[Mark]) -> list[Recorded | Conflict | None]:
    """What is known of each request: issued with the same content, issued with other content, or nothing."""
    rows = rows_by(connection, book, entries.c.request_key, [mark.request_key for mark in marks])
    recorded = {
        row["request_key"]: item for row, item in zip(rows, _recorded(connection, book, rows), strict=True)
    }
    contents = {row["request_key"]: _content_key(row) for row in rows}
    return [
        _recalled(recorded.get(mark.request_key), contents.get(mark.request_key) == mark.content_key)
        for mark in marks
    ]


def _recalled(item: Recorded | None, same_content: bool) -> Recorded | Conflict | None:
    return item if item is None or same_content else Conflict(item.certificate.number)


def commit(
    connection: Connection, book: Book, items: Sequence[NewCertificate], at: datetime
) -> list[Certificate | Lost]:
    """Write certificates whose reservations still stand as given; the others are lost, and only they.

    Part of the transaction that is the commit point of issuing.
    """
    won = _standing(connection, book.key, items)
    seals.keep(connection, book.key, [der for item in won.values() for der in item.chain])
    numbers.release(connection, [item.reservation.mark.request_key for item in won.values()])
    log.append(connection, book.key, [issued_entry(item, book.key, at) for item in won.values()])
    known = recall(connection, book, [item.reservation.mark for item in items])
    return [
        entry.certificate if place in won and isinstance(entry, Recorded) else Lost(entry)
        for place, entry in enumerate(known)
    ]


def matches(connection: Connection, book: Book, number: str, claims: Mapping[str, str]) -> dict[str, bool]:
    """Whether each claim (`name`, `id_number`, `statement`; normalised) is what was certified; never the value."""
    row = issued_row(connection, book, number)
    record = row["clear"]
    known = {**record["commitments"], "valid_until": record["valid_until"]}
    if unknown := set(claims) - set(known):
        raise ValueError("no such claim: " + ", ".join(sorted(unknown)))
    given = {
        name: book.key.commitment(row["salt"], name, value) if name in COMMITTED else value
        for name, value in claims.items()
    }
    return {name: same(value, known[name]) for name, value in given.items()}


def boxes(connection: Connection, book: Book) -> Iterator[Boxed]:
    """The box of every entry, in the order of the log; memory stays flat."""
    last = -1
    query = select(entries).order_by(entries.c.idx).limit(SLICE)
    while page := connection.execute(query.where(entries.c.idx > last)).mappings().all():
        for row in page:
            record = clear(row, book.key)
            if record is not None:
                edition, at = str(record.get("edition", "")), str(record.get("registered_at", ""))
                number = Number(row["number"])
                yield Boxed(row["kind"], number, row["sha256"], edition, at[:10], box_of(row))
        last = page[-1]["idx"]


def _standing(
    connection: Connection, key: MatchKey, items: Sequence[NewCertificate]
) -> dict[int, NewCertificate]:
    """The items, by place, whose reservation is still theirs and whose code is nobody else's."""
    held = numbers.open_reservations(connection, key, [item.reservation.mark.request_key for item in items])
    taken = _taken_codes(connection, [key.code_hash(item.code) for item in items])
    won = {}
    for place, item in enumerate(items):
        code = key.code_hash(item.code)
        if held.get(item.reservation.mark.request_key) == item.reservation and code not in taken:
            del held[item.reservation.mark.request_key]
            taken.add(code)
            won[place] = item
    return won


def _taken_codes(connection: Connection, codes: Sequence[str]) -> set[str]:
    taken: set[str] = set()
    for part in slices(codes):
        query = select(entries.c.code_hash).where(entries.c.code_hash.in_(part))
        taken.update(connection.execute(query).scalars())
    return taken


def _recorded(connection: Connection, book: Book, rows: Sequence[Row]) -> list[Recorded]:
    histories = status.histories(connection, book, [row["number"] for row in rows])
    return [Recorded(certificate(row, histories[row["number"]]), box_of(row)) for row in rows]


def of_row(connection: Connection, book: Book, row: Row) -> Certificate:
    """The certificate in an issued entry's row, with its status now."""
    return certificate(row, status.histories(connection, book, [row["number"]])[row["number"]])


def _content_key(row: Row) -> str:
    return str(json.loads(row["private"])["content_key"])
