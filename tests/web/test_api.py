"""The API, as a bank's machine meets it: every verdict, every claim, every way to ask wrongly."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask.testing import FlaskClient
from home import Home, read_results
from pypdf import PdfWriter

from signsvc.config import Settings
from signsvc.errors import Busy, RegistryBusy, RegistryError, SignsvcError, TooMany
from signsvc.registry import Known, Registry
from signsvc.statuses import Event
from signsvc.web import create_app
from signsvc.web.guard import Guard, Shared
from signsvc.web.server import opened
from signsvc.web.site import Site
from signsvc.wiring.recording import change_status

MANY = "1000000/second"
MEGABYTE = 1024 * 1024
NAME, ID = "欧阳㛃", "449901200111300287"
PLAIN, REVOKED, OLD, NEW, SUSPENDED = 6, 5, 7, 8, 9  # rows of the demonstration batch, all of one office
Row = dict[str, str]


@pytest.fixture(scope="module")
def home(issued: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demonstration batch with one of every status."""
    own = Home(Path(shutil.copytree(issued.folder, tmp_path_factory.mktemp("api") / "own")))
    numbers = [row["number"] for row in read_results(own.folder / "out")]
    for place, event, reason, by in (
        (REVOKED, Event.REVOKE, "information_wrong", None),
        (OLD, Event.SUPERSEDE, "superseded", numbers[NEW]),
        (SUSPENDED, Event.SUSPEND, "other", None),
    ):
        change_status(own.settings, numbers[place], event, reason, by, None)
    return own


@pytest.fixture(scope="module")
def site(home: Home) -> Iterator[Site]:
    """With limits out of the way: they would answer for the API."""
    with opened(replace(home.settings, limit_client=MANY, limit_upload=MANY, limit_batch=MANY)) as site:
        yield site


@pytest.fixture(scope="module")
def client(site: Site) -> FlaskClient:
    return create_app(site).test_client()


@pytest.fixture(scope="module")
def rows(home: Home) -> list[Row]:
    return read_results(home.folder / "out")


