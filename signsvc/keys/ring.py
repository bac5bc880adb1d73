"""What a process holds once its keys are loaded. Frozen; no secret ever shows in a repr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from signsvc.errors import KeysError
from signsvc.models import OfficeId, Sha256, Standing

Key = TypeVar("Key")


class Role(StrEnum):
    """What a key is for. Each has its own key; the value is also the stem of its file."""

    SEAL = "seal"  # RSA-3072, one an office
    LOG = "log"  # Ed25519, signs checkpoints
    ARCHIVE = "archive"  # 32 bytes, wraps the data keys of the archived copies
    MATCH = "match"  # 32 bytes, keyed hashes of names and numbers
    RECEIPT = "receipt"  # Ed25519, signs the reports of the verification


@dataclass(frozen=True)
class SealCertificate:
    """The public half of an office's electronic seal (电子印章)."""

    office: OfficeId
    certificate: bytes = field(repr=False)  # DER of the leaf
    chain: tuple[bytes, ...] = field(repr=False)  # DER of the CAs above it, nearest first, without the root
    standing: Standing
    holder: str  # O of the subject: the office's full name
    place: str  # L of the subject: county and town; may be empty
    not_before: datetime  # UTC
    not_after: datetime  # UTC
    for_documents: (
        bool  # says itself that it is for signing documents, which checks with the root alone demand
    )
    sha256: Sha256  # of `certificate`


@dataclass(frozen=True)
class SealKey(SealCertificate):
    """An office's sealing key, already parsed: signing costs one RSA operation and nothing else.

    Its chain leads to one of the ring's roots; `not_before` and `not_after` are those between which every
    certificate on that way is valid.
    """

    private: RSAPrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 over `data` (RFC 8017 8.2)."""
        return self.private.sign(data, PKCS1v15(), SHA256())


@dataclass(frozen=True)
class KeyRing:
    """The keys of the roles asked for, and everything public. Asking for any other key is a KeysError."""

    certificates: Mapping[OfficeId, SealCertificate]
    seals: Mapping[OfficeId, SealKey]  # empty without Role.SEAL
    roots: tuple[bytes, ...]  # PEM certificates that seals must chain to
    tsa_roots: tuple[bytes, ...]  # PEM certificates that time stamps must chain to
    log_public: Ed25519PublicKey
    log_chain: tuple[bytes, ...]  # DER: the log's certificate, then its issuers; may be empty
    receipt_public: Ed25519PublicKey
    # Of keys that sign no more (`receipt-*.pub`), so that their receipts can still be verified.
    receipt_earlier: tuple[Ed25519PublicKey, ...] = ()
    log_private: Ed25519PrivateKey | None = field(default=None, repr=False)
    receipt_private: Ed25519PrivateKey | None = field(default=None, repr=False)
    secrets: Mapping[Role, bytes] = field(default_factory=dict, repr=False)  # ARCHIVE and MATCH

    @property
    def log(self) -> Ed25519PrivateKey:
        """Signs checkpoints of the log."""
        return _held(self.log_private, Role.LOG)

    @property
    def receipt(self) -> Ed25519PrivateKey:
        """Signs receipts."""
        return _held(self.receipt_private, Role.RECEIPT)

    @property
    def archive(self) -> bytes:
        """32 bytes that wrap the data keys of archived copies."""
        return _held(self.secrets.get(Role.ARCHIVE), Role.ARCHIVE)

    @property
    def match(self) -> bytes:
        """32 bytes for keyed hashes of names and numbers."""
        return _held(self.secrets.get(Role.MATCH), Role.MATCH)

    def seal(self, office: OfficeId) -> SealKey:
        """The sealing key of `office`."""
        return _held(self.seals.get(office), Role.SEAL, f"seal-{office}.key")


def _held(key: Key | None, role: Role, name: str = "") -> Key:
    if key is None:
        raise KeysError(f"没有载入密钥 {name or role + '.key'}：本进程未被授权使用，或尚未配置")
    return key
