"""The guide, as a resident without JavaScript meets it, and as software reads it."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from home import Home
from hypothesis import given, settings
from hypothesis import strategies as st

from signsvc.web import create_app
from signsvc.web.server import opened
from signsvc.wiring.guiding import Guide

KINDS = {"may_issue", "should_not_issue", "department_issues", "unlisted"}
VOID = {"meta", "link", "input"}
ASKED = (
    ("亲属关系证明", "", ""),
    ("亲属关系证明", "公证", "gd-demo"),
    ("健在证明", "", "qh-demo"),
    ("无犯罪记录证明", "", ""),
    ("农民身份证明", "", "qh-demo"),
    ("诉讼当事人属于本社区证明", "", ""),
    ("诉讼当事人属于本社区(村)证明", "", "gd-demo"),
    ("诉讼当事人属于本社区证明", "打官司", "qh-demo"),
    ("宅基地申请集体讨论及公示情况证明", "", "qh-demo-village"),
    ("婚姻状况证明和无犯罪记录证明", "", "gd-demo"),
    ("收养人婚姻状况和抚养教育能力证明", "收养", "qh-demo"),
    ("随便什么证明", "", "qh-demo"),
    ("股票证明", "", ""),
    ("犯罪记录", "", ""),
    ("", "", ""),
    ("", "", "qh-demo-village"),
)


@pytest.fixture(scope="module")
def client(pristine: Path) -> Iterator[FlaskClient]:
    home = Home(pristine)
    with opened(home.settings) as site:
        yield create_app(site).test_client()


@dataclass
class Page(HTMLParser):
    """A page taken apart: its text, and what is wrong with its tags."""

    text: str = ""
    fields: set[str] = field(default_factory=set)
    labelled: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.faults += [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
        self.faults += [given[name] for name in ("href", "src", "action") if "//" in given.get(name, "")]
        self.ids += [given["id"]] if "id" in given else []
        if tag in ("input", "select"):
            self.fields.add(given["id"])
        if tag == "label":
            self.labelled.add(given["for"])
        if tag == "script":
            self.faults.append(tag)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data

    def close(self) -> None:
        super().close()
        self.faults += self._open


def taken_apart(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page


def ask(client: FlaskClient, **parameters: str) -> Page:
    response = client.get("/matters", query_string=parameters)
    assert response.status_code == 200
    return taken_apart(response.get_data(as_text=True))


def ask_json(client: FlaskClient, **parameters: str) -> dict[str, Any]:
    response = client.get("/matters.json", query_string=parameters)
    assert response.status_code == 200
    assert isinstance(response.json, dict)
    return response.json


@pytest.mark.parametrize(("q", "purpose", "office"), ASKED)
def test_the_page_is_sound_html_without_script(
    client: FlaskClient, q: str, purpose: str, office: str
) -> None:
    page = ask(client, q=q, purpose=purpose, office=office)
    assert page.faults == []
    assert page.fields == page.labelled == {"q", "purpose", "office"}
    assert len(set(page.ids)) == len(page.ids)


@pytest.mark.parametrize(("q", "purpose", "office"), ASKED)
def test_page_and_json_say_the_same(client: FlaskClient, q: str, purpose: str, office: str) -> None:
    told, text = (
        ask_json(client, q=q, purpose=purpose, office=office),
        ask(client, q=q, purpose=purpose, office=office).text,
    )
    for answer in told["answers"]:
        shown = [
            answer[key] for key in ("place", "label", "summary", "listed", "pathway", "basis", "addressee")
        ]
        shown += [
            *answer["steps"],
            *answer["reasons"],
            *answer["purposes"],
            *answer["similar"],
            *answer["hints"],
            *answer["caveats"],
            answer["policy"]["note"],
        ]
        shown += [*answer["ground"].values(), *(one["place"] for one in answer["offices"])]
        shown += [more[key] for more in answer["also"] for key in ("listed", "pathway")]
        assert [piece for piece in shown if piece and piece not in text] == []
    for place in told.get("lists", ()):
        listed = [one["matter"] for one in place["retained"]] + [
            one["title"] for one in place["not_to_issue"]
        ]
        assert [name for name in listed if name not in text] == []
        assert place["policy"]["note"] in text


def test_without_an_office_every_province_of_the_home_answers(client: FlaskClient) -> None:
    answers = ask_json(client, q="同一地址证明")["answers"]
    assert [(one["jurisdiction"], one["office"], one["answer"]) for one in answers] == [
        ("qinghai", None, "unlisted"),
        ("guangdong", None, "department_issues"),
    ]
    assert "各组织以本地保留清单为准" in answers[0]["summary"]


def test_a_name_that_some_offices_retain_leads_to_them(client: FlaskClient) -> None:
    qinghai = ask_json(client, q="宅基地申请集体讨论及公示情况证明")["answers"][0]
    assert [(one["office"], one["answer"]) for one in qinghai["offices"]] == [
        ("qh-demo-village", "may_issue")
    ]


def test_with_an_office_only_it_answers_and_a_demonstration_is_never_green(client: FlaskClient) -> None:
    (answer,) = ask_json(client, q="诉讼当事人属于本社区证明", office="gd-demo")["answers"]
    assert (answer["office"], answer["answer"], answer["demo"]) == ("gd-demo", "may_issue", True)
    html = client.get("/matters", query_string={"q": "诉讼当事人属于本社区证明", "office": "gd-demo"}).text
    assert 'class="verdict good"' not in html
    assert "演示数据，无法律效力" in html
    assert '<option value="gd-demo" selected>' in html


def test_what_may_be_issued_for_another_purpose_is_no_plain_yes(client: FlaskClient) -> None:
    asked = {"q": "收养人婚姻状况和抚养教育能力证明", "purpose": "收养", "office": "qh-demo"}
    (answer,) = ask_json(client, **asked)["answers"]
    assert (answer["answer"], "仅限用途：收养登记" in answer["summary"]) == ("may_issue", True)
    html = client.get("/matters", query_string=asked).text
    assert 'class="verdict warn"' in html
    assert "purpose=%E6%94%B6%E5%85%BB%E7%99%BB%E8%AE%B0" in html


def test_a_hint_is_told_once_and_leaves_the_answer_open(client: FlaskClient) -> None:
    (answer,) = ask_json(client, q="股票证明", office="gd-demo")["answers"]
    (hint,) = answer["hints"]
    assert (answer["answer"], "请人工判断" in hint) == ("unlisted", True)
    assert ask(client, q="股票证明", office="gd-demo").text.count(hint) == 1


def test_the_list_sends_nobody_to_who_issues_only_a_part_of_an_item(client: FlaskClient) -> None:
    items = {one["number"]: one for one in ask_json(client, q="")["lists"][0]["not_to_issue"]}
    assert (items[12]["answer"], items[12]["issued_by"]) == ("should_not_issue", [])
    assert (items[5]["answer"], items[5]["issued_by"]) == ("department_issues", ["公安部门"])


def test_an_empty_box_lists_everything_by_number(client: FlaskClient) -> None:
    lists = ask_json(client, q=" ")["lists"]
    assert [len(place["not_to_issue"]) for place in lists] == [20, 23]
    (own,) = ask_json(client, office="qh-demo-village")["lists"]
    assert [one["matter"] for one in own["retained"]][2] == "宅基地申请集体讨论及公示情况证明"
    assert own["retained"][-1]["summary"].startswith("暂停")
    assert "177项" in own["not_held"][0]


def test_the_expired_policy_is_told_on_every_page_of_its_province(client: FlaskClient) -> None:
    for q in ("健在证明", "诉讼当事人属于本社区证明", "随便什么证明", ""):
        text = ask(client, q=q, office="qh-demo").text
        assert "青民发〔2021〕103号已于2026年8月3日期满" in text
        assert "有上位法依据的事项照常办理" in text


def test_what_was_typed_is_shown_and_never_becomes_markup(client: FlaskClient) -> None:
    hostile = '"><script>alert(1)</script>{{7*7}}\u202e\x00\n证明'
    html = client.get("/matters", query_string={"q": hostile, "purpose": hostile, "office": "qh-demo"}).text
    assert taken_apart(html).faults == []
    assert '"><script>alert(1)</script>{{7*7}} 证明' in taken_apart(html).text
    assert ask_json(client, q=hostile)["query"] == '"><script>alert(1)</script>{{7*7}} 证明'


def test_an_overlong_name_is_cut_and_told(client: FlaskClient) -> None:
    told = ask_json(client, q="健在证明" + "长" * 1996)
    assert (len(told["query"]), told["cut"]) == (100, True)
    assert "写得太长" in ask(client, q="长" * 2000).text
    assert not ask_json(client, q="长" * 100)["cut"]


@pytest.mark.parametrize("office", ["nowhere", "../etc/passwd", "<b>", "QH-DEMO", "长" * 500])
def test_an_unknown_office_is_told_and_not_echoed(client: FlaskClient, office: str) -> None:
    page = client.get("/matters", query_string={"q": "健在证明", "office": office})
    assert page.status_code == 404
    assert "没有这个组织" in page.text
    assert office not in page.text
    assert taken_apart(page.text).faults == []
    data = client.get("/matters.json", query_string={"office": office})
    assert (data.status_code, data.mimetype) == (404, "application/problem+json")
    assert json.loads(data.text)["code"] == "unknown_office"


@settings(max_examples=60, deadline=None)
@given(
    q=st.text(max_size=100),
    purpose=st.text(max_size=20),
    office=st.sampled_from(["", "qh-demo", "qh-demo-village", "gd-demo"]),
)
def test_any_text_gets_one_of_four_answers_at_every_place(
    client: FlaskClient, q: str, purpose: str, office: str
) -> None:
    # Half of a surrogate pair cannot come in by an address.
    q, purpose = (text.encode("utf-8", "ignore").decode() for text in (q, purpose))
    told = ask_json(client, q=q, purpose=purpose, office=office)
    places = [(one["jurisdiction"], one["office"]) for one in told["answers"] or told["lists"]]
    assert len(places) == (1 if office else 2) == len(set(places))
    assert all(one["answer"] in KINDS for one in told["answers"])
    assert ask(client, q=q, purpose=purpose, office=office).faults == []


@pytest.mark.parametrize("path", ["/matters", "/matters.json"])
@pytest.mark.parametrize(
    "raw", ["q=%ff%fe", "q=%ed%a0%80", "q[]=1&q=2", "office=%00", "q=" + "%E9%95%BF" * 300, "&&&="]
)
def test_a_broken_address_is_never_a_server_error(client: FlaskClient, path: str, raw: str) -> None:
    assert client.get(f"{path}?{raw}").status_code in (200, 404)


def test_nothing_typed_goes_into_headers_logs_or_caches(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for path in ("/matters", "/matters.json"):
        response = client.get(
            path, query_string={"q": "关于扎西多杰的亲属关系证明", "purpose": "扎西多杰办理公证"}
        )
        assert "扎西" not in str(response.headers)
        assert "Set-Cookie" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "扎西" not in caplog.text


@pytest.fixture
def bare(pristine: Path, tmp_path: Path) -> Home:
    """A home with its rules and nothing else: no registry, no keys."""
    own = Home(tmp_path / "bare")
    own.var.mkdir(parents=True)
    shutil.copy(Home(pristine).var / "offices.toml", own.var)
    shutil.copytree(Home(pristine).var / "catalogue", own.var / "catalogue")
    return own


def test_the_guide_needs_neither_keys_nor_registry(bare: Home) -> None:
    guidance = Guide(bare.settings).current()
    assert list(guidance.offices) == ["qinghai", "guangdong"]


def test_a_broken_list_closes_the_guide_alone_until_it_is_mended(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    offices = home.var / "offices.toml"
    whole = offices.read_text("utf-8")
    with opened(home.settings) as site:
        client = create_app(site).test_client()
        assert client.get("/matters").status_code == 200
        offices.write_text(whole.replace('kind = "community"', 'kind = "club"', 1), "utf-8")
        closed = [client.get(path) for path in ("/matters", "/matters?q=x", "/matters.json")]
        assert [one.status_code for one in closed] == [503, 503, 503]
        assert "查验证明不受影响" in closed[0].text
        assert closed[2].mimetype == "application/problem+json"
        assert "offices.toml" not in closed[0].text + closed[2].text
        assert client.get("/verify").status_code == 200
        assert caplog.text.count("offices.toml") == 1
        offices.write_text(whole, "utf-8")
        assert client.get("/matters").status_code == 200


def test_a_changed_rule_shows_without_a_restart(bare: Home) -> None:
    guide = Guide(bare.settings)
    before = guide.current()
    assert guide.current() is before
    folder = bare.var / "packs" / "nation" / "qinghai"
    folder.mkdir(parents=True)
    shipped = (
        Path(__file__).parents[2]
        / "signsvc"
        / "policy"
        / "data"
        / "packs"
        / "nation"
        / "qinghai"
        / "pack.toml"
    )
    (folder / "pack.toml").write_text(
        shipped.read_text("utf-8").replace('name = "青海省"', 'name = "青海"'), "utf-8"
    )
    assert before.place_name("qinghai") == "青海省"
    assert guide.current().place_name("qinghai") == "青海"


def test_a_list_taken_away_is_no_longer_answered_from(bare: Home) -> None:
    guide = Guide(bare.settings)
    retained = [
        len(guide.current().places(name)[0].retained.matters) for name in guide.current().rules.offices
    ]
    assert all(retained)
    for file in (bare.var / "catalogue").iterdir():
        file.unlink()
    assert not any(guide.current().places(name)[0].retained.matters for name in guide.current().rules.offices)


def test_a_new_day_is_noticed(bare: Home) -> None:
    clock = [datetime.fromisoformat("2026-11-21T23:59:00+08:00")]
    guide = Guide(bare.settings, lambda: clock[0])
    first = guide.current().today
    clock[0] += timedelta(minutes=2)
    assert guide.current().today == first + timedelta(days=1)
