"""A small authority (RFC 5280) with real keys and lists, for tests of when a seal's certificate was in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Authority:
    """A CA, and the way above it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    above: tuple[bytes, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def below(self, name: str, serial: int) -> Authority:
        """A CA that this one vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Authority(key, self._issue(name, serial, key, BEGIN, END, ca=True), (self.der, *self.above))

    def seal(self, serial: int, begin: datetime = BEGIN, end: datetime = END) -> tuple[bytes, ...]:
        """A seal's certificate and its issuers, DER."""
        leaf = self._issue("某社区居民委员会", serial, ec.generate_private_key(ec.SECP256R1()), begin, end)
        return leaf.public_bytes(Encoding.DER), self.der, *self.above

    def revokes(self, serials: Mapping[int, datetime], invalid: datetime | None = None) -> bytes:
        """The list (DER) that revokes these serials at these times; of all of them the keys are `invalid` before."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(BEGIN).next_update(END)
        for serial, since in serials.items():
            item = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
            if invalid is not None:
                item = item.add_extension(x509.InvalidityDate(invalid.replace(tzinfo=None)), critical=False)
            builder = builder.add_revoked_certificate(item.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def _issue(
        self,
        name: str,
        serial: int,
        key: ec.EllipticCurvePrivateKey,
        begin: datetime,
        end: datetime,
        ca: bool = False,
    ) -> x509.Certificate:
        return _built(name, self.certificate.subject, serial, key, begin, end, ca).sign(self.key, SHA256())


def root(name: str = "根") -> Authority:
    """A self-signed CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    built = _built(name, _name(name), 1, key, BEGIN, END + timedelta(days=1), True)
    return Authority(key, built.sign(key, SHA256()))


def _built(
    name: str,
    issuer: x509.Name,
    serial: int,
    key: ec.EllipticCurvePrivateKey,
    begin: datetime,
    end: datetime,
    ca: bool,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
