"""Answers of the guide (办事指引) as plain data: what `/matters.json` gives and what the page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signsvc.models import Matter
from signsvc.policy import printed_basis
from signsvc.policy.answer import (
    LABELS,
    Answer,
    Hit,
    Kind,
    PolicyNote,
    banned_items,
    handling_text,
    policy_note,
)
from signsvc.policy.asking import Place, Question
from signsvc.policy.packs.pack import Item
from signsvc.wiring.guiding import Guidance

Data = dict[str, Any]
_MOST_OFFICES = 20


def answers(guidance: Guidance, question: Question, places: Sequence[Place]) -> list[Data]:
    """One answer a place, in the order of `places`."""
    return [_answer(guidance, question, place) for place in places]


def lists(guidance: Guidance, places: Sequence[Place]) -> list[Data]:
    """What each place may issue and what it should not, by name."""
    return [_lists(guidance, place) for place in places]


def _answer(guidance: Guidance, question: Question, place: Place) -> Data:
    given = guidance.answer(question, place)
    elsewhere = guidance.elsewhere(question, place)
    first, *also = map(_hit, given.hits)
    return {
        **_place(place),
        **_class(given),
        "codes": list(given.codes),
        **first,
        "also": also,
        "reasons": list(given.reasons),
        "steps": list(given.steps),
        **_matter(given.matter),
        "similar": list(given.similar),
        "hints": list(given.hints),
        "caveats": list(given.caveats),
        "offices": [
            {**_place(one), **_class(guidance.answer(question, one))} for one in elsewhere[:_MOST_OFFICES]
        ],
        "more_offices": max(0, len(elsewhere) - _MOST_OFFICES),
        "policy": _policy(given.policy),
    }


def _place(place: Place) -> Data:
    office = place.office
    return {
        "jurisdiction": place.pack.jurisdiction,
        "office": office.id if office else None,
        "place": place.name,
        "demo": place.demo,
    }


def _class(given: Answer) -> Data:
    return {"answer": given.kind.value, "label": LABELS[given.kind], "summary": given.summary}


def _hit(hit: Hit) -> Data:
    ground = hit.ground
    return {
        "matter": hit.matter,
        "listed": hit.listed or None,
        "pathway": ground.pathway or None,
        "issued_by": list(hit.issued_by),
        "ground": {"document": ground.document, "place": ground.place, "sentence": ground.sentence},
    }


def _matter(matter: Matter | None) -> Data:
    """What is known of a retained matter; nulls and empty lists for a name that is not retained."""
    if matter is None:
        return {"purposes": [], "addressee": None, "basis": None, "handling": None}
    handling = {
        "kind": matter.handling.value,
        "working_days": matter.limit_days,
        "text": handling_text(matter),
    }
    return {
        "purposes": list(matter.purposes),
        "addressee": matter.addressee,
        "basis": printed_basis(matter),
        "handling": handling,
    }


def _policy(note: PolicyNote) -> Data:
    return {
        "number": note.number,
        "valid_to": note.valid_to.isoformat() if note.valid_to else None,
        "expired": note.expired,
        "note": note.text,
    }


def _lists(guidance: Guidance, place: Place) -> Data:
    retained = place.retained.of(place.asked)
    return {
        **_place(place),
        "retained": [_retained(guidance, place, matter) for matter in retained],
        "not_to_issue": [_item(item) for item in banned_items(place.pack, guidance.today)],
        "not_held": [title for layer in place.pack.layers for title in layer.lists_not_held],
        "policy": _policy(policy_note(place.pack, guidance.today)),
    }


def _retained(guidance: Guidance, place: Place, matter: Matter) -> Data:
    given = guidance.answer(Question(matter.name), place)
    return {"matter": matter.name, **_class(given), **_matter(matter)}


def _item(item: Item) -> Data:
    issuers = item.issuers(item.title)  # of all that the title names, or nobody is told to go there
    kind = Kind.DEPARTMENT_ISSUES if issuers else Kind.SHOULD_NOT_ISSUE
    return {
        "number": item.number,
        "matter": item.name,
        "title": item.title,
        "answer": kind.value,
        "label": LABELS[kind],
        "issued_by": list(issuers),
        "list": f"{item.listing.document.number}{item.listing.annex}《{item.listing.title}》",
    }
