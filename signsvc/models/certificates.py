"""What was issued, and what became of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from signsvc.errors import Fault
from signsvc.models.documents import Number, Sha256
from signsvc.models.matters import Medium
from signsvc.models.offices import OfficeId


class Status(StrEnum):
    """Of a certificate in the registry. Expiry is not a status: it follows from valid_until."""

    ISSUED = "issued"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


class Standing(StrEnum):
    """How far a seal may be relied on (domain 2.14.5)."""

    DEMO = "demo"
    SELF_MANAGED = "self_managed"
    RECOGNISED = "recognised"


@dataclass(frozen=True)
class Certificate:
    """What the registry tells of an issued certificate: no full name, no identity number, no slot text."""

    office: OfficeId
    office_name: str
    office_phone: str
    number: Number
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
    demo: bool
    sha256: Sha256
    sm3: str
    signed_sha256: Sha256
    seal_certificate: Sha256  # of the leaf certificate's DER
    standing: Standing
    status: Status
    status_since: datetime
    index: int  # of its leaf in the log
    superseded_by: Number | None = None
    policy_sha256: str = ""  # of the policy pack as it was read; blank in records older than this field
    edition: str = ""  # of the retained list (保留清单): `list/number/digest`; likewise


@dataclass(frozen=True)
class Outcome:
    """What became of one request."""

    request_id: str
    status: str  # issued, unchanged, refused, failed
    number: Number | None = None
    code: str | None = None
    pdf: bytes | None = field(default=None, repr=False)
    sha256: Sha256 | None = None
    valid_until: date | None = None
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    ways: tuple[str, ...] = ()  # what can be done instead of what was refused
