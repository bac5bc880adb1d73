"""What goes into the registry and what comes out of it: the clear record, the private part, and the nouns around.

An entry commits to one canonical JSON *record*, whose `private` is the SHA-256 of the *private* part: JSON with a
salt of its own, so that it can be forgotten later without touching the log. Neither holds a plain name, identity
number, slot text or request_id; `box` is encrypted before it comes here.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from signsvc.errors import RegistryError
from signsvc.identity import status_digest, status_id
from signsvc.models import Certificate, Medium, Number, OfficeId, Sha256, Standing, Status
from signsvc.proofs import SALT_BYTES, canonical
from signsvc.registry.match import Mark, MatchKey, same
from signsvc.registry.schema import Row, entries, typed
from signsvc.report import BEIJING, StatusEvent, certificate_of
from signsvc.statuses import Event

ISSUED, VOIDED, COPIED, REFUSED = "issued", "voided", "copied", "refused"
CLOSING = (ISSUED, VOIDED)  # use up a certificate's number
FIRST = (*CLOSING, REFUSED)  # are the first of their number, which nothing else begins
# Fields of a record that hold a commitment to a personal value.
COMMITTED = ("name", "id_number", "statement")


@dataclass(frozen=True)
class Claim:
    """A wish for a number: `number_format` takes `year` and `serial`."""

    mark: Mark
    office: OfficeId
    number_format: str
    issued_on: date


@dataclass(frozen=True)
class Reservation:
    """A number set aside for a request; `printed` stands in 证明第____号."""

    mark: Mark
    office: OfficeId
    year: int
    serial: int
    printed: str

    @property
    def number(self) -> Number:
        return Number(f"{self.office}-{self.printed}")


@dataclass(frozen=True)
class NewCertificate:
    """A sealed certificate about to exist. What is secret in it is only hashed under the match key, never stored."""

    reservation: Reservation
    office_name: str
    office_phone: str
    matter: str
    statement_pattern: str
    purpose: str
    addressee: str
    legal_basis: str
    issued_on: date
    sealed_at: datetime
    valid_until: date
    holder: str  # first character + **
    medium: Medium
    policy: str
    policy_sha256: str  # which version of the policy pack, and
    edition: str  # of the retained list it was decided by
    demo: bool
    sha256: Sha256
    sm3: str
    signed_sha256: Sha256
    standing: Standing
    chain: tuple[bytes, ...] = field(repr=False)  # DER: the seal's certificate, then its issuers
    code: str = field(repr=False)  # secret: verification code, normalised
    name: str = field(repr=False)  # secret: full name, normalised
    id_number: str = field(repr=False)  # secret: normalised
    statement: str = field(repr=False)  # secret: printed 证明事项
    box: bytes = field(repr=False)  # encrypted by the caller


@dataclass(frozen=True)
class Recorded:
    """An issued certificate with its encrypted box."""

    certificate: Certificate
    box: bytes = field(repr=False)


@dataclass(frozen=True)
class Conflict:
    """The request_id was issued before, under this number, with other content."""

    number: Number


@dataclass(frozen=True)
class Lost:
    """Another process was first. `known` is what it issued; None if the number was voided or the request changed
    meanwhile, and running again settles it."""

    known: Recorded | Conflict | None


@dataclass(frozen=True)
class Boxed:
    """An entry's encrypted box, and what it belongs to; `sha256` is its file's, None for later events.

    `edition` is the version of a retained list that the entry names, blank if none; `on` its day, YYYY-MM-DD.
    """

    kind: str
    number: Number
    sha256: Sha256 | None
    edition: str
    on: str
    box: bytes = field(repr=False)


@dataclass(frozen=True)
class NewEntry:
    """An entry before it has its place in the log."""

    kind: str
    number: Number
    record: Mapping[str, Any]
    private: Mapping[str, str]
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(SALT_BYTES))

    def row(self, index: int, key: MatchKey) -> dict[str, Any]:
        """The row at `index`: texts, copies for looking up, and the keyed hash that guards them."""
        private = canonical({"salt": secrets.token_hex(SALT_BYTES), **self.private})
        digest = sha256(private.encode()).hexdigest()
        common = {"v": 1, "kind": self.kind, "number": self.number, "private": digest}
        record = canonical({**self.record, **common})
        return {
            "idx": index,
            "salt": self.salt,
            "record": record,
            "private": private,
            "mac": entry_mac(key, index, self.salt, record, private),
            **copies(json.loads(record), self.private),
        }


def entry_mac(key: MatchKey, index: int, salt: bytes, record: str, private: str) -> str:
    """The keyed hash of an entry: its place, and everything that its other columns are copied from."""
    return key.tag("entry", index, salt, record, private)


def copies(record: Mapping[str, Any], private: Mapping[str, Any]) -> dict[str, Any]:
    """What the look-up columns of an entry must hold."""
    issued = record["kind"] == ISSUED
    return {
        "kind": record["kind"],
        "number": record["number"],
        "closes": record["number"] if record["kind"] in FIRST else None,
        # A notice leaves its request free to be issued some day: it is found by its number alone.
        "request_key": private["request_key"] if issued else None,
        "code_hash": private["code_hash"] if issued else None,
        "sha256": record["sha256"] if record["kind"] in (ISSUED, REFUSED) else None,
        "signed_sha256": record["signed_sha256"] if issued else None,
    }


def stamp(at: datetime) -> str:
    """RFC 3339 in Beijing time, to the second; ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(BEIJING).isoformat(timespec="seconds")


