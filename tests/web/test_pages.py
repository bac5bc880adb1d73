"""The verification pages, as a bank clerk meets them: without JavaScript, in Chinese."""

from __future__ import annotations

import csv
import html
import re
import shutil
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import jwt
import pytest
from flask.testing import FlaskClient
from home import DEMO_REQUESTS, Home, read_results
from pypdf import PdfWriter
from werkzeug.test import TestResponse

from signsvc.models import Medium, Standing
from signsvc.receipts import compact
from signsvc.report import Check, Reason, Report, Verdict
from signsvc.texts import Text
from signsvc.verify import verify_number
from signsvc.web import advice, create_app
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
    assert box(page).startswith(' with-sign warn"')


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
    # What was asked stands in the page and in its receipt; nothing else may differ.
    shown = [page.partition("<main")[2].partition("查验时间")[0] for page in pages]
    assert shown[0] == shown[1].replace("qh-demo-2026-777777", row["number"])
    assert len({len(page) for page in pages}) == 1


def test_a_number_that_was_not_found_can_be_corrected(client: FlaskClient, row: dict[str, str]) -> None:
    wrong = row["number"][:-1] + "9"
    page = ask(client, wrong, row["code"], name="某人", as_of="2026-12-01")
    assert re.search(r"所查：编号 <span[^>]*>" + wrong, page)
    form = page.partition('id="by-number"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)"[^>]*?value="([^"]*)"', form))
    assert fields == {"number": wrong, "code": row["code"], "as_of": "2026-12-01", "name": ""}
    assert row["number"] in ask(client, **fields | {"number": row["number"]})
    assert 'id="by-number"' not in ask(client, row["number"], row["code"])


def test_a_malformed_code_is_told_beside_the_form(client: FlaskClient, row: dict[str, str]) -> None:
    response = client.post("/verify", data={"number": row["number"], "code": row["code"][:-1]})
    assert response.status_code == 400
    assert 'role="alert"' in response.get_data(as_text=True)


def test_the_qr_target_answers_by_code_alone(client: FlaskClient, row: dict[str, str]) -> None:
    assert row["number"] in client.get(f"/v/{row['code']}").get_data(as_text=True)
    assert client.get("/v/nonsense").status_code == 400


def test_whoever_scans_what_cannot_be_a_code_can_go_on_from_there(
    client: FlaskClient, row: dict[str, str]
) -> None:
    """In either language: the switch is a link to the same address, the forms lead to the answer."""
    page, turned = client.get("/v/AAAA"), client.get("/v/AAAA?lang=en")
    assert 'href="?lang=en"' in page.text
    for told, lang in ((page, ""), (turned, "?lang=en")):
        assert told.status_code == 400
        assert 'value="AAAA"' in told.text
        actions = re.findall(r'<form[^>]* action="([^"]*)"', told.text)
        assert set(actions) == {f"/verify{lang}"}
        typed = {"number": row["number"], "code": row["code"]}
        assert row["number"] in client.post(actions[0], data=typed).text


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
    assert not re.search(r'(src|href|action)="(https?:)?//', response.text)


def test_every_answer_says_what_was_asked(client: FlaskClient, issued: Home, row: dict[str, str]) -> None:
    def kept(page: str) -> str:
        return page.partition('id="keep"')[2]

    assert row["number"] in kept(client.get(f"/v/{row['code']}").text)
    assert "2026-000002" in kept(ask(client, "2026-000002", row["code"]))
    data = (issued.folder / "out" / row["pdf"]).read_bytes()
    for sent in (data, data + b"\n", b"hello"):
        assert re.search(
            r"所查：文件指纹[^<]*<span[^>]*>" + sha256(sent).hexdigest(), kept(send(client, sent).text)
        )
    scanned = client.get("/v/" + "0" * 16).text
    assert "所查：没有写进回执" in kept(scanned)
    assert 'value="0000000000000000"' in scanned


