"""What is asked for, and what is decided on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from signsvc.errors import Fault
from signsvc.models.matters import Matter, Path


class IdType(StrEnum):
    """Kinds of document a holder may show; the value is its printed name (domain 2.3)."""

    IDENTITY_CARD = "居民身份证"
    HK_MACAU_PERMIT = "港澳居民居住证"
    TAIWAN_PERMIT = "台湾居民居住证"
    FOREIGN_RESIDENT = "外国人永久居留身份证"
    PASSPORT = "护照"
    HOUSEHOLD_REGISTER = "户口簿"
    OTHER = "其他"


@dataclass(frozen=True)
class Request:
    """One row, normalised; whether it may be issued is not decided yet.

    `faults` are the row's own: it can never be issued with one, and a value that has a fault is blank here.
    """

    request_id: str
    office: str | None  # id or full name, as given
    matter: str
    addressee: str
    name: str
    id_type: IdType
    id_number: str
    valid_until: date  # inclusive, Beijing time
    verified_by: str
    verified_how: str  # 掌握信息 or 调查核实
    verified_on: date
    approved_by: str
    guardian: str | None = None
    guardian_relation: str | None = None
    guardian_consent: str | None = None
    statement: str | None = None
    slots: Mapping[str, str] = field(default_factory=dict)  # named slots, by their column
    legal_basis: str | None = None
    purpose: str | None = None
    issued_on: date | None = None  # None: today
    content: Mapping[str, str] = field(
        default_factory=dict
    )  # normalised cells as given: what "the same request" means
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Issue:
    """The decision: yes, with everything the form will say that comes from the catalogue."""

    matter: Matter
    basis: str  # printed 依据
    purpose: str
    statement: str  # printed 证明事项, slots filled
    statement_pattern: str  # the same with its slots as blanks, for whoever verifies
    policy: str  # document number of the pack in force that day
    policy_sha256: str = ""  # of the pack's files as they were read
    edition: str = ""  # of the catalogue: `list/number/digest`
    path: Path = Path.ORDINARY
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refuse:
    """The decision: no, and why, and where to go instead."""

    faults: tuple[Fault, ...]
    ways: tuple[str, ...] = ()  # alternatives, whoever may issue it, where to report an unreasonable demand
    notes: tuple[str, ...] = ()  # documents quoted whose validity is over
    policy: str = ""  # as in Issue
    policy_sha256: str = ""  # as in Issue
    edition: str = ""  # as in Issue


Decision = Issue | Refuse
