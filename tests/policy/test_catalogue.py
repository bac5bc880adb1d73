"""Offices and catalogue items read from data, strictly, and found by what people type."""

from __future__ import annotations

import time
from dataclasses import FrozenInstanceError, replace
from datetime import date

import pytest

from signsvc.errors import PolicyError, RowRefused
from signsvc.models import BasisKind, Medium, Office, OfficeId, OfficeKind, Path
from signsvc.policy import demo_text, find_office, load_catalogue, load_offices, printed_basis

OFFICES = load_offices(demo_text("offices"), "offices.toml")
CATALOGUE = load_catalogue(demo_text("catalogue-qinghai"), "catalogue-qinghai.toml")
SOUTH = load_catalogue(demo_text("catalogue-guangdong"), "catalogue-guangdong.toml")
COMMUNITY, VILLAGE = OFFICES[OfficeId("qh-demo")], OFFICES[OfficeId("qh-demo-village")]


def test_the_demonstration_offices_are_the_three_promised() -> None:
    assert {office.id: office.name for office in OFFICES.values()} == {
        "qh-demo": "青海省示范市示范区和平街道幸福社区居民委员会",
        "qh-demo-village": "青海省示范市示范县团结镇向阳村村民委员会",
        "gd-demo": "广东省示范市示范区和平街道幸福社区居民委员会",
    }
    assert all(office.demo and "演示" in office.phone for office in OFFICES.values())
    assert [VILLAGE.county, VILLAGE.town, VILLAGE.community] == ["示范县", "团结镇", "向阳村"]


@pytest.mark.parametrize(
    "given", ["qh-demo", " qh-demo ", COMMUNITY.name, COMMUNITY.name.replace("示范区", "示范区 ")]
)
def test_an_office_is_found_by_id_or_full_name(given: str) -> None:
    assert find_office(OFFICES, given, None) is COMMUNITY


def test_an_office_left_out_is_the_one_of_the_file_or_the_only_one() -> None:
    assert find_office(OFFICES, None, "gd-demo").id == "gd-demo"
    assert find_office({COMMUNITY.id: COMMUNITY}, None, None) is COMMUNITY
    assert find_office(OFFICES, COMMUNITY.name, "qh-demo") is COMMUNITY


@pytest.mark.parametrize(
    ("given", "only", "code"),
    [
        (None, None, "request_invalid:missing_field"),
        ("幸福社区", None, "unknown_office"),
        (None, "nowhere", "unknown_office"),
        ("qh-demo", "gd-demo", "unknown_office"),
        ("qh-demo", "nowhere", "unknown_office"),
    ],
)
def test_an_office_that_is_not_clear_refuses_the_row(given: str | None, only: str | None, code: str) -> None:
    with pytest.raises(RowRefused) as caught:
        find_office(OFFICES, given, only)
    assert [(fault.code, fault.column) for fault in caught.value.faults] == [(code, "office")]


def test_the_demonstration_matters_are_as_described() -> None:
    assert {matter.id: (matter.path, matter.medium) for matter in CATALOGUE.matters} == {
        "litigant-community": (Path.ORDINARY, Medium.ELECTRONIC),
        "adopter-circumstances": (Path.ORDINARY, Medium.PAPER),
        "homestead-discussion": (Path.CONSULTATION, Medium.ELECTRONIC),
        "farmer-identity": (Path.ORDINARY, Medium.ELECTRONIC),
    }
    assert all(matter.demo for matter in CATALOGUE.matters)
    assert CATALOGUE.slot_names == {"情况说明", "婚姻状况", "抚养教育能力"}


def test_each_province_has_its_own_list() -> None:
    assert [(listed.jurisdiction, listed.holder) for listed in (CATALOGUE, SOUTH)] == [
        ("qinghai", "示范市"),
        ("guangdong", "示范市"),
    ]
    assert CATALOGUE.offices == {"qh-demo", "qh-demo-village"}
    assert SOUTH.offices == {"gd-demo"}
    assert all(matter.owner and matter.handled for listed in (CATALOGUE, SOUTH) for matter in listed.matters)