def box(page: str) -> str:
    """What stands first: the verdict's box."""
    return page.partition('<div class="verdict')[2].partition("</div>\n</div>")[0]


def send(client: FlaskClient, data: bytes, **fields: str) -> TestResponse:
    form = {"file": (BytesIO(data), "文件.pdf"), **fields}
    return client.post("/verify", data=form, content_type="multipart/form-data")


def hidden(page: str) -> dict[str, str]:
    """The fields of the form that switches the language."""
    switch = re.search(r'<form method="post" action="\?.*?</form>', page, re.DOTALL)
    assert switch
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', switch[0])
    return {name: html.unescape(value) for name, value in found}


def receipt_of(page: str) -> str:
    link = re.search(r'download="receipt-[0-9-]+\.jws" href="data:application/jose;base64,([^"]+)"', page)
    assert link
    return b64decode(html.unescape(link[1])).decode()


def test_a_file_is_checked_and_told_what_became_of_it(
    client: FlaskClient, issued: Home, row: dict[str, str]
) -> None:
    data = (issued.folder / "out" / row["pdf"]).read_bytes()
    page = send(client, data).text
    assert "文件未被改动，在有效期内" in page
    assert "没有保存" in page
    assert sha256(data).hexdigest() in page
    altered = send(client, data + b"\n").text
    assert "文件已被改动" in altered
    assert "several_revisions" in altered.partition("<summary>技术细节</summary>")[2]
    assert "several_revisions" not in altered.partition("<details>")[0]
    assert "不要接受" in altered
    assert row["number"] not in altered


def test_what_is_no_sealed_pdf_is_told_apart(client: FlaskClient) -> None:
    blank = BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(blank)
    assert "文件没有电子签章" in send(client, blank.getvalue()).text
    assert "文件无法读取" in send(client, b"hello").text


def test_no_file_or_a_huge_one_gets_a_clear_page(client: FlaskClient) -> None:
    for name, told in (("文件.pdf", "这个文件是空的"), ("", "请先选择一个 PDF 文件")):
        part = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n\r\n--x--\r\n'
        kind = "multipart/form-data; boundary=x"
        empty = client.post("/verify", data=part.encode(), content_type=kind)
        assert empty.status_code == 400
        assert told in empty.text
    huge = send(client, b"%PDF-1.7" + bytes(11 * 1024 * 1024))
    assert huge.status_code == 413
    assert "不得超过 10 MB" in huge.text
    long = client.post("/verify", data={"number": "1" * 70_000})
    assert long.status_code == 413
    assert "PDF" not in long.text.partition("<main")[2].partition("</main>")[0]
    assert client.post("/matters", data=b"x" * 200_000).status_code in (405, 413)


def test_a_hash_is_enough(client: FlaskClient, row: dict[str, str]) -> None:
    page = client.post("/verify", data={"sha256": row["sha256"].upper()}).text
    assert "文件未被改动，在有效期内" in page
    assert "文件没有上传，只核对了指纹" in page
    assert "未查到" in client.post("/verify", data={"sha256": "0" * 64}).text
    assert client.post("/verify", data={"sha256": "0" * 63}).status_code == 400


def test_what_was_typed_stays_but_for_the_document_number(client: FlaskClient, row: dict[str, str]) -> None:
    typed = {
        "number": row["number"],
        "code": "1" * 15,
        "name": "欧阳文",
        "id_number": "110105194912310021",
        "as_of": "2026-12-01",
    }
    response = client.post("/verify", data=typed)
    assert response.status_code == 400
    for kept in ("number", "code", "name", "as_of"):
        assert f'value="{typed[kept]}"' in response.text
    assert typed["id_number"] not in response.text
    for day in ("明天", "20270520", "2027-W20-4"):
        refused = client.post("/verify", data={**typed, "code": row["code"], "as_of": day})
        assert refused.status_code == 400
        assert "日期无法识别" in refused.text


