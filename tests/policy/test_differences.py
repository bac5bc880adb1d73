"""What a change changes is shown whole: every field, old and new."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

import pytest

from signsvc.models import Basis, BasisKind, Matter, Slot
from signsvc.policy import Catalogue, demo_text, load_catalogue
from signsvc.policy.lists.differences import differences

LIST = load_catalogue(demo_text("catalogue-guangdong"), "gd")
FIRST = LIST.matters[0]


def with_first(matter: Matter) -> Catalogue:
    return replace(LIST, matters=(matter, *LIST.matters[1:]))


def other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case StrEnum():
            return next(kind for kind in type(value) if kind != value)
        case str():
            return value + "改"
        case tuple():
            return value[:-1] if value else ("改",)
        case None | date():
            return date(2030, 1, 1)
        case _:
            return value + 1


def test_a_list_does_not_differ_from_itself() -> None:
    assert differences(LIST, LIST) == ()


@pytest.mark.parametrize("name", [field.name for field in fields(Matter)])
def test_a_change_of_any_field_of_a_matter_is_shown(name: str) -> None:
    assert differences(LIST, with_first(replace(FIRST, **{name: other(getattr(FIRST, name))})))


@pytest.mark.parametrize("name", [field.name for field in fields(Basis)])
def test_a_change_of_any_field_of_a_basis_is_shown(name: str) -> None:
    basis = FIRST.bases[0]
    changed = replace(basis, **{name: other(getattr(basis, name))})
    assert differences(LIST, with_first(replace(FIRST, bases=(changed, *FIRST.bases[1:]))))


@pytest.mark.parametrize("name", [field.name for field in fields(Slot)])
def test_a_change_of_any_field_of_a_blank_is_shown(name: str) -> None:
    slot = FIRST.slots[0]
    assert differences(
        LIST, with_first(replace(FIRST, slots=(replace(slot, **{name: other(getattr(slot, name))}),)))
    )


def test_old_and_new_stand_side_by_side() -> None:
    [shown] = differences(LIST, with_first(replace(FIRST, owner="示范市高级人民法院")))
    assert (shown.kind, shown.matter) == ("变更", "诉讼当事人属于本社区（村）证明（litigant-community）")
    assert (shown.field, shown.old, shown.new) == ("责任部门", "示范市中级人民法院", "示范市高级人民法院")


def test_the_end_of_a_law_is_one_line() -> None:
    ended = replace(FIRST.bases[0], valid_to=date(2027, 1, 1))
    [shown] = differences(LIST, with_first(replace(FIRST, bases=(ended, *FIRST.bases[1:]))))
    assert (shown.old, shown.new) == ("", "2027-01-01")
    assert shown.field.endswith("失效日")


def test_a_matter_that_comes_or_goes_is_shown_with_all_it_says() -> None:
    fewer = replace(LIST, matters=LIST.matters[1:])
    gone, come = differences(LIST, fewer), differences(fewer, LIST)
    assert {item.kind for item in gone} == {"取消"}
    assert {item.kind for item in come} == {"新增"}
    assert [(item.field, item.old) for item in gone] == [(item.field, item.new) for item in come]
    assert {"证明名称", "证明用途", "责任部门"} <= {item.field for item in come}


def test_a_change_of_the_list_itself_is_shown() -> None:
    [holder] = differences(LIST, replace(LIST, holder="另一市"))
    [offices] = differences(LIST, replace(LIST, offices=frozenset({"gd-demo", "gd-two"})))
    assert (holder.matter, holder.new) == ("清单", "另一市")
    assert (offices.old, offices.new) == ("gd-demo", "gd-demo；gd-two")


def test_another_order_of_the_matters_is_a_change() -> None:
    [shown] = differences(LIST, replace(LIST, matters=LIST.matters[::-1]))
    assert (shown.matter, shown.field) == ("清单", "事项的次序")
    assert (
        differences(LIST, replace(LIST, matters=LIST.matters[1:]))[0].kind == "取消"
    )  # and no change of order


def test_of_two_bases_that_print_alike_each_is_compared() -> None:
    basis = FIRST.bases[0]
    twice = with_first(replace(FIRST, bases=(basis, basis)))
    ended = with_first(replace(FIRST, bases=(replace(basis, text="改"), basis)))
    [shown] = differences(twice, ended)
    assert (shown.old, shown.new) == (basis.text, "改")


def test_every_kind_has_a_name_in_chinese() -> None:
    for kind in BasisKind:
        changed = replace(FIRST.bases[0], kind=kind)
        for shown in differences(LIST, with_first(replace(FIRST, bases=(changed, *FIRST.bases[1:])))):
            assert kind.value not in shown.new
