"""Packs laid over each other, their validity and their deadlines."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from signsvc.errors import PolicyError
from signsvc.models import Decision, IdType, Issue, OfficeId, Refuse, Request
from signsvc.policy import (
    Circumstances,
    Pack,
    decide,
    demo_text,
    load_offices,
    load_pack,
    no_catalogue,
    shipped,
)
from signsvc.policy.circumstances import Demand, Transition
from signsvc.policy.packs.pack import EXPIRED, TRANSITIONAL

PROVINCES = ("guangdong", "qinghai")
QINGHAI_ENDED, TODAY = date(2026, 8, 4), date(2026, 11, 21)
OFFICES = load_offices(demo_text("offices"), "offices.toml")

# --- layers --------------------------------------------------------------------------------------------------------

CITY = """
jurisdiction = "guangdong/somecity"
name = "某市"
[document]
number = "某民发〔2026〕1号"
title = "某市不应由基层群众性自治组织出具证明事项清单（第一批）"
issuers = ["某市民政局"]
[[rules]]
id = "banned"
place = "一"
text = "列入本清单的，不得要求基层群众性自治组织出具证明。"
codes = ["banned_matter"]
[[lists]]
id = "city-first-batch"
title = "某市清单（第一批）"
annex = "附件"
valid_from = 2026-10-01
[[lists.items]]
number = 1
title = "社区居住证明（居住证明）"
name = "社区居住证明"
aliases = ["居住证明"]
pathway = "由公安部门通过居住证信息核对"
[[lists.items]]
number = 2
title = "同一地址证明"
name = "同一地址证明"
pathway = "由市自然资源部门证明"
"""


def laid_over(**folders: str) -> Pack:
    """The pack of the last folder given; `guangdong__somecity` is nation/guangdong/somecity."""
    texts = {"nation/" + name.replace("__", "/"): text for name, text in folders.items()}
    place = list(texts)[-1].removeprefix("nation/")

    def source(folder: str) -> tuple[str, str] | None:
        return (texts[folder], f"packs/{folder}/pack.toml") if folder in texts else shipped(folder)

    return load_pack(place, source)


def text_of(place: str) -> str:
    found = shipped(f"nation/{place}")
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def city() -> Pack:
    return laid_over(guangdong__somecity=CITY)


def test_a_citys_batch_is_laid_over_the_provinces_and_the_nations(city: Pack) -> None:
    assert [layer.jurisdiction for layer in city.layers] == ["nation", "guangdong", "guangdong/somecity"]
    assert len(city.items) == 25
    assert city.sha256.count("+") == 2
    assert city.channels == load_pack("guangdong").channels
    assert city.form == load_pack("guangdong").form
    assert city.steps == load_pack("guangdong").steps


def test_a_name_on_both_lists_hits_both(city: Pack) -> None:
    hits = city.hits(city.screen.in_title("同一地址证明"), TODAY)
    assert [(item.listing.document.number, item.number) for item in hits] == [
        ("粤民发〔2020〕139号", 21),
        ("某民发〔2026〕1号", 2),
    ]


def test_a_case_is_closed_by_its_own_lists_item_only() -> None:
    closing = CITY.replace("由公安部门通过居住证信息核对", "由公安部门核对（法律援助情况除外）").replace(
        "[[lists.items]]\nnumber = 2",
        '[[lists.items.exemptions]]\nphrase = "法律援助情况"\nwords = ["法律援助"]\nclosed_by = 2\n'
        "[[lists.items]]\nnumber = 2",
    )
    pack = laid_over(guangdong__somecity=closing)
    item = pack.nearest.items[0]
    closed = pack.closing(item, item.exemptions[0])
    assert closed is pack.nearest.items[1]
    assert closed.listing.document.number == "某民发〔2026〕1号"


def test_a_batch_holds_from_its_day(city: Pack) -> None:
    found = city.screen.in_title("居住证明")
    assert [len(city.hits(found, day)) for day in (date(2026, 9, 30), date(2026, 10, 1))] == [0, 1]


def test_a_citys_batch_does_not_become_what_certificates_are_issued_under(city: Pack) -> None:
    assert city.document.number == "粤民发〔2020〕139号"
    assert laid_over(guangdong__somecity=CITY.replace("banned_matter", "unknown_matter")).document.number == (
        "某民发〔2026〕1号"
    )


def test_a_citys_expiry_is_its_own(city: Pack) -> None:
    dated = CITY.replace("issuers", "valid_to = 2026-10-31\nissuers").replace(
        "[[lists]]",
        '[[rules]]\nid = "end"\nplace = "末"\ntext = "有效期至2026年10月31日。"\ncodes = ["policy_expired"]\n[[lists]]',
        1,
    )
    pack = laid_over(guangdong__somecity=dated)
    assert [layer.name for layer in pack.expired(TODAY)] == ["某市"]
    assert city.expired(TODAY) == ()


def test_without_a_passage_the_transitional_path_is_closed() -> None:
    pack = laid_over(qinghai=without_rule(text_of("qinghai"), "transitional"))
    assert not pack.opens(TRANSITIONAL)
    assert load_pack("qinghai").opens(TRANSITIONAL)


def without_rule(text: str, rule: str) -> str:
    """The pack without one of its passages."""
    kept, number = re.subn(rf'^\[\[rules\]\]\nid = "{rule}"\n(?:(?!\[\[).*\n)+', "", text, flags=re.MULTILINE)
    assert number == 1
    return kept


def test_a_pack_that_could_not_quote_a_refusal_is_refused() -> None:
    with pytest.raises(
        PolicyError, match=r"^packs/nation/qinghai/pack.toml 第1行 rules：.*consultation_required"
    ):
        laid_over(qinghai=without_rule(text_of("qinghai"), "consultation"))
    with pytest.raises(PolicyError, match=r"第1行：缺少保留清单的格式"):
        laid_over(qinghai=text_of("qinghai").replace("[form]", "[form_]").partition("[form_]")[0])


# --- validity ------------------------------------------------------------------------------------------------------

SUCCESSOR = """
[[document.successors]]
number = "青民发〔2026〕9号"
title = "关于延长有效期的通知"
valid_from = 2026-09-01
valid_to = 2031-08-31

