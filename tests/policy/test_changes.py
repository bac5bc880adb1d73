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
from signsvc.policy.lists.changes import Edition, History, replay
from signsvc.policy.lists.events import Adopted, Event, Proposed, Taken, Withdrawn, decode, encode
from signsvc.policy.lists.proceedings import State
from signsvc.policy.lists.vetting import FARTHEST, vet
from signsvc.report import BEIJING

PACKS = {place: load_pack(place) for place in ("qinghai", "guangdong")}
OPINIONS = ("legality", "necessity", "reasonableness")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=BEIJING)
TODAY = NOON.date()


def text(place: str, version: int = 1) -> str:
    return demo_text(f"catalogue-{place}").replace(
        'addressee = "人民法院"', f'addressee = "人民法院{version}"'
    )


def adopted(place: str, effective: date = TODAY) -> History:
    return History("a-list").after(Adopted(text(place), "示府〔2026〕1号", "示范市人民政府", effective), NOON)


def proposed(history: History, pack: Pack, version: int = 2, **given: Any) -> Proposed:
    usual: dict[str, Any] = {"reason": "其他原因", "by": "示范市民政局", "basis": "示范法第一条"}
    usual |= {"change": history.next_change(TODAY), "text": text(pack.jurisdiction, version)}
    return Proposed(base=history.newest.number, steps=pack.steps, **{**usual, **given})


def taken(change: str, step: str, **given: Any) -> Taken:
    return Taken(change, step, "某机关", "同意", **given)


def through(history: History, pack: Pack, *events: Event) -> History:
    for event in events:
        vet(history, event, pack, TODAY)
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


@pytest.mark.parametrize("against", OPINIONS)
def test_an_opinion_against_it_leaves_the_others_to_be_recorded_and_nothing_else(against: str) -> None:
    pack, history = PACKS["guangdong"], adopted("guangdong")
    history = through(history, pack, proposed(history, pack))
    history = history.after(taken("2026-001", against, agrees=False), NOON)
    for opinion in (opinion for opinion in OPINIONS if opinion != against):
        assert history.change("2026-001").state is State.OPEN
        for beyond, publication in (("decided", {}), ("published", {"effective": TODAY})):
            with pytest.raises(ChangeRefused, match=r"为不同意，不能再办"):
                history.after(taken("2026-001", beyond, **publication), NOON)
        history = history.after(taken("2026-001", opinion), NOON)
    change = history.change("2026-001")
    assert (change.state, change.next_steps, len(change.taken)) == (State.REJECTED, (), 3)
    assert [step.id for step in change.against] == [against]
    with pytest.raises(ChangeRefused, match="2026-001 未获同意，不能再办"):
        history.after(taken("2026-001", "decided"), NOON)


@pytest.mark.parametrize("place", PACKS)
def test_a_decision_against_it_ends_a_change(place: str) -> None:
    pack, history = PACKS[place], adopted(place)
    history = through(history, pack, proposed(history, pack))
    for opinion in OPINIONS if place == "guangdong" else ():
        history = history.after(taken("2026-001", opinion), NOON)
    history = history.after(taken("2026-001", "decided", agrees=False), NOON)
    assert history.change("2026-001").state is State.REJECTED
    with pytest.raises(ChangeRefused, match="未获同意"):
        history.after(taken("2026-001", "published", effective=TODAY), NOON)


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
    history = history.after(taken("2026-002", "decided"), NOON)
    history = history.after(taken("2026-002", "published", effective=TODAY), NOON)
    assert history.change("2026-001").state is State.OUTDATED
    assert history.change("2026-001").next_steps == ()
    for late in (taken("2026-001", "decided"), taken("2026-001", "published", effective=TODAY)):
        with pytest.raises(ChangeRefused, match="已过时") as refusal:
            history.after(late, NOON)
        assert refusal.value.code == "change_outdated"
    with pytest.raises(ChangeRefused) as old:
        history.after(replace(second, change="2026-003"), NOON)
    assert old.value.code == "change_outdated"
    withdrawn = history.after(Withdrawn("2026-001", "示范市民政局", "按新版重新提出"), NOON)
    assert withdrawn.change("2026-001").state is State.WITHDRAWN


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


