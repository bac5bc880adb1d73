"""One operation of the API: the view, and beside it everything that its description is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import Response
from pydantic import BaseModel

# A file in a form (multipart/form-data), for operations that take one.
FILE_FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary", "description": "PDF 文件，不超过 10 MB"}},
    "required": ["file"],
    "additionalProperties": False,
}
READING = (401, 429, 503)  # what may go wrong wherever something is answered
ASKING = (400, 401, 403, 413, 415, 429, 503)  # and where a body is read


@dataclass(frozen=True)
class Operation:
    """`asks` is the model of the body, or FILE_FORM; `gives` the type of the answer (None: no JSON), as `kind`.

    `faults` are the HTTP statuses of the problems that it may answer. `view` is None where another blueprint serves
    the path, and only the description is ours.
    """

    name: str  # operationId
    method: Literal["get", "post"]
    path: str
    summary: str
    detail: str
    view: Callable[[], Response] | None = None
    asks: type[BaseModel] | Mapping[str, Any] | None = None
    gives: Any = None
    kind: str = "application/json"
    faults: tuple[int, ...] = READING
    example: Mapping[str, Any] = field(default_factory=dict)  # of the body
