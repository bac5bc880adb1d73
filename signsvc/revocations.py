"""Whether a seal's certificate was in force when it sealed (RFC 5280 6.3, judged at the sealing time). Pure.

A certificate that expires or is revoked later takes nothing from what was sealed before: sealing is an act of one
moment. What was sealed from the day of the revocation on is not to be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from signsvc.certificates import MALFORMED, describe, is_ca

_SIGNING = (RSAPublicKey, EllipticCurvePublicKey)  # what CAs sign their lists with
# Since when certificates are revoked (UTC), by issuer (DER) and serial.
Revoked = Mapping[tuple[bytes, int], datetime]


class InForce(StrEnum):
    """What a seal's certificate, or one that vouches for it, was at the moment of sealing."""

    GOOD = "good"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    NOT_CHECKED = "not_checked"  # the certificate is not at hand, or cannot be read


@dataclass(frozen=True)
class Force:
    """How far a seal's certificate carries: from when, until when, and since when it is revoked, if it is (UTC)."""

    not_before: datetime
    not_after: datetime
    revoked: datetime | None

    def at(self, moment: datetime) -> InForce:
        """What it was at `moment`; on the very second of its revocation it is revoked."""
        if self.revoked is not None and moment >= self.revoked:
            return InForce.REVOKED
        if moment < self.not_before:
            return InForce.NOT_YET_VALID
        return InForce.GOOD if moment <= self.not_after else InForce.EXPIRED


def force(chain: Sequence[bytes], revoked: Revoked) -> Force | None:
    """The narrowest of a seal's certificate and its issuers (DER); None if there is none, or one cannot be read."""
    facts = [describe(der) for der in chain]
    begins = [item.not_before for item in facts if item.not_before]
    ends = [item.not_after for item in facts if item.not_after]
    if not facts or not len(begins) == len(ends) == len(facts):
        return None
    since = [revoked[item.listed] for item in facts if item.listed and item.listed in revoked]
    return Force(max(begins), min(ends), min(since, default=None))


def revocations(
    lists: Sequence[bytes], issuers: Sequence[x509.Certificate]
) -> dict[tuple[bytes, int], datetime]:
    """What the revocation lists (DER) say that one of `issuers` has signed; the others are left aside.

    ValueError for a list that cannot be read.
    """
    found: dict[tuple[bytes, int], datetime] = {}
    for der in lists:
        try:
            given = x509.load_der_x509_crl(der)
            if any(_signed(given, issuer) for issuer in issuers):
                found |= {(given.issuer.public_bytes(), item.serial_number): _since(item) for item in given}
        except MALFORMED as error:
            raise ValueError("the revocation list is malformed") from error
    return found


def _signed(given: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if given.issuer != issuer.subject or not is_ca(issuer) or not isinstance(key, _SIGNING):
        return False
    return given.is_signature_valid(key)


def _since(item: x509.RevokedCertificate) -> datetime:
    """The day of the revocation, or the earlier one from which the key is no longer trusted (RFC 5280 5.3.2)."""
    try:
        invalid = item.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        return item.revocation_date_utc
    return min(invalid, item.revocation_date_utc)