@pytest.mark.parametrize(("earlier", "overtaken"), [(0, True), (39, True), (40, True), (41, False)])
def test_an_edition_that_is_still_to_come_is_overtaken_by_one_that_holds_no_later(
    earlier: int, overtaken: bool
) -> None:
    coming = TODAY + timedelta(days=40)
    history = published(adopted("qinghai"), PACKS["qinghai"], coming)
    assert history.coming(TODAY) == (history.newest,)
    history = published(history, PACKS["qinghai"], TODAY + timedelta(days=earlier), 3)
    first, second, third = history.editions
    assert history.overtaken_by(second) == (third if overtaken else None)
    assert not history.overtaken_by(first)
    assert not history.overtaken_by(third)
    held = {history.on(TODAY + timedelta(days=day)) for day in range(60)}
    assert held == ({first, second, third} if not overtaken else {third} if earlier == 0 else {first, third})
    assert history.coming(TODAY) == tuple(
        edition for edition in (second, third) if edition in held and edition.effective > TODAY
    )


def test_an_edition_is_cancelled_by_publishing_the_present_text_again() -> None:
    """What was published by mistake never takes effect, and its date can be moved up."""
    pack, coming = PACKS["qinghai"], TODAY + timedelta(days=300)
    history = published(adopted("qinghai"), pack, coming)
    cancelled = published(history, pack, TODAY, version=1)
    assert cancelled.overtaken_by(cancelled.edition(2)) == cancelled.newest
    assert cancelled.on(coming) == cancelled.newest
    assert cancelled.newest.text == cancelled.edition(1).text
    moved = published(history, pack, TODAY + timedelta(days=1), version=2)
    assert moved.on(TODAY + timedelta(days=1)) == moved.newest
    assert moved.newest.text == moved.edition(2).text


def test_what_held_for_a_part_of_its_first_day_did_take_effect() -> None:
    pack = PACKS["qinghai"]
    history = published(published(adopted("qinghai"), pack, TODAY), pack, TODAY, 3)
    assert history.on(TODAY) == history.edition(3)
    assert not history.overtaken_by(history.edition(2))  # certificates of this morning rest on it


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 12)), max_size=8))
def test_nothing_that_happens_later_changes_what_held_on_a_past_day(times: list[tuple[int, int]]) -> None:
    """Each publication `wait` days after the last one and in force `ahead` days later, or refused."""
    pack, at = PACKS["qinghai"], NOON
    history = adopted("qinghai")
    held: dict[date, Edition | None] = {}
    for wait, ahead in times:
        held |= {at.date() + timedelta(days=day): None for day in range(wait)}
        held = {day: history.on(day) for day in held}
        before, at = held, at + timedelta(days=wait)
        made = proposed(history, pack, len(history.editions) + 1, change=history.next_change(at.date()))
        for event in (
            made,
            taken(made.change, "decided"),
            taken(made.change, "published", effective=at.date() + timedelta(days=ahead)),
        ):
            try:
                history = history.after(event, at)
            except ChangeRefused:
                assert ahead < 0
        assert {day: history.on(day) for day in before} == before
    for edition in history.editions:  # whoever is overtaken holds on no day, everybody else on some
        days = [history.on(edition.effective + timedelta(days=day)) for day in range(1)]
        assert (history.overtaken_by(edition) is None) or edition not in days


def test_a_clock_that_was_set_back_dates_nothing_back() -> None:
    pack, yesterday = PACKS["qinghai"], NOON - timedelta(days=1)
    history = adopted("qinghai")
    history = through(history, pack, proposed(history, pack), taken("2026-001", "decided"))
    with pytest.raises(ChangeRefused, match="时钟"):
        history.after(taken("2026-001", "published", effective=yesterday.date()), yesterday)


