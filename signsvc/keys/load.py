"""Load the keys that a process may hold, once, and refuse whatever does not belong together."""

from __future__ import annotations

import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509.oid import NameOID

from signsvc.certificates import MALFORMED, holder, name_part, signs_documents
from signsvc.errors import KeysError
from signsvc.keys.chain import as_pem, check_links, read_certificates, sealing_path, standing
from signsvc.keys.envelope import from_pem, unwrap
from signsvc.keys.files import LOG_CHAIN, check_passphrase, read_private, read_public
from signsvc.keys.ring import KeyRing, Role, SealCertificate, SealKey
from signsvc.models import OfficeId, Sha256

_PREFIX = f"{Role.SEAL}-"


def load(folder: Path, passphrase: str, roles: Collection[Role], recognised: Sequence[bytes] = ()) -> KeyRing:
    """The key ring of `folder` with the private keys of `roles` only, and all certificates.

    `recognised` are PEM certificates of issuers whose seals may be relied on. Raises KeysError with advice:
    wrong passphrase, missing or too open file, key and certificate that are no pair, broken chain, small key;
    with Role.SEAL also for a seal that an examination would not trust although it is registered.
    """
    _check_folder(folder)
    check_passphrase(passphrase)
    issuers = tuple(item for pem in recognised for item in read_certificates(pem, "recognised_issuers"))
    certificates = {
        item.office: item for item in (_seal_certificate(file, issuers) for file in _seal_files(folder))
    }
    roots = _certificates(folder, "root*.pem")
    seals = certificates.values() if Role.SEAL in roles else ()
    return KeyRing(
        certificates=certificates,
        seals={item.office: _seal_key(folder, item, roots, passphrase) for item in seals},
        roots=as_pem(roots),
        tsa_roots=as_pem(_certificates(folder, "tsa-root*.pem")),
        log_chain=_log_chain(folder),
        log_public=_public(folder, Role.LOG),
        receipt_public=_public(folder, Role.RECEIPT),
        receipt_earlier=tuple(_public_key(file) for file in sorted(folder.glob(f"{Role.RECEIPT}-*.pub"))),
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
    return _public_key(folder / f"{role}.pub")


def _public_key(file: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(read_public(file))
    except ValueError as error:
        raise KeysError(f"公钥文件 {file.name} 无法读取；请恢复备份") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeysError(f"公钥文件 {file.name} 应为 Ed25519")
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
    return tuple(item.public_bytes(Encoding.DER) for item in read_certificates(read_public(file), file.name))


def _seal_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*.pem"))


def _seal_certificate(file: Path, recognised: Sequence[x509.Certificate]) -> SealCertificate:
    leaf, *above = read_certificates(read_public(file), file.name)
    try:
        check_links(leaf, above, file.name)
        return _described(OfficeId(file.stem.removeprefix(_PREFIX)), leaf, above, recognised)
    except MALFORMED as error:
        raise KeysError(f"印章证书 {file.name} 的内容无法读取；请向签发机构换发") from error


def _described(
    office: OfficeId,
    leaf: x509.Certificate,
    above: Sequence[x509.Certificate],
    recognised: Sequence[x509.Certificate],
) -> SealCertificate:
    return SealCertificate(
        office=office,
        certificate=leaf.public_bytes(Encoding.DER),
        chain=tuple(item.public_bytes(Encoding.DER) for item in above if item.subject != item.issuer),
        standing=standing(leaf, above, recognised),
        holder=holder(leaf),
        place=name_part(leaf.subject, NameOID.LOCALITY_NAME),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        for_documents=signs_documents(leaf),
        sha256=Sha256(leaf.fingerprint(SHA256()).hex()),
    )


def _seal_key(
    folder: Path, public: SealCertificate, roots: Sequence[x509.Certificate], passphrase: str
) -> SealKey:
    name = f"{_PREFIX}{public.office}.key"
    key = from_pem(read_private(folder / name), name, passphrase)
    leaf, *above = (x509.load_der_x509_certificate(der) for der in (public.certificate, *public.chain))
    if not isinstance(key, RSAPrivateKey) or not _is_pair(key, leaf):
        raise KeysError(f"密钥文件 {name} 与证书 {_PREFIX}{public.office}.pem 不是一对")
    path = sealing_path(leaf, above, roots, f"{_PREFIX}{public.office}.pem")
    fields: dict[str, Any] = vars(public) | {
        # What stands above the root that was reached would only be carried along, and be found superfluous.
        "chain": tuple(item.public_bytes(Encoding.DER) for item in path[1:-1]),
        "not_before": max(item.not_valid_before_utc for item in path),
        "not_after": min(item.not_valid_after_utc for item in path),
    }
    return SealKey(**fields, private=key)


def _is_pair(key: RSAPrivateKey, leaf: x509.Certificate) -> bool:
    """Whether the key is the certificate's: its numbers belong together, and a signature that it makes is tried, as
    FIPS 140 tests a pair. The numbers must be compared, for OpenSSL makes good signatures with one of them damaged.
    """
    public = key.public_key()
    if public != leaf.public_key() or not _belong_together(key.private_numbers()):
        return False
    try:
        public.verify(key.sign(b"", PKCS1v15(), SHA256()), b"", PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _belong_together(key: RSAPrivateNumbers) -> bool:
    """Whether each number follows from the others (RFC 8017, 3.2). Factors of the modulus are its primes: neither is
    proven one."""
    p, q, d, e = key.p, key.q, key.d, key.public_numbers.e
    return (
        p * q == key.public_numbers.n
        and 1 not in (p, q)
        and key.dmp1 == d % (p - 1)
        and key.dmq1 == d % (q - 1)
        and key.iqmp * q % p == 1
        and d * e % (p - 1) == d * e % (q - 1) == 1
    )


def _certificates(folder: Path, pattern: str) -> list[x509.Certificate]:
    files = sorted(folder.glob(pattern))
    return [item for file in files for item in read_certificates(read_public(file), file.name)]
