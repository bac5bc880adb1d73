"""One change of a retained list (保留清单): where it stands, and what can be done next after what (G11, Q25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn

from signsvc.errors import ChangeRefused
from signsvc.policy.lists.events import Proposed, Taken, Withdrawn
from signsvc.policy.packs.pack import Step


class State(StrEnum):
    """Where a change stands."""

    OPEN = "open"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    OUTDATED = "outdated"  # another change made a new edition meanwhile


STATE_NAMES = {
    State.OPEN: "在办",
    State.PUBLISHED: "已公布",
    State.REJECTED: "未获同意",
    State.WITHDRAWN: "已撤回",
    State.OUTDATED: "已过时",
}


@dataclass(frozen=True)
class Change:
    """A request to change a list, and what became of it. The proposal itself is its first step."""

    proposal: Proposed
    at: datetime
    taken: tuple[tuple[datetime, Taken], ...] = ()
    state: State = State.OPEN
    withdrawn: Withdrawn | None = None

    @property
    def id(self) -> str:
        return self.proposal.change

    @property
    def last(self) -> Step:
        """The step that makes it an edition."""
        return self.proposal.steps[-1]

    @property
    def against(self) -> tuple[Step, ...]:
        """The steps at which somebody disagreed (不同意): nothing that rests on one of them can follow."""
        refused = {taken.step for _, taken in self.taken if not taken.agrees}
        return tuple(step for step in self.proposal.steps if step.id in refused)

    def missing(self, step: Step) -> tuple[Step, ...]:
        """What must have been agreed to before this step and is not; before the last one, everything."""
        steps = self.proposal.steps
        agreed = {steps[0].id, *(taken.step for _, taken in self.taken if taken.agrees)}
        needed = {other.id for other in steps[:-1]} if step is self.last else set(step.after)
        return tuple(other for other in steps if other.id in needed - agreed)

    @property
    def next_steps(self) -> tuple[Step, ...]:
        """What can be done now."""
        done = {taken.step for _, taken in self.taken}
        waiting = (step for step in self.proposal.steps[1:] if step.id not in done)
        return tuple(step for step in waiting if not self.missing(step)) if self.state is State.OPEN else ()


def check_order(change: Change, step: Step) -> None:
    """ChangeRefused unless everything that the step rests on was agreed to; it names what is missing."""
    missing = change.missing(step)
    if against := [other.name for other in missing if other in change.against]:
        refuse(f"{'、'.join(against)}为不同意，不能再办{step.name}：这份调整不会公布，请修改后重新提出")
    if missing:
        listed = "、".join(f"{other.name}（{other.id}，{other.by}）" for other in missing)
        refuse(f"不能跳过步骤：{step.name}之前尚缺 {listed}")


def refuse(message: str, code: str | None = None) -> NoReturn:
    """Raise ChangeRefused."""
    raise ChangeRefused(message, code)
