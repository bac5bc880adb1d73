"""Document numbers: published specimens pass, what was mistyped or damaged does not, no message repeats them."""

from __future__ import annotations

from datetime import date

import pytest
from document_numbers import numbered
from hypothesis import given
from hypothesis import strategies as st

from signsvc.identity import birth_date, check_id_number, own_kind
from signsvc.models import IdType

TODAY = date(2026, 11, 21)


def refusal(kind: IdType, raw: str) -> str:
    with pytest.raises(ValueError, match="号码") as caught:
        check_id_number(kind, raw, TODAY)
    return str(caught.value)


@pytest.mark.parametrize(
    ("number", "born", "kind"),
    [
        ("11010519491231002X", date(1949, 12, 31), IdType.IDENTITY_CARD),
        ("440524188001010014", date(1880, 1, 1), IdType.IDENTITY_CARD),
        ("932682198501010017", date(1985, 1, 1), IdType.FOREIGN_RESIDENT),
        ("911124198108030024", date(1981, 8, 3), IdType.FOREIGN_RESIDENT),
        (numbered("81000019900101001"), date(1990, 1, 1), IdType.HK_MACAU_PERMIT),
        (numbered("82000019900101001"), date(1990, 1, 1), IdType.HK_MACAU_PERMIT),
        (numbered("83000019900101001"), date(1990, 1, 1), IdType.TAIWAN_PERMIT),
    ],
)
def test_a_right_number_passes_as_its_own_kind_and_as_the_default_kind(
    number: str, born: date, kind: IdType
) -> None:
    assert own_kind(number) is kind
    for accepted in (kind, IdType.IDENTITY_CARD):
        assert check_id_number(accepted, number, TODAY) == number
        assert birth_date(accepted, number) == born


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        " 110105 19491231 002X ",
        "11010519491231002Ⅹ",
        "'11010519491231002X",
    ],
)
def test_the_ways_people_type_a_number_come_to_one_form(typed: str) -> None:
    assert check_id_number(IdType.IDENTITY_CARD, typed, TODAY) == "11010519491231002X"


@given(place=st.integers(0, 17), other=st.sampled_from("0123456789X"))
def test_any_single_wrong_character_is_refused(place: int, other: str) -> None:
    right = "11010519491231002X"
    wrong = right[:place] + other + right[place + 1 :]
    if wrong != right:
        refusal(IdType.IDENTITY_CARD, wrong)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("11010520230229001", "出生日期不存在"),
        ("11010520261122001", "晚于今天"),
        ("99010519491231002", "地区码"),
        ("10010519491231002", "地区码"),
    ],
)
def test_a_right_check_character_does_not_excuse_an_impossible_number(body: str, reason: str) -> None:
    assert reason in refusal(IdType.IDENTITY_CARD, numbered(body))


def test_born_today_is_not_in_the_future() -> None:
    number = numbered("11010520261121001")
    assert check_id_number(IdType.IDENTITY_CARD, number, TODAY) == number


@pytest.mark.parametrize(
    "damaged", ["6.3E+17", "6.30122E+17", "１．１Ｅ＋１７", "110105194912310000", "110105194912310020.0"]
)
def test_what_excel_did_to_a_number_is_named(damaged: str) -> None:
    assert "Excel" in refusal(IdType.IDENTITY_CARD, damaged)


@pytest.mark.parametrize(
    ("chosen", "number", "right"),
    [
        (IdType.HK_MACAU_PERMIT, "11010519491231002X", "居民身份证"),
        (IdType.HK_MACAU_PERMIT, numbered("83000019900101001"), "台湾居民居住证"),
        (IdType.TAIWAN_PERMIT, numbered("71000019900101001"), "居民身份证"),
        (IdType.FOREIGN_RESIDENT, "11010519491231002X", "居民身份证"),
        (IdType.PASSPORT, "932682198501010017", "外国人永久居留身份证"),
        (IdType.IDENTITY_CARD, "USA110081010101", "外国人永久居留身份证"),
    ],
)
def test_a_number_under_the_wrong_kind_names_the_right_one(chosen: IdType, number: str, right: str) -> None:
    assert f"“{right}”" in refusal(chosen, number)


@pytest.mark.parametrize(
    ("kind", "raw", "number"),
    [
        (IdType.FOREIGN_RESIDENT, "usa110081010101", "USA110081010101"),
        (IdType.PASSPORT, "e12345678", "E12345678"),
        (IdType.PASSPORT, "123456789", "123456789"),
        (IdType.HOUSEHOLD_REGISTER, "630102001234", "630102001234"),
        (IdType.OTHER, "军字第1234567号", "军字第1234567号"),
        (IdType.OTHER, "Ｏ １１００１２３４５", "O110012345"),
    ],
)
def test_other_documents_have_their_own_shapes_and_no_birth_date(kind: IdType, raw: str, number: str) -> None:
    assert check_id_number(kind, raw, TODAY) == number
    assert birth_date(kind, number) is None


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (IdType.PASSPORT, "ABCDE"),
        (IdType.PASSPORT, "E123"),
        (IdType.PASSPORT, "E1234567890123456"),
        (IdType.OTHER, "无"),
        (IdType.OTHER, "12<script>"),
        (IdType.IDENTITY_CARD, ""),
        (IdType.IDENTITY_CARD, "110105491231002"),
        (IdType.IDENTITY_CARD, "\u202a11010519491231002X"),
    ],
)
def test_other_shapes_are_refused(kind: IdType, raw: str) -> None:
    refusal(kind, raw)


def test_a_household_register_gives_a_childs_number_and_it_has_to_be_right() -> None:
    number = numbered("63010220200601001")
    assert birth_date(
        IdType.HOUSEHOLD_REGISTER, check_id_number(IdType.HOUSEHOLD_REGISTER, number, TODAY)
    ) == date(2020, 6, 1)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert "校验不符" in refusal(IdType.HOUSEHOLD_REGISTER, wrong)


@given(kind=st.sampled_from(IdType), raw=st.text(max_size=40))
def test_any_text_gives_a_stable_form_or_a_message_without_it(kind: IdType, raw: str) -> None:
    try:
        number = check_id_number(kind, raw, TODAY)
    except ValueError as refused:
        message = str(refused)
    else:
        assert check_id_number(kind, number, TODAY) == number
        message = str(birth_date(kind, number))
    assert len(raw.strip()) < 10 or raw.strip() not in message
