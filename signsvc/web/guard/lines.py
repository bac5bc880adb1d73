"""The log: one line of JSON for each request and each event, and nothing in it about whom or what was asked.

A request is told by its route's rule (`/v/<code>`), never by its path, and its sender by a network of 256 addresses.
What other libraries say is kept to where they said it: their words may hold a path, an address or a value. A traceback
is reduced to types and places, for messages of exceptions quote their data.
"""

from __future__ import annotations

import json
import logging
import traceback
import warnings
from datetime import datetime
from typing import Any, TextIO

from signsvc.report import BEIJING

REQUESTS = logging.getLogger("signsvc.web.guard.requests")
# Flask's own logger is named for the package of the application, and quotes paths.
_FLASK = "signsvc.web"


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, BEIJING).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": when, "level": record.levelname.lower(), **_told(record)}
        if record.exc_info and record.exc_info[1]:
            line |= fault(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def fault(error: BaseException) -> dict[str, Any]:
    """The exception's type and where it came through, outermost first, without a word of what it says."""
    frames = traceback.walk_tb(error.__traceback__)
    came = [f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in frames]
    kind = type(error)
    return {"error": f"{kind.__module__}.{kind.__qualname__}", "came": came[-12:]}


def to(stream: TextIO) -> None:
    """Everything that this process logs goes to `stream` so; our own from `info` on, others' from `warning` on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("signsvc").setLevel(logging.INFO)
    logging.raiseExceptions = False  # a line that cannot be written stops no answer
    warnings.showwarning = _warned


def _told(record: logging.LogRecord) -> dict[str, Any]:
    if isinstance(record.msg, dict):
        return record.msg
    if record.name.startswith("signsvc.") and record.name != _FLASK:
        return {"event": record.getMessage(), "from": record.name}
    # Words without values are constants of the library; without arguments they may have been put together.
    words = {"event": str(record.msg)} if record.args else {}
    return {**words, "from": f"{record.name}:{record.module}:{record.lineno}"}


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    logging.getLogger("signsvc.web.guard.warnings").warning(
        {"warning": category.__name__, "from": f"{filename.rpartition('/')[2]}:{lineno}"}
    )
