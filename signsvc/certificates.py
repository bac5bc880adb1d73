"""What makes an X.509 certificate one that may seal (RFC 5280): the rule by which keys are loaded and files judged.

Pure. Certificates come from anywhere: whatever a library raises over a malformed one, here it is a plain no.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

DEMO_MARK = "演示"
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # id-kp-documentSigning, RFC 9336
# Purposes that do not rule out sealing: see may_seal.
_SEALING = {
    DOCUMENT_SIGNING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}
_LONGEST_CHAIN = 4  # certificates below a root
# What reading a certificate may raise; an extension that is not there counts as one that cannot be read.
MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True)
class SealCertificateFacts:
    """What a report may say of a seal certificate; empty where the certificate cannot be read."""

    holder: str = ""  # the office's full name
    issuer: str = ""  # who vouches for it
    not_before: datetime | None = None  # UTC
    not_after: datetime | None = None  # UTC
    demo: bool = False  # marked 演示
    listed: tuple[bytes, int] | None = None  # issuer (DER) and serial, by which it is revoked (RFC 5280 5.3)


@lru_cache(maxsize=64)  # offices have few seals, and every answer asks for one
def describe(der: bytes) -> SealCertificateFacts:
    """The facts of the certificate `der`. Never raises."""
    try:
        found = x509.load_der_x509_certificate(der)
        issuer = name_part(found.issuer, NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        return SealCertificateFacts(
            holder(found),
            issuer,
            found.not_valid_before_utc,
            found.not_valid_after_utc,
            is_demo([found]),
            (found.issuer.public_bytes(), found.serial_number),
        )
    except MALFORMED:
        return SealCertificateFacts()


def holder(certificate: x509.Certificate) -> str:
    """Whose seal it is: O of the subject, the office's full name; CN where there is no O."""
    return name_part(certificate.subject, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)


def name_part(name: x509.Name, *kinds: ObjectIdentifier) -> str:
    """The first value of the first of `kinds` that `name` has; empty if it has none."""
    values = [str(item.value) for kind in kinds for item in name.get_attributes_for_oid(kind)]
    return values[0] if values else ""


def is_demo(certificates: Sequence[x509.Certificate]) -> bool:
    """Whether any of them is marked 演示."""
    units = (
        unit
        for item in certificates
        for unit in item.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    )
    return any(unit.value == DEMO_MARK for unit in units)


def may_seal(certificate: x509.Certificate) -> bool:
    """Whether it is for signatures and commitment (digitalSignature, nonRepudiation), no CA, and for no other purpose.

    Where it names purposes (extended key usage), one must allow documents (RFC 5280 4.2.1.12): documentSigning
    itself; anyExtendedKeyUsage, which restricts nothing; or emailProtection, which is what CAs wrote into the
    certificates of those who sign PDFs before there was documentSigning (RFC 9336, 2022, section 1). A certificate
    for time stamps, servers or OCSP answers alone never seals, whoever registered it. Naming none restricts nothing.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = _purposes(certificate)
    except MALFORMED:
        return False
    signs = usage.digital_signature and usage.content_commitment and not usage.key_cert_sign
    return signs and not is_ca(certificate) and (purposes is None or not _SEALING.isdisjoint(purposes))


def signs_documents(certificate: x509.Certificate) -> bool:
    """Whether it says itself that it is for signing documents, and not merely nothing to the contrary.

    A check with nothing but the root asks for that: without it a seal that is good online is untrusted offline.
    """
    try:
        return DOCUMENT_SIGNING in (_purposes(certificate) or ())
    except MALFORMED:
        return False


def _purposes(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | None:
    """None if it names none; one of MALFORMED if they cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether it may issue others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except MALFORMED:
        return False


def issued_by(item: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` is a CA and signed `item`."""
    try:
        item.verify_directly_issued_by(issuer)
    except (InvalidSignature, *MALFORMED):
        return False
    return is_ca(issuer)


def paths_to_root(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, ...]]:
    """Every way from `leaf` over CAs among `others` to one of `roots`, both ends included; none if there is none.

    A CA may hold several certificates for one key, of which only one leads to a root of ours (cross-certification).
    """
    signed = cache(issued_by)  # no signature is verified twice, however many ways there are

    def onward(path: tuple[x509.Certificate, ...]) -> Iterator[tuple[x509.Certificate, ...]]:
        yield from ((*path, root) for root in roots if signed(path[-1], root))
        for other in others if len(path) < _LONGEST_CHAIN else ():
            if other not in path and signed(path[-1], other):
                yield from onward((*path, other))

    return onward((leaf,))
