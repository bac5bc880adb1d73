"""A witness that goes and looks: whoever publishes a log need not know of it."""

from __future__ import annotations

from http import HTTPStatus

from signsvc import merkle
from signsvc.errors import Exit, InputError, SignsvcError
from signsvc.merkle import HASH_BYTES, ProofError
from signsvc.notes import MAX_NOTE_BYTES, Checkpoint, NoteError, open_checkpoint
from signsvc.tiles import WIDTH, Tile, prove_from_tiles
from signsvc.witness.decision import Request, decide
from signsvc.witness.fetching import ask
from signsvc.witness.state import Log, State


class LogRewritten(SignsvcError):
    """A log shows a past that is not the one that was seen."""

    code = "log_rewritten"
    exit = Exit.NOT_ALL


def look(state: State, log: Log) -> Checkpoint:
    """Fetch what the log publishes now, and cosign it if it continues what was seen; the checkpoint.

    Raises LogRewritten if it does not, InputError if the log cannot be reached or what it shows is none of its own.
    """
    while True:
        seen = state.seen(log)
        note = _checkpoint_note(log)
        shown = _opened(note, log)
        request = Request(seen.size if seen else 0, _proof(log, seen, shown), note)
        with state.locked(log) as now:
            if now == seen:  # nobody else has looked meanwhile
                _judge(state, log, shown, request, seen)
                state.cosign(log, note)
                return shown


def _judge(state: State, log: Log, shown: Checkpoint, request: Request, seen: Checkpoint | None) -> None:
    name, known = log.verifier.name, request.old
    if shown.size < known:
        message = f"日志 {name} 变短了：曾有 {known} 条，现在只有 {shown.size} 条"
    elif decide(log.verifier, seen, request).status is not HTTPStatus.OK:
        message = f"日志 {name} 的过去被改写：现在的 {shown.size} 条不是从见过的 {known} 条续写的"
    else:
        return
    evidence = state.keep_evidence(log, request.note, request.body())
    raise LogRewritten(f"{message}；前后两个检查点保存在 {evidence}，未作联署")


def _checkpoint_note(log: Log) -> str:
    raw = _fetch(f"{log.address}/checkpoint", MAX_NOTE_BYTES)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{log.address} 给出的不是检查点", "bad_checkpoint") from error


def _opened(note: str, log: Log) -> Checkpoint:
    try:
        return open_checkpoint(note, log.verifier)
    except NoteError as error:
        raise InputError(f"{log.address} 给出的不是由所信任的公钥签署的检查点", "bad_checkpoint") from error


def _proof(log: Log, seen: Checkpoint | None, shown: Checkpoint) -> tuple[bytes, ...]:
    """The proof that what is shown continues what was seen, worked out from the log's own tiles."""
    if seen is None or not 0 < seen.size < shown.size:
        return ()

    def fetch(tile: Tile) -> bytes:
        return _fetch(f"{log.address}/tile/{tile.level}/{tile.path}", WIDTH * HASH_BYTES)

    try:
        plan = merkle.consistency_plan(seen.size, shown.size)
        return tuple(prove_from_tiles(plan, shown.size, fetch))
    except ProofError as error:
        raise InputError(f"{log.address} 给出的分块不完整", "bad_tile") from error


def _fetch(address: str, limit: int) -> bytes:
    status, _, content = ask(address, limit)
    if status != HTTPStatus.OK:
        raise InputError(f"{address} 应答 {status}", "unreachable")
    return content
