"""Where a home's own pack departs from the package's: each thing told, and whether it lets more be issued."""

from __future__ import annotations

import re

import pytest

from signsvc.policy import parse_layer, shipped, shipped_jurisdictions
from signsvc.policy.packs.departures import departures

SUCCESSOR = """
[[document.successors]]
number = "青民发〔2026〕9号"
title = "关于延长有效期的通知"
valid_from = 2026-08-04
"""


def text_of(place: str) -> str:
    found = shipped(f"nation/{place}")
    assert found is not None
    return found[0]


def told(place: str, text: str) -> list[tuple[str, str]]:
    return [(found.label, found.text) for found in departures(parse_layer(text, "packs/pack.toml", place))]


def changed(place: str, written: str, instead: str) -> list[tuple[str, str]]:
    """`written` is a pattern over lines."""
    text, number = re.subn(written, instead, text_of(place), count=1, flags=re.MULTILINE)
    assert number == 1
    return told(place, text)


@pytest.mark.parametrize("place", shipped_jurisdictions())
def test_the_package_departs_from_itself_in_nothing(place: str) -> None:
    assert told(place, text_of(place)) == []
    assert told(place, "# 本地的说明\r\n" + text_of(place).replace("\n", "\r\n")) == []


def test_a_place_of_ones_own_has_nothing_to_depart_from() -> None:
    text = text_of("guangdong").replace('jurisdiction = "guangdong"', 'jurisdiction = "shili"', 1)
    assert told("shili", text.replace("issuer_must_be_named = true", "")) == []


def test_a_recorded_successor_is_no_departure() -> None:
    assert told("qinghai", text_of("qinghai") + SUCCESSOR) == []


def test_a_pack_without_its_list_tells_of_every_item() -> None:
    text = text_of("guangdong").partition("[[lists]]")[0]
    found = told("guangdong", text)
    assert found[0] == ("放宽", "不应出具清单第1项“亲属关系证明”没有了")
    assert len(found) == 23
    assert {label for label, _ in found} == {"放宽"}


def test_a_list_that_changes_in_two_steps_has_lost_the_reviews() -> None:
    steps = re.compile(r"(^\[\[steps\]\]\n(.+\n)+\n*)+", re.MULTILINE)
    two = """[[steps]]
id = "proposed"
name = "提出"
by = "索要证明的相关部门"
with_basis = true

[[steps]]
id = "published"
name = "公布"
by = "同级人民政府"
after = ["proposed"]

"""
    text, number = steps.subn(two, text_of("guangdong"))
    assert number == 1
    found = told("guangdong", text)
    assert [text for label, text in found if label == "放宽"][:4] == [
        "清单调整步骤“合法性审核意见”没有了",
        "清单调整步骤“必要性审核意见”没有了",
        "清单调整步骤“合理性审核意见”没有了",
        "清单调整步骤“审定”没有了",
    ]
    assert all("步骤" in text for _, text in found)


