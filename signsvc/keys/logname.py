"""The log's certificate (日志证书): it ties the name and key of the log to the root, so that whoever pins the root can
check a proof bundle without asking us for another key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from signsvc.certificates import MALFORMED, issued_by
from signsvc.errors import KeysError
from signsvc.keys import pki
from signsvc.notes import Verifier

# Our own purpose, under the arc for UUIDs (ITU-T X.667): no seal, TLS or TSA certificate passes for a log's.
LOG_SIGNING = x509.ObjectIdentifier("2.25.143957618239481526172634859204831764513")
_SCHEME = "tlog:"


def log_certificate(
    name: str, key: Ed25519PublicKey, parent: pki.Authority, now: datetime
) -> x509.Certificate:
    """The certificate of the log called `name` (ASCII), for 10 years."""
    usage = pki.usage(digital_signature=True)
    address = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(_SCHEME + name)])
    return (
        pki.log_builder(key, parent, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([LOG_SIGNING]), critical=True)
        .add_extension(address, critical=False)
        .sign(parent.key, SHA256())
    )


def certified_log(chain: Sequence[bytes], roots: Sequence[bytes], at: datetime) -> Verifier:
    """Name and key of the log in `chain` (DER, the log's certificate first), if it leads to one of `roots` (PEM).

    Raises KeysError if it does not, is not valid at `at`, or is no certificate of a log.
    """
    if not chain:
        raise KeysError("没有附日志证书，无法只凭根证书核对；请联网查验，或向出具单位索取日志证书")
    try:
        certificates = [x509.load_der_x509_certificate(item) for item in chain]
        trusted = [item for root in roots for item in x509.load_pem_x509_certificates(root)]
        return _verifier(certificates, trusted, at)
    except MALFORMED as error:
        raise KeysError("日志证书无法读取或不是日志证书") from error


def _verifier(
    certificates: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate], at: datetime
) -> Verifier:
    leaf, *above = certificates
    top = certificates[-1]
    anchor = next((root for root in trusted if issued_by(top, root)), None)
    links = zip(certificates, above, strict=False)
    if anchor is None or not all(issued_by(item, issuer) for item, issuer in links):
        raise KeysError("日志证书不是由所信任的根证书签发")
    if not all(
        item.not_valid_before_utc <= at <= item.not_valid_after_utc for item in (*certificates, anchor)
    ):
        raise KeysError("日志证书不在有效期内")
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    [address] = names.get_values_for_type(x509.UniformResourceIdentifier)
    key = leaf.public_key()
    if (
        list(purposes) != [LOG_SIGNING]
        or not address.startswith(_SCHEME)
        or not isinstance(key, Ed25519PublicKey)
    ):
        raise KeysError("这不是日志证书")
    return Verifier(address.removeprefix(_SCHEME), key.public_bytes_raw())
