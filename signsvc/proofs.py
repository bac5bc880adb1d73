"""What a holder keeps to show, offline, that a certificate was registered (C2SP tlog-proof@v1). Pure.

A proof ties one leaf to one signed checkpoint. A *proof bundle* (存证包) is JSON
`{v, record, salt, proof, log_chain}`: the clear record, the 128-bit salt (hexadecimal) that made its leaf unguessable,
the proof as text, and the log's certificate with its issuers (base64 DER). The leaf's data is SHA-256(salt ‖ canonical
record).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from signsvc import merkle
from signsvc.notes import Checkpoint, NoteError, Verifier, decode, encode, open_checkpoint, parse_decimal

HEADER = "c2sp.org/tlog-proof@v1"
MAX_STEPS = 63  # as many levels as a tree of 2^63 leaves has
MAX_BUNDLE_BYTES = 200_000
SALT_BYTES = 16
MAX_CHAIN = 4


class BundleError(ValueError):
    """The proof or the bundle is malformed, or does not prove what it claims."""


@dataclass(frozen=True)
class Proof:
    """A leaf's index, its inclusion proof and the signed checkpoint it leads to; `extra` is not authenticated."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    def text(self) -> str:
        """As a `.tlog-proof` file."""
        head = [HEADER, *([f"extra {encode(self.extra)}"] if self.extra else []), f"index {self.index}"]
        return "\n".join([*head, *map(encode, self.hashes), "", self.checkpoint])

    @classmethod
    def parse(cls, text: str) -> Proof:
        """From a `.tlog-proof` file; BundleError if it is malformed. Nothing is verified yet."""
        head, divider, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not divider or lines.pop(0) != HEADER or not lines:
            raise BundleError("this is not a tlog-proof@v1")
        try:
            extra = decode(lines.pop(0)[6:]) if lines[0].startswith("extra ") else b""
            return cls(_index(lines), _hashes(lines[1:]), checkpoint, extra)
        except NoteError as error:
            raise BundleError(str(error)) from error

    def verify(self, leaf_data: bytes, verifier: Verifier) -> Checkpoint:
        """The checkpoint, once its signature and the leaf's inclusion hold; BundleError otherwise."""
        try:
            checkpoint = open_checkpoint(self.checkpoint, verifier)
            leaf = merkle.leaf_hash(leaf_data)
            merkle.check_inclusion(self.index, checkpoint.size, leaf, self.hashes, checkpoint.root)
        except (NoteError, merkle.ProofError) as error:
            raise BundleError(str(error)) from error
        return checkpoint


def canonical(value: Mapping[str, Any]) -> str:
    """The one spelling of a record as JSON: RFC 8785 for what records hold (strings, integers, booleans, null,
    lists, and objects with ASCII keys)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def leaf_data(salt: bytes, record: str) -> bytes:
    """What the log publishes of a record: 32 bytes that tell nothing without the salt."""
    return sha256(salt + record.encode()).digest()


def write_bundle(record: Mapping[str, Any], salt: bytes, proof: Proof, chain: Sequence[bytes] = ()) -> str:
    """The proof bundle as JSON text; `chain` is the log's certificate and its issuers, DER."""
    certificates = [encode(item) for item in chain]
    content = {"v": 1, "record": record, "salt": salt.hex(), "proof": proof.text()}
    return canonical({**content, "log_chain": certificates})


def log_chain(bundle: str | bytes) -> list[bytes]:
    """The log's certificate and its issuers as a bundle brings them, DER; nothing is verified yet."""
    if len(bundle) > MAX_BUNDLE_BYTES:
        raise BundleError("the bundle is too long")
    try:
        return [decode(item) for item in json.loads(bundle)["log_chain"][:MAX_CHAIN]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError("the bundle is malformed") from error


def open_bundle(bundle: str | bytes, verifier: Verifier) -> tuple[dict[str, Any], Proof, Checkpoint]:
    """(record, proof, checkpoint) of a bundle that proves its record to be in `verifier`'s log.

    Raises BundleError for anything malformed or unproven; the bundle may come from anywhere.
    """
    if len(bundle) > MAX_BUNDLE_BYTES:
        raise BundleError("the bundle is too long")
    try:
        content = json.loads(bundle)
        record, salt, proof = content["record"], bytes.fromhex(content["salt"]), Proof.parse(content["proof"])
        data = leaf_data(salt, canonical(record))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError("the bundle is malformed") from error
    if not isinstance(record, dict) or len(salt) != SALT_BYTES:
        raise BundleError("the bundle is malformed")
    return record, proof, proof.verify(data, verifier)


def _index(lines: list[str]) -> int:
    if not lines or not lines[0].startswith("index "):
        raise BundleError("the proof names no index")
    return parse_decimal(lines[0][6:])


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_STEPS:
        raise BundleError("the proof is too long")
    return tuple(decode(line) for line in lines)