@pytest.mark.parametrize(
    ("place", "written", "instead", "label", "says"),
    [
        ("guangdong", "^issuer_must_be_named = true", "", "放宽", "issuer_must_be_named"),
        ("guangdong", r'^after = \["legality", .*', 'after = ["legality"]', "放宽", "步骤“审定”有改动"),
        ("guangdong", "^with_basis = true", "", "放宽", "步骤“提出”有改动"),
        ("guangdong", '^by = "索要证明的相关部门"', 'by = "任何人"', "注意", "步骤“提出”有改动"),
        (
            "guangdong",
            "^(title = .*\n)(issuers)",
            r"\1valid_from = 2021-01-01\n\2",
            "注意",
            "document.valid_from",
        ),
        ("guangdong", "^number = .*", 'number = "某发〔2030〕1号"', "注意", "文号（document.number）有改动"),
        ("guangdong", '^text = "清单之外，', 'text = "清单之内，', "注意", "文件原文“retained-only”有改动"),
        ("guangdong", r'^\[\[rules\]\]\nid = "pledge"\n(.+\n)+', "", "注意", "文件原文“pledge”没有了"),
        ("guangdong", r'^codes = \["transitional_case_required"\]\n', "", "注意", "“transitional”有改动"),
        ("guangdong", r"^channels = \[", 'channels = ["某网站", ', "注意", "公布渠道（channels）有改动"),
        ("guangdong", '^yearly = "12-25"', 'yearly = "12-26"', "注意", "报送期限（deadlines）有改动"),
        ("guangdong", "^annex = .*", r"\g<0>\nvalid_from = 2030-01-01", "放宽", "附件1《.*》”的有效期缩短"),
        ("guangdong", "^annex = .*", r"\g<0>\nvalid_to = 2030-01-01", "放宽", "附件1《.*》”的有效期缩短"),
        (
            "guangdong",
            '^pathway = "',
            'pathway = "改',
            "注意",
            "第1项.*原文有改动",
        ),
        ("qinghai", "^valid_to = 2026-08-03", "valid_to = 2036-08-03", "放宽", "document.valid_to）推后"),
        ("qinghai", "^valid_to = 2026-08-03", "valid_to = 2026-08-02", "注意", "document.valid_to）提前"),
        ("qinghai", "^valid_to = 2026-08-03", "", "放宽", "document.valid_to）推后或删去"),
        ("qinghai", "^paper = true", "", "放宽", "不再以纸质件为准"),
    ],
)
def test_a_departure_is_told(place: str, written: str, instead: str, label: str, says: str) -> None:
    found = changed(place, written, instead)
    assert [text for kind, text in found if kind == label and re.search(says, text)], found
    assert "放宽" not in {kind for kind, _ in found} or label == "放宽"


LISTED = """
jurisdiction = "qinghai"
name = "青海省"
[document]
number = "一号"
title = "文件"
issuers = ["某厅"]
[[lists]]
id = "first-batch"
title = "清单"
annex = "附件2"
[[lists.items]]
number = 1
title = "亲属关系证明（父子关系证明）"
name = "亲属关系证明"
aliases = ["父子关系证明"]
synonyms = ["母子关系证明"]
pathway = "由公安部门办理（甲情况、乙情况除外）"
exemptions = [{ phrase = "甲情况", words = ["甲事"], closed_by = 1 }]
"""


@pytest.fixture
def in_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package's Qinghai were the small one above."""
    monkeypatch.setattr("signsvc.policy.packs.departures.shipped", lambda folder: (LISTED, "pack.toml"))


@pytest.mark.usefixtures("in_the_package")
@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ('synonyms = ["母子关系证明"]', "", ["不应出具清单第1项“亲属关系证明”少了名称：母子关系证明"]),
        ('words = ["甲事"]', 'words = ["甲事", "买房"]', ["…增加了除外情形或其用词：买房"]),
        (
            "closed_by = 1 }",
            'closed_by = 1 }, { phrase = "乙情况", words = ["乙事"] }',
            ["…增加了除外情形或其用词：乙事、乙情况"],
        ),
        (", closed_by = 1", "", ["…不再另有规定（closed_by）：甲情况"]),
        ('id = "first-batch"', 'id = "renamed"', []),
        ('synonyms = ["母子关系证明"]', 'synonyms = ["母子关系证明", "父女关系证明"]', []),
    ],
)
def test_an_item_that_is_found_less_often_is_a_loosening(written: str, instead: str, says: list[str]) -> None:
    assert written in LISTED
    expected = [("放宽", text.replace("…", "不应出具清单第1项“亲属关系证明”")) for text in says]
    assert told("qinghai", LISTED.replace(written, instead, 1)) == expected


@pytest.mark.usefixtures("in_the_package")
def test_a_newly_opened_transitional_path_is_a_loosening() -> None:
    rule = '\n[[rules]]\nid = "open"\nplace = "三"\ntext = "可以。"\ncodes = ["transitional_case_required"]\n'
    assert told("qinghai", LISTED + rule) == [
        ("放宽", "开放了过渡期（transitional_case_required）"),
        ("注意", "文件原文“open”是增加的"),
    ]
