"""JSON as every route gives it: answers, and problems (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, request
from pydantic_core import to_json

# Where machines ask: errors there are problems (RFC 9457), not pages.
_FOR_MACHINES = ("/api/", "/log/", "/.well-known/", "/matters.json", "/healthz", "/readyz", "/metrics")

FORM = "application/x-www-form-urlencoded"
_PAGES_POST_TO = ("/log/proof",)  # where a machine may ask too


def for_machine() -> bool:
    """Whether what is asked now is answered to a machine: by the address, unless a page's form was sent there."""
    from_page = request.path in _PAGES_POST_TO and request.mimetype == FORM
    return request.path.startswith(_FOR_MACHINES) and not from_page


def answer(body: Mapping[str, Any], status: int = HTTPStatus.OK, kind: str = "application/json") -> Response:
    """`body` as UTF-8 JSON that nobody may keep: what it tells can change at any moment. Its words are in the language
    that was asked for."""
    return answer_text(to_json(body), status, kind)


def answer_text(text: bytes | str, status: int = HTTPStatus.OK, kind: str = "application/json") -> Response:
    """The same of what is JSON already."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
    return Response(text, status, headers, content_type=kind)


def kept(body: Mapping[str, Any], seconds: int) -> Response:
    """`body` as JSON that anyone may keep for so long."""
    response = answer(body)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response


def problem(code: str, message: str, status: int, retry_after: int | None = None) -> Response:
    """What went wrong, for machines by `code`, for people by `message`; `retry_after` in seconds."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": message}
    response = answer(body, status, "application/problem+json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