def test_another_day_is_answered_and_said(client: FlaskClient, row: dict[str, str]) -> None:
    later = ask(client, row["number"], row["code"], as_of="2037-01-01")
    assert "已于2036年12月31日过期" in later
    assert "按2037年1月1日的情况回答，不是今天；现在能否采信请查今天" in box(later)
    assert "重新开具" not in later  # today it is in date
    assert "尚未生效" in ask(client, row["number"], row["code"], as_of="2020-01-01")
    now = re.search(r'<form class="mb-3".*?</form>', later, re.DOTALL)
    assert now
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', now[0]))
    today = client.post("/verify", data=fields).text
    assert "登记信息相符，在有效期内" in box(today)
    assert "不是今天" not in today


def test_another_day_is_never_green_nor_relied_on(report: Report) -> None:
    good = recognised(report)
    for days in (-1, 1):
        other = replace(good, as_of=good.as_of + timedelta(days=days))
        assert advice.tone(other, {}) == "warn"
        assert advice.reliance(other, {}) == Text(advice.OTHER_DAY, day=other.as_of)
    assert advice.tone(good, {}) == "good"


def test_what_was_stopped_since_comes_before_how_it_was(report: Report) -> None:
    for code, verdict in advice.STOPPED_LATER.items():
        reasons = (Reason(code, "此后已停用"), *report.reasons)
        before = replace(recognised(report), as_of=report.as_of - timedelta(days=1), reasons=reasons)
        assert advice.tone(before, {}) == "bad"
        assert advice.first_line(before) == "此后已停用"
        assert advice.reliance(before, {}).startswith("现在不能凭它办事")
        assert advice.steps(before, {}) == advice.STEPS[verdict]


