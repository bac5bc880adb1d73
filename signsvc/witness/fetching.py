"""Asking others over HTTP, with limits on size and time."""

from __future__ import annotations

from http.client import HTTPException
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from signsvc.errors import InputError

CONNECT_SECONDS = 10
WHOLE_SECONDS = 30
PIECE = 16 * 1024
AGENT = "signsvc"


def check_address(address: str) -> str:
    """An http or https address without a slash at its end; InputError for any other."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError(f"网址无法使用：{address}", "bad_address")
    return address.rstrip("/")


def ask(address: str, limit: int, body: bytes | None = None) -> tuple[int, str, bytes]:
    """Status, type and content of what `address` answers to GET, or to POST of `body`; at most `limit` bytes.

    InputError `unreachable` if it does not answer, not in time, or with more than that.
    """
    # Every caller's address went through check_address.
    request = Request(address, body, {"User-Agent": AGENT, "Accept-Encoding": "identity"})  # noqa: S310
    if body is not None:
        request.add_header("Content-Type", "text/plain; charset=utf-8")
    deadline = monotonic() + WHOLE_SECONDS
    try:
        with _opened(request) as reply:
            content = b""
            while piece := reply.read1(PIECE):
                content += piece
                if len(content) > limit or monotonic() > deadline:
                    raise InputError(f"{address} 的应答太长或太慢", "unreachable")
            return reply.status, reply.headers.get_content_type(), content
    except (OSError, HTTPException) as error:
        raise InputError(f"{address} 没有应答，请检查网址和网络", "unreachable") from error


def _opened(request: Request) -> Any:
    """The reply, whatever its status is."""
    try:
        return _OPENER.open(request, timeout=CONNECT_SECONDS)
    except HTTPError as error:
        return error


class _NoRedirect(HTTPRedirectHandler):
    """Whoever was named is asked, and nobody whom they name."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirect)
