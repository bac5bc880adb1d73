"""A row becomes a Request, or is refused with everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from document_numbers import numbered
from hypothesis import given
from hypothesis import strategies as st
from sheets import PLAIN, TODAY, date_cell

from signsvc.errors import RowRefused
from signsvc.models import IdType, Request
from signsvc.requests.columns import HEADERS, RawRow
from signsvc.requests.row import parse

CHILD = numbered("63010220150601001")


def sound(row: RawRow, fixed: Mapping[str, str] | None = None, backdating: int = 0) -> Request:
    """The row's Request; RowRefused with its faults if it has any."""
    read = parse(row, TODAY, fixed or {}, backdating)
    if read.faults:
        raise RowRefused(read.faults)
    return read


def request(
    given_cells: Mapping[str, Any] = PLAIN,
    *,
    backdating: int = 0,
    fixed: Mapping[str, str] | None = None,
    **cells: Any,
) -> Request:
    """The plain row with some cells changed; None takes one away."""
    row = {key: cell for key, cell in (dict(given_cells) | cells).items() if cell is not None}
    return sound(RawRow(2, row), fixed, backdating)


def faults(**cells: Any) -> set[tuple[str, str | None]]:
    """Details and columns of the faults of the plain row with some cells changed."""
    with pytest.raises(RowRefused) as caught:
        request(**cells)
    assert all(fault.code.startswith("request_invalid:") for fault in caught.value.faults)
    return {(fault.code.partition(":")[2], fault.column) for fault in caught.value.faults}


def messages(**cells: Any) -> str:
    with pytest.raises(RowRefused) as caught:
        request(**cells)
    return str(caught.value)


def test_a_plain_row_is_a_request_with_what_it_says_and_nothing_invented() -> None:
    assert request() == Request(
        request_id="20261121-001",
        office="qh-demo",
        matter="诉讼当事人属于本社区（村）证明",
        addressee="示范市中级人民法院",
        name="扎西·多杰",
        id_type=IdType.IDENTITY_CARD,
        id_number="11010519491231002X",
        valid_until=date(2027, 5, 20),
        verified_by="李四",
        verified_how="掌握信息",
        verified_on=date(2026, 11, 20),
        approved_by="王五",
        content={key: value for key, value in PLAIN.items() if key != "request_id"},
    )


def test_every_fault_of_a_row_is_found_at_once() -> None:
    assert faults(
        request_id=None,
        matter="a\nb",
        addressee="长" * 101,
        name="张?",
        id_number="110105194912310021",
        valid_until="2026-11-21",
        verified_by=None,
        verified_how="听说",
        verified_on="2026-02-30",
        approved_by=None,
        purpose="\ue000",
    ) == {
        ("missing_field", "request_id"),
        ("forbidden_character", "matter"),
        ("text_too_long", "addressee"),
        ("invalid_name", "name"),
        ("invalid_id_number", "id_number"),
        ("validity_order", "valid_until"),
        ("investigation_required", "verified_by"),
        ("investigation_required", "verified_how"),
        ("invalid_date", "verified_on"),
        ("approval_required", "approved_by"),
        ("forbidden_character", "purpose"),
    }


def test_an_empty_row_names_what_is_required() -> None:
    with pytest.raises(RowRefused) as caught:
        sound(RawRow(2, {}))
    assert {(fault.code.partition(":")[2], fault.column) for fault in caught.value.faults} == {
        *(
            ("missing_field", key)
            for key in ("request_id", "matter", "addressee", "name", "id_number", "valid_until")
        ),
        *(("investigation_required", key) for key in ("verified_by", "verified_how", "verified_on")),
        ("approval_required", "approved_by"),
    }


def test_messages_name_the_column_and_never_the_number_or_the_name() -> None:
    text = messages(id_number="110105194912310021", name="扎西多杰*", addressee="长" * 101)
    assert all(title in text for title in ("身份证号", "姓名", "索要单位"))
    assert not any(secret in text for secret in ("110105194912310021", "扎西", "长长"))


@pytest.mark.parametrize(
    "written",
    [
        "2027-05-20",
        "2027/5/20",
        "2027.05.20",
        "2027年5月20日",
        "２０２７年０５月２０日",
        " 2027 年 5 月 20 日 ",
        "2027-05-20 00:00:00",
        "2027/5/20 0:00",
        date_cell(2027, 5, 20),
        date(2027, 5, 20),
    ],
)
def test_every_form_of_a_day_is_the_same_day_and_the_same_content(written: Any) -> None:
    made = request(valid_until=written)
    assert made.valid_until == date(2027, 5, 20)
    assert made.content == request().content


