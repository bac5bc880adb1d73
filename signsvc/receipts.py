"""Receipts (核验回执): an answer of the verification, signed, so that whoever asked can show it later. Pure.

A receipt is a JWS in compact form (RFC 7515) under EdDSA (RFC 8037), its payload the answer as JSON without the receipt
itself. Any JOSE library verifies it with the published keys (`/.well-known/jwks.json`, RFC 7517); `kid` is the
thumbprint of the key (RFC 7638).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet, OKPKey

ALGORITHM = "EdDSA"  # RFC 9864 calls it Ed25519; the libraries in the field know the older name
RECEIPT = "signsvc-receipt+jws"


class Receipts:
    """Signs answers. Safe to use from several threads."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._key = OKPKey.import_key(pem)
        self._kid = self._key.thumbprint()

    def sign(self, answer: Mapping[str, Any], kind: str = RECEIPT) -> str:
        """The JWS over `answer`; `kind` is the `typ` of its header."""
        payload = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
        header = {"alg": ALGORITHM, "typ": kind, "kid": self._kid}
        return jws.serialize_compact(header, payload, self._key, algorithms=[ALGORITHM])


def published(keys: Sequence[Ed25519PublicKey]) -> Mapping[str, Any]:
    """The key set (RFC 7517) that verifies receipts: the present key, then earlier ones."""
    return KeySet([_public(key) for key in keys]).as_dict(private=False)


def _public(key: Ed25519PublicKey) -> OKPKey:
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return OKPKey.import_key(pem, {"use": "sig", "alg": ALGORITHM})


# The library would rather have the new name: see ALGORITHM.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
