"""An imported form laid over the present list: nothing is lost, nothing unclear slips through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from forms import DEMO, EXAMPLE, PLACES, form_of
from hypothesis import given
from hypothesis import strategies as st

from signsvc.errors import InputError, PolicyError
from signsvc.models import Basis, BasisKind, Handling, Matter, Medium, OfficeKind, Path, Slot
from signsvc.policy import Catalogue, load_catalogue, no_catalogue
from signsvc.tables import Row, Table, export, merge, read, to_toml

PRESENT = DEMO["qinghai"]
FARMER = PRESENT.matters[3]


def table(place: str = "qinghai", **changes: Mapping[str, str] | None) -> Table:
    """The demonstration's own form with cells changed by the matter's id; None takes the row out."""
    whole = read("list.xlsx", export(DEMO[place], form_of(place), "xlsx"), form_of(place))
    rows = []
    for row, matter in zip(whole.rows, DEMO[place].matters, strict=True):
        change = changes.get(matter.id.replace("-", "_"), {})
        if change is not None:
            rows.append(replace(row, cells={**row.cells, **change}))
    return replace(whole, rows=tuple(rows))


def merged(changed: Table, catalogue: Catalogue = PRESENT) -> tuple[Matter, ...]:
    return load_catalogue(merge(changed, catalogue).text, "proposal").matters


def test_official_cells_are_taken_and_the_rest_stays() -> None:
    cells = {
        "purposes": "入社\n用于证明成员的农民身份。\n入社",
        "addressee": "示范市\n市场监督管理局",
        "handled": "登记",
    }
    *others, farmer = merged(table(farmer_identity=cells))
    assert tuple(others) == PRESENT.matters[:3]
    assert farmer == replace(
        FARMER,
        purposes=("入社", "用于证明成员的农民身份。"),
        addressee="示范市、市场监督管理局",
        handled="登记",
    )


def test_changes_are_told() -> None:
    proposal = merge(table(farmer_identity={"handled": "登记"}, homestead_discussion=None), PRESENT)
    assert proposal.incomplete == ()
    assert proposal.notes == (
        "取消“宅基地申请集体讨论及公示情况证明”：表中没有这一项",
        "“农民身份证明”：涉及办理事项名称有改动",
    )
    assert [matter.id for matter in load_catalogue(proposal.text, "p").matters] == [
        "litigant-community",
        "adopter-circumstances",
        "farmer-identity",
    ]


def test_a_form_without_a_column_leaves_it_as_it_is() -> None:
    listed = DEMO["guangdong"]
    changed = table("guangdong", farmer_identity={"purposes": "入社"})
    assert merged(changed, listed)[2] == replace(listed.matters[2], purposes=("入社",))


@pytest.mark.parametrize("typed", ["农民身份证明 ", "农民\n身份证明"])
def test_a_name_is_matched_whatever_its_spaces(typed: str) -> None:
    assert merged(table(farmer_identity={"name": typed}))[3] == replace(FARMER, name="农民身份证明")


def test_a_name_with_half_width_brackets_is_the_same_name() -> None:
    assert merged(table(litigant_community={"name": "诉讼当事人属于本社区(村)证明"})) == PRESENT.matters


def test_an_alias_brings_the_new_name() -> None:
    changed = merged(table(litigant_community={"name": "诉讼当事人属于本村证明"}))[0]
    assert (changed.id, changed.name) == ("litigant-community", "诉讼当事人属于本村证明")


def test_the_same_reference_keeps_what_is_known_of_it() -> None:
    spaced = EXAMPLE[3].replace("（国务院令第498号）", "(国务院令第498号) ").replace("；", ";\n")
    assert merged(table(farmer_identity={"bases": spaced}))[3] == FARMER


def test_another_text_keeps_the_dates_but_not_that_the_issuer_is_named() -> None:
    proposal = merge(table(farmer_identity={"bases": EXAMPLE[3] + "另有规定的除外。"}), PRESENT)
    (basis,) = load_catalogue(proposal.text, "p").matters[3].bases
    (old,) = FARMER.bases
    assert basis == replace(old, text=old.text + "另有规定的除外。", issuer_named=False)
    assert "issuer_named" in proposal.notes[-1]


def test_a_further_reference_is_to_be_confirmed() -> None:
    proposal = merge(table(farmer_identity={"bases": EXAMPLE[3] + "\n《青海省甲条例》第二条"}), PRESENT)
    kept, added = load_catalogue(proposal.text, "p").matters[3].bases
    assert kept == FARMER.bases[0]
    assert added == Basis(BasisKind.LOCAL_REGULATION, "《青海省甲条例》", "第二条")
    kind, begins = proposal.incomplete
    assert "暂定为地方性法规（kind），请确认" in kind
    assert "施行日期（valid_from）待补" in begins


def test_what_was_not_read_keeps_the_proposal_from_loading() -> None:
    proposal = merge(table(farmer_identity={"bases": EXAMPLE[3] + "\n《甲法》有关规定"}), PRESENT)
    (gap,) = proposal.incomplete
    assert gap.startswith("“农民身份证明”：第7行“法律法规依据（需明确到具体条款内容）”没有读懂")
    assert gap.endswith("“《甲法》有关规定”")
    with pytest.raises(PolicyError, match=r"matters\.bases"):
        load_catalogue(proposal.text, "p")


@pytest.mark.parametrize("field", ["purposes", "addressee", "bases"])
def test_an_emptied_cell_is_a_gap(field: str) -> None:
    proposal = merge(table(farmer_identity={field: " "}), PRESENT)
    assert len(proposal.incomplete) == 1
    assert proposal.incomplete[0].endswith("是空的")
    with pytest.raises(PolicyError, match=field):
        load_catalogue(proposal.text, "p")


def test_a_new_row_is_a_draft_with_its_gaps() -> None:
    given = table()
    cells = {
        "name": "居住(暂住)证明",
        "handled": "",
        "bases": "《甲法》第一条",
        "purposes": "入学",
        "addressee": "学校",
    }
    proposal = merge(replace(given, rows=(*given.rows, Row("第8行", cells))), PRESENT)
    assert proposal.notes == ("新增“居住（暂住）证明”",)
    for told in ("kind", "valid_from", "handled", "pattern", "owner", "handling"):
        assert any(told in gap for gap in proposal.incomplete) or told == "handled"
    assert any("第8行“涉及办理事项名称”是空的" in gap for gap in proposal.incomplete)
    with pytest.raises(PolicyError, match=r"matters\.pattern：应为非空文字"):
        load_catalogue(proposal.text, "p")
    filled = proposal.text.replace('pattern = ""', 'pattern = "其居住于此"').replace(
        'owner = ""', 'owner = "教育局"'
    )
    *present, new = load_catalogue(filled, "p").matters
    assert tuple(present) == PRESENT.matters
    assert (new.name, new.bases) == ("居住（暂住）证明", (Basis(BasisKind.LAW, "《甲法》", "第一条"),))
    assert merge(replace(given, rows=(*given.rows, Row("第8行", cells))), PRESENT) == proposal


def test_a_first_import_lists_every_gap() -> None:
    proposal = merge(replace(table(), holder=""), no_catalogue("qinghai"))
    assert proposal.incomplete[:2] == ("holder（哪个市（州）或部门的清单）待补", "offices（适用的组织）待补")
    assert sum("owner" in gap for gap in proposal.incomplete) == 4


def test_another_holder_is_told() -> None:
    proposal = merge(replace(table(), holder="另一市"), PRESENT)
    assert proposal.notes == ("清单名义由“示范市”改为“另一市”",)
    assert load_catalogue(proposal.text, "p").holder == "另一市"


def test_one_matter_in_two_rows_is_refused() -> None:
    with pytest.raises(InputError, match="第5行与第4行是同一事项"):
        merge(table(adopter_circumstances={"name": "诉讼当事人属于本村证明"}), PRESENT)


TEXT = st.text(st.sampled_from("甲\"\\'{}[]#=,（）《》 a1_-\U00020005"), min_size=1, max_size=12).filter(
    str.strip
)
WORDS = TEXT.map(lambda text: text.replace("{", "").replace("}", "") + "字")
DAYS = st.none() | st.just(date(2021, 9, 3))
BASES = st.builds(
    Basis,
    st.just(BasisKind.LAW),
    WORDS,
    WORDS,
    number=st.just("") | WORDS,
    valid_from=DAYS,
    text=st.just("") | WORDS.map(lambda text: f"{text}\n{text}"),
    issuer_named=st.booleans(),
)
SLOTS = st.builds(Slot, st.just("空"), st.booleans(), st.integers(15, 1000), st.none() | WORDS)


@st.composite
def matters(draw: st.DrawFn) -> Matter:
    given_slots = draw(st.lists(SLOTS, max_size=1))
    limit = draw(st.none() | st.integers(1, 90))
    optional: dict[str, Any] = {
        key: draw(st.just("") | WORDS)
        for key in ("handled", "conflict_reason", "justification", "channel", "note")
    }
    return Matter(
        id="one",
        name=draw(WORDS),
        pattern=draw(WORDS) + "{空}" * len(given_slots),
        purposes=tuple(draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))),
        addressee=draw(WORDS),
        bases=tuple(draw(st.lists(BASES, min_size=1, max_size=3))),
        owner=draw(WORDS),
        aliases=tuple(draw(st.lists(WORDS, max_size=2, unique=True))),
        slots=tuple(given_slots),
        path=draw(st.sampled_from(Path)),
        medium=draw(st.sampled_from(Medium)),
        office_kinds=draw(st.sampled_from([(OfficeKind.VILLAGE,), tuple(OfficeKind)])),
        handling=Handling.TIMED if limit else Handling.ON_THE_SPOT,
        limit_days=limit,
        yearly_count=draw(st.none() | st.integers(1, 9)),
        demo=draw(st.booleans()),
        **optional,
    )


@given(matters())
def test_any_matter_is_written_as_it_is_read(matter: Matter) -> None:
    written = to_toml(replace(PRESENT, matters=(matter,)))
    assert load_catalogue(written, "p").matters == (matter,)


@pytest.mark.parametrize("place", PLACES)
def test_the_demonstration_is_written_as_it_is_read(place: str) -> None:
    assert load_catalogue(to_toml(DEMO[place]), "p") == DEMO[place]
