"""What residents are told of a name: one of four answers, the decision's own, with the next step."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signsvc.models import OfficeId
from signsvc.policy import demo_text, load_catalogue, load_offices, load_pack, shipped
from signsvc.policy.answer import LABELS, Answer, Kind, answer, banned_items, policy_note
from signsvc.policy.asking import Place, Question

TODAY = date(2026, 11, 21)
PROVINCES = ("qinghai", "guangdong")
OFFICES = load_offices(demo_text("offices"), "offices.toml")
PACKS = {province: load_pack(province) for province in PROVINCES}
LISTS = {province: load_catalogue(demo_text(f"catalogue-{province}"), province) for province in PROVINCES}
UNUSUAL = load_catalogue((Path(__file__).parent / "unusual.toml").read_text("utf-8"), "unusual.toml")


def office(name: str) -> Place:
    found = OFFICES[OfficeId(name)]
    return Place(PACKS[found.jurisdiction], found, LISTS[found.jurisdiction])


PLACES = {province: Place(PACKS[province]) for province in PROVINCES} | {
    name: office(name) for name in OFFICES
}


def told(name: str, place: str, purpose: str = "", strict: bool = False) -> Answer:
    return answer(Question(name, purpose), PLACES[place], TODAY, strict)


@pytest.mark.parametrize(
    ("name", "purpose", "place", "kind"),
    [
        ("诉讼当事人属于本社区证明", "", "qh-demo", Kind.MAY_ISSUE),
        ("诉讼当事人属于本社区(村)证明", "", "gd-demo", Kind.MAY_ISSUE),
        ("收养人婚姻状况和抚养教育能力证明", "收养登记", "gd-demo", Kind.MAY_ISSUE),
        ("宅基地申请集体讨论及公示情况证明", "", "qh-demo-village", Kind.MAY_ISSUE),
        (
            "宅基地申请集体讨论及公示情况证明",
            "",
            "qh-demo",
            Kind.UNLISTED,
        ),  # a community's office has no such
        ("诉讼当事人属于本社区证明", "打官司", "qh-demo", Kind.MAY_ISSUE),
        ("收养人婚姻状况和抚养教育能力证明", "收养", "qh-demo", Kind.MAY_ISSUE),
        ("农民身份证明", "打官司", "qh-demo", Kind.SHOULD_NOT_ISSUE),
        ("意外伤害证明", "", "qinghai", Kind.SHOULD_NOT_ISSUE),
        ("疾病状况证明", "", "qinghai", Kind.DEPARTMENT_ISSUES),
        ("表现证明", "", "qinghai", Kind.DEPARTMENT_ISSUES),
        ("现实表现证明", "", "qinghai", Kind.UNLISTED),
        ("农民身份证明", "", "qh-demo", Kind.SHOULD_NOT_ISSUE),
        ("健在证明", "", "qinghai", Kind.SHOULD_NOT_ISSUE),
        ("关于张三的亲属关系证明", "", "gd-demo", Kind.SHOULD_NOT_ISSUE),
        ("亲属关系证明", "公证", "qinghai", Kind.UNLISTED),
        ("婚姻状况证明", "办理收养登记", "guangdong", Kind.UNLISTED),
        ("无犯罪记录证明", "", "qh-demo", Kind.DEPARTMENT_ISSUES),
        ("死亡证明", "", "guangdong", Kind.DEPARTMENT_ISSUES),
        ("同一地址证明", "", "guangdong", Kind.DEPARTMENT_ISSUES),  # 由相关职能部门证明
        ("同一地址证明", "", "qinghai", Kind.UNLISTED),
        ("经济状况证明", "法律援助", "guangdong", Kind.SHOULD_NOT_ISSUE),
        ("经济状况证明", "法律援助", "qinghai", Kind.UNLISTED),
        ("公民申请法律援助需要的经济困难证明", "", "gd-demo", Kind.SHOULD_NOT_ISSUE),
        ("公民申请法律援助需要的经济困难证明", "", "qh-demo", Kind.UNLISTED),
        ("婚姻状况证明和无犯罪记录证明", "", "qinghai", Kind.SHOULD_NOT_ISSUE),
        ("死亡证明和无犯罪记录证明", "", "qinghai", Kind.DEPARTMENT_ISSUES),
        ("随便什么证明", "", "gd-demo", Kind.UNLISTED),
        ("？！", "", "qinghai", Kind.UNLISTED),
    ],
)
def test_a_name_has_its_answer(name: str, purpose: str, place: str, kind: Kind) -> None:
    assert told(name, place, purpose).kind is kind


@pytest.mark.parametrize("province", PROVINCES)
def test_every_item_of_a_list_shows_its_number_and_pathway(province: str) -> None:
    for item in banned_items(PACKS[province], TODAY):
        for name in item.names:
            hits = {hit.matter: hit for hit in told(name, province).hits}
            assert hits[item.name].listed == item.listed, name
            assert hits[item.name].ground.pathway == item.pathway


def test_the_closed_exemption_is_answered_by_the_item_that_closes_it() -> None:
    given = told("经济状况证明", "guangdong", "申请法律援助")
    assert [hit.matter for hit in given.hits] == ["公民申请法律援助需要的经济困难证明"]
    assert "第23项" in given.hits[0].listed


def test_an_exempted_purpose_is_named_with_the_item_it_is_exempted_from() -> None:
    assert "除外情形（公证办理情况）" in told("亲属关系证明", "qh-demo", "办理公证").summary
    assert "除外情形" in "".join(told("亲属关系证明", "qh-demo").steps)


def test_what_may_be_issued_says_what_to_bring_and_to_expect() -> None:
    steps = "\n".join(told("收养人婚姻状况和抚养教育能力证明", "qh-demo").steps)
    for word in ("000-00000000", "县级民政部门", "婚姻状况、抚养教育能力", "纸质件", "5个工作日"):
        assert word in steps
    village = told("宅基地申请集体讨论及公示情况证明", "qh-demo-village")
    assert village.codes == ("consultation_required",)
    assert any("议事协商" in step for step in village.steps)
    # A blank with words of its own needs nothing brought.
    assert "情况说明" not in "".join(told("诉讼当事人属于本社区证明", "qh-demo").steps)


def test_a_suspended_matter_says_so_and_why_without_repeating_the_passage() -> None:
    given = told("农民身份证明", "gd-demo")
    assert given.summary.startswith("暂停出具")
    assert "2022年3月1日" in given.reasons[0]
    assert given.hits[0].ground.sentence not in given.reasons[0]
    assert given.hits[0].listed == "示范市保留清单第3项“农民身份证明”"


def test_a_name_kept_without_a_recorded_reason_is_answered_as_banned() -> None:
    owner = OFFICES[OfficeId("gd-demo")]
    kept = Place(PACKS["guangdong"], owner, UNUSUAL)
    banned = answer(Question("夫妻关系证明"), kept, TODAY)
    assert (banned.kind, banned.codes) == (Kind.SHOULD_NOT_ISSUE, ("banned_matter",))
    assert banned.hits[0].ground.pathway
    assert answer(Question("夫妻关系证明（用于供水、供电报装）"), kept, TODAY).kind is Kind.MAY_ISSUE


CALLED = {
    1: "兄妹关系证明 祖孙关系证明 家庭成员关系证明 亲子证明",
    2: "户籍信息证明 身份证明",
    3: "姓名变更证明 民族变更证明",
    4: "养狗证明",
    5: "无违法记录证明 无刑事犯罪证明 未受过刑事处罚证明",
    6: "表现证明 社区戒毒人员表现证明",
    8: "离婚证明 丧偶证明 无配偶证明 婚姻情况证明 分居两年证明 未婚证明 夫妻关系证明",
    10: "活着证明 生存证明 老人健在",
    11: "死亡情况证明 去世证明",
    12: "疾病证明 生病证明",
    15: "失业证明",
    17: "工资证明 收入情况证明 财产状况证明 经济情况证明 有房证明 无房证明 住房情况证明 产权证明 无车证明 "
    "贫困证明 困难证明 家庭经济困难证明",
    18: "法定继承人证明 继承权证明",
    20: "身份证丢失证明 结婚证丢失证明 户口本丢失",
    22: "同一个人证明 身份一致证明 两个名字是同一人",
}


@pytest.mark.parametrize("province", PROVINCES)
def test_what_people_call_it_is_found(province: str) -> None:
    items = banned_items(PACKS[province], TODAY)
    for number, names in CALLED.items():
        listed = [item.name for item in items if item.number == number]
        for name in names.split() if listed else ():
            assert [hit.matter for hit in told(name, province).hits] == listed, name


@pytest.mark.parametrize("province", PROVINCES)
def test_what_is_not_found_is_not_said_to_be_absent_from_the_list(province: str) -> None:
    given = told("某种证明", province)
    assert "按名称未找到" in given.summary
    assert "第17项“居民财产证明”的列举以“等”结尾" in given.caveats[0]
    assert any("177项" in caveat for caveat in given.caveats) == (province == "qinghai")


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("股票证明", "第17项"),
        ("理财产品持有证明", "第17项"),
        ("商业保险证明", "第17项"),
        ("现实表现证明", "第6项"),
        ("政审证明", "第5项"),
        ("在职证明", "第15项"),
        ("我妈还健在", "第10项"),
    ],
)
def test_an_unlisted_name_that_may_belong_to_an_item_says_so_for_a_person_to_judge(
    name: str, item: str
) -> None:
    given = told(name, "guangdong")
    assert given.kind is Kind.UNLISTED
    assert item in given.hints[0]
    assert given.hints[0].endswith("请人工判断")
    assert ("以“等”结尾" in given.hints[0]) == (item == "第17项")
    assert given.hints[0] not in given.steps


@pytest.mark.parametrize("name", ["某种证明", "健在证明", "收养人婚姻状况和抚养教育能力证明"])
def test_nothing_else_has_a_hint(name: str) -> None:
    assert told(name, "qh-demo").hints == ()


def test_another_purpose_in_the_visitors_own_words_is_answered_with_the_listed_ones() -> None:
    given = told("收养人婚姻状况和抚养教育能力证明", "qh-demo", "收养")
    assert given.summary.startswith("这份证明在保留清单中，可由居民委员会出具，仅限用途：收养登记。")
    assert given.codes == ("purpose_not_allowed", "paper_only")
    assert "请按所列文字填写用途再查" in given.steps[-1]
    assert "仅限" not in told("收养人婚姻状况和抚养教育能力证明", "qh-demo", "收养登记").summary


@pytest.mark.parametrize("province", PROVINCES)
def test_nobody_is_sent_to_who_does_not_issue_it(province: str) -> None:
    for name, issuers in (
        ("疾病状况证明", ("具备医学鉴定资质的医疗卫生机构",)),
        ("急诊证明", ("具备医学鉴定资质的医疗卫生机构",)),
        ("意外伤害证明", ()),
        ("意外受伤证明", ()),
        ("疾病状况证明（急诊证明、意外伤害证明）", ()),
        ("残疾证明", ("残联指定的具备评残资格的医疗卫生机构",)),
    ):
        assert told(name, province).hits[0].issued_by == issuers, name


def test_every_way_of_issuing_is_told() -> None:
    place = Place(PACKS["guangdong"], OFFICES[OfficeId("gd-demo")], UNUSUAL)
    for name, words in (
        ("涉险事项说明", "防范风险"),
        ("过渡事项说明", "过渡期"),
        ("公共事项说明", "议事协商"),
    ):
        given = answer(Question(name), place, TODAY)
        assert given.kind is Kind.MAY_ISSUE
        assert any(words in step for step in given.steps), name


def test_a_strict_home_suspends_what_rests_on_a_document_that_is_over() -> None:
    assert told("诉讼当事人属于本社区证明", "qh-demo", strict=True).kind is Kind.SHOULD_NOT_ISSUE
    assert told("诉讼当事人属于本社区证明", "gd-demo", strict=True).kind is Kind.MAY_ISSUE
    assert told("随便什么证明", "qh-demo", strict=True).kind is Kind.UNLISTED


def test_an_unlisted_name_is_led_to_the_names_it_resembles() -> None:
    assert "无犯罪记录证明" in told("有无犯罪记录查询", "qinghai").similar
    assert told("随便什么证明", "qinghai").similar == ()
    assert any("12345" in step for step in told("随便什么证明", "guangdong").steps)


def test_the_policy_tells_its_own_end() -> None:
    note = policy_note(PACKS["qinghai"], TODAY)
    assert (note.expired, note.valid_to) == (True, date(2026, 8, 3))
    assert "2026年8月3日期满" in note.text
    assert "上位法" in note.text
    assert not policy_note(PACKS["qinghai"], date(2026, 8, 3)).expired
    assert "有效期未见记载" in policy_note(PACKS["guangdong"], TODAY).text


def test_a_successor_takes_the_note_over() -> None:
    later = """[[document.successors]]
number = "青民发〔2026〕1号"
title = "接续"
valid_from = 2026-08-04
valid_to = 2031-08-03

"""

    def extended(folder: str) -> tuple[str, str] | None:
        text, origin = shipped(folder) or ("", "")
        return (
            (text.replace("[[rules]]", later + "[[rules]]", 1), origin)
            if "qinghai" in folder
            else (text, origin)
        )

    note = policy_note(load_pack("qinghai", extended), TODAY)
    assert (note.number, note.valid_to, note.expired) == ("青民发〔2026〕1号", date(2031, 8, 3), False)


@given(st.text(max_size=100), st.text(max_size=30), st.sampled_from(sorted(PLACES)))
@example("亲属关系证明", "公证", "guangdong")
@example("litigant-community", "", "qh-demo")
@example("证明", "", "qinghai")
def test_any_text_has_exactly_one_answer_with_a_source_and_a_next_step(
    name: str, purpose: str, place: str
) -> None:
    given_answer = told(name, place, purpose)
    assert given_answer.kind in LABELS
    assert given_answer.hits
    assert given_answer.steps
    assert given_answer.summary
    assert all(hit.ground.document and hit.ground.sentence for hit in given_answer.hits)