@pytest.mark.parametrize(
    "written",
    [
        "2027-13-01",
        "2027-5/20",
        "20270520",
        "27-5-20",
        "2027年5月",
        "2027-05-20 14:00",
        "明年",
        46000,
        True,
        "²027-05-20x",
    ],
)
def test_what_is_no_day_is_refused(written: Any) -> None:
    assert faults(valid_until=written) == {("invalid_date", "valid_until")}


def test_a_certificate_is_valid_beyond_its_day_of_issue() -> None:
    assert request(valid_until="2026-11-22").valid_until == date(2026, 11, 22)
    assert faults(valid_until="2026-11-21") == {("validity_order", "valid_until")}


def test_the_day_of_issue_is_never_tomorrow_and_earlier_only_as_far_as_allowed() -> None:
    assert request(issued_on="2026-11-21").issued_on == TODAY
    assert faults(issued_on="2026-11-22") == {("invalid_date", "issued_on")}
    assert faults(issued_on="2026-11-20") == {("invalid_date", "issued_on")}
    assert request(issued_on="2026-11-20", backdating=1).issued_on == date(2026, 11, 20)
    assert faults(issued_on="2026-11-19", backdating=1, verified_on="2026-11-19") == {
        ("invalid_date", "issued_on")
    }


def test_verifying_comes_before_issuing() -> None:
    assert request(verified_on="2026-11-21").verified_on == TODAY
    assert faults(verified_on="2026-11-22") == {("invalid_date", "verified_on")}
    assert faults(verified_on="2026-11-20", issued_on="2026-11-19", backdating=5) == {
        ("invalid_date", "verified_on")
    }


@pytest.mark.parametrize(
    ("by", "approved"),
    [("李四", "李四"), ("李 四", "李四"), ("张三、李四", "李四"), ("Li Si", "LI SI"), ("李四", "王五,李四")],
)
def test_nobody_approves_what_they_verified(by: str, approved: str) -> None:
    assert faults(verified_by=by, approved_by=approved) == {("approval_required", "approved_by")}


def test_a_holder_under_fourteen_needs_a_guardian_who_agrees() -> None:
    guarded = {
        "id_number": CHILD,
        "guardian": "李四",
        "guardian_relation": "母亲",
        "guardian_consent": "同意",
    }
    made = request(**guarded)
    assert (made.guardian, made.guardian_relation, made.guardian_consent) == ("李四", "母亲", "是")
    for key in ("guardian", "guardian_relation", "guardian_consent"):
        assert faults(**guarded | {key: None}) == {("guardian_required", key)}
    assert faults(**guarded | {"guardian_consent": "不同意"}) == {("guardian_required", "guardian_consent")}


@pytest.mark.parametrize("consent", ["是", "同意", "已同意", "YES", "true", True, "√"])
def test_consent_is_one_content_however_it_is_written(consent: Any) -> None:
    assert request(guardian_consent=consent).content["guardian_consent"] == "是"


def test_fourteen_is_counted_on_the_day_of_issue() -> None:
    born_20121121, born_20121122 = numbered("63010220121121001"), numbered("63010220121122001")
    assert request(id_number=born_20121121).guardian is None
    assert ("guardian_required", "guardian") in faults(id_number=born_20121122)
    with pytest.raises(RowRefused):
        request(id_number=born_20121121, issued_on="2026-11-20", backdating=1)


def test_a_household_number_without_a_birth_date_is_warned_about() -> None:
    made = request(id_type="户口簿", id_number="630102001234")
    assert made.id_type is IdType.HOUSEHOLD_REGISTER
    assert "14周岁" in made.warnings[0]
    assert ("guardian_required", "guardian") in faults(id_type="户口本", id_number=CHILD)


@pytest.mark.parametrize("cell", [11010519491231002, 1.1010519491231e17, 110, True, date_cell(2027, 1, 1)])
def test_a_number_that_a_spreadsheet_holds_as_a_number_is_refused(cell: Any) -> None:
    assert faults(id_number=cell) == {("invalid_id_number", "id_number")}
    assert "Excel" in messages(id_number=cell)


