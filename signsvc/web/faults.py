"""Errors as they are told: to a machine as a problem (RFC 9457), to a person as a page.

What the public can mend is told; what is the operator's to mend goes into the log, by its code and where it came from.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from signsvc.errors import Busy, SignsvcError
from signsvc.web.languages import say
from signsvc.web.replies import for_machine, problem

UNAVAILABLE = "服务暂时不可用，请稍后再试"
# By what was sent.
_TOO_LARGE = {
    "multipart/form-data": "提交的内容太大：PDF 文件不得超过 10 MB，请使用出具时的原文件",
    "application/json": "提交的内容太大：JSON 不得超过 64 KB，成批查验不得超过 1 MB",
}
_LOG = logging.getLogger("signsvc.web.defects")


def own_error(error: SignsvcError) -> Response:
    """An error of our own family."""
    if isinstance(error, Busy):
        return told(error.code, error.args[0], error.http, error.retry_after)
    if error.http < HTTPStatus.INTERNAL_SERVER_ERROR:
        return told(error.code, error.args[0], error.http)
    log(error)
    return told(error.code, UNAVAILABLE, error.http)


def log(error: SignsvcError) -> None:
    """Tell the operator what is his to mend."""
    _LOG.error("%s", error.code, exc_info=error)


def http_error(error: HTTPException) -> Response:
    """What was asked in a way that HTTP has a status for."""
    status = HTTPStatus(error.code or 500)
    messages = {
        404: "没有这个页面",
        405: "不支持这种访问方式",
        413: _TOO_LARGE.get(request.mimetype, "提交的内容太大"),
        415: "Content-Type 不是这个地址要求的类型",
        400: "提交的内容无法识别",
    }
    # Before Python 3.13 the phrase of 413 is that of an older RFC.
    code = "content_too_large" if status == 413 else "_".join(status.phrase.lower().split())
    response = told(code, messages.get(status, UNAVAILABLE), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def defect(error: Exception) -> Response:
    """A fault of ours: nothing of it goes to who asked."""
    _LOG.error("unforeseen", exc_info=error)
    return told("internal_error", "服务内部出错，请稍后再试", HTTPStatus.INTERNAL_SERVER_ERROR)


def told(code: str, message: str, status: int, retry_after: int | None = None) -> Response:
    """An error to a machine or to a person, by what was asked for."""
    if for_machine():
        return problem(code, say(message), status, retry_after)
    page = Response(render_template("error.html", message=say(message)), status)
    if retry_after is not None:
        page.headers["Retry-After"] = str(retry_after)
    return page
