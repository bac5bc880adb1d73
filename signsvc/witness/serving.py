"""A witness that is asked over HTTP: `POST /add-checkpoint` (C2SP tlog-witness), as a WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from signsvc.notes import NoteError
from signsvc.witness.decision import MAX_REQUEST_BYTES, SIZE_TYPE, Answer, Request, decide
from signsvc.witness.state import State

PATH = "/add-checkpoint"
PLAIN = "text/plain; charset=utf-8"
Start = Callable[[str, list[tuple[str, str]]], Any]


def application(state: State) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The witness as a web application."""

    def serve(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        status, kind, text = _answer(state, environ)
        headers = [("Content-Type", kind), ("Content-Length", str(len(text))), ("Cache-Control", "no-store")]
        start(f"{status.value} {status.phrase}", headers)
        return [text]

    return serve


def add_checkpoint(state: State, body: bytes) -> tuple[Answer, str]:
    """What the witness answers to a request, and its cosignature line if it gives one."""
    try:
        request = Request.parse(body)
        origin = request.claimed().origin
    except NoteError:
        return Answer(HTTPStatus.BAD_REQUEST), ""
    log = state.log(origin)
    if log is None:
        return decide(None, None, request), ""
    with state.locked(log) as seen:
        answer = decide(log.verifier, seen, request)
        if answer.forked:
            state.keep_evidence(log, request.note)
        if answer.status is not HTTPStatus.OK:
            return answer, ""
        return answer, state.cosign(log, request.note)


def _answer(state: State, environ: dict[str, Any]) -> tuple[HTTPStatus, str, bytes]:
    if environ["PATH_INFO"] != PATH:
        return _plain(HTTPStatus.NOT_FOUND)
    if environ["REQUEST_METHOD"] != "POST":
        return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        return _plain(HTTPStatus.LENGTH_REQUIRED)
    if int(length) > MAX_REQUEST_BYTES:
        return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    answer, line = add_checkpoint(state, environ["wsgi.input"].read(int(length)))
    if answer.status is HTTPStatus.CONFLICT:
        return answer.status, SIZE_TYPE, f"{answer.known}\n".encode()
    return (answer.status, PLAIN, line.encode()) if line else _plain(answer.status)


def _plain(status: HTTPStatus) -> tuple[HTTPStatus, str, bytes]:
    return status, PLAIN, f"{status.phrase}\n".encode()