@pytest.fixture(scope="module")
def fits(client: FlaskClient) -> Callable[[str, Any], None]:
    """Raises unless the second is as the description says of the first."""
    components = client.get("/api/v1/openapi.json").json["components"]

    def judge(name: str, answer: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": components}
        jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(answer)

    return judge


def by_number(row: Row, **more: Any) -> dict[str, Any]:
    return {"number": row["number"], "code": row["code"], **more}


def ask(client: FlaskClient, question: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    response = client.post(f"/api/v1/verify{path}", json=question)
    assert response.status_code == 200, response.text
    return dict(response.json)


def hand_in(client: FlaskClient, data: bytes, name: str = "certificate.pdf", **more: Any) -> Any:
    return client.post("/api/v1/verify/file", data={"file": (BytesIO(data), name), **more})


def problem(response: Any, status: int, code: str) -> str:
    """The detail of a problem of this status and code."""
    assert (response.status_code, response.mimetype) == (status, "application/problem+json"), response.text
    assert (response.json["status"], response.json["code"]) == (status, code)
    return str(response.json["detail"])


@pytest.mark.parametrize(
    ("place", "as_of", "verdict"),
    [
        (PLAIN, None, "valid"),
        (PLAIN, "2036-12-31", "valid"),
        (PLAIN, "2037-01-01", "expired"),
        (PLAIN, "9999-12-31", "expired"),
        (PLAIN, "0001-01-01", "not_yet_valid"),
        (REVOKED, None, "revoked"),
        (OLD, None, "superseded"),
        (NEW, None, "valid"),
        (SUSPENDED, None, "suspended"),
    ],
)
def test_every_status_by_number_and_by_hash(
    client: FlaskClient,
    fits: Callable[[str, Any], None],
    rows: list[Row],
    place: int,
    as_of: str | None,
    verdict: str,
) -> None:
    row, day = rows[place], {"as_of": as_of} if as_of else {}
    number = ask(client, by_number(row, **day))
    digest = ask(client, {"sha256": row["sha256"].upper(), **day}, "/hash")
    for report, checked in ((number, "number"), (digest, "hash")):
        fits("NumberReport" if checked == "number" else "Report", report)
        assert (report["verdict"], report["checked"], report["rely"]) == (verdict, checked, False)
        assert report["certificate"]["number"] == row["number"]
        assert not as_of or report["as_of"] == as_of


def test_every_verdict_on_a_file(
    client: FlaskClient, fits: Callable[[str, Any], None], home: Home, rows: list[Row]
) -> None:
    sealed = (home.folder / "out" / rows[PLAIN]["pdf"]).read_bytes()
    blank = BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(blank)
    told = {
        "valid": sealed,
        "altered": sealed + b"\n%",
        "not_sealed": blank.getvalue(),
        "unreadable": b"\x00",
    }
    for verdict, data in told.items():
        response = hand_in(client, data, "../../etc/passwd\x00.exe")
        assert response.status_code == 200
        fits("Report", response.json)
        assert (response.json["verdict"], response.json["checked"]) == (verdict, "file")


def test_claims_are_matched_and_never_told(
    client: FlaskClient, fits: Callable[[str, Any], None], rows: list[Row]
) -> None:
    claims = {
        "name": NAME,
        "id_number": ID,
        "valid_until": "2036-12-31",
        "statement": "其属于本社区居民，2019年9月起租住本辖区至今",
    }
    right = ask(client, by_number(rows[PLAIN], claims=claims))
    assert right["claims"] == dict.fromkeys(claims, True)
    wrong = ask(client, by_number(rows[PLAIN], claims={"name": "欧阳", "id_number": ID}))
    assert wrong["claims"] == {"name": False, "id_number": True}
    for report in (right, wrong):
        fits("NumberReport", report)
        assert not [value for value in (NAME, ID, "租住") if value in json.dumps(report, ensure_ascii=False)]


def test_of_what_was_not_found_no_claim_is_answered(client: FlaskClient, rows: list[Row]) -> None:
    unknown = {"number": "gd-demo-2026-777777", "code": rows[PLAIN]["code"], "claims": {"name": NAME}}
    assert "claims" not in ask(client, unknown)


def test_an_unknown_number_and_a_wrong_code_are_one_answer(client: FlaskClient, rows: list[Row]) -> None:
    code = rows[NEW]["code"]
    asked = (rows[PLAIN]["number"], "gd-demo-2026-777777")
    one, other = ({**ask(client, {"number": number, "code": code})} for number in asked)
    for report, number in zip((one, other), asked, strict=True):
        assert report.pop("asked") == {"number": number, "sha256": None}
        assert report.pop("receipt")
        assert report.pop("checked_at")
    assert one == other


@pytest.mark.parametrize("form", ["{}", "2026-{}", "证明第2026-{}号", " ２０２６－{} ", "gd-demo-2026-{}"])
def test_a_number_is_taken_as_it_is_typed_and_pasted(client: FlaskClient, rows: list[Row], form: str) -> None:
    row = rows[PLAIN]
    serial = row["number"].rpartition("-")[2]
    number = row["number"] if form == "{}" else form.format(serial)
    code = row["code"].lower().replace("-", " ")
    assert ask(client, {"number": number, "code": code})["verdict"] == "valid"


def test_a_batch_answers_in_order_and_one_bad_item_spoils_no_other(
    client: FlaskClient, fits: Callable[[str, Any], None], rows: list[Row]
) -> None:
    good, digest = by_number(rows[PLAIN]), {"sha256": rows[REVOKED]["sha256"]}
    bad: list[tuple[Any, str]] = [
        ({"number": rows[PLAIN]["number"], "code": "1234"}, "malformed_code"),
        ({"number": "号", "code": rows[PLAIN]["code"]}, "malformed_number"),
        ({"sha256": "nonsense"}, "malformed_sha256"),
        ({"number": 5, "code": None}, "malformed_item"),
        ({**good, **digest}, "malformed_item"),
        ({**good, "cod": ""}, "malformed_item"),
        ({}, "malformed_item"),
        (None, "malformed_item"),
        ([[[]]], "malformed_item"),
        ("gd-demo-2026-000001", "malformed_item"),
    ]
    answer = ask(client, {"items": [good, *(item for item, _ in bad), digest]}, "/batch")
    fits("BatchAnswer", answer)
    first, *middle, last = answer["items"]
    assert (first["verdict"], last["verdict"], last["checked"]) == ("valid", "revoked", "hash")
    assert [(one["verdict"], one["reasons"][0]["code"]) for one in middle] == [
        ("not_found", code) for _, code in bad
    ]
    assert len({one["receipt"] for one in (first, last, *middle)}) >= 3
    later = ask(client, {"items": [good], "as_of": "2037-01-01"}, "/batch")
    assert later["items"][0]["verdict"] == "expired"


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "联系运营方"), ("en", "tell the operator")])
def test_a_damaged_entry_spoils_no_other_item_and_any_other_fault_ends_the_batch(
    site: Site,
    rows: list[Row],
    fits: Callable[[str, Any], None],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    said: str,
) -> None:
    client, digest, find = create_app(site).test_client(), rows[REVOKED]["sha256"], Registry.by_sha256
    failed: list[SignsvcError] = [RegistryError("已停止使用：请运行 signsvc log verify", "registry_damaged")]

    def by_sha256(registry: Registry, sha256: str) -> Known | None:
        if sha256 == digest:
            raise failed[0]
        return find(registry, sha256)

    monkeypatch.setattr(Registry, "by_sha256", by_sha256)
    asked = {"items": [{"sha256": digest}, by_number(rows[PLAIN]), {"sha256": rows[NEW]["sha256"]}]}
    answer = client.post("/api/v1/verify/batch", json=asked, headers={"Accept-Language": language}).json
    fits("BatchAnswer", answer)
    assert [one["verdict"] for one in answer["items"]] == ["not_found", "valid", "valid"]
    [reason] = answer["items"][0]["reasons"]
    assert (reason["code"], answer["items"][0]["rely"]) == ("registry_damaged", False)
    assert said in reason["message"].lower()
    assert "signsvc" not in reason["message"]
    problem(client.post("/api/v1/verify/hash", json={"sha256": digest}), 503, "registry_damaged")
    for other in (RegistryBusy("…"), RegistryError("…"), RegistryError("…", "registry_outdated")):
        failed[0] = other
        ended = client.post("/api/v1/verify/batch", json=asked)
        problem(ended, 503, other.code)
        fits("Problem", ended.json)


