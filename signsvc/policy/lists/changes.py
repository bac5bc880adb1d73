"""How a retained list (保留清单) is laid down and changed: proposed, reviewed, decided, published, in force (G11, Q25).

A History is what the events of a list come to. Every event, told again from the journal or about to be written, goes
through the same rules, so no edition exists whose steps were not all taken, in their order and by agreement. A change
follows the steps of the policy pack of the day on which it was proposed, which its first event records.

What was in force on a day that is past stays so whatever happens later: certificates rest on it. An edition whose first
day is still to come may be overtaken by one that is published later and holds earlier; then it never takes effect.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from signsvc.models import OfficeId
from signsvc.policy.lists.catalogue import Catalogue, load_catalogue
from signsvc.policy.lists.events import Adopted, Event, Proposed, Taken, Withdrawn
from signsvc.policy.lists.proceedings import STATE_NAMES, Change, State, check_order, refuse
from signsvc.report import BEIJING
from signsvc.texts import chinese_date

_OUTDATED = "change_outdated"
_DIGEST = (
    16  # hexadecimal digits of an edition's label: 64 bits tell editions apart, the log keeps who wrote which
)


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

    # These are known even of a text that the rules of today would not let pass.
    @cached_property
    def _told(self) -> Mapping[str, Any]:
        return tomllib.loads(self.text)

    @property
    def jurisdiction(self) -> str:
        """The place whose pack it stands under."""
        return str(self._told["jurisdiction"])

    @property
    def offices(self) -> tuple[OfficeId, ...]:
        """Whose list it is."""
        return tuple(map(OfficeId, self._told["offices"]))

    @property
    def size(self) -> int:
        """How many matters it has: there should be fewer of them by the years (G29)."""
        return len(self._told["matters"])

    def catalogue(self) -> Catalogue:
        """The edition, ready for decisions; PolicyError if it cannot be used any more."""
        return replace(load_catalogue(self.text, f"{self.list_id} 第{self.number}版"), edition=self.label)


@dataclass(frozen=True)
class History:
    """Everything that happened to one list."""

    list_id: str
    editions: tuple[Edition, ...] = ()
    changes: Mapping[str, Change] = field(default_factory=dict)
    last_day: date = date.min  # of the last event, Beijing time
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

    def overtaken_by(self, edition: Edition) -> Edition | None:
        """The later edition because of which this one never took effect; None if it did or still will."""
        return next(
            (
                later
                for later in self.editions[edition.number :]
                if later.effective <= edition.effective and later.published_on < edition.effective
            ),
            None,
        )

    def coming(self, day: date) -> tuple[Edition, ...]:
        """The editions that will take effect after that day."""
        later = (edition for edition in self.editions if edition.effective > day)
        return tuple(edition for edition in later if not self.overtaken_by(edition))

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
        if (day := beijing_day(at)) < self.last_day:
            # An edition could else be dated back into days that certificates rest on.
            refuse(f"今天不能早于清单最后一条记录的日期（{chinese_date(self.last_day)}）：请先校准本机时钟")
        return replace(self._grown(event, at, day), last_day=day)

    def _grown(self, event: Event, at: datetime, day: date) -> History:
        match event:
            case Adopted():
                return self._adopt(event, day)
            case Proposed():
                return self._propose(event, at, day)
            case Taken():
                return self._take(event, at, day)
            case Withdrawn():
                change = self._unfinished(event.change, State.OPEN, State.OUTDATED)
                return self._with(replace(change, state=State.WITHDRAWN, withdrawn=event))

    def _adopt(self, event: Adopted, day: date) -> History:
        if self.editions:
            refuse(f"保留清单 {self.list_id} 已录入：要修改请用 signsvc catalogue propose 提出调整申请")
        first = Edition(self.list_id, 1, event.text, event.effective, event.by, event.document, day)
        return replace(self, editions=(first,))

    def _propose(self, event: Proposed, at: datetime, day: date) -> History:
        if event.change != self.next_change(day) or len(event.steps) < 2:
            refuse("调整申请的编号或步骤不对")
        if event.base != self.newest.number:
            refuse(f"申请所依据的第{event.base}版不是最新一版：请按最新一版提出", _OUTDATED)
        return self._with(Change(event, at))

    def _take(self, event: Taken, at: datetime, day: date) -> History:
        change = self._unfinished(event.change, State.OPEN)
        step = next((step for step in change.proposal.steps[1:] if step.id == event.step), None)
        if step is None or step.id in {taken.step for _, taken in change.taken}:
            able = "、".join(f"{step.id}（{step.name}）" for step in change.next_steps)
            refuse(f"没有这一步，或已经办过；现在可办：{able}")
        check_order(change, step)
        grown = replace(change, taken=(*change.taken, (at, event)))
        if step is change.last:
            return self._publish(grown, event, day)
        if event.effective or event.channels:
            refuse(f"生效日和公布渠道只在{change.last.name}时填写", "change_invalid")
        # The opinions that do not rest on one against it are still recorded; then it is over.
        return self._with(grown if grown.next_steps else replace(grown, state=State.REJECTED))

    def _publish(self, change: Change, event: Taken, day: date) -> History:
        effective = event.effective
        if not event.agrees:
            refuse(f"{change.last.name}没有“不同意”：不再调整请用 withdraw 撤回")
        if effective is None or effective < day:
            refuse(f"生效日不能早于公布之日，即{chinese_date(day)}", "change_invalid")
        number, text = self.newest.number + 1, change.proposal.text
        edition = Edition(
            self.list_id, number, text, effective, event.by, event.text, day, change.id, event.channels
        )
        # All other open changes are of the edition before: what they would publish nobody has looked at as it is now.
        others = {
            name: replace(other, state=State.OUTDATED) if other.state is State.OPEN else other
            for name, other in self.changes.items()
        }
        done = {**others, change.id: replace(change, state=State.PUBLISHED)}
        return replace(self, changes=done, editions=(*self.editions, edition))

    def _unfinished(self, name: str, *states: State) -> Change:
        """The change, if it stands in one of these states."""
        change = self.change(name)
        if change.state is State.OUTDATED and State.OUTDATED not in states:
            how = f"清单已有第{self.newest.number}版，请按它重新提出（signsvc catalogue propose）"
            refuse(f"调整申请 {name} 已过时：{how}", _OUTDATED)
        if change.state not in states:
            refuse(f"调整申请 {name} {STATE_NAMES[change.state]}，不能再办")
        return change

    def _with(self, change: Change) -> History:
        return replace(self, changes={**self.changes, change.id: change})


def replay(events: Iterable[tuple[datetime, Event]], list_id: str) -> History:
    """The history that these events come to, in their order; ChangeRefused at the first that cannot have happened."""
    history = History(list_id)
    for at, event in events:
        history = history.after(event, at)
    return history


def beijing_day(at: datetime) -> date:
    """The day in Beijing."""
    return at.astimezone(BEIJING).date()
