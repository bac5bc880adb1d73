"""Make key material once: `signsvc init`. Nothing here is called again afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signsvc.errors import KeysError
from signsvc.keys import pki
from signsvc.keys.envelope import SYMMETRIC_BYTES, to_pem, wrap
from signsvc.keys.files import (
    LOG_CHAIN,
    PASSPHRASE_FILE,
    check_passphrase,
    make_folder,
    new_passphrase,
    write_new,
)
from signsvc.keys.logname import log_certificate
from signsvc.keys.ring import Role
from signsvc.models import Office
from signsvc.notes import log_name


class _File(NamedTuple):
    path: str  # relative to the key folder
    data: bytes
    private: bool


def make(
    folder: Path,
    offices: Sequence[Office],
    base_url: str,
    now: datetime,
    passphrase: str | None = None,
    demo: bool = False,
) -> tuple[Path, ...]:
    """Write fresh keys into `folder` and return their paths; with `demo` also a root, a CA and office seals.

    Without a `passphrase` a random one goes to the file `passphrase` there. `now` must carry a time zone.
    Raises KeysError before anything is written if one of the files exists.
    """
    secret = new_passphrase() if passphrase is None else check_passphrase(passphrase)
    # First, so that of two `init` at once only one goes on.
    files = [_File(PASSPHRASE_FILE, secret.encode() + b"\n", True)] if passphrase is None else []
    log = Ed25519PrivateKey.generate()
    files += _service_keys(log, secret)
    if demo:
        files += _demo_keys(offices, log.public_key(), base_url.rstrip("/"), now.astimezone(UTC), secret)
    if taken := [file.path for file in files if (folder / file.path).exists()]:
        raise KeysError("密钥已存在，不会覆盖：" + "、".join(taken) + "；如需重做，请先移走整个密钥文件夹")
    make_folder(folder)
    for file in files:
        if (parent := (folder / file.path).parent) != folder:
            make_folder(parent)
        write_new(folder / file.path, file.data, private=file.private)
    return tuple(folder / file.path for file in files)


def _service_keys(log: Ed25519PrivateKey, passphrase: str) -> Iterator[_File]:
    for role, key in ((Role.LOG, log), (Role.RECEIPT, Ed25519PrivateKey.generate())):
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        yield _File(f"{role}.key", to_pem(key, passphrase), True)
        yield _File(f"{role}.pub", public, False)
    for role in (Role.ARCHIVE, Role.MATCH):
        yield _File(f"{role}.key", wrap(os.urandom(SYMMETRIC_BYTES), role, passphrase), True)


def _demo_keys(
    offices: Sequence[Office], log: Ed25519PublicKey, base_url: str, now: datetime, passphrase: str
) -> Iterator[_File]:
    root = pki.root(base_url, now)
    issuing = pki.issuing(root, base_url, now)
    yield _File("root.pem", root.certificate.public_bytes(Encoding.PEM), False)
    for name, authority in (("root", root), ("issuing", issuing)):
        # The private keys of the CAs lie apart: no command of the service reads them.
        yield _File(f"ca/{name}.key", to_pem(authority.key, passphrase), True)
        yield _File(f"pki/{name}.crt", authority.certificate.public_bytes(Encoding.DER), False)
        yield _File(f"pki/{name}.crl", pki.crl(authority, now).public_bytes(Encoding.DER), False)
    above = issuing.certificate.public_bytes(Encoding.PEM)
    certified = log_certificate(log_name(base_url), log, issuing, now)
    yield _File(LOG_CHAIN, certified.public_bytes(Encoding.PEM) + above, False)
    for office in offices:
        key = pki.new_key()
        leaf = pki.seal_certificate(office, key, issuing, now)
        chain = leaf.public_bytes(Encoding.PEM) + above
        yield _File(f"{Role.SEAL}-{office.id}.key", to_pem(key, passphrase), True)
        yield _File(f"{Role.SEAL}-{office.id}.pem", chain, False)