def test_one_code_is_not_asked_about_without_end_in_a_batch(
    home: Home, rows: list[Row], fits: Callable[[str, Any], None]
) -> None:
    digest, many = {"sha256": rows[NEW]["sha256"]}, [by_number(rows[PLAIN])] * 7
    with opened(replace(home.settings, limit_code="3/hour")) as site:
        client = create_app(site).test_client()
        answer = ask(client, {"items": [*many, by_number(rows[NEW]), digest]}, "/batch")
        alone = client.post("/api/v1/verify", json=by_number(rows[PLAIN]))
    fits("BatchAnswer", answer)
    assert [one["verdict"] for one in answer["items"]] == ["valid"] * 3 + ["not_found"] * 4 + ["valid"] * 2
    for refused in answer["items"][3:7]:
        assert [reason["code"] for reason in refused["reasons"]] == ["too_many_requests"]
        assert refused["certificate"] is None
        assert refused["receipt"]
    problem(alone, 429, "too_many_requests")


def test_a_thousand_items_at_once_and_not_one_more(client: FlaskClient) -> None:
    item = {"sha256": "0" * 64}
    assert len(ask(client, {"items": [item] * 1000}, "/batch")["items"]) == 1000
    for items in ([item] * 1001, []):
        response = client.post("/api/v1/verify/batch", json={"items": items})
        assert "items" in problem(response, 400, "malformed_request")


