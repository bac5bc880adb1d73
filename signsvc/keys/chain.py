"""Certificates as they are brought here: read, held against one another, and followed up to a root."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from signsvc.certificates import DOCUMENT_SIGNING, MALFORMED, is_demo, issued_by, may_seal, paths_to_root
from signsvc.errors import KeysError
from signsvc.keys import pki
from signsvc.keys.files import read_public
from signsvc.models import Standing

_MOST_PATHS = 32


def read_roots(data: bytes) -> tuple[bytes, ...]:
    """The certificates in `data`, one or several in PEM or one in DER, as one PEM each; KeysError if there is none."""
    return as_pem(read_certificates(data, "根证书"))


def as_pem(certificates: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    return tuple(item.public_bytes(Encoding.PEM) for item in certificates)


def read_certificates(data: bytes, name: str) -> list[x509.Certificate]:
    """The certificates in the file called `name`, PEM or DER; KeysError if there is none."""
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except MALFORMED as error:
        raise KeysError(f"{name} 不是可读取的证书：应为 PEM（可含多个证书）或 DER 格式") from error


def revocation_lists(folder: Path) -> dict[str, datetime]:
    """When the revocation lists that are published from the key folder run out (UTC), by file name; or KeysError."""
    ends = {}
    for file in sorted((folder / "pki").glob("*.crl")):
        try:
            ends[file.name] = x509.load_der_x509_crl(read_public(file)).next_update_utc
        except MALFORMED as error:
            raise KeysError(f"吊销列表 {file.name} 无法读取：应为 DER 格式") from error
    return {name: end for name, end in ends.items() if end is not None}


def check_links(leaf: x509.Certificate, above: Sequence[x509.Certificate], name: str) -> None:
    """Every certificate is signed by the next one, and each that signs is a CA."""
    key = leaf.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < pki.KEY_BITS:
        raise KeysError(f"印章证书 {name} 应使用 RSA-{pki.KEY_BITS} 或更长的密钥")
    for item, issuer in zip([leaf, *above], above, strict=False):
        if not issued_by(item, issuer):
            raise KeysError(f"印章证书 {name} 的证书链不连续：应依次为印章证书和其上级签发证书")


def standing(
    leaf: x509.Certificate, above: Sequence[x509.Certificate], recognised: Sequence[x509.Certificate]
) -> Standing:
    """How far the seal may be relied on. A mark 演示 anywhere in the chain outweighs everything."""
    if is_demo([leaf, *above]):
        return Standing.DEMO
    top = above[-1] if above else leaf
    if any(issuer in above or issued_by(top, issuer) for issuer in recognised):
        return Standing.RECOGNISED
    return Standing.SELF_MANAGED


def sealing_path(
    leaf: x509.Certificate, above: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], name: str
) -> tuple[x509.Certificate, ...]:
    """From `leaf` to one of `roots`, as whoever examines a sealed file will go; KeysError if the seal would not hold.

    Nothing is sealed that would be called untrusted where the registry can be asked. Offline, with nothing but the
    root, a certificate that does not name document signing is untrusted all the same: see
    SealCertificate.for_documents. Whether the dates hold is asked for every seal.
    """
    if not may_seal(leaf):
        raise KeysError(
            f"印章证书 {name} 不能用于盖章：密钥用途须含数字签名和不可否认（digitalSignature、nonRepudiation），"
            "且不得为签发证书；标明了扩展密钥用途的，须含文档签名"
            f"（{DOCUMENT_SIGNING.dotted_string}）；请向签发机构换发"
        )
    if not roots:
        raise KeysError("缺少根证书：请把签发机构的根证书存为密钥文件夹中的 root.pem，否则盖出的章无法查验")
    paths = list(islice(paths_to_root(leaf, above, roots), _MOST_PATHS))
    if not paths:
        raise KeysError(
            f"印章证书 {name} 连不到 root.pem 中的根证书："
            "请在该文件中依次补齐中间签发证书，并把对应的根证书放入密钥文件夹"
        )
    for path in paths:
        if _is_valid(path):
            return path
    raise KeysError(f"印章证书 {name} 的证书链无效（用途、层级或有效期不符）；请向签发机构索取正确的证书链")


def _is_valid(path: Sequence[x509.Certificate]) -> bool:
    """What the signatures alone do not say (RFC 5280 6.1: path lengths, usages, critical extensions)."""
    leaf, *above, root = (asn1_x509.Certificate.load(item.public_bytes(Encoding.DER)) for item in path)
    context = ValidationContext(
        trust_roots=[root],
        moment=max(item.not_valid_before_utc for item in path),
        allow_fetching=False,
    )
    validator = CertificateValidator(leaf, above, context)
    try:
        asyncio.run(validator.async_validate_usage({"digital_signature", "non_repudiation"}))
    except (PathError, ValidationError, *MALFORMED):
        return False
    return True
