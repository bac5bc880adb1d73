"""Asking others over HTTP, with limits on size and time."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future
from http.client import HTTPException
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from signsvc.errors import InputError

SILENCE_SECONDS = 10
WHOLE_SECONDS = 30
PIECE = 16 * 1024
AGENT = "signsvc"
MAX_ADDRESS = 500
# Names in other scripts as DNS has them (xn--…); nothing that could be read in two ways.
_ADDRESS = re.compile(
    r"https?://([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%+:@/-]*)?",
    re.ASCII,
)

Answer = tuple[int, str, bytes]


def check_address(address: str) -> str:
    """An http or https address without a slash at its end; InputError for any other."""
    if len(address) > MAX_ADDRESS or not _ADDRESS.fullmatch(address) or not _resolvable(address):
        raise InputError("网址无法使用：应如 https://example.org/log，不含账号、参数和中文", "bad_address")
    return address.rstrip("/")


def _resolvable(address: str) -> bool:
    """Whether the standard library takes host and port for what they look like."""
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def ask(address: str, limit: int, body: bytes | None = None, seconds: float = WHOLE_SECONDS) -> Answer:
    """Status, type and content of what `address` answers to GET, or to POST of `body`; at most `limit` bytes.

    InputError `unreachable` if it does not answer, not as HTTP has it, not within `seconds`, or with more than that.
    """
    try:
        return _within(seconds, lambda: _asked(address, limit, body))
    except TimeoutError as error:
        raise InputError(f"{address} 的应答太慢", "unreachable") from error
    # ValueError: an address that was edited by hand, or a header that is none.
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(f"{address} 没有应答，请检查网址和网络", "unreachable") from error


def _within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """What `work` gives, or raises; TimeoutError if it takes longer.

    A timeout of the socket's begins anew with every byte, and name servers know none at all. So the work is done by a
    thread that is left to itself when the time is over; it ends with the command.
    """
    future: Future[Answer] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 (it is raised where it was waited for)
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future.result(seconds)


def _asked(address: str, limit: int, body: bytes | None) -> Answer:
    # Every caller's address went through check_address. Of headers the library reads 100 lines of 64 KiB at most.
    request = Request(address, body, {"User-Agent": AGENT, "Accept-Encoding": "identity"})  # noqa: S310
    if body is not None:
        request.add_header("Content-Type", "text/plain; charset=utf-8")
    with _opened(request) as reply:
        content = b""
        while piece := reply.read1(PIECE):
            content += piece
            if len(content) > limit:
                raise InputError(f"{address} 的应答太长", "unreachable")
        return reply.status, reply.headers.get_content_type(), content


def _opened(request: Request) -> Any:
    """The reply, whatever its status is."""
    try:
        return _OPENER.open(request, timeout=SILENCE_SECONDS)
    except HTTPError as error:
        return error


class _NoRedirect(HTTPRedirectHandler):
    """Whoever was named is asked, and nobody whom they name."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirect)
