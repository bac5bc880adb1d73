"""How a retained list (保留清单) is laid down and changed: proposed, reviewed, decided, published, in force (G11, Q25).

A History is what the events of a list come to. Every event, told again from the journal or about to be written, goes
through the same rules, so no edition exists whose steps were not all taken, in their order and by agreement. A change
follows the steps of the policy pack of the day on which it was proposed, which its first event records.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import NoReturn

from signsvc.errors import ChangeRefused
from signsvc.policy.catalogue import Catalogue, load_catalogue
from signsvc.policy.events import Adopted, Event, Proposed, Taken, Withdrawn
from signsvc.policy.packs import Pack, Step
from signsvc.report import BEIJING, chinese_date

_DIGEST = (
    16  # hexadecimal digits of an edition's label: 64 bits tell editions apart, the log keeps who wrote which
)


class State(StrEnum):
    """Where a change stands."""

    OPEN = "open"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Edition:
    """One version of a list: its whole text, and from which day it holds."""

    list_id: str
    number: int  # from 1
    text: str
    effective: date  # its first day, Beijing time
    by: str
    document: str  # what lays it down
    published_on: date
    change: str = ""  # that made it; empty for the first
    channels: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()

    @cached_property
    def label(self) -> str:
        """`list/number/digest`: what a certificate records of the list that it was issued from."""
        return f"{self.list_id}/{self.number}/{self.sha256[:_DIGEST]}"

    # Both are known even of a text that the rules of today would not let pass.
    @property
    def jurisdiction(self) -> str:
        """The place whose pack it stands under."""
        return str(tomllib.loads(self.text)["jurisdiction"])

    @property
    def size(self) -> int:
        """How many matters it has: there should be fewer of them by the years (G29)."""
        return len(tomllib.loads(self.text)["matters"])

    def catalogue(self) -> Catalogue:
        """The edition, ready for decisions; PolicyError if it cannot be used any more."""
        return replace(load_catalogue(self.text, f"{self.list_id} 第{self.number}版"), edition=self.label)


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

    def missing(self, step: Step) -> tuple[Step, ...]:
        """What must still be done before this step; before the last one, everything."""
        steps = self.proposal.steps
        done = {steps[0].id, *(taken.step for _, taken in self.taken)}
        needed = {other.id for other in steps[:-1]} if step is self.last else set(step.after)
        return tuple(other for other in steps if other.id in needed - done)

    @property
    def next_steps(self) -> tuple[Step, ...]:
        """What can be done now."""
        done = {taken.step for _, taken in self.taken}
        waiting = (step for step in self.proposal.steps[1:] if step.id not in done)
        return tuple(step for step in waiting if not self.missing(step)) if self.state is State.OPEN else ()


@dataclass(frozen=True)
class History:
    """Everything that happened to one list."""

    list_id: str
    editions: tuple[Edition, ...] = ()
    changes: Mapping[str, Change] = field(default_factory=dict)
    unfinished: bool = False  # a crash left a half written event behind these, which does not count

    @property
    def newest(self) -> Edition:
        """The edition published last, in force or not yet; ChangeRefused before the first."""
        if not self.editions:
            refuse(f"还没有保留清单 {self.list_id}：请先用 signsvc catalogue adopt 录入审定公布的清单")
        return self.editions[-1]

    def on(self, day: date) -> Edition | None:
        """The edition in force on that day in Beijing: the newest whose first day has come."""
        return next((edition for edition in reversed(self.editions) if edition.effective <= day), None)

    def edition(self, number: int) -> Edition:
        """An edition by its number; ChangeRefused if there is none."""
        if not 1 <= number <= len(self.editions):
            refuse(f"{self.list_id} 没有第{number}版，共{len(self.editions)}版")
        return self.editions[number - 1]

    def change(self, change: str) -> Change:
        """A change by its id; ChangeRefused if there is none."""
        return self.changes.get(change) or refuse(f"{self.list_id} 没有编号为 {change} 的调整申请")

    def next_change(self, day: date) -> str:
        """The id of the next change: year and serial."""
        of_year = sum(change.startswith(f"{day.year}-") for change in self.changes)
        return f"{day.year}-{of_year + 1:03d}"

    def after(self, event: Event, at: datetime) -> History:
        """The history with one more event; ChangeRefused says why it cannot happen, and what is missing."""
        match event:
            case Adopted():
                return self._adopt(event, at)
            case Proposed():
                return self._propose(event, at)
            case Taken():
                return self._take(event, at)
            case Withdrawn():
                change = self._open_change(event.change)
                return self._with(replace(change, state=State.WITHDRAWN, withdrawn=event))

    def _adopt(self, event: Adopted, at: datetime) -> History:
        if self.editions:
            refuse(f"保留清单 {self.list_id} 已录入：要修改请用 signsvc catalogue propose 提出调整申请")
        first = Edition(
            self.list_id, 1, event.text, event.effective, event.by, event.document, beijing_day(at)
        )
        return replace(self, editions=(first,))

    def _propose(self, event: Proposed, at: datetime) -> History:
        if event.change != self.next_change(beijing_day(at)) or len(event.steps) < 2:
            refuse("调整申请的编号或步骤不对")
        if event.base != self.newest.number:
            refuse(_OUTDATED, "change_outdated")
        return self._with(Change(event, at))

    def _take(self, event: Taken, at: datetime) -> History:
        change = self._open_change(event.change)
        step = next((step for step in change.proposal.steps[1:] if step.id == event.step), None)
        if step is None or step.id in {taken.step for _, taken in change.taken}:
            able = "、".join(f"{step.id}（{step.name}）" for step in change.next_steps)
            refuse(f"没有这一步，或已经办过；现在可办：{able}")
        if missing := change.missing(step):
            listed = "、".join(f"{other.name}（{other.id}，{other.by}）" for other in missing)
            refuse(f"不能跳过步骤：{step.name}之前尚缺 {listed}")
        grown = replace(change, taken=(*change.taken, (at, event)))
        if step is change.last:
            return self._publish(grown, event, beijing_day(at))
        if event.effective or event.channels:
            refuse(f"生效日和公布渠道只在{change.last.name}时填写", "change_invalid")
        return self._with(grown if event.agrees else replace(grown, state=State.REJECTED))

    def _publish(self, change: Change, event: Taken, day: date) -> History:
        effective = event.effective
        if not event.agrees:
            refuse(f"{change.last.name}没有“不同意”：不再调整请用 withdraw 撤回")
        if change.proposal.base != self.newest.number:
            refuse(_OUTDATED, "change_outdated")
        if effective is None or effective < max(day, self.newest.effective):
            earliest = chinese_date(max(day, self.newest.effective))
            refuse(f"生效日不能早于公布之日和上一版的生效日，即{earliest}", "change_invalid")
        number, text = self.newest.number + 1, change.proposal.text
        edition = Edition(
            self.list_id, number, text, effective, event.by, event.text, day, change.id, event.channels
        )
        done = self._with(replace(change, state=State.PUBLISHED))
        return replace(done, editions=(*self.editions, edition))

    def _open_change(self, name: str) -> Change:
        change = self.change(name)
        if change.state is not State.OPEN:
            refuse(f"调整申请 {name} 已{STATE_NAMES[change.state]}，不能再办")
        return change

    def _with(self, change: Change) -> History:
        return replace(self, changes={**self.changes, change.id: change})


STATE_NAMES = {
    State.OPEN: "在办",
    State.PUBLISHED: "公布",
    State.REJECTED: "未获同意",
    State.WITHDRAWN: "撤回",
}
_OUTDATED = "提出申请后清单已有新版：请撤回，按新版重新提出"


def replay(events: Iterable[tuple[datetime, Event]], list_id: str) -> History:
    """The history that these events come to, in their order; ChangeRefused at the first that cannot have happened."""
    history = History(list_id)
    for at, event in events:
        history = history.after(event, at)
    return history


def vet(history: History, event: Event, pack: Pack) -> None:
    """What a new event must bring besides its place in the order; PolicyError or ChangeRefused says what is wrong.

    This is not asked of events told again: reasons, channels and the rules for a list's text change with the years.
    """
    if not (event.by.strip() and event.text.strip()):
        refuse("须写明由哪个机关办理、内容是什么", _INVALID)
    match event:
        case Adopted():
            _check_list(event.text, history.list_id, pack)
        case Proposed():
            _check_proposal(history, event, pack)
        case Taken() if event.effective:
            _check_list(history.change(event.change).proposal.text, history.list_id, pack)
            if unknown := set(event.channels) - set(pack.channels):
                refuse(
                    f"没有公布渠道 {'、'.join(sorted(unknown))}：应为 {'、'.join(pack.channels)}", _INVALID
                )
        case _:
            pass


def _check_proposal(history: History, event: Proposed, pack: Pack) -> None:
    _check_list(event.text, history.list_id, pack)
    if event.text == history.newest.text:
        refuse("与现行清单相同，没有要调整的内容", _INVALID)
    if event.reason not in pack.reasons:
        refuse(f"调整原因应为：{'、'.join(pack.reasons)}", _INVALID)
    if event.steps[0].with_basis and not event.basis:
        refuse("提出调整应当提供有关依据（--basis）：文件名称、文号和条款", _INVALID)


def _check_list(text: str, list_id: str, pack: Pack) -> None:
    if load_catalogue(text, list_id).jurisdiction != pack.jurisdiction:
        refuse(f"清单的 jurisdiction 应为 {pack.jurisdiction}", _INVALID)


_INVALID = "change_invalid"


def beijing_day(at: datetime) -> date:
    """The day in Beijing."""
    return at.astimezone(BEIJING).date()


def refuse(message: str, code: str | None = None) -> NoReturn:
    """Raise ChangeRefused."""
    raise ChangeRefused(message, code)
