"""The registry (登记库): numbers, certificates, status events, notices of refusal, and the tamper-evident log that
binds them.

COMMIT POINT of issuing: `Registry.commit`. Before it a number is reserved and has no certificate; after it the
certificate exists, whether or not its caller lived to hear of it.

The database is trusted to be kept, not to be honest. Who can write to it and holds no key can make things unknown or
unusable, and what is answered is then an error or nothing; who kept rows from before a revocation can put them back,
and hide it until the audit; who does so before the revocation is published, while its process is killed, hides it from
the audit too. Who has the match key as well can forge answers about a certificate's status until the audit, and use up
numbers; nothing of theirs is signed into the log while those who write hold the archive key (`boxes` of
`Registry.open`). Who can also replace the shown checkpoint can put everything back to an earlier day: witnesses,
who remember what they saw, find that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Column

from signsvc.models import Certificate, Number, OfficeId, Sha256
from signsvc.notes import Checkpoint, Verifier
from signsvc.proofs import Proof, write_bundle
from signsvc.registry import audit, database, entries, log, numbers, opening, refusals, schema, seals, status
from signsvc.registry.audit import Finding
from signsvc.registry.book import Book, Boxes
from signsvc.registry.match import Mark
from signsvc.registry.records import (
    COPIED,
    ISSUED,
    REFUSED,
    Boxed,
    Claim,
    Conflict,
    Lost,
    NewCertificate,
    Recorded,
    Reservation,
    box_context,
    box_of,
)
from signsvc.registry.refusals import NewRefusal, Refusal
from signsvc.registry.rows import issued_row
from signsvc.report import StatusEvent
from signsvc.statuses import Event

__all__ = [
    "COPIED",
    "ISSUED",
    "REFUSED",
    "Boxed",
    "Boxes",
    "Claim",
    "Conflict",
    "Finding",
    "Lost",
    "Mark",
    "NewCertificate",
    "NewRefusal",
    "Recorded",
    "Refusal",
    "Registry",
    "Reservation",
    "box_context",
]


class Registry:
    """An open registry. Safe to use from several threads and processes at once; open it after forking.

    Every method may raise RegistryBusy (another process held the database for 30 seconds) and RegistryError (it
    failed, or was found changed: code `registry_damaged`).
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    @classmethod
    def create(
        cls, url: str, log_folder: Path, origin: str, match_key: bytes, log_key: Ed25519PrivateKey
    ) -> Registry:
        """A new registry at `url` (SQLAlchemy), its log named `origin`; RegistryError if there is one, or its log."""
        return cls(opening.create(url, log_folder, origin, match_key, log_key))

    @staticmethod
    def exists(url: str) -> bool:
        """Whether there is a registry at `url`; nothing is made by asking."""
        return opening.exists(url)

    @classmethod
    def open(
        cls,
        url: str,
        log_folder: Path,
        match_key: bytes,
        log_key: Ed25519PrivateKey | None = None,
        boxes: Boxes | None = None,
    ) -> Registry:
        """The registry at `url`, read-only without log key; RegistryError if it is missing or under other keys.

        With `boxes` nothing is signed into the log whose box does not open; without them whoever has the match key can
        have anything signed.
        """
        return cls(opening.open_book(url, log_folder, match_key, log_key, boxes))

    @property
    def verifier(self) -> Verifier:
        """The public key of the log, by which checkpoints and proofs are checked."""
        return self._book.verifier

    def close(self) -> None:
        """Let go of the database."""
        self._book.engine.dispose()

    def mark(self, request_id: str, content: Mapping[str, str]) -> Mark:
        """What the registry knows a request by. `request_id` is unique over all offices."""
        return self._book.key.mark(request_id, content)

    def recall(self, marks: Sequence[Mark]) -> list[Recorded | Conflict | None]:
        """What became of each request: issued with the same content, issued with other content, nothing yet."""
        with self._book.reading() as connection:
            return entries.recall(connection, self._book, marks)

    def reserve(self, claims: Sequence[Claim], at: datetime) -> list[Reservation | Lost]:
        """A number for each claim, in one transaction; Lost where another process has issued the request meanwhile.

        A request that holds a number keeps it. Refuses (RegistryError) when the log was tampered with, before any
        number is used.
        """
        with log.appending(self._book) as connection:
            known = entries.recall(connection, self._book, [claim.mark for claim in claims])
            fresh = [claim for claim, found in zip(claims, known, strict=True) if found is None]
            taken = iter(numbers.reserve(connection, self._book, fresh, at))
            return [next(taken) if found is None else Lost(found) for found in known]

    def commit(self, items: Sequence[NewCertificate], at: datetime) -> list[Certificate | Lost]:
        """COMMIT POINT: one transaction makes the certificates exist, in order; then the log is published.

        An item that another process overtook is Lost and spoils no other. An error after the commit (the log could not
        be shown) undoes nothing: running again recalls what was issued, and the next change shows it.
        """
        with log.appending(self._book) as connection:
            return entries.commit(connection, self._book, items, at)

    def void(self, voids: Sequence[tuple[Reservation, str]], at: datetime) -> list[Reservation]:
        """Void numbers for a reason each (an error code), in the log; returns those that were still held so."""
        with log.appending(self._book) as connection:
            return numbers.void(connection, self._book, voids, at)

    def change_status(
        self, number: Number, event: Event, reason: str, by: Number | None, box: bytes, at: datetime
    ) -> Certificate:
        """Suspend, resume, revoke or supersede; NotFound or StatusNotAllowed if it cannot be.

        Returns only when the certificate has that status, and the log that says so is published.
        """
        with log.appending(self._book) as connection:
            status.change(connection, self._book, number, event, reason, by, box, at)
            changed = entries.of_row(connection, self._book, issued_row(connection, self._book, number))
        database.wipe(self._book.engine)  # the older standing, by which the event could be hidden
        return changed

    def record_copy(self, number: Number, box: bytes, at: datetime) -> None:
        """Note in the log that the office's copy was given out again; the reason is in `box`."""
        with log.appending(self._book) as connection:
            status.record_copy(connection, self._book, number, box, at)

    def notice_number(self, mark: Mark, office: OfficeId) -> Number:
        """The number of this request's notice of refusal: always the same, and never a certificate's."""
        return refusals.notice_number(self._book.key, mark, office)

    def refusals(self, numbers: Sequence[Number]) -> dict[Number, Refusal]:
        """Those of these notices that are recorded."""
        with self._book.reading() as connection:
            return refusals.find(connection, self._book, numbers)

    def record_refusals(self, items: Sequence[NewRefusal], at: datetime) -> list[Refusal]:
        """COMMIT POINT of refusing: one transaction records the notices; where another process was first, its own."""
        with log.appending(self._book) as connection:
            return refusals.record(connection, self._book, items, at)

    def refusal_by_sha256(self, sha256: str) -> Refusal | None:
        """The notice of refusal whose exact file has this hash."""
        with self._book.reading() as connection:
            return refusals.by_sha256(connection, self._book, sha256)

    def find(self, number: str, code: str) -> Certificate | None:
        """By number (whole, or as printed) and normalised code; an unknown number and a wrong code cost the same."""
        with self._book.reading() as connection:
            return entries.find(connection, self._book, number, code)

    def by_code(self, code: str) -> Certificate | None:
        """By normalised verification code alone: the QR's target."""
        return self._by(schema.entries.c.code_hash, self._book.key.code_hash(code))

    def by_number(self, number: str) -> Certificate | None:
        """By whole number."""
        return self._by(schema.entries.c.closes, number)

    def by_sha256(self, sha256: str) -> Certificate | None:
        """By the hash of the exact file."""
        return self._by(schema.entries.c.sha256, sha256)

    def by_signed_sha256(self, sha256: str) -> Certificate | None:
        """By the hash of the bytes that the seal covers."""
        return self._by(schema.entries.c.signed_sha256, sha256)

    def history(self, number: str) -> list[StatusEvent]:
        """What happened to an issued certificate, its issue first; NotFound if there is none."""
        with self._book.reading() as connection:
            issued_row(connection, self._book, number)
            return status.histories(connection, self._book, [number])[number]

    def attested(self, number: str) -> int | None:
        """Size of the newest checkpoint, if everything known of this number is proven to be in the log under it.

        None if it is not: the log has not caught up, somebody wrote into the database, or the database is older than
        the shown checkpoint. That nothing else is known of the number, as a revocation, rests on the match key alone:
        who has that key, or an older standing of this number to put back, can hide one until the audit.
        """
        with self._book.reading() as connection:
            return log.attested(connection, self._book, number)

    def matches(self, number: str, claims: Mapping[str, str]) -> dict[str, bool]:
        """Match or no match of `name`, `id_number`, `statement` (normalised), `valid_until` (ISO); never the value."""
        with self._book.reading() as connection:
            return entries.matches(connection, self._book, number, claims)

    def box(self, number: str) -> bytes:
        """The encrypted box of an issued certificate; NotFound if there is none."""
        with self._book.reading() as connection:
            return box_of(issued_row(connection, self._book, number))

    def boxes(self) -> Iterator[Boxed]:
        """The box of every entry, and the SHA-256 of issued files, for holding the archive against.

        Entries that were changed are left out: `audit` tells them, and of a changed schema, which does not stop this.
        """
        with database.reading(self._book.engine) as connection:
            yield from entries.boxes(connection, self._book)

    def seal_certificates(self) -> set[Sha256]:
        """SHA-256 of every certificate that a seal here was made with or rests on; none that was changed."""
        with self._book.reading() as connection:
            return seals.names(connection, self._book.key)

    def seal_certificate(self, sha256: Sha256) -> bytes:
        """The DER of a certificate that a seal was made with; empty if it is not here, or was changed."""
        with self._book.reading() as connection:
            return seals.der(connection, self._book.key, sha256)

    def publish(self) -> Checkpoint:
        """Sign and show a checkpoint over all committed leaves; doing it again changes nothing."""
        return log.publish(self._book)

    def checkpoint(self) -> str:
        """The newest checkpoint as a signed note."""
        with self._book.reading() as connection:
            return log.newest(connection, self._book)[0]

    def inclusion(self, index: int) -> Proof:
        """The proof that leaf `index` is in the log as last published."""
        with self._book.reading() as connection:
            return log.inclusion(connection, self._book, index)

    def proof_bundle(self, number: str, code: str, chain: Sequence[bytes] = ()) -> str | None:
        """The proof bundle (JSON) for who knows number and code; None if either is wrong. `chain` is the log's
        certificate and its issuers (DER), if it has one."""
        with self._book.reading() as connection:
            certificate = entries.find(connection, self._book, number, code)
            if certificate is None:
                return None
            row = issued_row(connection, self._book, certificate.number)
            proof = log.inclusion(connection, self._book, row["idx"])
            return write_bundle(json.loads(row["record"]), row["salt"], proof, chain)

    def audit(self) -> list[Finding]:
        """Hold everything against everything; an empty list, or notes only, is a whole registry."""
        return audit.audit(self._book)

    def _by(self, column: Column[str], value: str) -> Certificate | None:
        with self._book.reading() as connection:
            return entries.by_column(connection, self._book, column, value)
