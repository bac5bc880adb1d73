"""The web service: pages on which anyone checks a certificate, and asks which are issued at all.

Server-rendered, whole without JavaScript.
"""

from __future__ import annotations

from flask import Flask
from flask_bootstrap import Bootstrap5
from werkzeug.exceptions import HTTPException

from signsvc.errors import SignsvcError
from signsvc.web.api import api
from signsvc.web.faults import defect, http_error, own_error
from signsvc.web.health import health
from signsvc.web.languages import speak
from signsvc.web.log import log
from signsvc.web.matters import matters
from signsvc.web.pages import pages
from signsvc.web.site import Site
from signsvc.web.uploads import Request


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
    app.register_error_handler(SignsvcError, own_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, defect)
    site.guard.watch(app)
    return app
