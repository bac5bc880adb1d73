"""How documents, reports and legal bases stand on a day, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from signsvc.models import Basis, BasisKind, Matter
from signsvc.policy.packs.documents import Document, Successor
from signsvc.policy.packs.pack import Deadline
from signsvc.policy.packs.standing import SOON, due, ends_soon, in_force, lapse, out_of_force, validity

END = date(2026, 8, 3)
DOCUMENT = Document(date(2021, 9, 3), END, number="甲发〔2021〕1号", title="意见", issuers=("某厅",))
LATER = Successor(date(2026, 9, 1), date(2031, 8, 31), number="甲发〔2026〕2号", title="通知")
BASIS = Basis(BasisKind.LAW, "《甲法》", "第一条")


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2021, 9, 2), "自2021年9月3日起施行，目前尚未施行"),
        (date(2021, 9, 3), "在有效期内，有效期至2026年8月3日"),
        (END - SOON - timedelta(1), "在有效期内，有效期至2026年8月3日"),
        (END - SOON, "即将期满，请留意接续的文件"),
        (END, "即将期满"),
        (END + timedelta(1), "已于2026年8月3日期满：有上位法依据的事项照常办理"),
    ],
)
def test_a_documents_life_in_words(day: date, says: str) -> None:
    assert validity(DOCUMENT, day).startswith(DOCUMENT.number)
    assert says in validity(DOCUMENT, day)
    assert ("即将" in validity(DOCUMENT, day)) == ends_soon(DOCUMENT, day)


def test_a_successor_is_told_and_its_own_end_is_the_end() -> None:
    document = replace(DOCUMENT, successors=(LATER,))
    assert not ends_soon(document, END)
    assert validity(document, END) == "甲发〔2021〕1号在有效期内，有效期至2026年8月3日"
    assert "已于2026年8月3日期满，由甲发〔2026〕2号接续，有效期至2031年8月31日" in validity(
        document, date(2027, 1, 1)
    )
    assert validity(document, date(2031, 9, 1)).startswith("甲发〔2026〕2号已于2031年8月31日期满：")
    endless = replace(document, successors=(replace(LATER, valid_to=None),))
    assert validity(endless, date(2099, 1, 1)).endswith("由甲发〔2026〕2号接续")


def test_an_extension_may_keep_the_number() -> None:
    document = replace(
        DOCUMENT, successors=(replace(LATER, valid_from=END + timedelta(1), number=DOCUMENT.number),)
    )
    assert not document.expired(END + timedelta(1))
    assert document.number_on(END + timedelta(1)) == DOCUMENT.number
    assert validity(document, END + timedelta(1)) == (
        "甲发〔2021〕1号已于2026年8月3日期满，已延期，有效期至2031年8月31日"
    )
    assert document.expired(date(2031, 9, 1))


def test_the_gap_before_a_successor_is_told_as_over() -> None:
    document = replace(DOCUMENT, successors=(LATER,))
    assert validity(document, date(2026, 8, 15)).startswith("甲发〔2021〕1号已于2026年8月3日期满：")


def test_without_a_known_end_there_is_nothing_to_warn_of() -> None:
    assert validity(replace(DOCUMENT, valid_to=None), END) == "甲发〔2021〕1号未见失效日期"
    assert not ends_soon(replace(DOCUMENT, valid_to=None), END)


def test_reports_that_are_due() -> None:
    yearly, once = Deadline("报告", "三", "每年", yearly="12-25"), Deadline("报告", "三", "前", on=END)
    assert due(yearly, date(2026, 11, 21)).startswith("下次2026年12月25日（还有34天）；应于2025年12月25日前")
    assert due(yearly, date(2026, 12, 26)).endswith("应于2026年12月25日前报送的，未报送即已逾期1天")
    assert due(once, END) == "下次2026年8月3日（还有0天）"
    assert due(once, END + timedelta(1)) == "应于2026年8月3日前报送的，未报送即已逾期1天"


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (None, ""),
        (END + SOON + timedelta(1), ""),
        (END + SOON, "将于2026年10月2日失效，请及时复核"),
        (END, "将于2026年8月3日失效"),
        (END - timedelta(1), "已自2026年8月3日起由《乙法》废止，已停办，请复核清单"),
    ],
)
def test_a_legal_basis_is_reviewed_before_and_after_its_end(end: date | None, says: str) -> None:
    told = lapse(replace(BASIS, valid_to=end, ended_by="《乙法》"), END)
    assert (says in told) if says else not told


def test_a_legal_basis_is_reviewed_until_it_begins() -> None:
    early = replace(BASIS, valid_from=END + timedelta(1))
    assert lapse(early, END) == "《甲法》第一条自2026年8月4日起施行，此前尚未施行，已停办，请复核清单"
    assert lapse(early, END + timedelta(1)) == ""


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (END, END + SOON, ""),
        (END - timedelta(1), END, "自2026年8月3日起施行，此前尚未施行"),
        (END, END + SOON + timedelta(1), "已自2026年10月3日起失效"),
    ],
)
def test_a_basis_holds_on_every_day_between(first: date, last: date, says: str) -> None:
    assert out_of_force(replace(BASIS, valid_from=END, valid_to=END + SOON), first, last) == says
    assert out_of_force(BASIS, first, last) == ""


@pytest.mark.parametrize(
    ("day", "holds"), [(END - timedelta(1), False), (END, True), (END + timedelta(1), False)]
)
def test_a_matter_is_in_force_while_every_basis_is(day: date, holds: bool) -> None:
    only_then = replace(BASIS, valid_from=END, valid_to=END)
    matter = Matter("one", "居住证明", "其居住于此", ("入学",), "学校", (BASIS, only_then), "教育局")
    assert in_force(matter, day) == holds
    assert in_force(replace(matter, bases=(BASIS,)), day)
