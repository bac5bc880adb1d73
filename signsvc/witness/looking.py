"""A witness that goes and looks: whoever publishes a log need not know of it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from time import monotonic

from signsvc import merkle
from signsvc.errors import Exit, InputError, SignsvcError
from signsvc.merkle import EMPTY_ROOT, HASH_BYTES, ProofError
from signsvc.notes import MAX_NOTE_BYTES, Checkpoint, NoteError, encode, open_checkpoint
from signsvc.tiles import WIDTH, Tile, prove_from_tiles
from signsvc.witness.decision import Request, decide
from signsvc.witness.fetching import ask
from signsvc.witness.state import Log, State

Fetch = Callable[[str, int], bytes]  # a path below the log's address, and the most bytes to expect
LOOK_SECONDS = 60  # for one log, however many tiles it takes


class LogRewritten(SignsvcError):
    """A log shows a past that is not the one that was seen, and what it signed proves it."""

    code = "log_rewritten"
    exit = Exit.NOT_ALL


class LogShrunk(SignsvcError):
    """A log shows fewer entries than were seen: it was put back, or an old copy answers. That alone proves nothing."""

    code = "log_shrunk"
    exit = Exit.NOT_ALL


def look(state: State, log: Log, seconds: float = LOOK_SECONDS) -> Checkpoint:
    """Fetch what the log publishes now, and cosign it if it continues what was seen; the checkpoint.

    Raises LogRewritten or LogShrunk if it does not, InputError if what the log shows is none of its own, or it does
    not show it within `seconds`.
    """
    fetch = _fetching(log, monotonic() + seconds)
    while True:
        seen = state.seen(log)
        note = _checkpoint_note(log, fetch)
        shown = _opened(note, log)
        begins, proof = _beginning(log, fetch, seen, shown)
        with state.locked(log) as now:
            if now == seen:  # nobody else has looked meanwhile
                _judge(state, log, seen, Request(seen.size if seen else 0, proof, note), begins)
                state.cosign(log, note)
                return shown


def _judge(state: State, log: Log, seen: Checkpoint | None, request: Request, begins: bytes) -> None:
    """`begins` is the root over as many of the shown tree's leaves as were seen."""
    shown, name = request.claimed(), log.verifier.name
    if seen and shown.size < seen.size:
        kept = state.keep_evidence(log, request.note)
        raise LogShrunk(
            f"日志 {name} 变短了：曾有 {seen.size} 条，现在只有 {shown.size} 条；可能恢复自旧备份，也可能是旧的副本"
            f"在应答。前后两个检查点保存在 {kept}，未作联署"
        )
    if seen and begins != seen.root:
        proof = {"proof": request.body(), "begins": f"{encode(begins)}\n"} if request.proof else {}
        kept = state.keep_evidence(log, request.note, proof)
        raise LogRewritten(
            f"日志 {name} 的过去被改写：现在的 {shown.size} 条不是从见过的 {seen.size} 条续写的；前后两个检查点和"
            f"证明保存在 {kept}，未作联署"
        )
    if (
        decide(log.verifier, seen, request).status is not HTTPStatus.OK
    ):  # an empty tree that has some other root
        raise InputError(f"{log.address} 给出的检查点不成立", "bad_checkpoint")


def _checkpoint_note(log: Log, fetch: Fetch) -> str:
    try:
        return fetch("checkpoint", MAX_NOTE_BYTES).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{log.address} 给出的不是检查点", "bad_checkpoint") from error


def _opened(note: str, log: Log) -> Checkpoint:
    try:
        return open_checkpoint(note, log.verifier)
    except NoteError as error:
        raise InputError(f"{log.address} 给出的不是由所信任的公钥签署的检查点", "bad_checkpoint") from error


def _beginning(
    log: Log, fetch: Fetch, seen: Checkpoint | None, shown: Checkpoint
) -> tuple[bytes, tuple[bytes, ...]]:
    """The root over as many leaves of the shown tree as were seen, and the proof of it (RFC 6962 2.1.2).

    Both are worked out from the log's own tiles, which must lead to the root that it shows: tiles that are wrong or
    out of date say nothing of the past.
    """
    if seen is None or not 0 < seen.size < shown.size:
        return (EMPTY_ROOT if seen and seen.size == 0 else shown.root), ()

    def fetch_tile(tile: Tile) -> bytes:
        return fetch(f"tile/{tile.level}/{tile.path}", WIDTH * HASH_BYTES)

    try:
        plan = [merkle.peaks(seen.size), *merkle.consistency_plan(seen.size, shown.size)]
        begins, *proof = prove_from_tiles(plan, shown.size, fetch_tile)
        merkle.check_consistency(seen.size, shown.size, proof, begins, shown.root)
    except ProofError as error:
        raise InputError(f"{log.address} 给出的分块不完整，或与它的检查点不符", "bad_tile") from error
    return begins, tuple(proof)


def _fetching(log: Log, deadline: float) -> Fetch:
    """What fetches the log's files, all of them by `deadline`."""

    def fetch(path: str, limit: int) -> bytes:
        address = f"{log.address}/{path}"
        status, _, content = ask(address, limit, seconds=max(0.0, deadline - monotonic()))
        if status != HTTPStatus.OK:
            raise InputError(f"{address} 应答 {status}", "unreachable")
        return content

    return fetch
