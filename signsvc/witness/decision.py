"""What a witness answers to a checkpoint (C2SP tlog-witness, add-checkpoint). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from signsvc import merkle
from signsvc.merkle import EMPTY_ROOT, ProofError
from signsvc.notes import (
    Checkpoint,
    NoteError,
    Verifier,
    decode,
    encode,
    open_checkpoint,
    parse_decimal,
    split_note,
)

MAX_REQUEST_BYTES = 110_000  # the longest note, and 63 hashes
MAX_STEPS = 63
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True)
class Request:
    """A checkpoint as a note, and the proof that it continues the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def body(self) -> str:
        """As it is sent."""
        return "".join([f"old {self.old}\n", *(f"{encode(step)}\n" for step in self.proof), "\n", self.note])

    @classmethod
    def parse(cls, body: bytes) -> Request:
        """From what was sent; NoteError if it is malformed."""
        try:
            head, divider, note = body.decode().partition("\n\n")
        except UnicodeDecodeError as error:
            raise NoteError("the request is not UTF-8") from error
        first, *steps = head.split("\n")
        if not divider or not first.startswith("old ") or len(steps) > MAX_STEPS:
            raise NoteError("the request has no old size, no checkpoint or too many hashes")
        return cls(parse_decimal(first[4:]), tuple(decode(step) for step in steps), note)

    def claimed(self) -> Checkpoint:
        """The checkpoint as it says itself, nobody's signature looked at; NoteError if it is malformed."""
        return Checkpoint.parse(split_note(self.note)[0])


@dataclass(frozen=True)
class Answer:
    """What to reply, and the checkpoint to cosign, if any. `known` is the size last cosigned."""

    status: HTTPStatus
    known: int = 0
    checkpoint: Checkpoint | None = None

    @property
    def forked(self) -> bool:
        """Whether the log has signed two trees of one size: nobody else can have done that."""
        return self.status is HTTPStatus.CONFLICT and self.checkpoint is not None


def decide(log: Verifier | None, seen: Checkpoint | None, request: Request) -> Answer:
    """Whether to cosign. `log` is who is trusted under the checkpoint's origin (None: nobody), `seen` the checkpoint
    of that log that was cosigned last (None: none yet)."""
    if log is None:
        return Answer(HTTPStatus.NOT_FOUND)
    try:
        checkpoint = open_checkpoint(request.note, log)
    except NoteError:
        return Answer(HTTPStatus.FORBIDDEN)
    known = seen.size if seen else 0
    if request.old > checkpoint.size:
        return Answer(HTTPStatus.BAD_REQUEST, known)
    if request.old != known:
        return Answer(HTTPStatus.CONFLICT, known)
    if seen is not None and checkpoint.size == known and checkpoint.root != seen.root:
        return Answer(HTTPStatus.CONFLICT, known, checkpoint)
    if not _continues(seen, checkpoint, request.proof):
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, known)
    return Answer(HTTPStatus.OK, known, checkpoint)


def _continues(seen: Checkpoint | None, checkpoint: Checkpoint, proof: tuple[bytes, ...]) -> bool:
    """Whether the tree begins with the one seen. The empty tree has one root, and begins every other without proof."""
    if checkpoint.size == 0 or seen is None or seen.size == 0:
        return not proof and (checkpoint.size > 0 or checkpoint.root == EMPTY_ROOT)
    try:
        merkle.check_consistency(seen.size, checkpoint.size, proof, seen.root, checkpoint.root)
    except ProofError:
        return False
    return True