def test_texts_for_people_may_have_paragraphs() -> None:
    text = MATTER.replace('owner = "某部门"', 'owner = "某部门"\nnote = "甲\\n乙"')
    assert load_catalogue(text, "list.toml").matters[0].note == "甲\n乙"


def test_a_matter_is_worded_for_the_office() -> None:
    community, village = (CATALOGUE.find(office, "litigant-community") for office in (COMMUNITY, VILLAGE))
    assert community is not None
    assert village is not None
    assert (community.pattern, village.pattern) == (
        "其属于本社区居民，{情况说明}",
        "其属于本村居民，{情况说明}",
    )
    assert community.name == village.name == "诉讼当事人属于本社区（村）证明"


def test_villages_have_their_own_matter() -> None:
    assert CATALOGUE.find(VILLAGE, "homestead-discussion") in CATALOGUE.of(VILLAGE)
    assert CATALOGUE.find(COMMUNITY, "homestead-discussion") is None
    assert len(CATALOGUE.of(COMMUNITY)) == 3


def test_the_nearest_come_first() -> None:
    nearest, *_ = CATALOGUE.nearest(VILLAGE, "宅基地申请讨论证明")
    assert nearest.id == "homestead-discussion"
    assert CATALOGUE.nearest(VILLAGE, "xyz") == ()


def test_the_ended_basis_keeps_its_dates_and_words() -> None:
    matter = CATALOGUE.find(COMMUNITY, "农民身份证明")
    assert matter is not None
    (basis,) = matter.bases
    assert (basis.kind, basis.valid_to, basis.issuer_named) == (BasisKind.REGULATION, date(2022, 2, 28), True)
    assert printed_basis(matter) == "《农民专业合作社登记管理条例》（国务院令第498号）第十五条"


def test_what_is_loaded_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        CATALOGUE.matters = ()  # type: ignore[misc]


def test_either_wording_covers_both_brackets() -> None:
    text = demo_text("catalogue-qinghai").replace(
        "其属于本社区（村）居民，", "本社区(村)属居（村）民委员会，", 1
    )
    patterns = [
        load_catalogue(text, "x").find(office, "litigant-community") for office in (COMMUNITY, VILLAGE)
    ]
    assert [matter and matter.pattern for matter in patterns] == [
        "本社区属居民委员会，{情况说明}",
        "本村属村民委员会，{情况说明}",
    ]


