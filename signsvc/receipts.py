"""Receipts (核验回执): an answer of the verification, signed, so that whoever asked can show it later. Pure.

A receipt is a JWS in compact form (RFC 7515) under EdDSA (RFC 8037), its payload the answer as JSON without the receipt
itself. Any JOSE library verifies it with the published keys (`/.well-known/jwks.json`, RFC 7517); `kid` is the
thumbprint of the key (RFC 7638).
"""

from __future__ import annotations

import json
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet, OKPKey

ALGORITHM = "EdDSA"  # RFC 9864 calls it Ed25519; the libraries in the field know the older name
RECEIPT = "signsvc-receipt+jws"
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Receipts:
    """Signs answers. Safe to use from several threads."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        header = {"alg": ALGORITHM, "kid": _public(key.public_key()).thumbprint()}
        self._header = cache(lambda kind: _encoded(compact({**header, "typ": kind}).encode()))

    def sign(self, payload: str, kind: str = RECEIPT) -> str:
        """The JWS over `payload` (JSON, see `compact`) byte for byte; `kind` is the `typ` of its header.

        Put together here, for every lookup ends in one and the library takes longer over it than the signature does;
        the tests verify it with two libraries.
        """
        signed = self._header(kind) + b"." + _encoded(payload.encode())
        return b".".join((signed, _encoded(self._key.sign(signed)))).decode("ascii")


def compact(content: Mapping[str, Any]) -> str:
    """`content` as JSON without spaces."""
    return _JSON.encode(content)


def published(keys: Sequence[Ed25519PublicKey]) -> Mapping[str, Any]:
    """The key set (RFC 7517) that verifies receipts: the present key, then earlier ones."""
    return KeySet([_public(key) for key in keys]).as_dict(private=False)


def _public(key: Ed25519PublicKey) -> OKPKey:
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return OKPKey.import_key(pem, {"use": "sig", "alg": ALGORITHM})


def _encoded(raw: bytes) -> bytes:
    """Base64url without padding (RFC 7515 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=")


# Where receipts are read: the library would rather have the new name, see ALGORITHM.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
