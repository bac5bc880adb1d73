"""The API against its own description: what is routed is described, what is described is answered, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from home import Home
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from signsvc.report import Verdict
from signsvc.web import create_app
from signsvc.web.api.words import PROBLEMS, VERDICTS
from signsvc.web.server import opened
from signsvc.web.site import Site

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


@contextmanager
def without_limits(home: Home) -> Iterator[Site]:
    """They would answer for the API."""
    many = dict.fromkeys(("limit_client", "limit_batch", "limit_upload", "limit_code"), "1000000/second")
    with opened(replace(home.settings, limit_claims="1000000/second", **many)) as site:
        yield site


@pytest.fixture(scope="module")
def app(issued: Home) -> Iterator[Flask]:
    with without_limits(issued) as site:
        yield create_app(site)


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").json
    return found


def faults(app: Flask, operations: str, examples: int) -> dict[str, set[str]]:
    """What Schemathesis finds, by operation: the names of the checks that failed, or of its own errors."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 4,
            "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True},
            "phases": {"stateful": {"enabled": False}},
            "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
        }
    )
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=config)
    found: dict[str, set[str]] = {}
    for event in from_schema(schema.include(path_regex=operations)).execute():
        if isinstance(event, events.NonFatalError):
            found.setdefault(event.label, set()).add(str(event.value))
        if isinstance(event, events.ScenarioFinished):
            checked = [check for checks in event.recorder.checks.values() for check in checks]
            failed = {check.name for check in checked if check.status is Status.FAILURE}
            found.setdefault(str(event.recorder.label), set()).update(failed)
    return found


def test_schemathesis_finds_nothing(app: Flask, document: dict[str, Any]) -> None:
    found = faults(app, ".*", 25)
    assert {name: failed for name, failed in found.items() if failed} == {}
    assert len(found) >= len(document["paths"])


def test_schemathesis_would_find_what_is_wrong(issued: Home) -> None:
    """The same run over an application with three defects: an undocumented answer, an undocumented field, a crash."""
    with without_limits(issued) as site:
        defective = create_app(site)
    views = defective.view_functions
    views["api.verifyHash"] = lambda: ({"ok": True}, 200)
    views["api.receiptKeys"] = lambda: ({}, 418)
    views["api.docs"] = lambda: 1 // 0
    found = faults(defective, "hash|jwks|docs", 5)
    assert "response_schema_conformance" in found["POST /api/v1/verify/hash"]
    assert "status_code_conformance" in found["GET /.well-known/jwks.json"]
    assert "not_a_server_error" in found["GET /api/v1/docs"]


def test_what_is_routed_is_described_and_the_reverse(app: Flask, document: dict[str, Any]) -> None:
    routed = {
        (rule.rule, method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described <= routed
    assert {one for one in routed if one[0].startswith(("/api/", "/.well-known/"))} <= described


def test_the_document_holds_together(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"#/(components/[^"]+)"', str(document).replace("'", '"')))
    for reference in references:
        part: Any = document
        for step in reference.split("/"):
            part = part[step]
    schemas = document["components"]["schemas"]
    assert {f"components/schemas/{name}" for name in schemas} <= references
    loose = [
        name
        for name, schema in schemas.items()
        if schema["type"] == "object" and schema.get("additionalProperties") is not False
    ]
    assert loose == []
    for methods in document["paths"].values():
        for operation in methods.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                whole = {**body["schema"], "components": document["components"]}
                assert "example" not in body or jsonschema_rs.is_valid(whole, body["example"])


class Links(HTMLParser):
    """Where a page's own links lead, and what is there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.ids: list[str] = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.targets |= {given["href"][1:]} if given.get("href", "").startswith("#") else set()
        self.scripts += "onclick" in given


def test_the_page_says_everything_that_the_document_says(app: Flask, document: dict[str, Any]) -> None:
    page = app.test_client().get("/api/v1/docs").text
    links = Links(page)
    assert links.targets <= set(links.ids)
    assert len(links.ids) == len(set(links.ids))
    words = [verdict.value for verdict in Verdict] + list(PROBLEMS) + list(document["components"]["schemas"])
    words += list(document["paths"])
    words += [text for pair in VERDICTS.values() for text in pair]
    assert [word for word in words if word not in page] == []
    assert page.count("curl -sS") == len(document["paths"])


def test_the_manual_has_every_problem_with_its_status() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    table = manual.partition("\n## Problems\n")[2].partition("\n## ")[0]
    told: dict[str, int] = {}
    for row in re.findall(r"^\| (`.+?) \| ([0-9, ]+) \|", table, re.MULTILINE):
        codes, statuses = re.findall(r"`(\w+)`", row[0]), [int(text) for text in row[1].split(", ")]
        told |= zip(codes, statuses * len(codes) if len(statuses) == 1 else statuses, strict=True)
    assert told == {code: status for code, (status, _) in PROBLEMS.items()}
