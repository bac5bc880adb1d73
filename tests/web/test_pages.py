"""The verification pages, as a bank clerk meets them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from home import DEMO_REQUESTS, Home, read_results

from signsvc.web import create_app
from signsvc.web.server import opened


@pytest.fixture
def client(issued: Home) -> Iterator[FlaskClient]:
    with opened(issued.settings) as site:
        yield create_app(site).test_client()


@pytest.fixture(scope="module")
def row(issued: Home) -> dict[str, str]:
    return read_results(issued.folder / "out")[1]


@pytest.fixture(scope="module")
def holder() -> dict[str, str]:
    with open(DEMO_REQUESTS, encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))[1]


def ask(client: FlaskClient, number: str, code: str, **claims: str) -> str:
    response = client.post("/verify", data={"number": number, "code": code, **claims})
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_number_and_code_give_status_date_masked_holder_and_standing(
    client: FlaskClient, row: dict[str, str], holder: dict[str, str]
) -> None:
    page = ask(client, "2026-000002", row["code"])
    for text in (
        "登记信息相符，在有效期内（未核对文件内容）",
        row["number"],
        "2036年12月31日",
        "扎**",
        "演示签章",
    ):
        assert text in page
    for secret in (holder["姓名"], holder["身份证号"], holder["情况说明"]):
        assert secret not in page


def test_a_demonstration_is_never_green(client: FlaskClient, row: dict[str, str]) -> None:
    page = ask(client, row["number"], row["code"])
    assert "演示数据，无法律效力" in page
    assert 'class="verdict good"' not in page


def test_claims_are_answered_by_match_or_no_match(
    client: FlaskClient, row: dict[str, str], holder: dict[str, str]
) -> None:
    same = ask(client, row["number"], row["code"], name=holder["姓名"], id_number=holder["身份证号"].lower())
    assert same.count("：一致") == 2
    other = ask(client, row["number"], row["code"], name="扎西·多吉", id_number="110105194912310021")
    assert other.count("：不一致") == 2
    dotted = ask(client, row["number"], row["code"], name=holder["姓名"].replace("·", "•"))
    assert "姓名：一致" in dotted


def test_unknown_number_and_wrong_code_are_one_page(
    client: FlaskClient, issued: Home, row: dict[str, str]
) -> None:
    other = read_results(issued.folder / "out")[2]["code"]
    pages = [ask(client, number, other) for number in (row["number"], "qh-demo-2026-777777")]
    assert "未查到：编号或查验码不符，或尚未上传；请联系出具单位" in pages[0]
    assert pages[0].split("查验时间")[0] == pages[1].split("查验时间")[0]


def test_a_malformed_code_is_told_beside_the_form(client: FlaskClient, row: dict[str, str]) -> None:
    response = client.post("/verify", data={"number": row["number"], "code": row["code"][:-1]})
    assert response.status_code == 400
    assert 'role="alert"' in response.get_data(as_text=True)


def test_the_qr_target_answers_by_code_alone(client: FlaskClient, row: dict[str, str]) -> None:
    assert row["number"] in client.get(f"/v/{row['code']}").get_data(as_text=True)
    assert client.get("/v/nonsense").status_code == 400


def test_a_status_change_shows_at_once(issued: Home, tmp_path: Path, row: dict[str, str]) -> None:
    own = Home(Path(shutil.copytree(issued.folder, tmp_path / "own")))
    with opened(own.settings) as site:
        page = create_app(site).test_client()
        assert "在有效期内" in ask(page, row["number"], row["code"])
        own.run("revoke", row["number"], "--reason", "information_wrong", "--note", "内部备注不外显")
        answer = ask(page, row["number"], row["code"])
    assert "已撤销" in answer
    assert "信息有误" in answer
    assert "内部备注" not in answer


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("get", "/nowhere", None),
        ("get", "/v/" + "%00" * 40, None),
        ("get", "/pki/../log.key", None),
        ("get", "/pki/..%2flog.key", None),
        ("post", "/verify", {}),
        ("post", "/verify", {"number": "\x00", "code": "\ud7ff"}),
        ("post", "/verify", {"number": "x" * 5000, "code": "1" * 5000}),
        ("post", "/verify", {"number": "' OR 1=1 --", "code": "0" * 16}),
        ("post", "/verify", {"number": "<script>alert(1)</script>", "code": "<b>"}),
        ("post", "/verify", {"number": "a" * 200_000, "code": ""}),
        ("put", "/verify", None),
    ],
)
def test_bad_input_is_never_a_server_error(client: FlaskClient, method: str, path: str, data: object) -> None:
    response = client.open(path, method=method.upper(), data=data)
    assert 400 <= response.status_code < 500
    assert "<script>" not in response.get_data(as_text=True)
    assert "<b>" not in response.get_data(as_text=True)


def test_nothing_comes_from_elsewhere_and_no_verdict_is_kept(
    client: FlaskClient, row: dict[str, str]
) -> None:
    response = client.get(f"/v/{row['code']}")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "http://" not in response.get_data(as_text=True)


def test_the_revocation_list_is_where_the_seals_point_to(client: FlaskClient) -> None:
    assert client.get("/pki/issuing.crl").mimetype == "application/pkix-crl"
    assert client.get("/healthz").json == {"status": "ok"}


def test_the_verifier_holds_no_key_that_could_make_anything(issued: Home, tmp_path: Path) -> None:
    own = Home(Path(shutil.copytree(issued.folder, tmp_path / "own")))
    for file in (own.folder / "keys").glob("*.key"):
        if file.name != "match.key":
            file.unlink()
    shutil.rmtree(own.folder / "keys" / "ca")
    shutil.rmtree(own.var / "archive")
    row = read_results(own.folder / "out")[0]
    assert own.json("lookup", row["number"], "--code", row["code"])["verdict"] == "valid"
    assert own.json("verify", own.folder / "out" / row["pdf"])["verdict"] == "valid"
