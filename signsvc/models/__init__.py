"""The nouns of signsvc: frozen dataclasses and NewTypes, nothing that does anything. Standard library only."""

from signsvc.models.certificates import Certificate, Outcome, Standing, Status
from signsvc.models.documents import (
    BOLD,
    DocxBytes,
    Draft,
    Notice,
    Number,
    PdfBytes,
    Role,
    SealedPdf,
    SealPlace,
    Sha256,
)
from signsvc.models.matters import Basis, BasisKind, Handling, Matter, Medium, Path, Slot
from signsvc.models.offices import Office, OfficeId, OfficeKind
from signsvc.models.requests import Decision, IdType, Issue, Refuse, Request

__all__ = [
    "BOLD",
    "Basis",
    "BasisKind",
    "Certificate",
    "Decision",
    "DocxBytes",
    "Draft",
    "Handling",
    "IdType",
    "Issue",
    "Matter",
    "Medium",
    "Notice",
    "Number",
    "Office",
    "OfficeId",
    "OfficeKind",
    "Outcome",
    "Path",
    "PdfBytes",
    "Refuse",
    "Request",
    "Role",
    "SealPlace",
    "SealedPdf",
    "Sha256",
    "Slot",
    "Standing",
    "Status",
]
