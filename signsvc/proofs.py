"""What a holder keeps to show, offline, that a certificate was registered (C2SP tlog-proof@v1). Pure.

A proof ties one leaf to one signed checkpoint. A *proof bundle* (存证包) is JSON
`{v, record, salt, proof, later, log_chain}`: the clear record, the 128-bit salt (hexadecimal) that made its leaf
unguessable, the proof as text; `later` the same three of each entry that changed the certificate's status since; and
the log's certificate with its issuers (base64 DER). A leaf's data is SHA-256(salt ‖ canonical record).

A bundle tells what was true when it was made, and as much as it was left: entries of one certificate are not chained,
so whoever holds it can cut the newest off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
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


@dataclass(frozen=True)
class Entry:
    """An entry of the log in the clear: its record, the salt of its leaf, and the proof of its place."""

    record: Mapping[str, Any]
    salt: bytes
    proof: Proof

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Entry:
        """From an object of a bundle; BundleError if it is malformed. Nothing is verified yet."""
        record, salt = content["record"], bytes.fromhex(content["salt"])
        if not isinstance(record, dict) or len(salt) != SALT_BYTES:
            raise BundleError("an entry of the bundle is malformed")
        return cls(record, salt, Proof.parse(content["proof"]))

    def content(self) -> dict[str, Any]:
        """As an object of a bundle."""
        return {"record": self.record, "salt": self.salt.hex(), "proof": self.proof.text()}

    def verify(self, verifier: Verifier) -> Checkpoint:
        """The checkpoint under which the entry lies; BundleError if it does not."""
        return self.proof.verify(leaf_data(self.salt, canonical(self.record)), verifier)


@dataclass(frozen=True)
class Proven:
    """What a bundle proves: the issue of a certificate, what its status became later, and the log they lie in."""

    issue: Entry
    later: tuple[Entry, ...]
    checkpoint: Checkpoint

    @property
    def newest(self) -> int:
        """The index of the last entry."""
        return (self.issue, *self.later)[-1].proof.index


def canonical(value: Mapping[str, Any]) -> str:
    """The one spelling of a record as JSON: RFC 8785 for what records hold (strings, integers, booleans, null,
    lists, and objects with ASCII keys)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def leaf_data(salt: bytes, record: str) -> bytes:
    """What the log publishes of a record: 32 bytes that tell nothing without the salt."""
    return sha256(salt + record.encode()).digest()


def write_bundle(issue: Entry, later: Sequence[Entry] = (), chain: Sequence[bytes] = ()) -> str:
    """The proof bundle as JSON text; `later` in the order of the log, `chain` the log's certificate and its issuers
    (DER)."""
    content = {"v": 1, **issue.content(), "later": [entry.content() for entry in later]}
    return canonical({**content, "log_chain": [encode(item) for item in chain]})


def log_chain(bundle: str | bytes) -> list[bytes]:
    """The log's certificate and its issuers as a bundle brings them, DER; nothing is verified yet."""
    with _reading(bundle) as content:
        return [decode(item) for item in content["log_chain"][:MAX_CHAIN]]


def open_bundle(bundle: str | bytes, verifier: Verifier) -> Proven:
    """What a bundle proves to be in `verifier`'s log: its record, and what is later of the same number, in the order
    and under the same checkpoint.

    Raises BundleError for anything malformed or unproven; the bundle may come from anywhere. One that was made before
    there was `later` tells of nothing later.
    """
    with _reading(bundle) as content:
        later = content.get("later", [])
        if not isinstance(later, list):
            raise BundleError("what came later is no list")
        entries = [Entry.parse(item) for item in (content, *later)]
        checkpoints = {entry.verify(verifier) for entry in entries}
        numbers = {entry.record["number"] for entry in entries}
    ordered = all(one.proof.index < other.proof.index for one, other in pairwise(entries))
    if not (ordered and len(numbers) == len(checkpoints) == 1):
        raise BundleError("the entries are not of one number, in one log, in their order")
    return Proven(entries[0], tuple(entries[1:]), checkpoints.pop())


@contextmanager
def _reading(bundle: str | bytes) -> Iterator[Any]:
    """The JSON of a bundle; whatever is wrong with its form is a BundleError."""
    if len(bundle) > MAX_BUNDLE_BYTES:
        raise BundleError("the bundle is too long")
    try:
        yield json.loads(bundle)
    except BundleError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError("the bundle is malformed") from error


def _index(lines: list[str]) -> int:
    if not lines or not lines[0].startswith("index "):
        raise BundleError("the proof names no index")
    return parse_decimal(lines[0][6:])


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_STEPS:
        raise BundleError("the proof is too long")
    return tuple(decode(line) for line in lines)
