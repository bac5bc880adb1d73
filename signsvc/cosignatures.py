"""What witnesses (见证人) sign: that a log has only ever grown (C2SP tlog-cosignature, Ed25519, kind 0x04). Pure.

A cosignature is a line more under a checkpoint. It says: at this time this was the largest tree that I have seen of
this log, and it continues every tree that I saw before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signsvc.notes import NoteError, Signature, Verifier, open_note, signature_line, split_note

COSIGNATURE = b"\x04"
STAMP_BYTES = 8


@dataclass(frozen=True)
class Witness(Verifier):
    """Who a cosignature is expected from: a key name and an Ed25519 public key (32 raw bytes)."""

    KIND: ClassVar[bytes] = COSIGNATURE

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (the time in 8 bytes, big endian, then 64 of Ed25519) is this witness's over `text`."""
        stamp = _stamp(signature)
        return stamp < 2**63 and super().holds(_message(text, stamp), signature[STAMP_BYTES:])


def witness_of(name: str, key: Ed25519PrivateKey) -> Witness:
    """The witness called `name` whose key this is."""
    return Witness(name, key.public_key().public_bytes_raw())


def cosign(text: str, name: str, key: Ed25519PrivateKey, at: datetime) -> str:
    """The signature line of this witness over a checkpoint's `text`, at this time."""
    stamp = int(at.timestamp())
    signature = stamp.to_bytes(STAMP_BYTES, "big") + key.sign(_message(text, stamp).encode())
    return signature_line(witness_of(name, key), signature)


def cosigned_by(note: bytes | str, witnesses: Sequence[Witness]) -> list[Witness]:
    """Which of `witnesses` cosigned a note, each once; NoteError if a cosignature of one of them does not hold."""
    _, signatures = split_note(note)
    names = {(item.name, item.key_id) for item in signatures}
    found = [item for item in dict.fromkeys(witnesses) if (item.name, item.key_id) in names]
    if found:
        open_note(note, found)
    return found


def with_cosignatures(note: str, lines: str, witnesses: Sequence[Witness]) -> str:
    """`note` with those of the signature `lines` that are by `witnesses`, one for each; NoteError if one is false.

    A witness that has cosigned `note` already is taken at its newer word, in whatever order the two are brought.
    """
    text, signatures = split_note(note)
    _, added = split_note(f"{text}\n{lines}")
    known = {(item.name, item.key_id): item for item in witnesses}
    told = {(item.name, item.key_id): item for item in signatures}
    fresh = {(item.name, item.key_id): item for item in added if (item.name, item.key_id) in known}
    for who, item in fresh.items():
        if not known[who].holds(text, item.value):
            raise NoteError("a cosignature does not hold")
        if who not in told or _stamp(told[who].value) < _stamp(item.value):
            told[who] = item
    return f"{text}\n" + "".join(item.line() for item in told.values())


def pinned_only(note: str, signer: Verifier, witnesses: Sequence[Witness]) -> str:
    """`note` as `only_by` has it, and of each of `witnesses` the first cosignature that holds; whatever else is under
    it, nobody vouches for."""
    text, signatures = split_note(note)
    kept = [
        next((item.line() for item in _by(who, signatures) if who.holds(text, item.value)), "")
        for who in dict.fromkeys(witnesses)
    ]
    return only_by(note, signer) + "".join(kept)


def only_by(note: str, signer: Verifier) -> str:
    """`note` with the first signature line of `signer` and no other.

    Whoever passes a note on may add lines; what is kept of it must not grow by what strangers say.
    """
    text, signatures = split_note(note)
    return f"{text}\n" + "".join([item.line() for item in _by(signer, signatures)][:1])


def _stamp(signature: bytes) -> int:
    """When a cosignature says that it was made, in seconds."""
    return int.from_bytes(signature[:STAMP_BYTES], "big")


def _by(signer: Verifier, signatures: Sequence[Signature]) -> list[Signature]:
    """Those that say they are by `signer`."""
    return [item for item in signatures if (item.name, item.key_id) == (signer.name, signer.key_id)]


def _message(text: str, stamp: int) -> str:
    return f"cosignature/v1\ntime {stamp}\n{text}"
