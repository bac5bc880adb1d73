"""Load the keys that a process may hold, once, and refuse whatever does not belong together."""

from __future__ import annotations

import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509.oid import NameOID, ObjectIdentifier

from signsvc.errors import KeysError
from signsvc.keys import pki
from signsvc.keys.envelope import from_pem, unwrap
from signsvc.keys.files import LOG_CHAIN, check_passphrase, read_private, read_public
from signsvc.keys.ring import KeyRing, Role, SealCertificate, SealKey
from signsvc.models import OfficeId, Sha256, Standing

_PREFIX = f"{Role.SEAL}-"


def load(folder: Path, passphrase: str, roles: Collection[Role], recognised: Sequence[bytes] = ()) -> KeyRing:
    """The key ring of `folder` with the private keys of `roles` only, and all certificates.

    `recognised` are PEM certificates of issuers whose seals may be relied on. Raises KeysError with advice:
    wrong passphrase, missing or too open file, key and certificate that are no pair, broken chain, small key.
    """
    _check_folder(folder)
    check_passphrase(passphrase)
    issuers = tuple(item for pem in recognised for item in _certificates(pem, "recognised_issuers"))
    certificates = {
        item.office: item for item in (_seal_certificate(file, issuers) for file in _seal_files(folder))
    }
    seals = certificates.values() if Role.SEAL in roles else ()
    return KeyRing(
        certificates=certificates,
        seals={item.office: _seal_key(folder, item, passphrase) for item in seals},
        roots=_pems(folder, "root*.pem"),
        tsa_roots=_pems(folder, "tsa-root*.pem"),
        log_chain=_log_chain(folder),
        log_public=_public(folder, Role.LOG),
        receipt_public=_public(folder, Role.RECEIPT),
        log_private=_signing_key(folder, Role.LOG, passphrase) if Role.LOG in roles else None,
        receipt_private=_signing_key(folder, Role.RECEIPT, passphrase) if Role.RECEIPT in roles else None,
        secrets={
            role: _secret(folder, role, passphrase) for role in (Role.ARCHIVE, Role.MATCH) if role in roles
        },
    )


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise KeysError("密钥文件夹不存在；请先运行 signsvc init，或检查 SIGNSVC_KEYS")
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise KeysError("密钥文件夹可被其他用户写入，拒绝使用；请执行 chmod 700")


def _secret(folder: Path, role: Role, passphrase: str) -> bytes:
    return unwrap(read_private(folder / f"{role}.key"), role, passphrase)


def _public(folder: Path, role: Role) -> Ed25519PublicKey:
    name = f"{role}.pub"
    try:
        key = load_pem_public_key(read_public(folder / name))
    except ValueError as error:
        raise KeysError(f"公钥文件 {name} 无法读取；请恢复备份") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeysError(f"公钥文件 {name} 应为 Ed25519")
    return key


def _signing_key(folder: Path, role: Role, passphrase: str) -> Ed25519PrivateKey:
    name = f"{role}.key"
    key = from_pem(read_private(folder / name), name, passphrase)
    if not isinstance(key, Ed25519PrivateKey) or key.public_key() != _public(folder, role):
        raise KeysError(f"密钥文件 {name} 与 {role}.pub 不是一对；请恢复备份")
    return key


def _log_chain(folder: Path) -> tuple[bytes, ...]:
    file = folder / LOG_CHAIN
    if not file.exists():
        return ()
    return tuple(item.public_bytes(Encoding.DER) for item in _certificates(read_public(file), file.name))


def _seal_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*.pem"))


def _seal_certificate(file: Path, recognised: Sequence[x509.Certificate]) -> SealCertificate:
    leaf, *above = _certificates(read_public(file), file.name)
    _check_chain(leaf, above, file.name)
    return SealCertificate(
        office=OfficeId(file.stem.removeprefix(_PREFIX)),
        certificate=leaf.public_bytes(Encoding.DER),
        chain=tuple(item.public_bytes(Encoding.DER) for item in above if item.subject != item.issuer),
        standing=_standing(leaf, above, recognised),
        holder=_attribute(leaf, NameOID.ORGANIZATION_NAME) or _attribute(leaf, NameOID.COMMON_NAME),
        place=_attribute(leaf, NameOID.LOCALITY_NAME),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        sha256=Sha256(leaf.fingerprint(SHA256()).hex()),
    )


def _seal_key(folder: Path, public: SealCertificate, passphrase: str) -> SealKey:
    name = f"{_PREFIX}{public.office}.key"
    key = from_pem(read_private(folder / name), name, passphrase)
    certified = x509.load_der_x509_certificate(public.certificate).public_key()
    if not isinstance(key, RSAPrivateKey) or key.public_key() != certified:
        raise KeysError(f"密钥文件 {name} 与证书 {_PREFIX}{public.office}.pem 不是一对")
    fields: dict[str, Any] = vars(public)
    return SealKey(**fields, private=key)


def _check_chain(leaf: x509.Certificate, above: Sequence[x509.Certificate], name: str) -> None:
    """Every certificate is signed by the next one, and each that signs is a CA."""
    key = leaf.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < pki.KEY_BITS:
        raise KeysError(f"印章证书 {name} 应使用 RSA-{pki.KEY_BITS} 或更长的密钥")
    for item, issuer in zip([leaf, *above], above, strict=False):
        if not pki.issued_by(item, issuer):
            raise KeysError(f"印章证书 {name} 的证书链不连续：应依次为印章证书和其上级签发证书")


def _standing(
    leaf: x509.Certificate, above: Sequence[x509.Certificate], recognised: Sequence[x509.Certificate]
) -> Standing:
    """How far the seal may be relied on. A mark 演示 anywhere in the chain outweighs everything."""
    if pki.is_demo([leaf, *above]):
        return Standing.DEMO
    top = above[-1] if above else leaf
    if any(issuer in above or pki.issued_by(top, issuer) for issuer in recognised):
        return Standing.RECOGNISED
    return Standing.SELF_MANAGED


def _certificates(pem: bytes, name: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise KeysError(f"证书文件 {name} 无法读取：应为 PEM") from error


def _pems(folder: Path, pattern: str) -> tuple[bytes, ...]:
    files = sorted(folder.glob(pattern))
    found = (item for file in files for item in _certificates(read_public(file), file.name))
    return tuple(item.public_bytes(Encoding.PEM) for item in found)


def _attribute(certificate: x509.Certificate, oid: ObjectIdentifier) -> str:
    values = [str(item.value) for item in certificate.subject.get_attributes_for_oid(oid)]
    return values[0] if values else ""