MATTER = """
jurisdiction = "qinghai"
holder = "示范市"
offices = ["qh-demo"]
[[matters]]
id = "one"
name = "甲证明"
pattern = "其{情况}"
purposes = ["办事"]
addressee = "某单位"
owner = "某部门"
[[matters.slots]]
name = "情况"
[[matters.bases]]
kind = "law"
title = "《甲法》"
article = "第一条"
"""


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ('purposes = ["办事"]', "purposes = []", r"第9行 matters.purposes：不能为空"),
        ('purposes = ["办事"]', 'purposes = ["办事", "办事"]', "重复"),
        ('purposes = ["办事"]', "", r"第5行 matters.purposes"),
        ('pattern = "其{情况}"', 'pattern = "其{情况}{别的}"', r"第8行 matters.pattern：.*一一对应"),
        ('pattern = "其{情况}"', 'pattern = "其{情况}{情况}"', "一一对应"),
        ('pattern = "其{情况}"', 'pattern = "其"', "一一对应"),
        ('pattern = "其{情况}"', 'pattern = "其{情况}}"', "不成对"),
        ('name = "情况"', 'name = "情 况"', "只能用文字和数字"),
        ('name = "情况"', 'name = "情况"\nmax_length = 1001', "不超过1000"),
        ('name = "情况"', 'name = "情况"\nmax_length = 1\ndefault = "良好"', "不短于"),
        ('name = "情况"', 'name = "情况"\nfree = "yes"', r"第14行 matters.slots.free"),
        ('kind = "law"', 'kind = "rule"', r"第14行 matters.bases：.*不能单独"),
        ('kind = "law"', 'kind = "normative"', "不能单独"),
        ('kind = "law"', 'kind = "interpretation"', "不能单独"),
        ('kind = "law"', 'kind = "custom"', r"第15行 matters.bases.kind：应为 law"),
        ('article = "第一条"', "", r"第14行 matters.bases.article：缺少"),
        ('article = "第一条"', 'article = "第一条"\nvalid_from = 2022-01-02\nvalid_to = 2022-01-01', "早于"),
        ('addressee = "某单位"', 'addressee = "某单位"\noffice_kinds = ["town"]', "没有这类组织"),
        ('addressee = "某单位"', 'addressee = "某单位"\npath = "quick"', "应为 ordinary"),
        ('addressee = "某单位"', 'addressee = "某单位"\ndemo = "yes"', "true 或 false"),
        (
            'addressee = "某单位"',
            'addressee = "某单位"\npurpose = "办事"',
            r"第11行 matters.purpose：未知的键",
        ),
        ('name = "甲证明"', 'name = "  "', "非空文字"),
        ('offices = ["qh-demo"]', "offices = [1]", r"第4行 offices：应为由文字组成的列表"),
        ('owner = "某部门"', "", r"第5行 matters.owner：缺少"),
        ('owner = "某部门"', 'owner = "某部门"\nhandling = "timed"', "须写明工作日数"),
        ('owner = "某部门"', 'owner = "某部门"\nlimit_days = 5', "当场办结不写"),
        ('owner = "某部门"', 'owner = "某部门"\nhandling = "timed"\nlimit_days = 0', "正整数"),
        (
            'owner = "某部门"',
            'owner = "某部门"\ncan_verify = false',
            r"第12行 matters.can_verify：无法调查核实",
        ),
        ('owner = "某部门"', 'owner = "某\\n部门"', r"第11行 matters.owner：含不能使用的字符（U\+000A）"),
        ('owner = "某部门"', f'owner = "{"某" * 1001}"', "最多1000个字符"),
        ('owner = "某部门"', f'owner = "某部门"\nnote = "{"某" * 10001}"', "最多10000个字符"),
        ('owner = "某部门"', 'owner = "某部门"\nnote = "甲\\u202e乙"', r"U\+202E"),
        ('name = "情况"', 'name = "情况"\ndefault = "\\u200b"', r"matters.slots.default：.*U\+200B"),
        ('article = "第一条"', 'article = "第一条"\nended_by = "《乙法》"', "须有最后有效日"),
        ('purposes = ["办事"]', f"purposes = {[str(n) for n in range(51)]}", "最多50个"),
        ('holder = "示范市"', "", "holder：缺少"),
        ('jurisdiction = "qinghai"', "", "jurisdiction：缺少"),
        ("[[matters]]", "[matters]", r"应写成一个或多个|TOML"),
    ],
)
def test_a_faulty_catalogue_is_refused_with_its_line(written: str, instead: str, says: str) -> None:
    assert load_catalogue(MATTER, "list.toml").matters
    with pytest.raises(PolicyError, match=says) as caught:
        load_catalogue(MATTER.replace(written, instead, 1), "list.toml")
    assert str(caught.value).startswith("list.toml")


def test_an_id_is_no_name() -> None:
    text = demo_text("catalogue-qinghai").replace('id = "farmer-identity"', 'id = "无犯罪记录证明"')
    with pytest.raises(PolicyError, match=r"matters\.id：只能用小写字母"):
        load_catalogue(text, "list.toml")


def test_two_matters_may_not_share_a_name() -> None:
    second = MATTER.partition("\n[[matters]]")[2].replace('id = "one"', 'id = "two"\naliases = ["乙证明"]')
    with pytest.raises(PolicyError, match=r"第22行 matters.name：.*重复"):
        load_catalogue(MATTER + "\n[[matters]]" + second, "list.toml")


