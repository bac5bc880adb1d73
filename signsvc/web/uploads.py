"""Files that visitors hand in: read into memory, examined, forgotten. Neither disk nor log ever sees one.

What the client says of a file (its name, its type) is never looked at: the examination decides what it is.
"""

from __future__ import annotations

from io import BytesIO
from typing import IO

import flask
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from signsvc.errors import InputError
from signsvc.seal.prechecks import MAX_BYTES

MAX_FILE = MAX_BYTES
MAX_FORM = MAX_FILE + 64 * 1024  # bytes, with the form around the file


class Request(flask.Request):
    """A request whose files stay in memory; the usual one writes those over 500 KB to disk."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def uploaded(field: str = "file") -> bytes:
    """The one file of the form. Without it an InputError `malformed_request`; over 10 MB a 413, no form a 415."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType
    request.max_content_length = MAX_FORM
    files = request.files.getlist(field)
    if len(files) != 1:
        raise InputError("请在 file 一栏提交一个文件", "malformed_request")
    data: bytes = files[0].read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise RequestEntityTooLarge
    return data
