"""A process that brings cosignatures home: it asks a witness, or takes what one has written. No key of ours is needed.

What it keeps is the present checkpoint with the cosignatures of witnesses whose keys are pinned in the settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus

from signsvc.config import Settings
from signsvc.cosignatures import Witness, cosigned_by, only_by
from signsvc.errors import Exit, InputError, SignsvcError
from signsvc.notes import MAX_NOTE_BYTES, Checkpoint, NoteError, parse_decimal, split_note
from signsvc.registry import Registry
from signsvc.wiring.home import READING, open_home
from signsvc.witness.decision import SIZE_TYPE, Request
from signsvc.witness.fetching import ask, check_address

TRIES = 3  # the log may grow, and the witness hear of it from another process, between two of ours
ADD = "/add-checkpoint"


class NotCosigned(SignsvcError):
    """A witness did not cosign."""

    code = "not_cosigned"
    exit = Exit.NOT_ALL


def ask_witness(settings: Settings, address: str) -> tuple[Checkpoint, list[Witness]]:
    """Have the witness at `address` cosign the present checkpoint; the checkpoint, and who has cosigned it by now."""
    with _reading(settings) as registry:
        return _keep(registry, _cosigned(registry, check_address(address) + ADD))


def take_cosigned(settings: Settings, note: bytes) -> tuple[Checkpoint, list[Witness]]:
    """Keep a checkpoint that witnesses have cosigned elsewhere; the same is returned."""
    with _reading(settings) as registry:
        try:
            split_note(note)
        except NoteError as error:
            raise InputError("这不是检查点", "bad_checkpoint") from error
        return _keep(registry, note.decode())


@contextmanager
def _reading(settings: Settings) -> Iterator[Registry]:
    if not settings.witnesses:
        raise InputError("设置 witnesses 中没有见证人的公钥", "no_witnesses")
    _, registry = open_home(settings, READING)
    with closing(registry):
        yield registry


def _cosigned(registry: Registry, address: str) -> str:
    """The newest checkpoint with the signature lines that the witness gives, and without anybody else's."""
    known = 0  # it says itself what it knows, if it is more
    for _ in range(TRIES):
        note = registry.checkpoint()
        checkpoint = Checkpoint.parse(split_note(note)[0])
        if known > checkpoint.size:
            raise _rewritten(known, checkpoint)
        proof = tuple(registry.consistency(known, checkpoint.size))
        body = Request(known, proof, note).body().encode()
        status, kind, content = ask(address, MAX_NOTE_BYTES, body)
        if status == HTTPStatus.OK:
            return only_by(note, registry.verifier) + content.decode("utf-8", "replace")
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise _rewritten(known, checkpoint)
        if status != HTTPStatus.CONFLICT or kind != SIZE_TYPE:
            raise NotCosigned(f"见证人没有联署：{address} 应答 {status}")
        known = _known(content, known, checkpoint)
    raise NotCosigned(f"见证人没有联署：{address} 一再给出别的大小")


def _known(content: bytes, before: int, checkpoint: Checkpoint) -> int:
    """The size that the witness knows. If it knows another log of this size, ours was put back here.

    A larger one may have been published since we looked: the next try tells.
    """
    try:
        known = parse_decimal(content.decode("ascii", "replace").removesuffix("\n"))
    except NoteError as error:
        raise NotCosigned("见证人的应答无法识别") from error
    if known == before:
        raise _rewritten(known, checkpoint)
    return known


def _rewritten(known: int, checkpoint: Checkpoint) -> NotCosigned:
    message = f"本机的日志（{checkpoint.size} 条）不是见证人见过的（{known} 条）：本机可能恢复自旧备份"
    return NotCosigned(message, "log_rewritten")


def _keep(registry: Registry, note: str) -> tuple[Checkpoint, list[Witness]]:
    """Keep what pinned witnesses have signed of `note`; it must be something."""
    try:
        fresh = cosigned_by(note, registry.witnesses)
    except NoteError as error:
        raise NotCosigned("联署无法识别，或签名不成立") from error
    if not fresh:
        raise NotCosigned("没有设置 witnesses 中任何一位见证人的联署")
    kept = registry.keep_cosigned(note)
    return Checkpoint.parse(split_note(kept)[0]), cosigned_by(kept, registry.witnesses)
