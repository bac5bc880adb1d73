"""Retained lists (保留清单) as `catalogue … --json` gives them to programs."""

from __future__ import annotations

from datetime import date
from typing import Any

from signsvc.errors import PolicyError
from signsvc.models import Matter
from signsvc.policy import printed_basis
from signsvc.policy.lists.changes import Edition, History
from signsvc.policy.lists.proceedings import Change, State
from signsvc.policy.packs.standing import out_of_force
from signsvc.report import rfc3339


def overview(history: History, today: date) -> dict[str, Any]:
    """How far a list is; one whose first edition a crash cut off has none yet."""
    held = history.on(today)
    in_state = {
        state.value: [change.id for change in history.changes.values() if change.state is state]
        for state in (State.OPEN, State.OUTDATED)
    }
    return {
        "list": history.list_id,
        "jurisdiction": history.newest.jurisdiction if history.editions else None,
        "editions": len(history.editions),
        "in_force": held and held_json(held, today),
        "coming": [edition_json(edition) for edition in history.coming(today)],
        **in_state,
    }


def held_json(edition: Edition, day: date) -> dict[str, Any]:
    """As `list_json`; of a text that cannot be used any more, why. The other lists are still told."""
    try:
        return list_json(edition, day)
    except PolicyError as error:
        return {**edition_json(edition), "fault": str(error)}


def history_json(history: History) -> dict[str, Any]:
    """Every edition, with the number of the one that overtook it, and every change."""
    return {
        "list": history.list_id,
        "editions": [
            {**edition_json(edition), "overtaken_by": later.number if later else None}
            for edition, later in ((edition, history.overtaken_by(edition)) for edition in history.editions)
        ],
        "changes": [change_json(change) for change in history.changes.values()],
    }


def edition_json(edition: Edition) -> dict[str, Any]:
    return {
        "list": edition.list_id,
        "edition": edition.number,
        "label": edition.label,
        "sha256": edition.sha256,
        "jurisdiction": edition.jurisdiction,
        "effective": edition.effective.isoformat(),
        "published_on": edition.published_on.isoformat(),
        "by": edition.by,
        "document": edition.document,
        "change": edition.change or None,
        "channels": list(edition.channels),
        "size": edition.size,
    }


def list_json(edition: Edition, day: date) -> dict[str, Any]:
    """The edition with what is in it."""
    shown = edition.catalogue()
    inside = {"holder": shown.holder, "offices": sorted(shown.offices)}
    return {
        **edition_json(edition),
        **inside,
        "matters": [matter_json(matter, day) for matter in shown.matters],
    }


def matter_json(matter: Matter, day: date) -> dict[str, Any]:
    return {
        "id": matter.id,
        "name": matter.name,
        "aliases": list(matter.aliases),
        "handled": matter.handled,
        "legal_basis": printed_basis(matter),
        "purposes": list(matter.purposes),
        "addressee": matter.addressee,
        "owner": matter.owner,
        "handling": matter.handling.value,
        "limit_days": matter.limit_days,
        "path": matter.path.value,
        "medium": matter.medium.value,
        "suspended": lapses(matter, day),
    }


def change_json(change: Change) -> dict[str, Any]:
    proposal = change.proposal
    return {
        "change": change.id,
        "state": change.state.value,
        "base": proposal.base,
        "reason": proposal.reason,
        "basis": proposal.basis,
        "note": proposal.note,
        "by": proposal.by,
        "at": rfc3339(change.at),
        "steps": [
            {
                "step": taken.step,
                "by": taken.by,
                "text": taken.text,
                "agrees": taken.agrees,
                "at": rfc3339(at),
            }
            for at, taken in change.taken
        ],
        "next": [step.id for step in change.next_steps],
        "withdrawn": change.withdrawn and {"by": change.withdrawn.by, "text": change.withdrawn.text},
    }


def lapses(matter: Matter, day: date) -> list[str]:
    """Why the matter is suspended on that day; empty if it is not."""
    told = ((basis, out_of_force(basis, day, day)) for basis in matter.bases)
    return [f"{basis.printed}{reason}" for basis, reason in told if reason]
