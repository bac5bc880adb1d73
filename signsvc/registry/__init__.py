"""The registry (登记库): numbers, certificates, status events, and the tamper-evident log that binds them.

COMMIT POINT of issuing: `Registry.commit`. Before it a number is reserved and has no certificate; after it the
certificate exists, whether or not its caller lived to hear of it.

The database is trusted to be kept, not to be honest. Who can write to it and holds no key can make things unknown or
unusable, and what is answered is then an error or nothing; who kept rows from before a revocation can put them back,
and hide it until the audit. Who has the match key as well can forge answers about a certificate's status until the
audit, and use up numbers; nothing of theirs is signed into the log while those who write hold the archive key (`opens`
of `Registry.open`). Who can also replace the shown checkpoint can put everything back to an earlier day: witnesses,
who remember what they saw, find that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Column, Connection, inspect, select

from signsvc.errors import RegistryError
from signsvc.models import Certificate, Number, Sha256
from signsvc.notes import Checkpoint, NoteError, Verifier, verifier_of
from signsvc.proofs import Proof, write_bundle
from signsvc.registry import audit, entries, log, numbers, schema, status
from signsvc.registry.audit import Finding
from signsvc.registry.book import Book, Opens, get_meta, put_meta
from signsvc.registry.match import Mark, MatchKey
from signsvc.registry.records import (
    COPIED,
    ISSUED,
    Boxed,
    Claim,
    Conflict,
    Lost,
    NewCertificate,
    Recorded,
    Reservation,
    box_context,
    box_of,
    stamp,
)
from signsvc.registry.rows import issued_row
from signsvc.report import BEIJING, StatusEvent
from signsvc.statuses import Event

__all__ = [
    "COPIED",
    "ISSUED",
    "Boxed",
    "Claim",
    "Conflict",
    "Finding",
    "Lost",
    "Mark",
    "NewCertificate",
    "Recorded",
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
        if (log_folder / "checkpoint").exists():
            raise RegistryError("日志已存在：不能为同一日志另建登记库")
        engine = schema.connect(url)
        book = Book(engine, MatchKey(match_key), log_folder, _named(origin, log_key), log_key)
        log_folder.mkdir(parents=True, exist_ok=True)
        with schema.transaction(engine, write=True) as connection:
            if inspect(connection).has_table("meta"):
                raise RegistryError("登记库已存在，不再新建")
            schema.metadata.create_all(connection)
            created = stamp(datetime.now(BEIJING))
            facts = {
                "schema": schema.VERSION,
                "log": str(book.verifier),
                "created": created,
                "checkpoints": log.NO_TRAIL,
            }
            put_meta(connection, book.key, facts)
        log.publish(book)
        return cls(book)

    @staticmethod
    def exists(url: str) -> bool:
        """Whether there is a registry at `url`; nothing is made by asking."""
        if not schema.present(url):
            return False
        engine = schema.connect(url)
        try:
            with schema.reading(engine) as connection:
                return inspect(connection).has_table("meta")
        finally:
            engine.dispose()

    @classmethod
    def open(
        cls,
        url: str,
        log_folder: Path,
        match_key: bytes,
        log_key: Ed25519PrivateKey | None = None,
        opens: Opens | None = None,
    ) -> Registry:
        """The registry at `url`, read-only without log key; RegistryError if it is missing or under other keys.

        `opens(kind, number, box)` says whether a box was locked for this event (see `box_context`). With it nothing is
        signed into the log whose box does not open; without it whoever has the match key can have status events signed.
        """
        if not cls.exists(url):
            raise RegistryError("没有登记库：请先运行 signsvc init")
        engine, key = schema.connect(url), MatchKey(match_key)
        with schema.reading(engine) as connection:
            if get_meta(connection, key, "schema") != schema.VERSION:
                raise RegistryError("登记库的版本与本程序不符")
            verifier = Verifier.parse(get_meta(connection, key, "log"))
        if log_key is not None and verifier_of(verifier.name, log_key) != verifier:
            raise RegistryError("日志密钥不是本登记库的")
        return cls(Book(engine, key, log_folder, verifier, log_key, opens))

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
        with schema.reading(self._book.engine) as connection:
            return entries.recall(connection, self._book, marks)

    def reserve(self, claims: Sequence[Claim], at: datetime) -> list[Reservation | Lost]:
        """A number for each claim, in one transaction; Lost where another process has issued the request meanwhile.

        A request that holds a number keeps it. Refuses (RegistryError) when the log was tampered with, before any
        number is used.
        """
        with self._appending() as connection:
            known = entries.recall(connection, self._book, [claim.mark for claim in claims])
            fresh = [claim for claim, found in zip(claims, known, strict=True) if found is None]
            taken = iter(numbers.reserve(connection, self._book, fresh, at))
            return [next(taken) if found is None else Lost(found) for found in known]

    def commit(self, items: Sequence[NewCertificate], at: datetime) -> list[Certificate | Lost]:
        """COMMIT POINT: one transaction makes the certificates exist, in order; then the log is published.

        An item that another process overtook is Lost and spoils no other. An error after the commit (the log could not
        be shown) undoes nothing: running again recalls what was issued, and the next change shows it.
        """
        with self._appending() as connection:
            return entries.commit(connection, self._book, items, at)

    def void(self, voids: Sequence[tuple[Reservation, str]], at: datetime) -> list[Reservation]:
        """Void numbers for a reason each (an error code), in the log; returns those that were still held so."""
        with self._appending() as connection:
            return numbers.void(connection, self._book, voids, at)

    def change_status(
        self, number: Number, event: Event, reason: str, by: Number | None, box: bytes, at: datetime
    ) -> Certificate:
        """Suspend, resume, revoke or supersede; NotFound or StatusNotAllowed if it cannot be."""
        with self._appending() as connection:
            status.change(connection, self._book, number, event, reason, by, box, at)
            return entries.of_row(connection, self._book, issued_row(connection, self._book, number))

    def record_copy(self, number: Number, box: bytes, at: datetime) -> None:
        """Note in the log that the office's copy was given out again; the reason is in `box`."""
        with self._appending() as connection:
            status.record_copy(connection, self._book, number, box, at)

    def find(self, number: str, code: str) -> Certificate | None:
        """By number (whole, or as printed) and normalised code; an unknown number and a wrong code cost the same."""
        with schema.reading(self._book.engine) as connection:
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
        with schema.reading(self._book.engine) as connection:
            issued_row(connection, self._book, number)
            return status.histories(connection, self._book, [number])[number]

    def attested(self, number: str) -> int | None:
        """Size of the newest checkpoint, if everything known of this number is proven to be in the log under it.

        None if it is not: the log has not caught up, somebody wrote into the database, or the database is older than
        the shown checkpoint. That nothing else is known of the number, as a revocation, rests on the match key alone:
        who has that key, or an older standing of this number to put back, can hide one until the audit.
        """
        with schema.reading(self._book.engine) as connection:
            return log.attested(connection, self._book, number)

    def matches(self, number: str, claims: Mapping[str, str]) -> dict[str, bool]:
        """Match or no match of `name`, `id_number`, `statement` (normalised), `valid_until` (ISO); never the value."""
        with schema.reading(self._book.engine) as connection:
            return entries.matches(connection, self._book, number, claims)

    def box(self, number: str) -> bytes:
        """The encrypted box of an issued certificate; NotFound if there is none."""
        with schema.reading(self._book.engine) as connection:
            return box_of(issued_row(connection, self._book, number))

    def boxes(self) -> Iterator[Boxed]:
        """The box of every entry that has one, and the SHA-256 of issued files, for holding the archive against.

        Entries that were changed are left out: `audit` tells them.
        """
        with schema.reading(self._book.engine) as connection:
            yield from entries.boxes(connection, self._book)

    def seal_certificates(self) -> set[Sha256]:
        """SHA-256 of every certificate that a seal in this registry was made with or rests on."""
        with schema.reading(self._book.engine) as connection:
            return set(connection.execute(select(schema.certificates.c.sha256)).scalars())

    def seal_certificate(self, sha256: Sha256) -> bytes:
        """The DER of a certificate that a seal was made with; empty if it is not here."""
        table = schema.certificates.c
        with schema.reading(self._book.engine) as connection:
            return connection.execute(select(table.der).where(table.sha256 == sha256)).scalar() or b""

    def publish(self) -> Checkpoint:
        """Sign and show a checkpoint over all committed leaves; doing it again changes nothing."""
        return log.publish(self._book)

    def checkpoint(self) -> str:
        """The newest checkpoint as a signed note."""
        with schema.reading(self._book.engine) as connection:
            return log.newest(connection, self._book)[0]

    def inclusion(self, index: int) -> Proof:
        """The proof that leaf `index` is in the log as last published."""
        with schema.reading(self._book.engine) as connection:
            return log.inclusion(connection, self._book, index)

    def proof_bundle(self, number: str, code: str, chain: Sequence[bytes] = ()) -> str | None:
        """The proof bundle (JSON) for who knows number and code; None if either is wrong. `chain` is the log's
        certificate and its issuers (DER), if it has one."""
        with schema.reading(self._book.engine) as connection:
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
        with schema.reading(self._book.engine) as connection:
            return entries.by_column(connection, self._book, column, value)

    @contextmanager
    def _appending(self) -> Iterator[Connection]:
        """A write transaction on a log found sound; what it adds is published once it is committed."""
        if self._book.log_key is None:
            raise RegistryError("没有日志密钥，登记库只读")
        with schema.writing(self._book.engine) as connection:
            before = log.head(connection, self._book)
            yield connection
            whole = before.signed is not None and before.signed.size == log.size(connection)
        if not whole:
            self.publish()


def _named(origin: str, log_key: Ed25519PrivateKey) -> Verifier:
    try:
        return verifier_of(origin, log_key)
    except NoteError as error:
        raise RegistryError("日志名称不能为空，也不能含空格或加号") from error
