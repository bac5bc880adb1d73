"""What is printed, and where the seal goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NewType

from signsvc.models.offices import Office
from signsvc.models.requests import IdType, Refuse

# `{office}-{printed number}`, as in `qh-demo-2026-000001`; the printed part alone stands in 证明第____号.
Number = NewType("Number", str)
DocxBytes = NewType("DocxBytes", bytes)
PdfBytes = NewType("PdfBytes", bytes)
SealedPdf = NewType("SealedPdf", bytes)
# Lower-case hexadecimal SHA-256.
Sha256 = NewType("Sha256", str)
# What a character is printed as: text (仿宋) or heading (小标宋).
Role = Literal["body", "title"]
# After a font family, asks for its bold face: `Noto Serif CJK SC:bold`.
BOLD = ":bold"


@dataclass(frozen=True)
class Draft:
    """A certificate before it is sealed: everything that is printed, and nothing else."""

    number: Number
    printed_number: str  # 2026-000001
    code: str  # verification code (查验码), 16 characters, no separators
    office: Office
    addressee: str
    name: str
    id_type: IdType
    id_number: str
    basis: str
    statement: str
    purpose: str
    valid_until: date
    issued_on: date
    verify_url: str  # the page where number and code are typed
    qr_url: str  # the QR's target


@dataclass(frozen=True)
class Notice:
    """A notice of refusal (不予出具告知单) before it is a file: everything that is printed, and nothing else."""

    number: Number  # `{office}-J-{code}`: no certificate's
    office: Office
    name: str
    matter: str  # the certificate asked for, in the words of the request
    addressee: str
    decision: Refuse
    issued_on: date


@dataclass(frozen=True)
class SealPlace:
    """Where the seal goes: `page` from 0, its centre in PDF points (1/72 inch) from the page's lower left corner."""

    page: int
    x: float
    y: float
