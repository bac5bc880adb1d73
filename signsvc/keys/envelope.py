"""Private keys at rest: encrypted PKCS#8, and for symmetric keys an envelope of scrypt and AES-GCM."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from signsvc.errors import KeysError

PrivateKey = RSAPrivateKey | Ed25519PrivateKey
SYMMETRIC_BYTES = 32
_VERSION = 1


def wrap(secret: bytes, role: str, passphrase: str) -> bytes:
    """Envelope of a symmetric key, a JSON text. The role is authenticated: it opens only in its own place."""
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(_derive(passphrase, salt)).encrypt(nonce, secret, _bound(role))
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    text = {"version": _VERSION, "role": role} | {
        name: b64encode(part).decode() for name, part in parts.items()
    }
    return json.dumps(text, indent=1).encode() + b"\n"


def unwrap(envelope: bytes, role: str, passphrase: str) -> bytes:
    """The 32 bytes in `envelope`; KeysError on a wrong passphrase, a changed file or another role's file."""
    try:
        text = json.loads(envelope)
        if text["version"] != _VERSION:
            raise KeysError(f"密钥文件 {role}.key 的版本不受支持")
        salt, nonce, sealed = (b64decode(text[name], validate=True) for name in ("salt", "nonce", "sealed"))
        secret = AESGCM(_derive(passphrase, salt)).decrypt(nonce, sealed, _bound(role))
    except (ValueError, KeyError, TypeError, InvalidTag) as error:
        raise _unopened(f"{role}.key") from error
    if len(secret) != SYMMETRIC_BYTES:
        raise KeysError(f"密钥文件 {role}.key 的长度不对")
    return secret


def to_pem(key: PrivateKey, passphrase: str) -> bytes:
    """Encrypted PKCS#8 PEM (PBES2, AES-256), which `openssl pkey` also reads."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))


def from_pem(pem: bytes, name: str, passphrase: str) -> PrivateKey:
    """The private key in the file called `name`; an unencrypted one is refused. Raises KeysError.

    The numbers of an RSA key are not proven prime, which takes a tenth of a second: hold it against its certificate
    by a signature.
    """
    try:
        key = load_pem_private_key(pem, passphrase.encode(), unsafe_skip_rsa_key_validation=True)
    except TypeError as error:
        raise KeysError(
            f"密钥文件 {name} 没有加密，拒绝使用；请用口令加密（openssl pkcs8 -topk8）"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unopened(name) from error
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise KeysError(f"密钥文件 {name} 的算法不受支持：印章用 RSA-3072，登记与回执用 Ed25519")
    return key


def _derive(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())


def _bound(role: str) -> bytes:
    return f"signsvc key envelope {_VERSION} {role}".encode()


def _unopened(name: str) -> KeysError:
    return KeysError(f"密钥文件 {name} 打不开：口令不对，或文件被改动、被换成了别的密钥")
