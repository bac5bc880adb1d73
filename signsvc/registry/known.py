"""Everything the registry knows of one certificate, as of one moment: what a verification asks for.

One transaction and, as a rule, one query, prepared once: the certificate's entries, each with the standing of its
number, the nodes beside its way up the tree, and the newest checkpoint. The nodes further up and the certificates of
the seal are asked for once and remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, bindparam, func, select

from signsvc import merkle
from signsvc.errors import RegistryError
from signsvc.models import Certificate
from signsvc.notes import Checkpoint
from signsvc.registry import log, seals, status
from signsvc.registry.book import Book
from signsvc.registry.database import Held, Prepared
from signsvc.registry.match import same
from signsvc.registry.proven import SIBLINGS
from signsvc.registry.records import ISSUED
from signsvc.registry.schema import Row, checkpoints, entries, typed
from signsvc.registry.standings import TOLD, checked
from signsvc.report import StatusEvent, certificate_of


@dataclass(frozen=True)
class Known:
    """A certificate, what became of it, and what vouches for both.

    `history` is in the order of the log, its issue first. `size` is that of the newest checkpoint, if everything known
    of the certificate is proven to be in the log under it; None if it is not: the log has not caught up, somebody wrote
    into the database, or the database is older than the shown checkpoint. That nothing else is known of it, as a
    revocation, rests on the match key alone: who has that key, or an older standing of its number to put back, can hide
    one until the audit.
    """

    certificate: Certificate
    history: tuple[StatusEvent, ...]
    size: int | None
    chain: tuple[bytes, ...] = field(
        repr=False
    )  # DER: its seal's certificate, then the issuers; empty where a proof bundle is all there is


def _by(column: Column[Any]) -> Prepared:
    """Every entry of the numbers of which one entry holds the given value."""
    asked = entries.alias()
    holding = select(asked.c.number).where(asked.c[column.name] == bindparam("value"))
    last = select(func.max(asked.c.idx)).scalar_subquery().label("last")
    newest = select(checkpoints.c.size).order_by(checkpoints.c.size.desc()).limit(1).scalar_subquery()
    told = TOLD.add_columns(last, checkpoints, *SIBLINGS).outerjoin(checkpoints, checkpoints.c.size == newest)
    return Prepared(told.where(entries.c.number.in_(holding)))


# By what a certificate can be found.
NUMBER, CODE, FILE, SIGNED = (
    _by(entries.c[name]) for name in ("closes", "code_hash", "sha256", "signed_sha256")
)


def find(book: Book, number: str, code: str) -> Known | None:
    """The certificate with this number, whole or as printed, and this code (normalised); None if either is wrong."""
    found = known(book, CODE, book.key.code_hash(code))
    return found if found and _fits(found.certificate.number, found.certificate.office, number) else None


def told(held: Held, book: Book, number: str, code: str) -> list[Row] | None:
    """Every entry of that certificate, its issue first."""
    rows = _issued(held, book, CODE, book.key.code_hash(code))
    return rows if rows and _fits(rows[0]["number"], rows[0]["clear"]["office"], number) else None


def known(book: Book, by: Prepared, value: str) -> Known | None:
    """The certificate that is found by `value`; None if there is none, and for a notice of refusal.

    RegistryError if anything of it was changed since it was written.
    """
    shown = _shown(book)  # before the transaction, so that what it shows is in the database by then
    with book.looking() as held:
        rows = _issued(held, book, by, value)
        return None if rows is None else _known(held, book, rows, shown)


def _issued(held: Held, book: Book, by: Prepared, value: str) -> list[Row] | None:
    """The entries of the certificate that is found by `value`, its issue first; None if there is none."""
    found = checked(book.key, by.rows(held, value=value))
    issued = [rows for rows in found.values() if rows[0]["kind"] == ISSUED]
    return issued[0] if issued else None


def _fits(whole: str, office: str, number: str) -> bool:
    """Whether `number`, in whichever case, is `whole`, or as it is printed: without the office."""
    asked, printed = number.casefold(), whole.removeprefix(f"{office}-")
    return same(asked, whole.casefold()) | same(asked, printed.casefold())


def _known(held: Held, book: Book, rows: Sequence[Row], shown: Checkpoint | None) -> Known:
    events = tuple(status.events(rows))
    record = rows[0]["clear"]
    return Known(
        certificate_of(record, rows[0]["idx"], events[-1]),
        events,
        _attested(held, book, rows, shown),
        seals.chain(held, book, (record["seal_certificate"], *record["seal_issuers"])),
    )


def _shown(book: Book) -> Checkpoint | None:
    try:
        return log.shown_checkpoint(book)
    except RegistryError:
        return None  # what is shown is not this log's: nothing is proven by it


def _attested(held: Held, book: Book, rows: Sequence[Row], shown: Checkpoint | None) -> int | None:
    """The size of the newest checkpoint if every entry is proven to lie under it; None otherwise."""
    head = rows[0]
    if shown is None or not typed(checkpoints, head):
        return None
    try:
        checkpoint = log.opened(head["note"], book.verifier)
        book.proven.check(held, checkpoint, rows)
    except (RegistryError, merkle.ProofError):
        return None
    return None if head["last"] + 1 < max(shown.size, checkpoint.size) else checkpoint.size
