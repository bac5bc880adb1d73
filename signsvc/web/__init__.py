"""The web service: pages on which anyone checks a certificate, and asks which are issued at all.

Server-rendered, whole without JavaScript.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from signsvc.errors import Busy, SignsvcError
from signsvc.web.api import api
from signsvc.web.log import log
from signsvc.web.matters import matters
from signsvc.web.pages import pages
from signsvc.web.replies import problem
from signsvc.web.site import Site

# Where machines ask: errors there are problems (RFC 9457), not pages.
FOR_MACHINES = ("/api/", "/log/", "/.well-known/", "/healthz", "/readyz", "/metrics")


def create_app(site: Site) -> Flask:
    """The application over `site`. While the rules of its guide cannot be read, verification goes on."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_MEMORY_SIZE=64 * 1024, MAX_FORM_PARTS=20)
    app.register_blueprint(pages(site))
    app.register_blueprint(matters(site.guide))
    app.register_blueprint(api(site))
    app.register_blueprint(log(site))
    app.register_error_handler(SignsvcError, _own_error)
    app.register_error_handler(HTTPException, _http_error)
    app.after_request(_headers)
    return app


def _own_error(error: SignsvcError) -> Response:
    wait = error.retry_after if isinstance(error, Busy) else None
    return _told(error.code, str(error), error.http, wait)


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    messages = {
        404: "没有这个页面",
        405: "不支持这种访问方式",
        413: "提交的内容太大",
        400: "提交的内容无法识别",
    }
    code = "_".join(status.phrase.lower().split())
    return _told(code, messages.get(status, "服务暂时不可用"), status, None)


def _told(code: str, message: str, status: int, retry_after: int | None) -> Response:
    """An error to a machine or to a person, by what was asked for."""
    if request.path.startswith(FOR_MACHINES):
        return problem(code, message, status, retry_after)
    page = Response(render_template("error.html", message=message, code=code), status)
    if retry_after is not None:
        page.headers["Retry-After"] = str(retry_after)
    return page


def _headers(response: Response) -> Response:
    """Nothing from elsewhere, no frame, no trace of the code in a referrer, and never a stale verdict."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if "text/html" in response.content_type:
        response.headers["Cache-Control"] = "no-store"
    return response
