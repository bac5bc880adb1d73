"""The two languages: every Chinese word that reaches a page has its English, and an English page is English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from dataclasses import replace as but
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from babel.messages.extract import extract_from_dir
from flask import Flask
from home import Home, read_results
from jinja2 import nodes

from signsvc.errors import SignsvcError
from signsvc.report import Asked, Check, Reason, Report, Verdict
from signsvc.seal.findings import DETAILS
from signsvc.texts import Text
from signsvc.verify import verify_number
from signsvc.web import create_app, languages
from signsvc.web.guard.limiting import in_words
from signsvc.web.pages import _page
from signsvc.web.server import opened
from signsvc.web.site import Site

PACKAGE = Path(languages.__file__).parent.parent
TEMPLATES = PACKAGE / "web" / "templates"
HAN = re.compile(r"[\u3400-\u9fff]")
# Their texts reach a page or an answer of the API; what stands in other modules is for operators.
SPOKEN = ("report.py", "verify.py", "statuses.py", "identity/codes.py", "web/**/*.py")
# Spoken by nobody: a pattern to match, a language's own name, what only whoever starts the server reads.
UNSPOKEN = {r"(?:.*证明)?第(.+?)号.*", "^(?:证明)?编号:", "^查验码:?", "中文"}
# The guide's answers quote Chinese documents, and its modules hold nothing else.
CHINESE_ONLY = ("matters_answer.html", "matters_lists.html")
PARSER = jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
VOID = {"meta", "link", "input", "br"}


def test_every_word_of_the_templates_has_its_english() -> None:
    assert sorted(template_words() - set(languages.english())) == []


def test_every_word_of_the_code_that_is_spoken_has_its_english() -> None:
    assert sorted(code_words() - set(languages.english())) == []


def test_no_english_is_left_over() -> None:
    assert sorted(set(languages.english()) - template_words() - code_words()) == []


def test_english_keeps_the_places_of_the_values() -> None:
    places = re.compile(r"%\(\w+\)s|\{\w+\}")
    for chinese, english in languages.english().items():
        wanted, given = (sorted(places.findall(text)) for text in (chinese, english))
        assert len(wanted) == len(given), chinese
        assert [place for place in wanted if not HAN.search(place)] in ([], given), chinese


def test_templates_hold_no_chinese_outside_what_is_translated() -> None:
    for file in TEMPLATES.glob("*.html"):
        if file.name in CHINESE_ONLY:
            continue
        source = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.DOTALL)
        plain = [node.data for node in PARSER.parse(source).find_all(nodes.TemplateData)]
        assert not HAN.search("".join(plain)), file.name


def template_words() -> set[str]:
    """The words under `_()` and {% trans %}, and constants under the filter `say`."""
    options = {"**.html": {"newstyle_gettext": "true"}}
    under = {word for _, _, word, _, _ in extract_from_dir(TEMPLATES, [("**.html", "jinja2")], options)}
    for file in TEMPLATES.glob("*.html"):
        if file.name not in CHINESE_ONLY:
            for constant in PARSER.parse(file.read_text("utf-8")).find_all(nodes.Const):
                if isinstance(constant.value, str) and HAN.search(constant.value):
                    under.add(constant.value)
    return under - {"（演示）", "——"}  # beside data, which stays Chinese


def code_words() -> set[str]:
    found = set(DETAILS.values()) | {"查验码应为16位，请核对"}
    for pattern in SPOKEN:
        for file in PACKAGE.glob(pattern):
            found |= set(filter(HAN.search, constants(ast.parse(file.read_text("utf-8")))))
    return found - UNSPOKEN


def constants(tree: ast.Module) -> Iterator[str]:
    """String constants, without docstrings and without pieces of f-strings, which nobody could translate."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef)
    left_out = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    left_out |= {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, holders) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value


@pytest.fixture(scope="module")
def site(issued: Home) -> Iterator[Site]:
    with opened(issued.settings) as site:
        yield site