def test_the_scanning_clerk_matches_the_person(
    client: FlaskClient, row: dict[str, str], holder: dict[str, str]
) -> None:
    page = client.get(f"/v/{row['code']}").text
    form = page.partition('<form class="sheet"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    assert fields == {"number": row["number"], "code": row["code"]}
    answer = ask(client, **fields, name=holder["姓名"])
    assert "姓名：一致" in answer
    assert "证件号码：" not in answer
    assert holder["姓名"] not in answer


def test_the_receipt_is_downloaded_and_anyone_verifies_it(
    client: FlaskClient, row: dict[str, str], holder: dict[str, str]
) -> None:
    page = ask(client, row["number"], row["code"], name=holder["姓名"], id_number="110105194912310021")
    receipt = receipt_of(page)
    keys = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").get_json(force=True))
    key = keys[jwt.get_unverified_header(receipt)["kid"]]
    told = jwt.decode(receipt, key, algorithms=["EdDSA"])
    assert (told["verdict"], told["certificate"]["number"]) == ("valid", row["number"])
    assert told["claims"] == {"name": True, "id_number": False}
    digits = sha256(receipt.encode()).hexdigest()
    assert "-".join(digits[place : place + 4] for place in range(0, 16, 4)) in page


def test_the_proof_bundle_is_one_button_away(client: FlaskClient, row: dict[str, str]) -> None:
    page = ask(client, "2026-000002", row["code"])
    form = page.partition('action="/log/proof"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    bundle = client.post("/log/proof", data=fields)
    assert bundle.status_code == 200
    assert row["number"] in bundle.text


def test_switching_the_language_keeps_the_matches_and_shows_no_name(
    client: FlaskClient, row: dict[str, str], holder: dict[str, str]
) -> None:
    page = ask(client, row["number"], row["code"], name=holder["姓名"], id_number="110105194912310021")
    english = client.post("/verify?lang=en", data=hidden(page)).text
    assert "Name: matches" in english
    assert "number: does not match" in english
    back = client.post("/verify", data=hidden(english)).text
    assert "姓名：一致" in back
    assert "证件号码：不一致" in back
    for told in (page, english, back):
        assert holder["姓名"] not in told
        assert "110105194912310021" not in told


def test_switching_the_language_keeps_the_answer_on_a_file(
    client: FlaskClient, issued: Home, row: dict[str, str]
) -> None:
    data = (issued.folder / "out" / row["pdf"]).read_bytes()
    for sent, chinese, english in (
        (data, "文件未被改动，在有效期内", "File unchanged, and in date"),
        (data + b"\n", "文件已被改动", "The file was changed since it was issued"),
        (b"hello", "文件无法读取", "The file cannot be read"),
    ):
        page = send(client, sent).text
        assert chinese in page
        turned = client.post("/verify?lang=en", data=hidden(page)).text
        assert english in turned
        assert chinese in client.post("/verify", data=hidden(turned)).text


def test_a_mismatch_comes_before_all_that_sounds_like_yes(
    client: FlaskClient, row: dict[str, str], holder: dict[str, str]
) -> None:
    page = ask(client, row["number"], row["code"], name="某人", id_number=holder["身份证号"])
    wrong = "姓名与登记不一致：不是来人的证明，不要接受"
    assert f"<title>{wrong}</title>" in page
    assert re.match(r' with-sign bad" role="alert">\s*<span[^>]*>✗</span>', box(page))
    assert re.search(r"</h1>\s*<p[^>]*>" + wrong, box(page))
    both = ask(client, row["number"], row["code"], name="某人", id_number="110105194912310021")
    assert "姓名和证件号码与登记不一致" in box(both)
    same = ask(client, row["number"], row["code"], name=holder["姓名"])
    assert "不要接受" not in box(same)
    english = client.post("/verify?lang=en", data=hidden(page)).text
    assert "<title>Name not as registered" in english


def test_an_answer_is_not_lost_when_names_were_tried_too_often(
    issued: Home, row: dict[str, str], holder: dict[str, str]
) -> None:
    with opened(replace(issued.settings, limit_claims="1/hour")) as site:
        client = create_app(site).test_client()
        assert "姓名：一致" in ask(client, row["number"], row["code"], name=holder["姓名"])
        page = ask(client, row["number"], row["code"], name=holder["姓名"])
    assert "登记信息相符，在有效期内" in box(page)
    assert re.search(r"核对次数太多，请在\d+(分钟|秒)后再核对", box(page))
    assert "一致</p>" not in page
    assert row["number"] in page


def test_what_is_left_out_of_the_facts_is_said(report: Report) -> None:
    assert report.certificate
    plain, slots = (replace(report.certificate, statement_pattern=text) for text in ("其在此", "{情况}"))
    paper = replace(slots, medium=Medium.PAPER)
    assert advice.masked(plain, "number") == (advice.MASKED_HOLDER,)
    assert advice.masked(slots, "number") == (advice.MASKED_HOLDER, advice.MASKED_SLOTS)
    assert advice.masked(slots, "hash") == advice.masked(paper, "number")
    assert advice.MASKED_SLOTS not in advice.masked(paper, "number")


def test_a_receipt_of_another_certificate_or_by_another_hand_says_nothing(
    client: FlaskClient, issued: Home, row: dict[str, str], holder: dict[str, str]
) -> None:
    page = ask(client, row["number"], row["code"], name=holder["姓名"])
    other = read_results(issued.folder / "out")[2]
    fields = {"number": other["number"], "code": other["code"], "receipt": receipt_of(page)}
    assert "：一致" not in client.post("/verify", data=fields).text
    head, body, signature = receipt_of(page).split(".")
    unsigned = jwt.encode({"checked": "file"}, "", algorithm="none")
    for forged in (
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        f"{head}.e30.{signature}",
        unsigned,
        "x",
        "..",
        "a.b.c",
    ):
        response = client.post("/verify", data=fields | {"receipt": forged})
        assert response.status_code == 400
        assert "回执无法识别" in response.text


def test_what_was_signed_for_something_else_is_no_receipt(issued: Home) -> None:
    with opened(issued.settings) as site:
        client = create_app(site).test_client()
        answer = compact({"verdict": "unreadable", "checked": "file", "certificate": None})
        for signed in (site.receipts.sign(answer, kind="other+jws"), site.receipts.sign(answer)):
            assert client.post("/verify", data={"receipt": signed}).status_code == 400


def test_an_old_receipt_does_not_hide_a_revocation(issued: Home, tmp_path: Path, row: dict[str, str]) -> None:
    own = Home(Path(shutil.copytree(issued.folder, tmp_path / "own")))
    with opened(own.settings) as site:
        client = create_app(site).test_client()
        data = (own.folder / "out" / row["pdf"]).read_bytes()
        before = [ask(client, row["number"], row["code"]), send(client, data).text]
        own.run("revoke", row["number"], "--reason", "information_wrong")
        for page in before:
            assert "Revoked: not to be used" in client.post("/verify?lang=en", data=hidden(page)).text


@pytest.fixture
def report(issued: Home, row: dict[str, str]) -> Report:
    with opened(issued.settings) as site:
        return verify_number(site.verifier, row["number"], row["code"])


def recognised(report: Report) -> Report:
    """The same under a recognised seal, and no demonstration."""
    assert report.certificate
    assert report.seal
    real = replace(report.certificate, demo=False, standing=Standing.RECOGNISED)
    seal = replace(report.seal, standing=Standing.RECOGNISED)
    return replace(report, certificate=real, seal=seal, checks=(Check("registry", "pass", "ok"),))


def test_only_what_may_be_relied_on_is_said_to_be(report: Report) -> None:
    assert advice.reliance(report, {}) == advice.DEMO
    good = recognised(report)
    assert good.rely
    assert good.certificate
    assert advice.reliance(good, {"name": True}) == advice.RELY_ON_ENTRY
    assert advice.reliance(good, {"name": False}) == advice.NO
    assert advice.reliance(replace(good, checked="file"), {}) == advice.RELY
    doubted = replace(good, checks=(Check("seal", "skip", "not_checked"),))
    own = replace(
        good, certificate=replace(good.certificate, standing=Standing.SELF_MANAGED), seal=report.seal
    )
    paper = replace(good, certificate=replace(good.certificate, medium=Medium.PAPER))
    assert [advice.reliance(one, {}) for one in (doubted, own, paper)] == [
        advice.NO,
        advice.SELF_MANAGED,
        advice.PAPER,
    ]
    for verdict in set(Verdict) - {Verdict.VALID}:
        wanted = advice.UNKNOWN if verdict is Verdict.NOT_FOUND else advice.NO
        assert advice.reliance(replace(good, verdict=verdict), {}) == wanted


def test_only_a_certificate_of_this_person_is_green(report: Report) -> None:
    real = recognised(report)
    assert advice.tone(real, {}) == advice.tone(real, {"name": True}) == "good"
    assert advice.tone(real, {"name": True, "id_number": False}) == "bad"
    assert advice.tone(real, {}, "没有核对") == "warn"
    assert advice.tone(report, {}) == "warn"
    assert advice.MISMATCH in advice.steps(real, {"name": False})
    assert advice.MISMATCH not in advice.steps(real, {"name": True})
    assert advice.THE_PERSON not in advice.steps(real, {"name": True, "id_number": True})
    tones = {verdict: advice.tone(replace(real, verdict=verdict), {}) for verdict in Verdict}
    assert [verdict for verdict, tone in tones.items() if tone == "good"] == [Verdict.VALID]


def test_every_verdict_says_what_to_do(report: Report) -> None:
    for verdict in set(Verdict) - {Verdict.SEALED_ONLY}:  # only offline
        assert advice.steps(replace(report, verdict=verdict), {})
    notice = replace(
        report, verdict=Verdict.NOT_FOUND, certificate=None, reasons=(Reason("refusal_notice", "告知单"),)
    )
    assert (advice.reliance(notice, {}), advice.steps(notice, {})) == (advice.NO, advice.NOTICE)


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