[[rules]]"""


def extended() -> Pack:
    """Qinghai with a successor recorded, after a gap of four weeks."""
    return laid_over(qinghai=text_of("qinghai").replace("[[rules]]", SUCCESSOR.strip(), 1))


def test_qinghais_document_is_over_and_guangdongs_is_not_known_to_be() -> None:
    guangdong, qinghai = (load_pack(place) for place in PROVINCES)
    ended = [[layer.name for layer in qinghai.expired(day)] for day in (date(2026, 8, 3), QINGHAI_ENDED)]
    assert ended == [[], ["青海省"]]
    assert guangdong.expired(date(2099, 1, 1)) == ()


def test_a_recorded_successor_carries_the_document_on_from_its_day() -> None:
    document = extended().document
    days = [date(2026, 8, 3), QINGHAI_ENDED, date(2026, 9, 1), date(2031, 8, 31), date(2031, 9, 1)]
    assert [document.expired(day) for day in days] == [False, True, False, False, True]
    assert [document.number_on(day) for day in (days[0], days[2])] == [
        "青民发〔2021〕103号",
        "青民发〔2026〕9号",
    ]
    assert document.ends == date(2031, 8, 31)
    assert load_pack("qinghai").document.ends == date(2026, 8, 3)
    assert load_pack("guangdong").document.ends is None


def test_a_successor_without_an_end_has_none() -> None:
    text = text_of("qinghai").replace(
        "[[rules]]", SUCCESSOR.replace("valid_to = 2031-08-31\n", "").strip(), 1
    )
    document = laid_over(qinghai=text).document
    assert document.ends is None
    assert not document.expired(date(2099, 1, 1))


def asked(matter: str, **more: Any) -> Request:
    usual: dict[str, Any] = {
        "request_id": "20261121-001",
        "office": None,
        "addressee": "示范银行",
        "name": "扎西·多杰",
        "id_type": IdType.IDENTITY_CARD,
        "id_number": "11010519491231002X",
        "valid_until": date(2027, 5, 20),
        "verified_by": "王某",
        "verified_how": "调查核实",
        "verified_on": TODAY,
        "approved_by": "赵某",
    }
    return Request(matter=matter, **(usual | more))


def decided(pack: Pack, request: Request, circumstances: Circumstances | None = None) -> Decision:
    """For an office of the pack's place that has no list."""
    office = replace(OFFICES[OfficeId("qh-demo")], jurisdiction=pack.jurisdiction)
    none = no_catalogue(pack.jurisdiction)
    return decide(request, office, none, pack, TODAY, circumstances=circumstances)


