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
from signsvc.policy import Catalogue, Pack, changes, load_catalogue
from signsvc.policy.changes import Edition, History
from signsvc.policy.events import Adopted, Event, Proposed, decode, encode

Packs = Callable[[str], Pack]  # the pack of a jurisdiction


@dataclass(frozen=True)
class Lists:
    """Every list of the home as it was read, by its id; what was loaded from an edition is kept."""

    histories: Mapping[str, History]
    _loaded: dict[str, Catalogue] = field(default_factory=dict)

    def history(self, list_id: str) -> History:
        """The history of a list; InputError if there is no such list."""
        if list_id not in self.histories:
            known = "、".join(self.histories) or "无"
            raise InputError(f"没有保留清单 {list_id}（现有：{known}）")
        return self.histories[list_id]

    def on(self, day: date, offices: Mapping[OfficeId, Office]) -> dict[OfficeId, Catalogue]:
        """Each office's list on that day; PolicyError if an office has two, or one of another place."""
        held: dict[OfficeId, Catalogue] = {}
        for list_id, history in self.histories.items():
            if (edition := history.on(day)) is None:
                continue
            if edition.label not in self._loaded:
                self._loaded[edition.label] = edition.catalogue()
            catalogue = self._loaded[edition.label]
            for office in catalogue.offices:
                if office in held:
                    raise PolicyError(f"保留清单 {list_id}：{office} 已在另一份保留清单中")
                if office in offices and offices[office].jurisdiction != catalogue.jurisdiction:
                    raise PolicyError(f"保留清单 {list_id}：{office} 的辖区与清单的不一致")
                held[office] = catalogue
        return held


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
        changes.vet(history, event, packs(_jurisdiction(history, event)))
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


def _jurisdiction(history: History, event: Event) -> str:
    """Under whose rules: those of the list as it stands, or as it begins."""
    begins = isinstance(event, Adopted)
    return load_catalogue(event.text, history.list_id).jurisdiction if begins else history.newest.jurisdiction


def _check_fit(lists: Lists, added: Edition, offices: Mapping[OfficeId, Office]) -> None:
    """PolicyError if the new edition would ever meet another list over an office, as far as is known now."""
    editions = (edition for history in lists.histories.values() for edition in history.editions)
    for day in {edition.effective for edition in editions if edition.effective >= added.effective}:
        lists.on(day, offices)


def _load(journals: Journals) -> Lists:
    return Lists({name: _history(journals.read(name), name) for name in journals.names()})


def _history(told: Journal, name: str) -> History:
    """The list's history; a journal that tells what cannot have happened was not written here."""
    try:
        history = changes.replay(((line.at, decode(line.data)) for line in told.entries), name)
    except (ChangeRefused, ValueError) as error:
        raise CatalogueChanged(f"保留清单 {name} 的记录前后不符，已停止使用：{error}") from error
    return replace(history, unfinished=told.torn)