@pytest.mark.parametrize(
    ("named", "number", "kind"),
    [
        ("居民身份证", "11010519491231002X", IdType.IDENTITY_CARD),
        ("身份证", "11010519491231002X", IdType.IDENTITY_CARD),
        ("港澳台居民居住证", numbered("81000019900101001"), IdType.HK_MACAU_PERMIT),
        ("港澳台居民居住证", numbered("83000019900101001"), IdType.TAIWAN_PERMIT),
        ("外国人永久居留证", "932682198501010017", IdType.FOREIGN_RESIDENT),
        ("护照", "E12345678", IdType.PASSPORT),
    ],
)
def test_the_kind_of_document_is_read_by_its_names(named: str, number: str, kind: IdType) -> None:
    made = request(id_type=named, id_number=number)
    assert made.id_type is kind
    assert made.content["id_type"] == kind


def test_an_unknown_kind_of_document_is_told_what_there_is() -> None:
    assert faults(id_type="驾照") == {("invalid_id_number", "id_type")}
    assert "户口簿" in messages(id_type="驾照")


def test_a_permit_number_under_the_default_kind_is_taken_with_a_warning() -> None:
    made = request(id_number="932682198501010017")
    assert made.id_type is IdType.IDENTITY_CARD
    assert "外国人永久居留身份证" in made.warnings[0]


def test_a_changed_name_is_a_warning_and_the_same_content() -> None:
    made = request(name="扎西•多杰")
    assert made.content == request().content
    assert "姓名" in made.warnings[0]


def test_defaults_are_no_content_and_spaces_make_no_difference() -> None:
    assert request(id_type=None, purpose="  ", issued_on=None, addressee=" 示范市中级人民法院 ") == request()
    assert request(issued_on="2026-11-21").content != request().content


def test_what_an_option_fills_counts_as_given_and_yields_to_the_row() -> None:
    people = {"verified_by": "李四", "approved_by": "王五", "verified_on": "2026/11/20", "office": "qh-demo"}
    assert request(fixed=people, **dict.fromkeys(people)) == request()
    assert request(fixed={"office": "gd-demo"}, office=" ").office == "gd-demo"
    assert request(fixed={"office": "gd-demo"}).office == "qh-demo"


def test_slots_are_what_is_in_no_other_column() -> None:
    made = request(情况说明=" 经常居住于本辖区 ", 户主="")
    assert made.slots == {"情况说明": "经常居住于本辖区"}
    assert made.content["情况说明"] == "经常居住于本辖区"
    assert faults(情况说明="x" * 1_001) == {("text_too_long", "情况说明")}


def test_numbers_in_other_columns_are_their_plain_text() -> None:
    assert request(request_id=20260121).request_id == "20260121"
    assert request(request_id=20260121.0).request_id == "20260121"
    assert faults(request_id=2026012100000001) == {("forbidden_character", "request_id")}


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#NAME?"])
def test_a_failed_formula_is_no_value(error: str) -> None:
    assert faults(addressee=error) == {("forbidden_character", "addressee")}
    assert faults(name=error) == {("invalid_name", "name")}


@pytest.mark.parametrize("key", ["request_id", "addressee", "verified_by", "approved_by"])
def test_a_cell_of_nothing_visible_counts_as_blank(key: str) -> None:
    assert faults(**{key: "\ufe0f"}) <= {
        ("missing_field", key),
        ("investigation_required", key),
        ("approval_required", key),
    }


def test_limits_are_counted_in_characters() -> None:
    assert request(request_id="x" * 64, name="𠅤" * 50, addressee="𠅤" * 100, statement="𠅤" * 1_000)
    assert faults(request_id="x" * 65, name="𠅤" * 51, addressee="𠅤" * 101, statement="𠅤" * 1_001) == {
        ("text_too_long", key) for key in ("request_id", "name", "addressee", "statement")
    }


any_cell = st.text(max_size=30) | st.integers() | st.floats() | st.dates() | st.datetimes() | st.booleans()
any_row = st.dictionaries(st.sampled_from([*HEADERS, "情况说明"]), any_cell, max_size=20)


@given(cells=any_row, days=st.integers(0, 10**6))
def test_any_cells_are_a_request_or_refused_with_reasons(cells: dict[str, Any], days: int) -> None:
    row = RawRow(1, {**PLAIN, **cells})
    assert len(row.request_id) <= 64
    try:
        made = sound(row, {}, days)
    except RowRefused as refused:
        columns = {fault.column for fault in refused.faults}
        assert columns <= {*HEADERS, "情况说明"}
    else:
        again = sound(RawRow(1, {**made.content, "request_id": made.request_id}), {}, days)
        assert again.content == made.content
        assert replace(again, warnings=()) == replace(made, warnings=())