@pytest.fixture(scope="module")
def app(site: Site) -> Flask:
    return create_app(site)


@pytest.fixture(scope="module")
def report(issued: Home, site: Site) -> Report:
    row = read_results(issued.folder / "out")[1]
    return verify_number(site.verifier, row["number"], row["code"])


@dataclass
class Heard(HTMLParser):
    """Han that a page shows, or reads out, under a language that is not Chinese."""

    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._langs = ["en"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        lang = given.get("lang", self._langs[-1])
        if lang != "zh-CN":
            spoken = [
                given[name]
                for name in given
                if name.startswith(("aria-", "data-")) or name in ("title", "alt")
            ]
            self.found += filter(HAN.search, spoken)
        if tag not in VOID:
            self._langs.append(lang)

    def handle_endtag(self, tag: str) -> None:
        self._langs.pop()

    def handle_data(self, data: str) -> None:
        if self._langs[-1] != "zh-CN" and HAN.search(data):
            self.found.append(data)


def han(html: str) -> list[str]:
    heard = Heard()
    heard.feed(html)
    return heard.found


def shown(app: Flask, site: Site, report: Report, matches: dict[str, bool]) -> str:
    with app.test_request_context("/verify?lang=en", method="POST"):
        return _page(site, report, {"number": "1", "code": "0" * 16}, matches)


@pytest.mark.parametrize("checked", ["number", "file", "hash"])
@pytest.mark.parametrize("verdict", Verdict)
def test_an_english_page_is_english_under_every_verdict(
    app: Flask, site: Site, report: Report, verdict: Verdict, checked: str
) -> None:
    asked = Asked(sha256="0" * 64)
    failed = (
        Check("file", "fail", "digest", DETAILS["digest"]),
        Check("file", "skip", "not_reached", DETAILS["ok"]),
    )
    reasons = (
        *report.reasons,
        Reason("digest", DETAILS["digest"]),
        Reason("x", Text("已换发为 {number}", number="1")),
    )
    told = but(report, verdict=verdict, checked=checked, checks=failed, reasons=reasons, asked=asked)
    for page in (
        shown(app, site, told, {"name": True, "id_number": False}),
        shown(app, site, but(told, certificate=None, seal=None, log=None), {}),
    ):
        assert han(page) == []
        assert '<html lang="en">' in page


@pytest.mark.parametrize(
    "path",
    ["/", "/verify", "/nowhere", "/v/nonsense", "/matters", "/matters?q=亲属关系证明&office=nobody", "/log"],
)
def test_other_english_pages_are_english(app: Flask, path: str) -> None:
    page = app.test_client().get(path, query_string=None if "?" in path else {"lang": "en"})
    if "?" in path:
        page = app.test_client().get(f"{path}&lang=en")
    assert han(page.text) == []
    assert '<html lang="en">' in page.text


@pytest.mark.parametrize("path", ["/verify", "/matters", "/log", "/api/v1/docs"])
def test_english_pages_have_no_chinese_punctuation(app: Flask, path: str) -> None:
    page = app.test_client().get(path, query_string={"lang": "en"}, headers={"Accept-Language": "en"}).text
    ours = re.sub(r'<pre.*?</pre>|<optgroup.*?</optgroup>|<div lang="zh-CN">.*', "", page, flags=re.DOTALL)
    assert not re.findall(r".{0,20}[\u3000-\u303f\uff01-\uff5e]", ours)


def test_waiting_is_told_in_the_units_of_people(app: Flask) -> None:
    with app.test_request_context("/verify"):
        told = [languages.say(in_words(seconds)) for seconds in (1, 120, 121, 1855, 7201, 86_400)]
    assert told == ["1秒", "120秒", "3分钟", "31分钟", "3小时", "24小时"]


def test_the_answers_of_the_guide_are_marked_as_chinese(app: Flask) -> None:
    page = app.test_client().get("/matters", query_string={"q": "亲属关系证明", "lang": "en"}).text
    assert han(page) == []
    assert "不应出具" in page
    assert "in Chinese only" in page


def test_the_language_is_carried_along_links_and_forms(app: Flask) -> None:
    page = app.test_client().get("/verify?lang=en").text
    assert 'action="/verify?lang=en"' in page
    assert 'href="/matters?lang=en"' in page
    assert 'href="?"' in page  # and back
    assert "lang=" not in re.sub(
        r' (href)?lang="[^"]*"|href="\?lang=en"', "", app.test_client().get("/verify").text
    )


def test_the_switch_keeps_the_address_and_nothing_of_its_path(app: Flask) -> None:
    page = app.test_client().get("/matters", query_string={"q": "a&b", "office": ""}).text
    assert 'href="?q=a%26b&amp;office=&amp;lang=en"' in page
    assert "evil.example" not in app.test_client().get("/x//evil.example/").text


def test_an_unknown_language_is_chinese(app: Flask) -> None:
    for lang in ("fr", "", "en/../x", "<b>"):
        assert '<html lang="zh-CN">' in app.test_client().get("/verify", query_string={"lang": lang}).text


def test_pages_do_not_go_by_the_browser_and_machines_do(app: Flask) -> None:
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    assert '<html lang="zh-CN">' in app.test_client().get("/verify", headers=english).text
    told = [
        app.test_client().get("/api/nowhere", headers=headers).json
        for headers in ({}, {"Accept-Language": "zh"}, english, {"Accept-Language": "fr"})
    ]
    assert [answer["detail"] if answer else None for answer in told] == [
        "没有这个页面",
        "没有这个页面",
        "There is no such page",
        "没有这个页面",
    ]


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [
        ("zh,en;q=0.9", "zh-CN"),
        ("zh-TW,en;q=0.9", "zh-CN"),
        ("zh-Hans-CN, en;q=0.9", "zh-CN"),
        ("ZH-Hant;q=0.9, en;q=0.5", "zh-CN"),
        ("en;q=0.5, zh-HK", "zh-CN"),
        ("en, zh", "zh-CN"),
        ("fr, *;q=0.1", "zh-CN"),
        ("zhx, en;q=0.1", "en"),
        ("en-GB, zh-TW;q=0.9", "en"),
        ("fr, en;q=0.5, zh-Hant;q=0.4", "en"),
        ("zh;q=0, *", "en"),
    ],
)
def test_a_machine_is_answered_in_what_it_prefers(app: Flask, preferred: str, chosen: str) -> None:
    with app.test_request_context("/api/v1/verify", headers={"Accept-Language": preferred}):
        assert languages.language() == chosen


