"""The API described, for software and for people, and the keys of its receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, render_template

from signsvc.web.api.answers import KeySet
from signsvc.web.api.document import document
from signsvc.web.api.operation import Operation
from signsvc.web.api.words import LIMITS, PROBLEMS, RECEIPTS, VERDICTS
from signsvc.web.languages import language, say
from signsvc.web.replies import kept
from signsvc.web.site import Site

_HOUR = 3600  # seconds
_SOON = 300


class Describing:
    """The views that describe the operations given, and themselves between them.

    Anyone may ask for them as often as for a style sheet, and making them is dear: they are made once a language.
    """

    def __init__(self, site: Site, before: Sequence[Operation], after: Sequence[Operation]) -> None:
        self._site = site
        self.operations = (*before, *self._own(), *after)
        self._document = document(self.operations, site.address)
        self._documents: dict[str, dict[str, Any]] = {}
        self._pages: dict[str, str] = {}

    def openapi(self) -> Response:
        """The description, in the language asked for."""
        return kept(self._told(), _SOON)

    def docs(self) -> Response:
        """The same as a page, whatever else its address says."""
        if language() not in self._pages:
            self._pages[language()] = self._page()
        return Response(self._pages[language()], headers={"Vary": "Accept-Language"})

    def _told(self) -> dict[str, Any]:
        if language() not in self._documents:
            self._documents[language()] = _worded(self._document)
        return self._documents[language()]

    def _page(self) -> str:
        return render_template(
            "api.html",
            document=self._told(),
            type_of=_type,
            verdicts=VERDICTS,
            problems=PROBLEMS,
            limits=LIMITS,
            receipts=RECEIPTS,
            address=self._site.address,
            fault=True,  # its link to the other language carries nothing else of this request
        )

    def keys(self) -> Response:
        """The keys by which receipts are verified."""
        return kept(self._site.jwks, _HOUR)

    def _own(self) -> tuple[Operation, ...]:
        return (
            Operation(
                "receiptKeys",
                "get",
                "/.well-known/jwks.json",
                "验证回执的公钥",
                "JWK Set（RFC 7517）。可缓存一小时；遇到不认识的 kid 时重取。",
                self.keys,
                gives=KeySet,
            ),
            Operation(
                "describe",
                "get",
                "/api/v1/openapi.json",
                "本接口的描述",
                "OpenAPI 3.1，与所提供的接口出自同一张表。",
                self.openapi,
                gives=dict,
            ),
            Operation(
                "docs",
                "get",
                "/api/v1/docs",
                "本接口的说明页",
                "同样的内容，给人看。",
                self.docs,
                gives=str,
                kind="text/html",
            ),
        )


def _worded(part: Any) -> Any:
    """The document with its words in the language of this request; what is no words has no other language."""
    match part:
        case str():
            return say(part)
        case dict():
            return {key: _worded(value) for key, value in part.items()}
        case list() | tuple():
            return [_worded(value) for value in part]
    return part


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few letters, for the page: `string`, `Certificate | null`, `Check[]`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        kinds = _type(schema["items"])
        return f"({kinds})[]" if "|" in kinds else f"{kinds}[]"
    if "const" in schema:
        return f'"{schema["const"]}"'
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind
