"""Bodies of requests, read strictly: every fault is one of a few codes and names its field, never what stood in it."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from signsvc.errors import InputError
from signsvc.texts import Text
from signsvc.web.api.bodies import Body

Asked = TypeVar("Asked", bound=Body)
_SHOWN = 40  # characters of a field's name that is not one of ours
_FAULTS = {
    "missing": "缺少 {field}",
    "extra_forbidden": "不认识的字段 {field}",
    "string_type": "{field} 应为文本",
    "string_too_long": "{field} 太长",
    "too_short": "{field} 不能为空",
    "too_long": "{field} 的项数太多，请分批提交",
    "list_type": "{field} 应为列表",
}


def asked(model: type[Asked], limit: int = 64 * 1024) -> Asked:
    """The JSON of this request as `model`, of at most `limit` bytes.

    Raises InputError `malformed_json` or `malformed_request`; 413 for more bytes, 415 for another type.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    request.max_content_length = limit
    try:
        return model.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        # Not chained: the cause remembers what was sent.
        raise fault(error) from None


def fault(error: ValidationError) -> InputError:
    """The first fault, in words."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return InputError("提交的内容不是 UTF-8 编码的 JSON", "malformed_json")
    words = _FAULTS.get(first["type"], "{field} 应为对象")
    return InputError(Text(words, field=_name(first["loc"])), "malformed_request")


def day(text: str | None) -> date | None:
    """`as_of`: YYYY-MM-DD and no other way to write a day. InputError `malformed_as_of`."""
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise InputError("as_of 应为 YYYY-MM-DD 的日期", "malformed_as_of")
    return found


def _name(path: tuple[Any, ...]) -> str:
    """`claims.name`; of names that the client made up, the beginning, and nothing that cannot be seen."""
    name = ".".join(str(part) for part in path) or "JSON"
    return "".join(char for char in name if char.isprintable())[:_SHOWN]
