"""A server to compare with, on our server and its options: `python -m bench.beside empty|bare --port P --workers N`.

`empty` is the whole service with one view more, which answers at once: what it costs is our middleware. `bare` is that
view in an application of nothing else: what it costs is Flask and gunicorn.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from flask import Flask, Response

from signsvc.config import load
from signsvc.web import server

PATH = "/api/v1/empty"
_create_app = server.create_app


def view() -> Response:
    """As little as an answer can be."""
    return Response("{}", mimetype="application/json")


def empty(*parts: Any, **named: Any) -> Flask:
    """The service as it is, and the view in it."""
    app = _create_app(*parts, **named)
    app.add_url_rule(PATH, view_func=view, methods=["POST"])
    return app


def bare(*_parts: Any, **_named: Any) -> Flask:
    """Nothing but the view."""
    app = Flask("bare")
    app.add_url_rule(PATH, view_func=view, methods=["POST"])
    return app


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("kind", choices=["empty", "bare"])
    asked.add_argument("--port", type=int, required=True)
    asked.add_argument("--workers", type=int, required=True)
    given = asked.parse_args()
    server.create_app = {"empty": empty, "bare": bare}[given.kind]
    server.run(load(os.environ, Path.cwd()), "127.0.0.1", given.port, given.workers)


if __name__ == "__main__":
    main()
