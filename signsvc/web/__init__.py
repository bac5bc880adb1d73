"""The web service: pages on which anyone checks a certificate, and asks which are issued at all.

Server-rendered, whole without JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, render_template
from werkzeug.exceptions import HTTPException

from signsvc.errors import SignsvcError
from signsvc.verify import Verifier
from signsvc.web.matters import matters
from signsvc.web.pages import pages
from signsvc.wiring.guiding import Guide


def create_app(verifier: Verifier, pki: Mapping[str, bytes], guide: Guide) -> Flask:
    """The application over `verifier`; `pki` are CA certificates and revocation lists, DER by file name.

    `guide` has the rules of the home; while they cannot be read, verification goes on.
    """
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_MEMORY_SIZE=64 * 1024, MAX_FORM_PARTS=20)
    app.register_blueprint(pages(verifier, pki))
    app.register_blueprint(matters(guide))
    app.register_error_handler(SignsvcError, _own_error)
    app.register_error_handler(HTTPException, _http_error)
    app.after_request(_headers)
    return app


def _own_error(error: SignsvcError) -> tuple[str, int]:
    return render_template("error.html", message=str(error), code=error.code), error.http


def _http_error(error: HTTPException) -> tuple[str, int]:
    status = HTTPStatus(error.code or 500)
    messages = {
        404: "没有这个页面",
        405: "不支持这种访问方式",
        413: "提交的内容太大",
        400: "提交的内容无法识别",
    }
    return render_template(
        "error.html", message=messages.get(status, "服务暂时不可用"), code=status.phrase
    ), status


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
