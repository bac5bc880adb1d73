"""The ways that a refusal leaves open."""

from __future__ import annotations

from datetime import date

from test_decision import OFFICES, TODAY, judged

from signsvc.models import OfficeId, Refuse

QINGHAI, GUANGDONG = OFFICES[OfficeId("qh-demo")], OFFICES[OfficeId("gd-demo")]


def ways(office: str = "qh-demo", today: date = TODAY, **given: str) -> str:
    decision = judged(OFFICES[OfficeId(office)], today=today, **given)
    assert isinstance(decision, Refuse)
    return "\n".join(decision.ways)


def test_a_refusal_offers_the_written_commitment() -> None:
    assert "书面承诺" in ways(matter="健在证明")
    assert "书面承诺" in ways(matter="某种证明")


def test_a_refusal_says_where_an_unreasonable_demand_is_reported() -> None:
    assert "12345" in ways(matter="健在证明")
    assert "12345" in ways("gd-demo", matter="某种证明")


def test_who_issues_it_instead_is_told_from_the_pathway() -> None:
    assert "医疗卫生机构、公安部门" in ways(matter="死亡证明")
    assert "申请（见办事途径）" not in ways(matter="健在证明")


def test_the_nearest_of_the_offices_own_matters_is_told() -> None:
    assert "诉讼当事人属于本社区（村）证明" in ways(matter="诉讼代理人推荐证明")


def test_the_transitional_path_is_told_only_while_it_is_open() -> None:
    assert "过渡期" in ways("gd-demo", matter="健在证明")
    assert "过渡期" not in ways(matter="健在证明")
    assert "过渡期" in ways(matter="健在证明", today=date(2026, 8, 3))
    assert "过渡期" not in ways("gd-demo", matter="某种证明")


def test_a_row_that_only_needs_mending_is_told_no_other_way() -> None:
    decision = judged(QINGHAI, purpose="申请贷款")
    assert isinstance(decision, Refuse)
    assert decision.ways == ()


def test_only_exempted_cases_that_no_other_item_bans_again_are_held_out() -> None:
    assert "除外情形（法律援助情况）" in ways(matter="居民财产证明")
    assert "除外情形" not in ways("gd-demo", matter="居民财产证明")
    assert "除外情形（不动产登记情况、公证办理情况）" in ways("gd-demo", matter="亲属关系证明")


def test_a_matter_whose_basis_has_ended_is_no_way_out() -> None:
    told = ways(matter="农民身份证明")
    assert "12345" in told
    assert "农民身份证明" not in told
    assert "农民身份证明" not in ways(matter="农民情况证明")


def test_a_refusal_says_which_document_is_over() -> None:
    over = judged(QINGHAI, matter="健在证明")
    assert isinstance(over, Refuse)
    assert over.notes == ("青民发〔2021〕103号已于2026年8月3日期满，请留意有无新文件",)
    held = judged(QINGHAI, today=date(2026, 8, 3), matter="健在证明")
    assert isinstance(held, Refuse)
    assert held.notes == ()
