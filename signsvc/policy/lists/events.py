"""What can happen to a retained list (保留清单), and how its journal spells that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from signsvc.policy.packs.pack import Step


@dataclass(frozen=True)
class Adopted:
    """The first edition, as the approving body (审定机关) laid it down; `text` is the list's whole TOML."""

    text: str
    document: str  # name or number (文号) of the document that lays it down
    by: str
    effective: date  # the first day on which it holds, Beijing time


@dataclass(frozen=True)
class Proposed:
    """The first step of a change: the whole list as it shall be, and why. It goes by the steps of that day's pack."""

    change: str  # 2026-001
    base: int  # number of the edition that it changes
    text: str
    reason: str  # one of the pack's
    by: str
    steps: tuple[Step, ...]
    basis: str = ""  # the document that the change rests on (G9)
    note: str = ""


@dataclass(frozen=True)
class Taken:
    """A later step: an opinion (审核意见), the decision (审定) or, last, the publication (公布)."""

    change: str
    step: str
    by: str
    text: str
    agrees: bool = True
    effective: date | None = None  # of a publication: the first day on which the edition holds
    channels: tuple[str, ...] = ()  # of a publication: where


@dataclass(frozen=True)
class Withdrawn:
    """The end of a change that was not published."""

    change: str
    by: str
    text: str


Event = Adopted | Proposed | Taken | Withdrawn
_KINDS: dict[str, type[Adopted | Proposed | Taken | Withdrawn]] = {
    "adopted": Adopted,
    "proposed": Proposed,
    "step": Taken,
    "withdrawn": Withdrawn,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(event: Event) -> dict[str, Any]:
    """The event as JSON has it; dates are YYYY-MM-DD."""
    values = {
        key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(event).items()
    }
    return {"event": _NAMES[type(event)], **values}


def decode(data: Mapping[str, Any]) -> Event:
    """The event that `encode` spelled; ValueError for anything else."""
    given = dict(data)
    try:
        kind = _KINDS[given.pop("event")]
        return kind(**{key: _value(key, value) for key, value in given.items()})
    except (KeyError, TypeError) as error:
        raise ValueError("no event of a retained list") from error


def _value(key: str, value: Any) -> Any:
    match key:
        case "effective":
            return None if value is None else date.fromisoformat(value)
        case "channels":
            return tuple(value)
        case "steps":
            return tuple(Step(**{**step, "after": tuple(step["after"])}) for step in value)
        case _:
            return value
