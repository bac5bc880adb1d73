"""The description of the API (OpenAPI 3.1), made from the table that registers its routes: it cannot drift. Pure.

Extensions: `x-enumDescriptions` (what each value of an enumeration means), `x-codeSamples` (a call with curl).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from signsvc import __version__
from signsvc.web.api.answers import Problem
from signsvc.web.api.operation import FILE_FORM, Operation
from signsvc.web.api.words import ABOUT, PROBLEMS, STATUSES

JSON = "application/json"
REFERENCE = "#/components/schemas/{model}"
_RETRY = {"Retry-After": {"description": "过多少秒再试", "schema": {"type": "integer", "minimum": 1}}}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "偏好 en 时，说明文字用英文；代码不变",
    "schema": {"type": "string"},
    "example": "zh-CN",
}


def document(operations: Sequence[Operation], address: str) -> dict[str, Any]:
    """The whole description; `address` is where the service is reached."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, address)
    statuses = sorted({status for operation in operations for status in operation.faults})
    return {
        "openapi": "3.1.0",
        "info": {"title": "证明查验接口", "version": __version__, "description": ABOUT},
        "servers": [{"url": address}],
        # With a key or without: it only raises the limits.
        "security": [{}, {"apiKey": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "responses": {_problem_name(status): _problem(status) for status in statuses},
            "parameters": {"Language": _LANGUAGE},
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "运营方发给机构的密钥，可不带；带了限额较高",
                }
            },
        },
    }


def _operation(operation: Operation, address: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.detail,
        "parameters": [{"$ref": "#/components/parameters/Language"}],
        "responses": {"200": _answer(operation)}
        | {
            str(status): {"$ref": f"#/components/responses/{_problem_name(status)}"}
            for status in operation.faults
        },
        "x-codeSamples": [{"lang": "shell", "source": _curl(operation, address)}],
    }
    if operation.asks is not None:
        told["requestBody"] = {"required": True, "content": _body(operation)}
    return told


def _body(operation: Operation) -> dict[str, Any]:
    if operation.asks is FILE_FORM:
        return {"multipart/form-data": {"schema": FILE_FORM}}
    return {JSON: {"schema": _reference(operation.asks), "example": dict(operation.example)}}


def _answer(operation: Operation) -> dict[str, Any]:
    schema = {"type": "string"} if operation.gives is str else _reference(operation.gives)
    return {"description": operation.summary, "content": {operation.kind: {"schema": schema}}}


def _reference(kind: Any) -> dict[str, Any]:
    """A named type by its name; anything else is an object of any shape."""
    return {"$ref": REFERENCE.format(model=kind.__name__)} if _named(kind) else {"type": "object"}


def _named(kind: Any) -> bool:
    return isinstance(kind, type) and kind not in (str, dict)


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    kinds: list[Any] = [kind for one in operations for kind in (one.asks, one.gives)]
    named = {kind.__name__: TypeAdapter(kind) for kind in (*kinds, Problem) if _named(kind)}
    _, schemas = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in named.items()], ref_template=REFERENCE
    )
    found: dict[str, Any] = schemas["$defs"]
    for schema in found.values():
        # Docstrings are for readers of the code, titles for readers of the document.
        schema.pop("description", None)
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
    return found


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int) -> dict[str, Any]:
    codes = [code for code, (own, _) in PROBLEMS.items() if own == status]
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": codes[0],
        "detail": PROBLEMS[codes[0]][1],
    }
    schema = REFERENCE.format(model=Problem.__name__)
    content = {"application/problem+json": {"schema": {"$ref": schema}, "example": example}}
    told: dict[str, Any] = {"description": STATUSES[status], "content": content}
    return told | ({"headers": _RETRY} if status in (429, 503) else {})


def _curl(operation: Operation, address: str) -> str:
    call = f"curl -sS {address}{operation.path}"
    if operation.asks is FILE_FORM:
        return f"{call} -F file={operation.example['file']}"
    if operation.asks is None:
        return call
    body = json.dumps(dict(operation.example), ensure_ascii=False)
    return f"{call} -H 'Content-Type: {JSON}' -d '{body}'"