def test_an_edition_takes_effect_within_a_year_of_its_publication() -> None:
    pack, late = PACKS["qinghai"], TODAY + FARTHEST + timedelta(days=1)
    history = published(adopted("qinghai"), pack, TODAY + FARTHEST)
    with pytest.raises(ChangeRefused, match="2027年11月22日") as refusal:
        published(adopted("qinghai"), pack, late)
    assert refusal.value.code == "change_invalid"
    with pytest.raises(ChangeRefused, match="一年内"):
        vet(History("a-list"), Adopted(text("qinghai"), "某号", "某", late), pack, TODAY)
    assert history.newest.number == 2


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("guangdong", {"basis": ""}),  # G9
        ("guangdong", {"reason": "领导要求"}),
        ("qinghai", {"reason": "法律法规调整"}),  # Guangdong's word
        ("qinghai", {"by": " "}),
        ("guangdong", {"version": 1}),  # nothing changed
        ("guangdong", {"text": text("guangdong") + "# 只改了注释\n"}),
    ],
)
def test_a_proposal_needs_a_reason_of_its_place_and_what_that_place_demands(
    place: str, wrong: dict[str, Any]
) -> None:
    history = adopted(place)
    with pytest.raises(ChangeRefused) as refusal:
        vet(history, proposed(history, PACKS[place], **wrong), PACKS[place], TODAY)
    assert refusal.value.code == "change_invalid"


def test_qinghai_does_not_ask_for_what_only_guangdong_demands() -> None:
    history = adopted("qinghai")
    vet(history, proposed(history, PACKS["qinghai"], basis=""), PACKS["qinghai"], TODAY)


def test_a_list_that_could_not_be_issued_from_is_not_proposed_nor_laid_down() -> None:
    pack, history = PACKS["qinghai"], adopted("qinghai")
    only_normative = text("qinghai").replace('kind = "regulation"', 'kind = "normative"')
    for event in (
        replace(proposed(history, pack), text=only_normative),
        Adopted(only_normative, "某号", "某", TODAY),
    ):
        with pytest.raises(PolicyError, match="bases"):
            vet(history, event, pack, TODAY)


@pytest.mark.parametrize(
    ("here", "there", "goes"),
    [
        ("guangdong", "guangdong/zhuhai", True),
        ("guangdong/zhuhai", "guangdong", True),  # the city's pack was given up
        ("guangdong", "qinghai", False),
        ("guangdong", "guangdong2", False),
        ("guangdong/zhuhai", "guangdong/foshan", False),
    ],
)
def test_a_list_goes_over_to_its_citys_pack_and_to_no_other_place(here: str, there: str, goes: bool) -> None:
    def at(place: str) -> str:
        return text("guangdong").replace('jurisdiction = "guangdong"', f'jurisdiction = "{place}"')

    layers = PACKS["guangdong"].layers
    pack = Pack((*layers[:-1], replace(layers[-1], jurisdiction=here)))
    history = History("a-list").after(Adopted(at(here), "某号", "某", TODAY), NOON)
    moved = proposed(history, PACKS["guangdong"], text=at(there))
    if goes:
        vet(history, moved, pack, TODAY)
    else:
        with pytest.raises(ChangeRefused, match="jurisdiction"):
            vet(history, moved, pack, TODAY)


def test_only_channels_of_the_place_can_be_named() -> None:
    pack, history = PACKS["qinghai"], adopted("qinghai")
    history = through(history, pack, proposed(history, pack), taken("2026-001", "decided"))
    with pytest.raises(ChangeRefused, match="“粤省事”平台"):
        vet(history, taken("2026-001", "published", effective=TODAY, channels=("“粤省事”平台",)), pack, TODAY)


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