def test_a_constant_of_a_template_is_said_in_the_language_of_each_request(app: Flask) -> None:
    with app.test_request_context("/verify"):
        template = app.jinja_env.from_string("{{ '证明查验' | say }}")
        assert template.render() == "证明查验"
    with app.test_request_context("/verify?lang=en"):
        assert template.render() == languages.english()["证明查验"]


def test_values_and_dates_are_said_in_the_language(app: Flask, report: Report) -> None:
    assert report.certificate
    text = Text(
        "演示数据，无法律效力：{verdict}", verdict=Text("已于{day}过期", day=report.certificate.valid_until)
    )
    with app.test_request_context("/verify?lang=en"):
        assert languages.say(text) == "Demonstration, without legal effect: Expired on 31 December 2036"
        assert languages.say("没有译文的话") == "没有译文的话"
        assert languages.say("") == ""
    with app.test_request_context("/verify"):
        assert languages.say(text) == text == "演示数据，无法律效力：已于2036年12月31日过期"


def test_an_error_keeps_its_values(site: Site) -> None:
    fresh = create_app(site)

    @fresh.get("/stopped")
    def stopped() -> str:
        raise SignsvcError(Text("查询过于频繁，请在{wait}后再试", wait=in_words(7)))

    assert "try again in 7 seconds" in fresh.test_client().get("/stopped?lang=en").text
