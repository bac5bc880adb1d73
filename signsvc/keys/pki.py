"""The demonstration authority (RFC 5280): a root, an issuing CA, a seal certificate an office, the CRLs.

Everything it makes bears 演示 as an organisational unit, which `load` takes as the mark of a demonstration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from signsvc.certificates import DEMO_MARK, DOCUMENT_SIGNING
from signsvc.models import Office, OfficeKind

KEY_BITS = 3072
_YEAR = timedelta(days=365, hours=6)
_CN_BYTES = 64  # ub-common-name, counted in bytes by the common readers


@dataclass(frozen=True)
class Authority:
    """A CA with its private key, and the address stem under which its certificate and CRL are published."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    address: str  # "{base_url}/pki/root": .crt is the certificate, .crl the list


def new_key() -> rsa.RSAPrivateKey:
    """An RSA-3072 key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def root(base_url: str, now: datetime) -> Authority:
    """A self-signed root for 20 years, with room for one CA below it."""
    key, subject = new_key(), _name("signsvc 演示", "signsvc 演示根证书")
    builder = _builder(subject, subject, key.public_key(), now, 20 * _YEAR)
    return Authority(key, _as_ca(builder, 1).sign(key, SHA256()), f"{base_url}/pki/root")


def issuing(parent: Authority, base_url: str, now: datetime) -> Authority:
    """The CA that issues seals, for 10 years."""
    key, subject = new_key(), _name("signsvc 演示", "signsvc 演示电子印章签发证书")
    builder = _issued(
        _builder(subject, parent.certificate.subject, key.public_key(), now, 10 * _YEAR), parent
    )
    return Authority(key, _as_ca(builder, 0).sign(parent.key, SHA256()), f"{base_url}/pki/issuing")


def seal_certificate(
    office: Office, key: rsa.RSAPrivateKey, parent: Authority, now: datetime
) -> x509.Certificate:
    """The office's seal certificate for 3 years: O is its full name, CN a name that fits."""
    subject = _name(office.name, _short_name(office), office.county + office.town)
    builder = _issued(_builder(subject, parent.certificate.subject, key.public_key(), now, 3 * _YEAR), parent)
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(digital_signature=True, content_commitment=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
    )
    return builder.sign(parent.key, SHA256())


def log_builder(key: Ed25519PublicKey, parent: Authority, now: datetime) -> x509.CertificateBuilder:
    """The beginnings of a certificate for a log's key, for 10 years."""
    subject = _name("signsvc 演示", "signsvc 演示日志")
    return _issued(_builder(subject, parent.certificate.subject, key, now, 10 * _YEAR), parent)


def crl(authority: Authority, now: datetime) -> x509.CertificateRevocationList:
    """An empty revocation list, good for as long as the seals: nothing renews it in a demonstration."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now)
        .next_update(now + 3 * _YEAR)
        .add_extension(_authority_key(authority), critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    return builder.sign(authority.key, SHA256())


def _short_name(office: Office) -> str:
    """CN may be 64 bytes, about 21 Han characters: the full name if it fits, otherwise community and kind."""
    if len(office.name.encode()) <= _CN_BYTES:
        return office.name
    tail = "居民委员会" if office.kind is OfficeKind.COMMUNITY else "村民委员会"
    return (office.community + tail).encode()[:_CN_BYTES].decode(errors="ignore")


def _name(organisation: str, common: str, locality: str = "") -> x509.Name:
    parts = [
        (NameOID.COUNTRY_NAME, "CN"),
        (NameOID.LOCALITY_NAME, locality),
        (NameOID.ORGANIZATION_NAME, organisation),
    ]
    parts += [(NameOID.ORGANIZATIONAL_UNIT_NAME, DEMO_MARK), (NameOID.COMMON_NAME, common)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey | Ed25519PublicKey,
    now: datetime,
    lasts: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _as_ca(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)


def _issued(builder: x509.CertificateBuilder, parent: Authority) -> x509.CertificateBuilder:
    """What ties a certificate to its issuer. Without a CRL address no verifier looks for revocation."""
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier(parent.address + ".crl")], None, None, None
    )
    issuer = x509.UniformResourceIdentifier(parent.address + ".crt")
    access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, issuer)
    return (
        builder.add_extension(_authority_key(parent), critical=False)
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    )


def _authority_key(authority: Authority) -> x509.AuthorityKeyIdentifier:
    own = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)


def usage(
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
