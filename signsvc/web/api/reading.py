"""Bodies of requests, read strictly: every fault is one of a few codes and names its field, never what stood in it."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from signsvc.errors import InputError
from signsvc.texts import Text
from signsvc.web.api.bodies import Body

Asked = TypeVar("Asked", bound=Body)
_FAULTS = {
    "missing": "缺少 {field}",
    "extra_forbidden": "{field} 中有不认识的字段",
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
    # A name that the client made up may be anything, and is not repeated.
    own = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
    return InputError(Text(words, field=".".join(map(str, own)) or "JSON"), "malformed_request")


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
