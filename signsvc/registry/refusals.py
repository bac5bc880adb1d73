"""Notices of refusal (不予出具告知单): entries of their own kind, beside the certificates and never among them.

A notice is known by its number alone, which follows from its request: no serial, no verification code, no status. Its
clear record tells which rule refused and which item of which list was hit; who asked, and in what words, stands in the
encrypted box.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection

from signsvc.errors import RegistryError
from signsvc.models import Number, OfficeId, Sha256
from signsvc.registry import log
from signsvc.registry.book import Book
from signsvc.registry.match import Mark, MatchKey
from signsvc.registry.records import REFUSED, NewEntry, box_of, pack, stamp
from signsvc.registry.rows import rows_by
from signsvc.registry.schema import Row, entries

# Between office and code: no certificate is numbered so.
LETTER = "J"


@dataclass(frozen=True)
class NewRefusal:
    """A notice about to be recorded. `codes` and `listed` are the policy's words, never the request's."""

    mark: Mark
    office: OfficeId
    codes: tuple[str, ...]  # banned_matter
    listed: tuple[str, ...]  # items hit: 青民发〔2021〕103号附件2《…》第8项“婚姻状况证明”
    policy: str
    policy_sha256: str
    edition: str  # of the retained list
    issued_on: date
    sealed: bool
    sha256: Sha256
    box: bytes = field(repr=False)  # encrypted by the caller


@dataclass(frozen=True)
class Refusal:
    """A recorded notice: what the log tells of it."""

    number: Number
    office: OfficeId
    codes: tuple[str, ...]
    listed: tuple[str, ...]
    policy: str
    policy_sha256: str
    edition: str
    issued_on: date
    sealed: bool
    sha256: Sha256
    index: int  # of its leaf in the log
    box: bytes = field(repr=False)


def notice_number(key: MatchKey, mark: Mark, office: OfficeId) -> Number:
    """The same for the same request to the same office, whoever asks again."""
    return Number(f"{office}-{LETTER}-{key.notice_code(mark)}")


def find(connection: Connection, book: Book, numbers: Sequence[Number]) -> dict[Number, Refusal]:
    """The recorded ones of these notices."""
    rows = rows_by(connection, book, entries.c.closes, numbers)
    return {Number(row["number"]): _refusal(row) for row in rows if row["kind"] == REFUSED}


def by_sha256(connection: Connection, book: Book, sha256: str) -> Refusal | None:
    """The notice with this exact file."""
    rows = rows_by(connection, book, entries.c.sha256, [sha256])
    return next((_refusal(row) for row in rows if row["kind"] == REFUSED), None)


def record(connection: Connection, book: Book, items: Sequence[NewRefusal], at: datetime) -> list[Refusal]:
    """Write what is not recorded yet; returns what stands for each item. Part of the transaction that is the commit.

    RegistryError if a number belongs to another request already: two of them met by chance.
    """
    numbers = [notice_number(book.key, item.mark, item.office) for item in items]
    wanted = dict(zip(numbers, items, strict=True))
    rows = rows_by(connection, book, entries.c.closes, list(wanted))
    known = {Number(row["number"]): _mark(row) for row in rows}
    for number, item in zip(numbers, items, strict=True):
        if item.mark != known.get(number, wanted[number].mark):
            raise RegistryError(f"告知单编号 {number} 已属于另一申请：请换一个申请编号")
    fresh = [_entry(number, item, at) for number, item in wanted.items() if number not in known]
    log.append(connection, book.key, fresh)
    found = find(connection, book, numbers)
    return [found[number] for number in numbers]


def _entry(number: Number, item: NewRefusal, at: datetime) -> NewEntry:
    record = {
        "office": item.office,
        "codes": item.codes,
        "listed": item.listed,
        "policy": item.policy,
        "policy_sha256": item.policy_sha256,
        "edition": item.edition,
        "issued_on": item.issued_on.isoformat(),
        "sealed": item.sealed,
        "sha256": item.sha256,
        "registered_at": stamp(at),
    }
    return NewEntry(REFUSED, number, record, {**vars(item.mark), "box": pack(item.box)})


def _mark(row: Row) -> Mark | None:
    """Whose notice it is; None for what is no notice."""
    private = json.loads(row["private"])
    return Mark(private["request_key"], private["content_key"]) if row["kind"] == REFUSED else None


def _refusal(row: Row) -> Refusal:
    record = row["clear"]
    return Refusal(
        number=Number(record["number"]),
        office=OfficeId(record["office"]),
        codes=tuple(record["codes"]),
        listed=tuple(record["listed"]),
        policy=record["policy"],
        policy_sha256=record["policy_sha256"],
        edition=record["edition"],
        issued_on=date.fromisoformat(record["issued_on"]),
        sealed=record["sealed"],
        sha256=Sha256(record["sha256"]),
        index=row["idx"],
        box=box_of(row),
    )
