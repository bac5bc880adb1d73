"""The retained lists of a home's folder: read from their journals, and changed by one more event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from signsvc import journal
from signsvc.errors import CatalogueChanged, ChangeRefused, InputError, PolicyError, SignsvcError
from signsvc.journal import Journal, Journals
from signsvc.models import Office, OfficeId
from signsvc.policy import Catalogue, Pack, load_catalogue
from signsvc.policy.lists import changes
from signsvc.policy.lists.changes import Edition, History
from signsvc.policy.lists.events import Adopted, Event, Proposed, decode, encode
from signsvc.policy.lists.vetting import vet, within

Packs = Callable[[str], Pack]  # the pack of a jurisdiction
Held = Catalogue | PolicyError  # a list, or why it cannot be used


@dataclass(frozen=True)
class Lists:
    """Every list of the home as it was read, by its id; what was loaded from an edition is kept."""

    histories: Mapping[str, History]
    _loaded: dict[str, Held] = field(default_factory=dict)

    def history(self, list_id: str) -> History:
        """The history of a list; InputError if there is no such list."""
        if list_id not in self.histories:
            known = "、".join(self.histories) or "无"
            raise InputError(f"没有保留清单 {list_id}（现有：{known}）")
        return self.histories[list_id]

    def on(self, day: date, offices: Mapping[OfficeId, Office]) -> dict[OfficeId, Held]:
        """Each office's list on that day; where it has two, or one of another place, or one that the rules of today do
        not let pass, what is wrong and what to do. Such an office issues nothing; all others go on."""
        held: dict[OfficeId, Held] = {}
        lists: dict[OfficeId, str] = {}
        for list_id, history in self.histories.items():
            edition = history.on(day)
            for office in edition.offices if edition else ():
                if office in lists:
                    held[office] = _held_twice(office, lists[office], list_id)
                elif edition:
                    lists[office], held[office] = list_id, self._usable(edition, offices.get(office))
        return held

    def _usable(self, edition: Edition, office: Office | None) -> Held:
        if office and not within(office.jurisdiction, edition.jurisdiction):
            return _out_of_place(office, edition)
        if edition.label not in self._loaded:
            self._loaded[edition.label] = _loaded(edition)
        return self._loaded[edition.label]


def _loaded(edition: Edition) -> Held:
    try:
        return edition.catalogue()
    except PolicyError as error:
        return PolicyError(f"保留清单 {error}。适用组织暂停出具：{_MEND.format(edition.list_id)}")


def _held_twice(office: OfficeId, first: str, second: str) -> PolicyError:
    where = f"{office} 同时在保留清单 {first} 和 {second} 的适用组织中，暂停出具"
    return PolicyError(f"{where}：请用 signsvc catalogue propose 调整其中一份，去掉该组织")


def _out_of_place(office: Office, edition: Edition) -> PolicyError:
    place = f"保留清单 {edition.list_id} 的辖区 {edition.jurisdiction}"
    fault = f"{office.id} 的辖区 {office.jurisdiction} 不在{place}之内，暂停出具"
    return PolicyError(f"{fault}：请更正 offices.toml，或{_MEND.format(edition.list_id)}")


_MEND = "用 signsvc catalogue propose {} 调整清单"


def load_lists(folder: Path) -> Lists:
    """Every list; CatalogueChanged if any journal is not as it was written, for then no office is sure of its list."""
    with journal.opened(folder) as journals:
        return _load(journals)


def look_at_lists(folder: Path) -> dict[str, History | SignsvcError]:
    """Every list, or what is wrong with it: for who examines them all."""
    found: dict[str, History | SignsvcError] = {}
    with journal.opened(folder) as journals:
        for name in journals.names():
            try:
                found[name] = _history(journals.read(name), name)
            except CatalogueChanged as error:
                found[name] = error
    return found


def record(
    folder: Path,
    list_id: str,
    event: Event | Callable[[History], Event],
    packs: Packs,
    offices: Mapping[OfficeId, Office],
    at: datetime,
) -> History:
    """Write one more event of a list, or what is made of its history, once everything allows it; the history with it.

    Nobody else writes between the look at what there is and the new line. Raises ChangeRefused, PolicyError,
    CatalogueChanged or InputError; then nothing was written.
    """
    if not journal.NAME.fullmatch(list_id):
        raise InputError(f"清单编号 {list_id} 只能用小写字母、数字和连字符")
    with journal.opened(folder, write=True) as journals:
        before = _load(journals).histories
        history = before.get(list_id, History(list_id))
        event = event(history) if callable(event) else event
        vet(history, event, _pack(history, event, packs), changes.beijing_day(at))
        grown = history.after(event, at)
        if grown.editions != history.editions:
            _check_fit(Lists({**before, list_id: grown}), grown.newest, offices)
        journals.append(list_id, encode(event), at)
    return grown


def proposal(
    history: History, text: str, reason: str, by: str, basis: str, note: str, packs: Packs, at: datetime
) -> Proposed:
    """The first step of a change of the newest edition, to go by the steps of its place's pack."""
    change = history.next_change(changes.beijing_day(at))
    steps = packs(history.newest.jurisdiction).steps
    return Proposed(change, history.newest.number, text, reason, by, steps, basis, note)


def _pack(history: History, event: Event, packs: Packs) -> Pack:
    """Under whose rules: those of the list's place as it is, or as it begins. A place it moves to must have its own."""
    if isinstance(event, Adopted | Proposed):
        proposed = packs(load_catalogue(event.text, history.list_id).jurisdiction)
        if isinstance(event, Adopted):
            return proposed
    return packs(history.newest.jurisdiction)


def _check_fit(lists: Lists, added: Edition, offices: Mapping[OfficeId, Office]) -> None:
    """PolicyError if one of its offices could ever not use the new edition, as far as is known now."""
    editions = (edition for history in lists.histories.values() for edition in history.editions)
    for day in sorted({edition.effective for edition in editions if edition.effective >= added.effective}):
        held = lists.on(day, offices)
        for office in added.offices:
            if isinstance(fault := held.get(office), PolicyError):
                raise fault


def _load(journals: Journals) -> Lists:
    return Lists({name: _history(journals.read(name), name) for name in journals.names()})


def _history(told: Journal, name: str) -> History:
    """The list's history; a journal that tells what cannot have happened was not written here."""
    try:
        history = changes.replay(((line.at, decode(line.data)) for line in told.entries), name)
    except (ChangeRefused, ValueError) as error:
        raise CatalogueChanged(f"保留清单 {name} 的记录前后不符，已停止使用：{error}") from error
    return replace(history, unfinished=told.torn)
