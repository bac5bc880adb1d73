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
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from signsvc.cosignatures import Witness
from signsvc.models import Certificate, Number, OfficeId, Sha256
from signsvc.notes import Checkpoint, Verifier
from signsvc.proofs import Entry, Proof, write_bundle
from signsvc.registry import (
    audit,
    database,
    entries,
    known,
    log,
    numbers,
    opening,
    refusals,
    seals,
    status,
    stops,
    tiles,
    witnessed,
)
from signsvc.registry.audit import Finding
from signsvc.registry.book import Book, Boxes
from signsvc.registry.known import Known
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
from signsvc.registry.stops import Stopped
from signsvc.statuses import Event
from signsvc.tiles import Tile

__all__ = [
    "COPIED",
    "ISSUED",
    "REFUSED",
    "Boxed",
    "Boxes",
    "Claim",
    "Conflict",
    "Finding",
    "Known",
    "Lost",
    "Mark",
    "NewCertificate",
    "NewRefusal",
    "Recorded",
    "Refusal",
    "Registry",
    "Reservation",
    "Stopped",
    "box_context",
]


class Registry:
    """An open registry. Safe to use from several threads and processes at once; open it after forking, or close it
    before: a closed one opens its database again when it is asked.

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
        witnesses: Sequence[Witness] = (),
    ) -> Registry:
        """The registry at `url`, read-only without log key; RegistryError if it is missing or under other keys.

        With `boxes` nothing is signed into the log whose box does not open; without them whoever has the match key can
        have anything signed. Of cosignatures only those by `witnesses` are kept and handed out.
        """
        return cls(opening.open_book(url, log_folder, match_key, log_key, boxes, witnesses))

    @property
    def verifier(self) -> Verifier:
        """The public key of the log, by which checkpoints and proofs are checked."""
        return self._book.verifier

    @property
    def witnesses(self) -> Sequence[Witness]:
        """Whose cosignatures are handed out."""
        return self._book.witnesses

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

    def find(self, number: str, code: str) -> Known | None:
        """By number (whole, or as printed) and normalised code. Looked up by the code's keyed hash alone: an unknown
        number and a wrong code cost the same."""
        return known.find(self._book, number, code)

    def by_code(self, code: str) -> Known | None:
        """By normalised verification code alone: the QR's target."""
        return known.known(self._book, known.CODE, self._book.key.code_hash(code))

    def by_number(self, number: str) -> Known | None:
        """By whole number."""
        return known.known(self._book, known.NUMBER, number)

    def by_sha256(self, sha256: str) -> Known | None:
        """By the hash of the exact file."""
        return known.known(self._book, known.FILE, sha256)

    def by_signed_sha256(self, sha256: str) -> Known | None:
        """By the hash of the bytes that the seal covers."""
        return known.known(self._book, known.SIGNED, sha256)

    def stopped(self) -> list[Stopped]:
        """Every certificate that is suspended, revoked or superseded now, in the order of their issue.

        RegistryError if an entry was changed, moved or taken away, or one was issued before there was a `status_id`.
        Reads index and standing of every entry: some 5 µs each.
        """
        return stops.stopped(self._book)

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

    def publish(self) -> Checkpoint:
        """Sign and show a checkpoint over all committed leaves; doing it again changes nothing."""
        return log.publish(self._book)

    def checkpoint(self) -> str:
        """The newest checkpoint as a signed note, with the cosignatures of its `witnesses` if it has any."""
        with self._publishing() as (_, (note, _checkpoint)):
            return note

    def tile(self, wanted: Tile) -> bytes | None:
        """The hashes of a tile; None if the published log does not reach so far."""
        with self._publishing() as (connection, (_, checkpoint)):
            return tiles.tile(connection, wanted) if wanted.within(checkpoint.size) else None

    def bundle(self, wanted: Tile) -> bytes | None:
        """What the leaves under a tile of level 0 commit to, each after its length in 16 bits; None as above."""
        with self._publishing() as (connection, (_, checkpoint)):
            return tiles.bundle(connection, self._book, wanted) if wanted.within(checkpoint.size) else None

    def inclusion(self, index: int) -> Proof:
        """The proof that leaf `index` is in the log: under the cosigned checkpoint if it reaches as far, or under the
        newest."""
        with self._book.reading() as connection:
            [proof] = witnessed.inclusions(connection, self._book, [index])
            return proof

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the log's first `old` leaves begin its first `new` (RFC 6962 2.1.2)."""
        with self._book.reading() as connection:
            return witnessed.consistency(connection, old, new)

    def keep_cosigned(self, note: str) -> str:
        """Keep the cosignatures by `witnesses` under this checkpoint, for those who ask for proofs, beside those that
        are kept for it already; the note with all of them. RegistryError if it is not this log's, or older than what
        is kept."""
        with self._book.reading() as connection:
            return witnessed.keep(connection, self._book, note)

    def proof_bundle(self, number: str, code: str, chain: Sequence[bytes] = ()) -> str | None:
        """The proof bundle (JSON) for who knows number and code; None if either is wrong. `chain` is the log's
        certificate and its issuers (DER), if it has one.

        It holds the issue and every change of status, under one checkpoint that reaches as far as the newest.
        """
        with self._book.reading() as connection:
            told = known.told(connection, self._book, number, code)
            if told is None:
                return None
            rows = [row for row in told if row["kind"] != COPIED]
            proofs = witnessed.inclusions(connection, self._book, [row["idx"] for row in rows])
            issue, *later = (
                Entry(json.loads(row["record"]), row["salt"], proof)
                for row, proof in zip(rows, proofs, strict=True)
            )
            return write_bundle(issue, later, chain)

    def audit(self) -> list[Finding]:
        """Hold everything against everything; an empty list, or notes only, is a whole registry."""
        return audit.audit(self._book)

    @contextmanager
    def _publishing(self) -> Iterator[tuple[Connection, witnessed.Noted]]:
        """A transaction that reads, and the log as it is published then."""
        before = log.shown_note(self._book)
        with self._book.reading() as connection:
            yield connection, witnessed.published(connection, self._book, before)
