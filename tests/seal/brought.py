"""Certificates as offices bring them: from any CA, right or wrong. Few keys, for making those is slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from seal.pki import NOW

from signsvc.certificates import DOCUMENT_SIGNING
from signsvc.keys import pki
from signsvc.keys.envelope import to_pem

SEALS = pki.usage(digital_signature=True, content_commitment=True)
ISSUES = pki.usage(key_cert_sign=True, crl_sign=True)
_RSA = bytes.fromhex("06092a864886f70d010101")


@dataclass(frozen=True)
class Issued:
    """A certificate and the key in it."""

    der: bytes
    key: rsa.RSAPrivateKey

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name; that of an office is as long as a seal's must be."""
    return rsa.generate_private_key(public_exponent=65537, key_size=3072 if name == "office" else 2048)


def issue(
    name: str,
    issuer: Issued | None = None,
    *,
    ca: bool = False,
    usage: x509.KeyUsage | None = SEALS,
    purposes: Sequence[x509.ObjectIdentifier] = (DOCUMENT_SIGNING,),
    days: tuple[int, int] = (0, 30),
    depth: int | None = None,
    extra: x509.ExtensionType | None = None,
    holder: str = "",
) -> Issued:
    """A certificate of `name`, signed by itself without `issuer`, valid in `days` counted from NOW.

    As a CA it has the usage of one, unless it is given none.
    """
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, holder or name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca, depth), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(ISSUES if ca and usage is SEALS else usage, critical=True)
    if purposes and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    if extra is not None:
        builder = builder.add_extension(extra, critical=True)
    made = builder.sign(issuer.key if issuer else key(name), SHA256())
    return Issued(made.public_bytes(Encoding.DER), key(name))


def with_extension_twice(item: Issued) -> Issued:
    """Signed anew by itself, with its first extension repeated (forbidden by RFC 5280 4.2)."""
    found = asn1_x509.Certificate.load(item.der)
    body = found["tbs_certificate"]
    body["extensions"].append(body["extensions"][0])
    found["signature_value"] = item.key.sign(body.dump(force=True), PKCS1v15(), SHA256())
    return replace(item, der=found.dump(force=True))


def with_an_unknown_key(item: Issued) -> Issued:
    """Its public key of a kind that nobody knows."""
    return replace(item, der=item.der.replace(_RSA, _RSA[:-1] + b"\x63", 1))


def bring(
    folder: Path,
    passphrase: str,
    leaf: Issued,
    *above: Issued,
    roots: Sequence[Issued] = (),
    office: str = "own",
) -> None:
    """A seal of `office` and, unless there are none, its `roots`, into the key folder."""
    (folder / f"seal-{office}.pem").write_bytes(b"".join(item.pem for item in (leaf, *above)))
    (folder / f"seal-{office}.key").write_bytes(to_pem(leaf.key, passphrase))
    (folder / f"seal-{office}.key").chmod(0o600)
    if roots:
        (folder / "root.pem").write_bytes(b"".join(item.pem for item in roots))