CODE = "AY4C-L12T-H3BJ-1XGN"
FAULTS: tuple[tuple[str, Any, str, str], ...] = (
    ("", {"number": "2026-000001"}, "malformed_request", "code"),
    ("", {"number": "2026-000001", "code": CODE, "claim": {}}, "malformed_request", "JSON"),
    ("", {"number": 20260001, "code": CODE}, "malformed_request", "number"),
    ("", {"number": "1", "code": CODE, "claims": {"nmae": "x"}}, "malformed_request", "claims"),
    ("", {"number": "1", "code": CODE, "claims": []}, "malformed_request", "claims"),
    *(
        ("", {"number": "1", "code": CODE, "claims": {"name": NAME, name: None}}, "malformed_request", name)
        for name in ("name", "id_number", "valid_until", "statement")
    ),
    ("", {"number": "1", "code": "1" * 5000}, "malformed_request", "code"),
    ("", {"number": "1", "code": CODE[:-1]}, "malformed_code", ""),
    ("", {"number": "1", "code": CODE[:-1] + "P"}, "malformed_code", ""),
    ("", {"number": "无", "code": CODE}, "malformed_number", ""),
    ("", [], "malformed_request", "JSON"),
    ("/hash", {"sha256": "f" * 63}, "malformed_sha256", ""),
    ("/hash", {"sha256": ["f" * 64]}, "malformed_request", "sha256"),
    *(
        ("/hash", {"sha256": "f" * 64, "as_of": text}, "malformed_as_of", "as_of")
        for text in ("2026-02-30", "20261121", "2026-W47-6", "2026-1-1", "10000-01-01", "２０２６-11-21", "")
    ),
    ("/hash", {"sha256": "f" * 64, "as_of": 20261121}, "malformed_request", "as_of"),
    ("/batch", {"items": {"number": "1"}}, "malformed_request", "items"),
    ("/batch", {"items": [{"sha256": "f" * 64}], "as_of": "tomorrow"}, "malformed_as_of", "as_of"),
)


@pytest.mark.parametrize(("path", "body", "code", "named"), FAULTS)
def test_a_fault_names_its_code_and_its_field(
    client: FlaskClient, fits: Callable[[str, Any], None], path: str, body: Any, code: str, named: str
) -> None:
    response = client.post(f"/api/v1/verify{path}", json=body)
    assert named in problem(response, 400, code)
    fits("Problem", response.json)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{",
        b"[" * 60_000,
        b'{"number":' * 6000,
        b'{"number":' + b"9" * 60_000 + b"}",
        b'{"number":1e999,"code":NaN}',
        b'{"number":"\\ud800","code":"\\udfff\\ud800"}',
        b'{"number":"\\u0000","code":"\\u0000"}',
        b'{"number":"a\x00","code":"b"}',
        b'{"number":"1","number":"2","code":"3","code":[]}',
        '{"number":"证明","code":"x"}'.encode("gb18030"),
        '{"number":"1","code":"x"}'.encode("utf-16"),
        b"\xff\xfe\xfd",
        b"\x1f\x8b\x08\x00\x00",
        b'{"items":[' + b"[" * 150 + b"]" * 150 + b"]}",
        b'{"as_of":"9999-12-31T23:59:60Z","sha256":"' + b"F" * 64 + b'"}',
    ],
)
@pytest.mark.parametrize("path", ["", "/hash", "/batch"])
def test_no_body_whatever_is_a_server_error(client: FlaskClient, path: str, body: bytes) -> None:
    response = client.post(f"/api/v1/verify{path}", data=body, content_type="application/json")
    assert response.status_code == 400 or (path == "/batch" and b"items" in body)
    assert response.status_code == 200 or response.json["code"].startswith("malformed_")


def test_a_problem_repeats_nothing_that_was_sent(client: FlaskClient) -> None:
    secret = "张三丰440"
    for body in (
        {"number": secret * 200, "code": secret},
        {"number": [secret], "code": CODE},
        {"number": secret, "code": secret, "claims": {"name": {secret: secret}}},
        {"number": "1", "code": CODE, "as_of": secret},
        {"number": "1", "code": CODE, secret: secret},
        {"number": "1", "code": CODE, "claims": {secret: secret}},
    ):
        assert secret not in client.post("/api/v1/verify", json=body).text
    junk = f'{{"number": "{secret}", "{secret}'.encode()
    assert secret not in client.post("/api/v1/verify", data=junk, content_type="application/json").text


