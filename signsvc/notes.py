"""Signed notes with Ed25519 and the checkpoints of a log in them (C2SP signed-note, tlog-checkpoint). Pure.

A note is a text that ends in a newline, an empty line, and signature lines `— name base64(key id ‖ signature)`.
Signatures by unknown keys are ignored; one by a known key that does not hold refuses the whole note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
MAX_NOTE_BYTES = 100_000
MAX_SIGNATURES = 100
DASH = "— "


class NoteError(ValueError):
    """The note is malformed, signed by nobody we know, or its signature does not hold."""


def log_name(base_url: str) -> str:
    """The name of the log that a service at `base_url` keeps: its address without a scheme, as C2SP recommends."""
    return base_url.partition("://")[2].rstrip("/") + "/log"


@dataclass(frozen=True)
class Verifier:
    """Who a note is expected from: a key name and an Ed25519 public key (32 raw bytes).

    `KIND` is the byte that tells this kind of signature from others by the same key.
    """

    KIND: ClassVar[bytes] = ED25519

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ 0x0A ‖ kind ‖ key), the first four bytes."""
        return sha256(self.name.encode() + b"\n" + self.KIND + self.public).digest()[:4]

    def __str__(self) -> str:
        """As it is handed to others: `name+key id+base64(kind ‖ key)`."""
        return f"{self.name}+{self.key_id.hex()}+{encode(self.KIND + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the form that `str` gives; NoteError if it is malformed or its key id is not its own."""
        name, key_id, encoded = text.split("+", 2) if text.count("+") >= 2 else ("", "", "")
        key = decode(encoded)
        if len(key) != 33 or key[:1] != cls.KIND:
            raise NoteError("the verifier key is not an Ed25519 key of the kind expected")
        verifier = cls(name, key[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteError("the verifier key does not have its key id")
        return verifier

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's over `text`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signature:
    """One signature line as it stands: whose it claims to be, and what it holds."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """As it stood, with its newline."""
        return f"{DASH}{self.name} {encode(self.key_id + self.value)}\n"


def verifier_of(name: str, key: Ed25519PrivateKey) -> Verifier:
    """The verifier for notes that `key` signs under `name`."""
    return Verifier(name, key.public_key().public_bytes_raw())


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """`text` as a note with one signature."""
    _check_text(text)
    verifier = verifier_of(name, key)
    return f"{text}\n{signature_line(verifier, key.sign(text.encode()))}"


def signature_line(signer: Verifier, signature: bytes) -> str:
    """`signature` as a line of a note, with its newline."""
    return Signature(signer.name, signer.key_id, signature).line()


def split_note(note: bytes | str) -> tuple[str, tuple[Signature, ...]]:
    """Text and signature lines of a note, nothing checked but the form; NoteError if that is wrong."""
    text, divider, lines = _decoded(note).rpartition("\n\n")
    if not divider or not lines.endswith("\n"):
        raise NoteError("the note has no signature")
    _check_text(text + "\n")
    rows = lines[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise NoteError("the note has too many signatures")
    return text + "\n", tuple(_signature(row) for row in rows)


def open_note(note: bytes | str, verifiers: Sequence[Verifier]) -> str:
    """The text of a note that at least one of `verifiers` signed; NoteError otherwise."""
    text, signatures = split_note(note)
    known = {(item.name, item.key_id): item for item in verifiers}
    signed = False
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.holds(text, signature.value):
            raise NoteError("a signature of the note does not hold")
        signed = True
    if not signed:
        raise NoteError("the note is not signed by a known key")
    return text


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself: name, number of leaves, root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text: origin, size and base64 root, a line each."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From a note's text; extension lines are allowed and ignored. NoteError if it is malformed."""
        lines = text.split("\n")
        if len(lines) < 4 or not all(lines[:-1]) or lines[-1]:
            raise NoteError("the checkpoint does not have its three lines")
        root = decode(lines[2])
        if len(root) != 32:
            raise NoteError("the checkpoint's root is not 32 bytes long")
        return cls(lines[0], parse_decimal(lines[1]), root)


def open_checkpoint(note: bytes | str, verifier: Verifier) -> Checkpoint:
    """The checkpoint in a note that `verifier` signed for the log of its own name; NoteError otherwise."""
    checkpoint = Checkpoint.parse(open_note(note, [verifier]))
    if checkpoint.origin != verifier.name:
        raise NoteError("the checkpoint is of another log")
    return checkpoint


def parse_decimal(text: str) -> int:
    """A number in ASCII digits without leading zeros, below 2^63; NoteError otherwise."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (text[0] == "0" and text != "0"):
        raise NoteError("a number is not written as a plain decimal")
    value = int(text)
    if value >= 2**63:
        raise NoteError("a number is too large")
    return value


def encode(raw: bytes) -> str:
    """Base64 (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode("ascii")


def decode(text: str) -> bytes:
    """Strict base64: one spelling for each value; NoteError for any other."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("base64 is malformed") from error
    if encode(raw) != text:
        raise NoteError("base64 is not in its one proper form")
    return raw


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(DASH).partition(" ")
    value = decode(encoded)
    if not line.startswith(DASH) or not space or len(value) < 5:
        raise NoteError("a signature line is malformed")
    _check_name(name)
    return Signature(name, value[:4], value[4:])


def _decoded(note: bytes | str) -> str:
    raw = note.encode() if isinstance(note, str) else note
    if len(raw) > MAX_NOTE_BYTES:
        raise NoteError("the note is too long")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise NoteError("the note is not UTF-8") from error
    if any(char < " " and char != "\n" for char in text):
        raise NoteError("the note holds control characters")
    return text


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends in a newline")


def _check_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() for char in name):
        raise NoteError("a key name is empty or holds a space or a plus")