TRANSITION = Circumstances(transition=Transition(Demand.CIVIL_PARTY, "示范银行", "来函一份", True, True))
NEEDED = asked("同一地址证明", statement="其所住两处地址为同一处", purpose="办理贷款")


def test_qinghais_transitional_path_opens_again_under_a_successor() -> None:
    request = replace(NEEDED, matter="健在证明", statement="其健在")
    closed, opened = (decided(pack, request, TRANSITION) for pack in (load_pack("qinghai"), extended()))
    assert isinstance(closed, Refuse)
    assert [fault.code for fault in closed.faults] == [EXPIRED]
    assert isinstance(opened, Issue)
    assert (opened.policy, opened.basis) == ("青民发〔2026〕9号", "青民发〔2026〕9号二（五）")


def test_without_the_passage_a_case_is_refused_as_listed() -> None:
    pack = laid_over(guangdong=without_rule(text_of("guangdong"), "transitional"))
    assert isinstance(decided(load_pack("guangdong"), NEEDED, TRANSITION), Issue)
    refused = decided(pack, NEEDED, TRANSITION)
    assert isinstance(refused, Refuse)
    assert "banned_matter" in [fault.code for fault in refused.faults]
    assert not [way for way in refused.ways if "过渡期" in way]


def test_a_refusal_tells_both_the_provinces_and_the_citys_hit_each_by_its_own_words(city: Pack) -> None:
    refused = decided(city, asked("同一地址证明"))
    assert isinstance(refused, Refuse)
    grounds = [fault.ground for fault in refused.faults if fault.ground]
    assert [ground.document for ground in grounds] == ["粤民发〔2020〕139号", "某民发〔2026〕1号"]
    assert [ground.sentence for ground in grounds][1] == "列入本清单的，不得要求基层群众性自治组织出具证明。"
    assert [ground.pathway for ground in grounds] == ["由相关职能部门证明", "由市自然资源部门证明"]
    assert "附件《某市清单（第一批）》第2项" in grounds[1].listed


# --- deadlines -----------------------------------------------------------------------------------------------------


def test_a_yearly_report_is_due_again_each_year() -> None:
    yearly = load_pack("guangdong").nearest.deadlines[1]
    day = {
        name: date(*parts)
        for name, parts in {"before": (2026, 12, 24), "on": (2026, 12, 25), "after": (2026, 12, 26)}.items()
    }
    assert [yearly.next_due(day[name]) for name in day] == [day["on"], day["on"], date(2027, 12, 25)]
    assert [yearly.last_due(day[name]) for name in day] == [date(2025, 12, 25), date(2025, 12, 25), day["on"]]


def test_a_single_report_is_due_once() -> None:
    once = load_pack("qinghai").nearest.deadlines[0]
    on, after = date(2021, 11, 30), date(2021, 12, 1)
    assert (once.next_due(on), once.last_due(on)) == (on, None)
    assert (once.next_due(after), once.last_due(after)) == (None, on)


# --- speed ---------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_rows_are_screened_in_moments() -> None:
    pack = load_pack("guangdong")
    begun = time.perf_counter()
    for _ in range(2_000):
        items = pack.hits(pack.screen.in_title("关于某人的亲属关系证明"), TODAY)
        assert {*items} == {pack.items[0]}
        pack.rule_for("banned_matter")
        pack.expired(TODAY)
    assert (time.perf_counter() - begun) / 2_000 < 0.0005