def pack(box: bytes) -> str:
    """An encrypted box as text of the private part."""
    return base64.b64encode(box).decode("ascii")


def issued_entry(item: NewCertificate, key: MatchKey, at: datetime) -> NewEntry:
    """The entry of an issued certificate."""
    secret = {name: getattr(item, name) for name in COMMITTED}
    salt = secrets.token_bytes(SALT_BYTES)
    seal = [sha256(der).hexdigest() for der in item.chain]
    listed = status_id(item.reservation.number, item.code)
    record = {
        **_place(item.reservation),
        **{name: getattr(item, name) for name in _PLAIN},
        "issued_on": item.issued_on.isoformat(),
        "valid_until": item.valid_until.isoformat(),
        "sealed_at": stamp(item.sealed_at),
        "registered_at": stamp(at),
        "seal_certificate": seal[0],
        "seal_issuers": seal[1:],
        "status_digest": status_digest(listed),
        "commitments": {name: key.commitment(salt, name, value) for name, value in secret.items()},
    }
    mark = item.reservation.mark
    private = {
        **vars(mark),
        "code_hash": key.code_hash(item.code),
        "status_id": listed,
        "box": pack(item.box),
    }
    return NewEntry(ISSUED, item.reservation.number, record, private, salt)


def voided_entry(held: Reservation, reason: str, box: bytes, at: datetime) -> NewEntry:
    """The entry of a number that came to nothing (作废)."""
    record = {**_place(held), "reason": reason, "registered_at": stamp(at)}
    return NewEntry(VOIDED, held.number, record, {**vars(held.mark), "box": pack(box)})


def certificate(row: Row, history: list[StatusEvent]) -> Certificate:
    """The certificate in an issued entry's row; `history` begins with its issue."""
    return certificate_of(row["clear"], row["idx"], history[-1])


def box_of(row: Row) -> bytes:
    """The encrypted box in an entry's private part; one that was forged without any is empty, and opens for nobody."""
    try:
        return base64.b64decode(json.loads(row["private"])["box"])
    except (KeyError, TypeError, ValueError):
        return b""


def box_context(kind: str, number: str) -> bytes:
    """What a box is locked for, so that it opens for no other kind of event and no other number."""
    return f"{kind} {number}".encode()


def clear(row: Row, key: MatchKey) -> dict[str, Any] | None:
    """The record of an entry every column of which is as it was written; None for any other."""
    try:
        mac = entry_mac(key, row["idx"], row["salt"], row["record"], row["private"])
        if not (typed(entries, row) and same(mac, row["mac"])):
            return None
        record, private = json.loads(row["record"]), json.loads(row["private"])
        copied = all(row[name] == value for name, value in copies(record, private).items())
        bound = record["private"] == sha256(row["private"].encode()).hexdigest()
        return dict(record) if copied and bound else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def guard(row: Row, key: MatchKey) -> Row:
    """The row as it is, and its record read, as `clear`; RegistryError if anything in it was changed since it was
    written."""
    record = clear(row, key)
    if record is None:
        raise RegistryError("登记库中有条目被改动，已停止使用：请运行 signsvc log verify", "registry_damaged")
    return {**row, "clear": record}


def status_after(kind: str) -> Status:
    """The status that an entry of this kind leaves behind."""
    return Status.ISSUED if kind == Event.RESUME else Status(kind)


def _place(held: Reservation) -> dict[str, Any]:
    return {"office": held.office, "year": held.year, "serial": held.serial, "printed": held.printed}


_PLAIN = (
    "office_name",
    "office_phone",
    "matter",
    "statement_pattern",
    "purpose",
    "addressee",
    "legal_basis",
    "holder",
    "medium",
    "policy",
    "policy_sha256",
    "edition",
    "demo",
    "sha256",
    "sm3",
    "signed_sha256",
    "standing",
)
