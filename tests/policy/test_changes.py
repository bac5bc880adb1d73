"""Changes of a retained list: no way to an edition leaves out a step, and each edition holds from its own day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.errors import ChangeRefused, PolicyError
from signsvc.policy import Pack, demo_text, load_pack
from signsvc.policy.changes import History, State, replay, vet
from signsvc.policy.events import Adopted, Event, Proposed, Taken, Withdrawn, decode, encode
from signsvc.report import BEIJING

PACKS = {place: load_pack(place) for place in ("qinghai", "guangdong")}
OPINIONS = ("legality", "necessity", "reasonableness")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=BEIJING)
TODAY = NOON.date()


def text(place: str, version: int = 1) -> str:
    return demo_text(f"catalogue-{place}") + f"# {version}\n"


def adopted(place: str, effective: date = TODAY) -> History:
    return History("a-list").after(Adopted(text(place), "示府〔2026〕1号", "示范市人民政府", effective), NOON)


def proposed(history: History, pack: Pack, version: int = 2, **given: Any) -> Proposed:
    usual: dict[str, Any] = {"reason": "其他原因", "by": "示范市民政局", "basis": "示范法第一条"}
    change, place = history.next_change(TODAY), pack.jurisdiction
    return Proposed(
        change, history.newest.number, text(place, version), steps=pack.steps, **{**usual, **given}
    )


def taken(change: str, step: str, **given: Any) -> Taken:
    return Taken(change, step, "某机关", "同意", **given)


def through(history: History, pack: Pack, *events: Event) -> History:
    for event in events:
        vet(history, event, pack)
        history = history.after(event, NOON)
    return history


def published(history: History, pack: Pack, effective: date = TODAY, version: int = 2) -> History:
    """The history with one more edition, made step by step."""
    proposal = proposed(history, pack, version)
    middle = [taken(proposal.change, step.id) for step in pack.steps[1:-1]]
    return through(history, pack, proposal, *middle, taken(proposal.change, "published", effective=effective))


@given(st.data(), st.sampled_from(["qinghai", "guangdong"]))
def test_whatever_is_tried_in_whatever_order_no_edition_exists_without_every_step(
    data: st.DataObject, place: str
) -> None:
    pack, history = PACKS[place], adopted(place)
    for version in (2, 3):
        history = through(history, pack, proposed(history, pack, version))
    steps = [*(step.id for step in pack.steps), "elsewhere"]
    attempts = st.tuples(st.sampled_from(list(history.changes)), st.sampled_from(steps), st.integers(0, 9))
    for change, step, mood in data.draw(st.lists(attempts, max_size=30)):
        effective = TODAY if step == "published" else None
        before = history
        try:
            history = history.after(taken(change, step, agrees=mood > 0, effective=effective), NOON)
        except ChangeRefused:
            assert history is before
    for edition in history.editions[1:]:
        change_of = history.change(edition.change)
        done = [step.step for _, step in change_of.taken]
        assert sorted(done) == sorted(step.id for step in pack.steps[1:])
        assert done[-1] == "published"
        assert all(step.agrees for _, step in change_of.taken)
        for step in pack.steps[1:]:
            assert set(step.after) - {"proposed"} <= set(done[: done.index(step.id)])
    assert len(history.editions) <= 2  # both change the first edition: only one can become the second


@pytest.mark.parametrize(
    ("place", "order"),
    [("qinghai", ["decided", "published"]), ("guangdong", [*OPINIONS, "decided", "published"])],
)
def test_each_province_has_the_steps_of_its_document(place: str, order: list[str]) -> None:
    assert [step.id for step in PACKS[place].steps] == ["proposed", *order]
    history = published(adopted(place), PACKS[place])
    assert [edition.number for edition in history.editions] == [1, 2]
    assert history.change("2026-001").state is State.PUBLISHED


def test_guangdongs_three_opinions_are_recorded_apart_in_any_order_and_all_before_the_decision() -> None:
    pack, history = PACKS["guangdong"], adopted("guangdong")
    history = through(history, pack, proposed(history, pack))
    for step in reversed(OPINIONS):
        with pytest.raises(ChangeRefused) as skipped:
            history.after(taken("2026-001", "decided"), NOON)
        assert (skipped.value.code, "性审核意见" in str(skipped.value)) == ("step_not_allowed", True)
        history = history.after(replace(taken("2026-001", step), text=f"{step}的意见"), NOON)
    assert [step.id for step in history.change("2026-001").next_steps] == ["decided"]
    texts = {step.step: step.text for _, step in history.change("2026-001").taken}
    assert texts == {step: f"{step}的意见" for step in OPINIONS}


def test_publishing_too_early_names_every_step_that_is_missing() -> None:
    pack, history = PACKS["guangdong"], adopted("guangdong")
    history = through(history, pack, proposed(history, pack), taken("2026-001", "necessity"))
    with pytest.raises(ChangeRefused) as refusal:
        history.after(taken("2026-001", "published", effective=TODAY), NOON)
    told = str(refusal.value)
    assert all(step in told for step in ("合法性审核意见", "合理性审核意见", "审定"))
    assert "必要性审核意见" not in told


@pytest.mark.parametrize("step", [*OPINIONS, "decided"])
def test_an_opinion_against_it_ends_a_change(step: str) -> None:
    pack, history = PACKS["guangdong"], adopted("guangdong")
    history = through(history, pack, proposed(history, pack))
    for earlier in OPINIONS if step == "decided" else ():
        history = history.after(taken("2026-001", earlier), NOON)
    history = history.after(taken("2026-001", step, agrees=False), NOON)
    assert history.change("2026-001").state is State.REJECTED
    assert history.change("2026-001").next_steps == ()
    with pytest.raises(ChangeRefused):
        history.after(taken("2026-001", "necessity"), NOON)


def test_a_step_is_taken_once_and_a_publication_knows_no_disagreement() -> None:
    pack, history = PACKS["qinghai"], adopted("qinghai")
    history = through(history, pack, proposed(history, pack), taken("2026-001", "decided"))
    for again in (taken("2026-001", "decided"), taken("2026-001", "proposed")):
        with pytest.raises(ChangeRefused):
            history.after(again, NOON)
    with pytest.raises(ChangeRefused, match="withdraw"):
        history.after(taken("2026-001", "published", agrees=False, effective=TODAY), NOON)


def test_a_change_can_be_withdrawn_until_it_is_published() -> None:
    pack = PACKS["qinghai"]
    history = adopted("qinghai")
    open_change = through(history, pack, proposed(history, pack))
    withdrawn = open_change.after(Withdrawn("2026-001", "示范市民政局", "另行研究"), NOON)
    assert withdrawn.change("2026-001").state is State.WITHDRAWN
    assert len(withdrawn.editions) == 1
    for ended in (withdrawn, published(history, pack)):
        with pytest.raises(ChangeRefused):
            ended.after(Withdrawn("2026-001", "示范市民政局", "另行研究"), NOON)


def test_of_two_open_changes_the_second_must_be_proposed_again() -> None:
    pack, history = PACKS["qinghai"], adopted("qinghai")
    history = through(history, pack, proposed(history, pack))
    second = proposed(history, pack, 3)
    history = through(history, pack, second)
    assert list(history.changes) == ["2026-001", "2026-002"]
    for change in history.changes:
        history = history.after(taken(change, "decided"), NOON)
    history = history.after(taken("2026-002", "published", effective=TODAY), NOON)
    with pytest.raises(ChangeRefused) as late:
        history.after(taken("2026-001", "published", effective=TODAY), NOON)
    assert late.value.code == "change_outdated"
    with pytest.raises(ChangeRefused) as old:
        history.after(replace(second, change="2026-003"), NOON)
    assert old.value.code == "change_outdated"


def test_an_edition_holds_from_its_first_day_on() -> None:
    tomorrow, later = TODAY + timedelta(days=1), TODAY + timedelta(days=40)
    history = published(adopted("qinghai"), PACKS["qinghai"], later)
    days = {day: history.on(day) for day in (TODAY - timedelta(days=1), TODAY, tomorrow, later)}
    assert [edition and edition.number for edition in days.values()] == [None, 1, 1, 2]
    assert history.newest.number == 2


def test_the_day_is_beijings() -> None:
    late_utc = datetime.fromisoformat("2026-11-21T16:30:00+00:00")  # the 22nd in Beijing
    pack, history = PACKS["qinghai"], adopted("qinghai")
    history = through(history, pack, proposed(history, pack), taken("2026-001", "decided"))
    with pytest.raises(ChangeRefused, match="2026年11月22日"):
        history.after(taken("2026-001", "published", effective=TODAY), late_utc)


@pytest.mark.parametrize("early", [TODAY - timedelta(days=1), None])
def test_no_edition_holds_before_it_is_published(early: date | None) -> None:
    pack, history = PACKS["qinghai"], adopted("qinghai")
    history = through(history, pack, proposed(history, pack), taken("2026-001", "decided"))
    with pytest.raises(ChangeRefused) as refusal:
        history.after(taken("2026-001", "published", effective=early), NOON)
    assert refusal.value.code == "change_invalid"


def test_no_edition_overtakes_the_one_it_changes() -> None:
    history = published(adopted("qinghai"), PACKS["qinghai"], TODAY + timedelta(days=40))
    with pytest.raises(ChangeRefused):
        published(history, PACKS["qinghai"], TODAY + timedelta(days=39), 3)
    assert published(history, PACKS["qinghai"], TODAY + timedelta(days=40), 3).newest.number == 3


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("guangdong", {"basis": ""}),  # G9
        ("guangdong", {"reason": "领导要求"}),
        ("qinghai", {"reason": "法律法规调整"}),  # Guangdong's word
        ("qinghai", {"by": " "}),
        ("guangdong", {"version": 1}),  # nothing changed
    ],
)
def test_a_proposal_needs_a_reason_of_its_place_and_what_that_place_demands(
    place: str, wrong: dict[str, Any]
) -> None:
    history = adopted(place)
    with pytest.raises(ChangeRefused) as refusal:
        vet(history, proposed(history, PACKS[place], **wrong), PACKS[place])
    assert refusal.value.code == "change_invalid"


def test_qinghai_does_not_ask_for_what_only_guangdong_demands() -> None:
    history = adopted("qinghai")
    vet(history, proposed(history, PACKS["qinghai"], basis=""), PACKS["qinghai"])


def test_a_list_that_could_not_be_issued_from_is_not_proposed_nor_laid_down() -> None:
    pack, history = PACKS["qinghai"], adopted("qinghai")
    only_normative = text("qinghai").replace('kind = "regulation"', 'kind = "normative"')
    for event in (
        replace(proposed(history, pack), text=only_normative),
        Adopted(only_normative, "某号", "某", TODAY),
    ):
        with pytest.raises(PolicyError, match="bases"):
            vet(history, event, pack)
    with pytest.raises(ChangeRefused):  # another province's list
        vet(history, replace(proposed(history, pack), text=text("guangdong")), pack)


def test_only_channels_of_the_place_can_be_named() -> None:
    pack, history = PACKS["qinghai"], adopted("qinghai")
    history = through(history, pack, proposed(history, pack), taken("2026-001", "decided"))
    with pytest.raises(ChangeRefused, match="“粤省事”平台"):
        vet(history, taken("2026-001", "published", effective=TODAY, channels=("“粤省事”平台",)), pack)


def test_a_change_goes_by_the_steps_of_the_day_it_was_proposed() -> None:
    """Qinghai's two steps go on to their end though the pack should ask for more by then, and are told again so."""
    history = adopted("qinghai")
    events: list[Event] = [
        Adopted(text("qinghai"), "某号", "某", TODAY),
        proposed(history, PACKS["qinghai"]),
        taken("2026-001", "decided"),
        taken("2026-001", "published", effective=TODAY),
    ]
    assert replay([(NOON, event) for event in events], "a-list").newest.number == 2


def test_a_label_names_list_number_and_text() -> None:
    first, second = published(adopted("qinghai"), PACKS["qinghai"]).editions
    assert first.label == f"a-list/1/{first.sha256[:16]}"
    assert second.label.startswith("a-list/2/")
    assert first.sha256 != second.sha256
    assert first.catalogue().edition == first.label


EVENTS: list[Event] = [
    Adopted("文本", "某号", "某", TODAY),
    Proposed("2026-001", 1, "文本", "其他原因", "某", PACKS["guangdong"].steps, "依据", "说明"),
    Taken("2026-001", "published", "某", "某号", True, TODAY, ("政务微博",)),
    Taken("2026-001", "necessity", "某", "不必要", False),
    Withdrawn("2026-001", "某", "另行研究"),
]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_told_again_as_it_was(event: Event) -> None:
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    "data", [{}, {"event": "elected"}, {"event": "withdrawn", "by": "某"}, {**encode(EVENTS[0]), "more": 1}]
)
def test_what_is_no_event_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no event"):
        decode(data)
