"""What a reviewer is told to look at, one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from signsvc.models import Basis, BasisKind, Matter
from signsvc.policy import Catalogue, demo_text, load_catalogue, load_pack
from signsvc.policy.lists.doubts import doubts

TODAY = date(2026, 11, 21)
PACKS = {place: load_pack(place) for place in ("qinghai", "guangdong")}
DEMO = {place: load_catalogue(demo_text(f"catalogue-{place}"), place) for place in PACKS}
SOUND = Basis(BasisKind.LAW, "《甲法》", "第一条", valid_from=date(2020, 1, 1), issuer_named=True)


def listed(place: str = "qinghai", basis: Basis = SOUND, **given: Any) -> Catalogue:
    usual: dict[str, Any] = {
        "id": "one",
        "name": "居住证明",
        "pattern": "其居住于此",
        "purposes": ("入学",),
        "addressee": "学校",
        "bases": (basis,),
        "owner": "教育局",
        "handled": "入学登记",
    }
    return replace(DEMO[place], matters=(Matter(**(usual | given)),))


def told(catalogue: Catalogue) -> tuple[str, ...]:
    return doubts(catalogue, PACKS[catalogue.jurisdiction], TODAY)


@pytest.mark.parametrize("place", PACKS)
def test_a_sound_matter_raises_no_doubt(place: str) -> None:
    assert told(listed(place)) == ()


@pytest.mark.parametrize("place", PACKS)
def test_of_the_demonstration_only_the_lapsed_example_is_doubtful(place: str) -> None:
    (doubt,) = told(DEMO[place])
    assert doubt.startswith("“农民身份证明”：依据《农民专业合作社登记管理条例》（国务院令第498号）第十五条")
    assert "已自2022年3月1日起由《市场主体登记管理条例》（国务院令第746号）第五十五条废止" in doubt


@pytest.mark.parametrize(
    ("last_day", "says"),
    [
        (date(2026, 11, 20), "已自2026年11月21日起失效"),
        (date(2026, 11, 21), "将于2026年11月21日失效"),
        (date(2027, 1, 20), "将于2027年1月20日失效"),
        (date(2027, 1, 21), None),
    ],
)
def test_a_basis_that_ends_within_60_days_is_told(last_day: date, says: str | None) -> None:
    found = told(listed(basis=replace(SOUND, valid_to=last_day)))
    assert bool(found) == (says is not None)
    assert all(says in doubt for doubt in found if says)


@pytest.mark.parametrize(
    ("first_day", "says"), [(None, "没有施行日期"), (date(2026, 11, 22), "自2026年11月22日起施行")]
)
def test_a_basis_that_has_not_begun_or_has_no_date_is_told(first_day: date | None, says: str) -> None:
    (doubt,) = told(listed(basis=replace(SOUND, valid_from=first_day)))
    assert says in doubt


def test_a_basis_that_does_not_name_the_issuer_needs_a_reason() -> None:
    unnamed = replace(SOUND, issuer_named=False)
    (north,), (south,) = (told(listed(place, unnamed)) for place in PACKS)
    assert "issuer_reason" in north
    assert "不能出具" not in north
    assert "按本地规定不能出具" in south
    assert told(listed("guangdong", unnamed, issuer_reason="只有其能够证明")) == ()


def test_a_local_regulation_alone_needs_its_justification() -> None:
    local = replace(SOUND, kind=BasisKind.LOCAL_REGULATION)
    (doubt,) = told(listed(basis=local))
    assert "justification" in doubt
    assert told(listed(basis=local, justification="已论证")) == ()
    assert told(listed(bases=(local, SOUND))) == ()
    beside = replace(SOUND, kind=BasisKind.RULE)
    assert len(told(listed(bases=(local, beside)))) == 1


def test_a_name_of_the_not_to_issue_list_needs_its_reason() -> None:
    (doubt,) = told(listed(aliases=("亲属关系证明",)))
    assert "附件2《不应由基层群众性自治组织出具证明事项清单（第一批）》第1项“亲属关系证明”" in doubt
    assert told(listed(aliases=("亲属关系证明",), conflict_reason="不动产登记，属除外情形")) == ()


def test_what_is_handled_belongs_to_the_form() -> None:
    (doubt,) = told(listed(handled=""))
    assert "handled" in doubt


def test_every_doubt_of_a_matter_is_told_with_its_name() -> None:
    found = told(listed(basis=Basis(BasisKind.LOCAL_REGULATION, "《乙条例》", "第二条"), handled=""))
    assert len(found) == 4
    assert all(doubt.startswith("“居住证明”：") for doubt in found)


def test_another_provinces_pack_is_no_judge() -> None:
    with pytest.raises(ValueError, match="jurisdiction"):
        doubts(DEMO["qinghai"], PACKS["guangdong"], TODAY)