def test_a_list_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signsvc.policy.lists.catalogue._MOST_MATTERS", 2)
    root, _, matter = MATTER.partition("[[matters]]")
    three = [matter.replace('"one"', f'"{n}"').replace("甲证明", f"甲{n}证明") for n in range(3)]
    assert load_catalogue(root + "".join(f"[[matters]]{each}" for each in three[:2]), "list.toml")
    with pytest.raises(PolicyError, match="超过2项"):
        load_catalogue(root + "".join(f"[[matters]]{each}" for each in three), "list.toml")


def test_two_free_slots_would_leave_the_statement_without_a_place() -> None:
    text = MATTER.replace('"其{情况}"', '"其{情况}{其他}"').replace(
        'name = "情况"', 'name = "情况"\nfree = true\n[[matters.slots]]\nname = "其他"\nfree = true'
    )
    with pytest.raises(PolicyError, match="最多一个"):
        load_catalogue(text, "list.toml")


@pytest.mark.parametrize(
    "pattern", ["{year}-{serial:06d}", "{year}{serial}", "〔{year}〕第{serial:04d}", "A{serial}-{year}"]
)
def test_number_formats_that_hold_year_and_serial(pattern: str) -> None:
    text = demo_text("offices").replace("demo = true", f'demo = true\nnumber_format = "{pattern}"', 1)
    office = load_offices(text, "offices.toml")[OfficeId("qh-demo")]
    assert "2026" in office.number_format.format(year=2026, serial=7)


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ("demo = true", 'demo = true\nnumber_format = "{serial}"', r"第13行 offices.number_format"),
        ("demo = true", 'demo = true\nnumber_format = "{year}{serial}{serial}"', "number_format"),
        ("demo = true", 'demo = true\nnumber_format = "{year}{serial:099999d}"', "number_format"),
        ("demo = true", 'demo = true\nnumber_format = "{year}/{serial}"', "number_format"),
        ("demo = true", 'demo = true\nnumber_format = "{year.real}{serial}"', "number_format"),
        ('id = "qh-demo"', 'id = "../qh"', r"第4行 offices.id：只能"),
        ('id = "gd-demo"', 'id = "qh-demo"', "重复"),
        ('kind = "community"', 'kind = "village"', r"offices.name：.*村民委员会"),
        ('phone = "演示电话 000-00000000"', "", r"第3行 offices.phone：缺少"),
        ("demo = true", "", r"offices.demo：缺少"),
        ("demo = true", "demo = true\nfax = 1", r"第13行 offices.fax：未知的键"),
    ],
)
def test_a_faulty_office_is_refused_with_its_line(written: str, instead: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        load_offices(demo_text("offices").replace(written, instead, 1), "offices.toml")


def test_among_thousands_of_offices_one_is_found_at_once() -> None:
    head, _, rest = demo_text("offices").partition("[[offices]]")
    one = f"[[offices]]{rest.partition('[[offices]]')[0]}"
    many = "".join(one.replace("qh-demo", f"qh-{n}").replace("幸福社区", f"{n}社区") for n in range(3_000))
    begun = time.process_time()
    offices = load_offices(head + many, "offices.toml")
    for number in range(3_000):
        assert (
            find_office(offices, f"青海省示范市示范区和平街道{number}社区居民委员会", None).id
            == f"qh-{number}"
        )
    assert time.process_time() - begun < 5
    with pytest.raises(RowRefused) as caught:
        find_office(offices, "nowhere", None)
    assert len(str(caught.value.faults[0].message)) < 300


def test_two_offices_may_not_share_a_full_name() -> None:
    text = demo_text("offices").replace("广东省示范市", "青海省示范市", 1)
    with pytest.raises(PolicyError, match="重复"):
        load_offices(text, "offices.toml")


def test_an_unlisted_or_real_office_finds_nothing_of_the_demonstration() -> None:
    strangers: list[Office] = [replace(COMMUNITY, demo=False), replace(COMMUNITY, id=OfficeId("other"))]
    for office in strangers:
        assert CATALOGUE.of(office) == ()
        assert CATALOGUE.find(office, "litigant-community") is None
        assert CATALOGUE.nearest(office, "诉讼当事人") == ()
    assert CATALOGUE.find(replace(COMMUNITY, kind=OfficeKind.VILLAGE), "litigant-community") is not None