def test_other_types_and_sizes_are_told_apart(client: FlaskClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        problem(client.post("/api/v1/verify", data=b"{}", content_type=kind), 415, "unsupported_media_type")
    problem(client.post("/api/v1/verify/file", json={}), 415, "unsupported_media_type")
    for path, size in (("", 65 * 1024), ("/hash", 65 * 1024), ("/batch", MEGABYTE + 1)):
        response = client.post(f"/api/v1/verify{path}", data=b" " * size, content_type="application/json")
        assert "PDF" not in problem(response, 413, "content_too_large")


def test_ten_megabytes_of_file_and_no_more(client: FlaskClient) -> None:
    assert hand_in(client, bytes(10 * MEGABYTE)).json["verdict"] == "unreadable"
    for size in (10 * MEGABYTE + 1, 11 * MEGABYTE):
        assert "PDF" in problem(hand_in(client, bytes(size)), 413, "content_too_large")


def test_a_form_holds_one_file_and_nothing_else(client: FlaskClient) -> None:
    two = {"file": [(BytesIO(b"1"), "a.pdf"), (BytesIO(b"2"), "b.pdf")]}
    for data in ({}, {"file": "text"}, {"fil": (BytesIO(b"1"), "a.pdf")}, two):
        response = client.post("/api/v1/verify/file", data=data, content_type="multipart/form-data")
        assert "file" in problem(response, 400, "malformed_request")
    problem(hand_in(client, b"%PDF", more="x"), 400, "malformed_request")
    for junk in (b"", b"--x\r\n\r\n", b"\x00" * 1000):
        response = client.post(
            "/api/v1/verify/file", data=junk, content_type="multipart/form-data; boundary=x"
        )
        problem(response, 400, "malformed_request")


def test_no_upload_touches_the_disk(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    body = head + bytes(2 * MEGABYTE) + b"\r\n--x--\r\n"
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    kind = "multipart/form-data; boundary=x"
    assert client.post("/api/v1/verify/file", data=body, content_type=kind).json["verdict"] == "unreadable"


def test_wrong_paths_and_methods_are_problems_too(client: FlaskClient) -> None:
    problem(client.get("/api/v1/nowhere"), 404, "not_found")
    refused = client.put("/api/v1/verify")
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["Allow"] == "OPTIONS, POST"


def test_no_answer_is_kept_and_keys_are(client: FlaskClient, rows: list[Row]) -> None:
    kept = {
        "no-store": client.post("/api/v1/verify", json=by_number(rows[PLAIN])),
        "public, max-age=3600": client.get("/.well-known/jwks.json"),
        "public, max-age=300": client.get("/api/v1/openapi.json"),
    }
    for control, response in kept.items():
        assert (response.headers["Cache-Control"], response.content_type) == (control, "application/json")
        assert "Accept-Language" in response.headers["Vary"]
    assert set(kept["public, max-age=3600"].json["keys"][0]) == {"kty", "crv", "x", "kid", "use", "alg"}


def test_words_come_in_english_where_english_is_preferred(client: FlaskClient, rows: list[Row]) -> None:
    english = {"Accept-Language": "en-GB, zh;q=0.5"}
    response = client.post("/api/v1/verify", json=by_number(rows[PLAIN]), headers=english)
    words = [one["detail"] for one in response.json["checks"]]
    words += [one["message"] for one in response.json["reasons"]]
    refused = client.post("/api/v1/verify", json={"number": "1"}, headers=english)
    words.append(problem(refused, 400, "malformed_request"))
    assert [text for text in words if not text.isascii()] == []
    assert ask(client, by_number(rows[PLAIN]))["reasons"][0]["message"] == "演示数据，无法律效力"


class Strict(Guard):
    """Refuses whatever it is asked about, and remembers what that was."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, Shared.made(settings))
        self.asked: list[Any] = []

    def code(self, code: str) -> None:
        self.asked.append(code)

    def claims(self, number: str) -> None:
        self.asked.append(number)
        raise TooMany("查得太频繁", 7)

    def items(self, count: int) -> None:
        self.asked.append(count)
        raise TooMany("查得太频繁", 8)

    @contextmanager
    def examining(self) -> Iterator[None]:
        raise Busy("正在处理的文件太多", 9)
        yield


def test_the_guard_is_asked_before_work_is_done(site: Site, home: Home, rows: list[Row]) -> None:
    guard = Strict(home.settings)
    client = create_app(replace(site, guard=guard)).test_client()
    row = rows[PLAIN]
    assert client.post("/api/v1/verify", json=by_number(row)).status_code == 200
    claimed = client.post("/api/v1/verify", json=by_number(row, claims={"name": NAME}))
    many = client.post("/api/v1/verify/batch", json={"items": [{}] * 5})
    for response, wait in ((claimed, "7"), (many, "8")):
        problem(response, 429, "too_many_requests")
        assert response.headers["Retry-After"] == wait
    crowded = hand_in(client, b"%PDF")
    problem(crowded, 503, "busy")
    assert crowded.headers["Retry-After"] == "9"
    assert guard.asked == [row["code"], row["code"], row["number"], 5]
