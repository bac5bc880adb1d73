"""What stands before every view: other sites, headers, keys, the log, metrics, faults of our own."""

from __future__ import annotations

import csv
import json
import logging
import os
import signal
import warnings
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from home import DEMO_REQUESTS, Home, read_results
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from signsvc.errors import RegistryError
from signsvc.registry import Registry
from signsvc.seal.sandbox import Sandbox
from signsvc.web import create_app
from signsvc.web.guard import lines
from signsvc.web.guard.askers import roughly
from signsvc.web.server import opened
from signsvc.wiring import apikeys
from signsvc.wiring.home import now

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CODE = "0" * 16
FORM = {"number": "gd-demo-2026-000001", "code": CODE}


@pytest.fixture
def app(issued: Home) -> Iterator[Flask]:
    with opened(issued.settings) as site:
        yield create_app(site)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What the service logs, as its server writes it."""
    root, own, shown = logging.getLogger(), logging.getLogger("signsvc"), warnings.showwarning
    before = root.handlers[:], root.level, own.level
    stream = StringIO()
    lines.to(stream)
    yield stream
    root.handlers[:], root.level, own.level = before[0], before[1], before[2]
    warnings.showwarning = shown


def logged(written: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def send(client: FlaskClient, path: str = "/verify", **headers: str) -> TestResponse:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    if path == "/verify":
        return client.post(path, data=FORM, headers=said, base_url="https://zm.example.org")
    return client.post(path, json=FORM, headers=said, base_url="https://zm.example.org")


@pytest.mark.parametrize("path", ["/verify", "/api/v1/verify"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://zm.example.org"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "https://behind.example"},  # a proxy may have renamed us
        {"Sec_Fetch_Site": "none"},
    ],
)
def test_our_own_forms_and_programs_are_heard(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    assert send(client, path, **headers).status_code == 200


@pytest.mark.parametrize("path", ["/verify", "/api/v1/verify"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "https://zm.example.org"},
        {"Sec_Fetch_Site": "none, cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://zm.example.org"},
        {"Origin": "https://zm.example.org:8443"},
        {"Origin": "https://zm.example.org.evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
)
def test_other_sites_are_not(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = send(client, path, **headers)
    assert answer.status_code == 403
    if path == "/verify":
        assert "其他网站" in answer.get_data(as_text=True)
    else:
        assert answer.json is not None
        assert answer.json["code"] == "cross_site"


def test_the_address_where_we_are_published_is_ours_whatever_a_proxy_calls_us(issued: Home) -> None:
    with opened(replace(issued.settings, base_url="https://zm.example.gov.cn/service")) as site:
        client = create_app(site).test_client()
        assert send(client, Origin="https://zm.example.gov.cn").status_code == 200
        assert send(client, Origin="https://zm.example.gov.cn.evil.example").status_code == 403
    with opened(issued.settings) as site:  # its address stands for no machine in particular
        assert send(create_app(site).test_client(), Origin=issued.settings.base_url).status_code == 403


def test_a_link_from_another_site_is_followed(client: FlaskClient) -> None:
    assert client.get("/verify", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/verify", f"/v/{CODE}", "/nowhere", "/api/v1/nowhere", "/static/style.css", "/healthz"]
)
def test_every_answer_says_what_a_browser_must_not_do(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"] == CSP
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers
    assert len(headers["X-Request-Id"]) == 16
    if "html" in headers["Content-Type"]:
        assert headers["Cache-Control"] == "no-store"


def test_https_is_insisted_on_where_it_is_spoken_and_published_data_may_be_embedded(
    client: FlaskClient,
) -> None:
    headers = client.get("/.well-known/jwks.json", base_url="https://zm.example.org").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize(
    "shown", ["Bearer sk_000000000000_x", "Bearer ", "Bearer", "Basic eDp5", "sk_x", "Bearer \xff"]
)
def test_a_key_that_is_none_is_refused_and_told_how(client: FlaskClient, shown: str) -> None:
    answer = client.post("/api/v1/verify", json=FORM, headers={"Authorization": shown})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json is not None
    assert answer.json["code"] == "unknown_api_key"
    assert client.post("/verify", data=FORM, headers={"Authorization": shown}).status_code == 200


def test_the_service_says_how_it_is(issued: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(issued.settings) as site:
        client = create_app(site).test_client()
        assert client.get("/healthz").json == {"status": "ok"}
        assert client.get("/readyz").json == {"status": "ready"}
        blind = create_app(replace(site, ready=lambda: False)).test_client()
        assert (blind.get("/readyz").status_code, blind.get("/healthz").status_code) == (503, 200)

        def broken(_: Registry) -> str:
            raise RegistryError("换了一本", "registry_damaged")

        monkeypatch.setattr(Registry, "checkpoint", broken)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert answer.headers["Retry-After"]
        assert client.get("/healthz").status_code == 200


def test_a_checker_of_files_that_died_is_started_again() -> None:
    with Sandbox() as sandbox:
        first = sandbox.template_pid
        os.kill(first, signal.SIGKILL)
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        assert sandbox.ready()
        assert sandbox.template_pid != first


def test_requests_refusals_and_verdicts_are_counted_without_saying_whose(client: FlaskClient) -> None:
    client.get(f"/v/{CODE}")
    client.post("/api/v1/verify/batch", json={"items": [FORM, FORM]})
    client.open("/verify", method="X" * 30)
    send(client, Origin="https://evil.example")
    text = client.get("/metrics").get_data(as_text=True)
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["signsvc_requests_total", "/v/<code>", "200", "GET"] == 1
    assert samples["signsvc_request_seconds_count", "/v/<code>"] == 1
    assert samples["signsvc_verdicts_total", "not_found"] == 3
    assert samples["signsvc_refused_total", "cross_site"] == 1
    assert samples[("signsvc_file_checks_running",)] == 0
    assert CODE not in text
    assert "XXX" not in text


def test_the_log_tells_of_every_request_and_of_nobody(issued: Home, written: StringIO) -> None:
    """Names, numbers, codes and files go in by every door; none of them is in the log, nor is an address or a key."""
    row = read_results(issued.folder / "out")[1]
    with open(DEMO_REQUESTS, encoding="utf-8-sig", newline="") as stream:
        holder = list(csv.DictReader(stream))[1]
    name, id_number = holder["姓名"], holder["身份证号"]
    token = apikeys.add(issued.settings, "某某银行", 600, now().date())
    secrets = (
        name,
        id_number,
        row["code"],
        row["number"],
        row["number"][-6:],
        token[16:],
        "203.0.113.77",
        "某某银行",
    )
    typed = {"number": row["number"], "code": row["code"], "name": name, "id_number": id_number}
    limits = {"limit_code": "12/minute", "limit_claims": "3/hour"}
    with opened(replace(issued.settings, **limits)) as site:
        client = create_app(site).test_client()
        client.environ_base["REMOTE_ADDR"] = "203.0.113.77"
        client.environ_base["HTTP_USER_AGENT"] = f"{name} {row['code']}"
        for path in (
            f"/v/{row['code']}",
            f"/v/{name}",
            f"/nowhere/{row['code']}",
            f"/verify?code={row['code']}",
            f"/matters?q={name}",
        ):
            client.get(path, headers={"Referer": f"https://a.example/v/{row['code']}"})
        for _ in range(3):
            client.post("/verify", data=typed)
            client.post("/verify", data=typed, headers={"Origin": f"https://{row['code']}"})
            client.post("/log/proof", json=typed)
        claims = {"name": name, "id_number": id_number}
        body = {"number": row["number"], "code": row["code"], "claims": claims}
        bearer = {"Authorization": f"Bearer {token}"}
        for headers in (bearer, {"Authorization": f"Bearer {token}x"}, {"Accept-Language": name}):
            client.post("/api/v1/verify", json=body, headers=headers)
        client.post("/api/v1/verify/batch", json={"items": [body]})
        client.post("/api/v1/verify", data=name.encode("gb18030"), content_type="application/json")
        pdf = (issued.folder / "out" / row["pdf"]).read_bytes()
        for data in (pdf, name.encode()):
            client.post("/api/v1/verify/file", data={"file": (BytesIO(data), f"{name}.pdf")})
        client.open("/verify", method=row["code"])
    assert [line["level"] for line in logged(written) if line.get("event") == "claims_refused"] == [
        "warning",
        "warning",
    ]
    found = [line for line in logged(written) if "route" in line]
    assert len(found) == 5 + 9 + 3 + 1 + 1 + 2 + 1
    assert {line["client"] for line in found} == {"203.0.113.0/24"}
    assert len({line["id"] for line in found}) == len(found)
    assert {line["status"] for line in found} >= {200, 400, 401, 403, 404, 405}
    assert [line["key"] for line in found if "key" in line] == [token.split("_")[1]]
    assert {"time", "level", "method", "route", "ms", "language"} <= set(found[0])
    assert {line["verdict"] for line in found if "verdict" in line} == {"valid", "unreadable", "not_found"}
    text = written.getvalue()
    assert [secret for secret in secrets if secret in text or json.dumps(secret)[1:-1] in text] == []


def test_a_fault_of_ours_is_told_by_its_place_and_not_by_its_words(app: Flask, written: StringIO) -> None:
    @app.get("/fault/<code>")
    def fault(code: str) -> str:
        raise ZeroDivisionError(f"{code} 张三")

    @app.get("/api/fault/<code>")
    def worse(code: str) -> str:
        warnings.warn(f"{code} 张三", UserWarning, stacklevel=1)
        logging.getLogger("gunicorn.error").warning("Invalid request from ip=203.0.113.77: /fault/SECRET")
        logging.getLogger("signsvc.web").error("Exception on %s", "/fault/SECRET")
        raise KeyError(code)

    app.config["PROPAGATE_EXCEPTIONS"] = True
    client = app.test_client()
    page, problem = client.get("/fault/SECRET"), client.get("/api/fault/SECRET")
    assert (page.status_code, page.mimetype) == (500, "text/html")
    assert problem.json is not None
    assert (problem.status_code, problem.json["code"]) == (500, "internal_error")
    text = written.getvalue() + page.get_data(as_text=True) + problem.get_data(as_text=True)
    assert not {word for word in ("SECRET", "张三", "203.0.113.77") if word in text}
    faults = [line for line in logged(written) if "error" in line]
    assert [line["error"] for line in faults] == ["builtins.ZeroDivisionError", "builtins.KeyError"]
    assert faults[0]["came"][-1].startswith("test_guard:")
    assert [line["warning"] for line in logged(written) if "warning" in line] == ["UserWarning"]


def test_an_error_that_is_ours_to_mend_is_logged_with_its_place_and_not_its_words(
    app: Flask, written: StringIO
) -> None:
    @app.get("/api/stopped")
    def stopped() -> str:
        raise RegistryError("登记库 /srv/SECRET 打不开")

    answer = app.test_client().get("/api/stopped")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (503, "registry_error")
    assert "SECRET" not in written.getvalue() + answer.text
    (line,) = (line for line in logged(written) if line["level"] == "error")
    assert (line["event"], line["error"]) == ("registry_error", "signsvc.errors.RegistryError")
    assert line["came"][-1].startswith("test_guard:")


@pytest.mark.parametrize(
    ("address", "rough"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("张三", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_goes_into_the_log_without_its_end(address: str, rough: str) -> None:
    assert roughly(address) == rough
