"""JSON as every route gives it: answers, and problems (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, current_app


def answer(body: Mapping[str, Any], status: int = HTTPStatus.OK, kind: str = "application/json") -> Response:
    """`body` as UTF-8 JSON that nobody may keep: what it tells can change at any moment."""
    text = current_app.json.dumps(body, ensure_ascii=False, sort_keys=False)
    return Response(text, status, {"Cache-Control": "no-store"}, content_type=kind)


def problem(code: str, message: str, status: int, retry_after: int | None = None) -> Response:
    """What went wrong, for machines by `code`, for people by `message`; `retry_after` in seconds."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": message}
    response = answer(body, status, "application/problem+json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
