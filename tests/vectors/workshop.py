"""What the vectors are made from: one authority, one honest seal, and whatever an attacker may have of his own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter, PageObject, PdfFileWriter, copy_into_new_writer
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore
from seal.pki import OFFICE, PLACE, TITLE

from signsvc.keys import pki
from signsvc.models import PdfBytes, Sha256
from signsvc.seal.findings import Trust
from signsvc.seal.sign import Sealer

YEAR = timedelta(days=365)
# The broken ones are for forgeries.
_HASHES = {"md5": MD5(), "sha1": SHA1(), "sha256": SHA256(), "sha512": SHA512()}  # noqa: S303
TIME_STAMPING = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.TIME_STAMPING])
PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Identity:
    """A private key with its certificate and the CAs above it."""

    key: PrivateKey
    leaf: x509.Certificate
    above: tuple[x509.Certificate, ...]
    holder: str = OFFICE.name
    place: str = ""

    @property
    def certificate(self) -> bytes:
        return der(self.leaf)

    @property
    def chain(self) -> tuple[bytes, ...]:
        return tuple(der(item) for item in self.above)

    @property
    def not_before(self) -> datetime:
        return self.leaf.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        return self.leaf.not_valid_after_utc

    @property
    def sha256(self) -> Sha256:
        return Sha256(hashlib.sha256(self.certificate).hexdigest())

    def sign(self, data: bytes) -> bytes:
        assert isinstance(self.key, rsa.RSAPrivateKey)
        return self.key.sign(data, PKCS1v15(), SHA256())


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


class LoadedSigner(SimpleSigner):
    """Signs with the key object at hand: parsing RSA keys again and again is most of the cost."""

    def __init__(self, identity: Identity, pss: bool) -> None:
        above = SimpleCertificateStore.from_certs([asn1_certificate(item) for item in identity.above])
        super().__init__(asn1_certificate(identity.leaf), asn1_key(identity.key), above, prefer_pss=pss)
        self._loaded = identity.key

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        if self.prefer_pss or not isinstance(self._loaded, rsa.RSAPrivateKey):
            return super().sign_raw(data, digest_algorithm)
        return self._loaded.sign(data, PKCS1v15(), _HASHES[digest_algorithm])


class Workshop:
    """Made once per run: RSA-3072 keys take their time."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.root = pki.root("https://pki.test", self.now - 6 * YEAR)
        self.issuing = pki.issuing(self.root, "https://pki.test", self.now - 6 * YEAR)
        self.thief_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ours = self._seal_identity(self.now - YEAR)
        self.expired = self._seal_identity(self.now - 4 * YEAR)  # three years long: expired a year ago
        self.tsa = self._tsa()
        self.plain = plain_pdf()
        self.sealed = self.seal(self.ours, self.now)
        self.trust = Trust((pem(self.root.certificate),), timestamp_roots=(pem(self.tsa.leaf),))
        pins = frozenset({self.ours.sha256, self.expired.sha256})
        self.pinned = Trust(self.trust.roots, pins, self.trust.timestamp_roots)

    def _seal_identity(self, since: datetime) -> Identity:
        key = pki.new_key()
        leaf = pki.seal_certificate(OFFICE, key, self.issuing, since)
        return Identity(key, leaf, (self.issuing.certificate,))

    def _tsa(self) -> Identity:
        return self.self_signed("测试时间戳", purposes=[TIME_STAMPING])

    def seal(self, identity: Identity, at: datetime) -> bytes:
        """What the office itself would have issued at that time."""
        sealer = Sealer(identity, art_pdf(), lambda: at)
        return bytes(sealer.seal(PdfBytes(self.plain), PLACE, TITLE).pdf)

    def certify(
        self,
        subject: x509.Name,
        *,
        parent: pki.Authority | None = None,
        key: PrivateKey | None = None,
        ca: bool = False,
        purposes: list[x509.ExtendedKeyUsage] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Identity:
        """A certificate of any kind: under `parent`, or signed by itself."""
        own = key or self.thief_key
        issuer = parent.certificate.subject if parent else subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since or self.now - YEAR)
            .not_valid_after(until or self.now + YEAR)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(_usage(ca), critical=True)
        )
        if purposes is None:
            purposes = [x509.ExtendedKeyUsage([pki.DOCUMENT_SIGNING])]
        for item in purposes:
            builder = builder.add_extension(item, critical=True)
        signing = parent.key if parent else own
        leaf = builder.sign(signing, None if isinstance(signing, ed25519.Ed25519PrivateKey) else SHA256())
        return Identity(own, leaf, (parent.certificate,) if parent else ())

    def self_signed(self, name: str, **options: Any) -> Identity:
        return self.certify(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), **options)

    def timestamper(self, identity: Identity | None = None) -> DummyTimeStamper:
        tsa = identity or self.tsa
        return DummyTimeStamper(asn1_certificate(tsa.leaf), asn1_key(tsa.key), fixed_dt=self.now)


def sign(
    writer: BasePdfFileWriter,
    identity: Identity,
    *,
    field: str = "Seal",
    certify: bool = True,
    permission: MDPPerm = MDPPerm.NO_CHANGES,
    digest: str = "sha256",
    subfilter: SigSeedSubFilter = SigSeedSubFilter.PADES,
    box: tuple[int, int, int, int] = (300, 150, 420, 270),
    pss: bool = False,
    timestamper: DummyTimeStamper | None = None,
) -> bytes:
    """A signature of any make over whatever is in `writer`."""
    signer = LoadedSigner(identity, pss)
    meta = PdfSignatureMetadata(
        field_name=field,
        md_algorithm=digest,
        subfilter=subfilter,
        certify=certify,
        docmdp_permissions=permission,
    )
    spec = SigFieldSpec(field, on_page=0, box=box)
    signing = PdfSigner(meta, signer, timestamper=timestamper, new_field_spec=spec)
    return bytes(signing.sign_pdf(writer, bytes_reserved=16384).getvalue())


def fresh(pdf: bytes) -> PdfFileWriter:
    """`pdf` in a writer that will make one revision of it."""
    return copy_into_new_writer(PdfFileReader(BytesIO(pdf)))


def update(pdf: bytes) -> IncrementalPdfFileWriter:
    """`pdf` in a writer that will append a revision."""
    return IncrementalPdfFileWriter(BytesIO(pdf))


def written(writer: BasePdfFileWriter) -> bytes:
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


@lru_cache(maxsize=1)
def art_pdf() -> bytes:
    """A red square instead of a seal: what it shows does not matter here."""
    return _one_page(b"1 0 0 RG 4 w 6 6 107 107 re S", (0, 0, 119, 119))


@lru_cache(maxsize=1)
def plain_pdf() -> bytes:
    """An A4 page with some lines on it."""
    return _one_page(b"0 0 0 rg 80 700 400 12 re f 80 660 300 12 re f 80 620 350 12 re f", (0, 0, 595, 842))


def _one_page(content: bytes, box: tuple[int, int, int, int]) -> bytes:
    writer = PdfFileWriter()
    contents = writer.add_object(generic.StreamObject(stream_data=content))
    media = generic.ArrayObject([generic.NumberObject(number) for number in box])
    writer.insert_page(PageObject(contents=contents, media_box=media))
    return written(writer)


def asn1_certificate(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(der(certificate))


def asn1_key(key: PrivateKey) -> asn1_keys.PrivateKeyInfo:
    return asn1_keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _usage(ca: bool) -> x509.KeyUsage:
    """Signatures and commitment for everyone: usage bits alone must not make a seal."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
