"""The web service: pages on which anyone checks a certificate, and asks which are issued at all.

Server-rendered, whole without JavaScript.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response, render_template, request
from flask_bootstrap import Bootstrap5
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from signsvc.errors import Busy, SignsvcError
from signsvc.web.api import api
from signsvc.web.health import health
from signsvc.web.languages import say, speak
from signsvc.web.log import log
from signsvc.web.matters import matters
from signsvc.web.pages import pages
from signsvc.web.replies import FOR_MACHINES, problem
from signsvc.web.site import Site
from signsvc.web.uploads import Request

UNAVAILABLE = "服务暂时不可用，请稍后再试"
# By what was sent.
_TOO_LARGE = {
    "multipart/form-data": "提交的内容太大：PDF 文件不得超过 10 MB，请使用出具时的原文件",
    "application/json": "提交的内容太大：JSON 不得超过 64 KB，成批查验不得超过 1 MB",
}
_LOG = logging.getLogger("signsvc.web.defects")


def create_app(site: Site) -> Flask:
    """The application over `site`. While the rules of its guide cannot be read, verification goes on."""
    app = Flask(__name__)
    app.request_class = Request
    # A form is read by 64 KB onto what is left of the piece before: with less room than both a good file is refused.
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_MEMORY_SIZE=128 * 1024, MAX_FORM_PARTS=20)
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True  # its style sheet from the package, nothing from elsewhere
    Bootstrap5(app)
    speak(app)
    app.register_blueprint(pages(site))
    app.register_blueprint(matters(site.guide))
    app.register_blueprint(api(site))
    app.register_blueprint(log(site))
    app.register_blueprint(health(site))
    app.register_error_handler(SignsvcError, _own_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _defect)
    site.guard.watch(app)
    return app


def _own_error(error: SignsvcError) -> Response:
    """What the public can mend is told; what is the operator's to mend goes into the log."""
    if isinstance(error, Busy):
        return _told(error.code, error.args[0], error.http, error.retry_after)
    if error.http < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _told(error.code, error.args[0], error.http, None)
    _LOG.error("%s", error.code)
    return _told(error.code, UNAVAILABLE, error.http, None)


def _http_error(error: HTTPException) -> Response:
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
    response = _told(code, messages.get(status, UNAVAILABLE), status, None)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _defect(error: Exception) -> Response:
    """A fault of ours: where it is goes into the log, and nothing of it to who asked."""
    _LOG.error("unforeseen", exc_info=error)
    return _told("internal_error", "服务内部出错，请稍后再试", HTTPStatus.INTERNAL_SERVER_ERROR, None)


def _told(code: str, message: str, status: int, retry_after: int | None) -> Response:
    """An error to a machine or to a person, by what was asked for."""
    if request.path.startswith(FOR_MACHINES):
        return problem(code, say(message), status, retry_after)
    page = Response(render_template("error.html", message=say(message)), status)
    if retry_after is not None:
        page.headers["Retry-After"] = str(retry_after)
    return page
