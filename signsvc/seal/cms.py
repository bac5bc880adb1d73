"""The signature container (CMS): what the seal needs of a key, and a signer that keeps the key it was given."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pyhanko.sign.signers import Signer
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

DIGEST = "sha256"
# Stands where the digest will stand; 32 bytes that occur nowhere else.
_DIGEST_MARK = hashlib.sha256(b"the place of the digest").digest()


class SealKey(Protocol):
    """What the signer needs of a sealing key: its certificates, and that it signs (RSA PKCS#1 v1.5, SHA-256)."""

    @property
    def certificate(self) -> bytes:
        """DER of the leaf."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """DER of the CAs above it, without the root."""

    @property
    def holder(self) -> str:
        """The office's full name."""

    @property
    def place(self) -> str:
        """County and town, or empty."""

    @property
    def not_before(self) -> datetime:
        """Start of validity, with time zone."""

    @property
    def not_after(self) -> datetime:
        """End of validity, with time zone."""

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`."""


class KeySigner(Signer):
    """Signs with the key as it was loaded; the library's own signer parses the key again for every signature.

    Not to be shared between threads: its certificates parse themselves where they are first looked into.
    """

    def __init__(self, key: SealKey) -> None:
        chain = [asn1_x509.Certificate.load(item) for item in key.chain]
        super().__init__(
            signing_cert=asn1_x509.Certificate.load(key.certificate),
            cert_registry=SimpleCertificateStore.from_certs(chain),
            embed_roots=False,
        )
        self._key = key
        self._signature_bytes = public_key(key.certificate).key_size // 8

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """The raw signature; zeros of its length when only the size is wanted."""
        return bytes(self._signature_bytes) if dry_run else self._key.sign(data)

    async def draft(self, digest: bytes, timestamper: TimeStamper | None) -> cms.ContentInfo:
        """The container over `digest`, with zeros for the signature."""
        return await self.async_sign(digest, DIGEST, dry_run=True, use_pades=True, timestamper=timestamper)


@dataclass(frozen=True)
class Container:
    """A container without time stamp, in which only digest and signature change from one document to the next."""

    key: SealKey
    template: bytes  # DER
    attributes: bytes  # DER of the signed attributes in the template, as they are signed

    @classmethod
    def of(cls, key: SealKey) -> Container:
        """The container of `key`, built once by the library."""
        draft = asyncio.run(KeySigner(key).draft(_DIGEST_MARK, None))
        signer = draft["content"]["signer_infos"][0]
        return cls(key, draft.dump(), signer["signed_attrs"].untag().dump())

    def fill(self, digest: bytes) -> bytes:
        """The signed container over `digest`, the SHA-256 of the document."""
        signature = self.key.sign(self.attributes.replace(_DIGEST_MARK, digest))
        return self.template.replace(_DIGEST_MARK, digest).replace(bytes(len(signature)), signature)


def public_key(certificate: bytes) -> RSAPublicKey:
    """The RSA key that the DER `certificate` certifies."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("a seal certificate holds an RSA key")
    return key
