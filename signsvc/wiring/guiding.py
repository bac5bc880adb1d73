"""A process that tells residents what may be issued: the home's rules alone, no registry and no key.

The rules are loaded once and again when a file of theirs changes, so that a new edition shows without a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock

from signsvc.config import Settings
from signsvc.errors import PolicyError, SettingsError, SignsvcError
from signsvc.models import Office, OfficeId
from signsvc.policy.answer import Answer, answer
from signsvc.policy.asking import Place, Question
from signsvc.wiring.home import CATALOGUES, OFFICES, PACKS, now
from signsvc.wiring.packs import pack_files
from signsvc.wiring.rules import Rules

_LOG = logging.getLogger(__name__)
# The rules' files as they lie there: path, inode, size and time of each, and the day, for editions come into force.
_State = tuple[date, tuple[tuple[str, int, int, int], ...]]


@dataclass(frozen=True)
class Guidance:
    """The rules of one moment, as the public may ask them."""

    rules: Rules
    today: date

    @cached_property
    def offices(self) -> Mapping[str, tuple[Office, ...]]:
        """Every office of the home by its province's or city's jurisdiction, in the order of their file."""
        grouped: dict[str, list[Office]] = {}
        for office in self.rules.offices.values():
            grouped.setdefault(office.jurisdiction, []).append(office)
        return {jurisdiction: tuple(found) for jurisdiction, found in grouped.items()}

    def place_name(self, jurisdiction: str) -> str:
        """青海省."""
        return self.rules.pack(jurisdiction).nearest.name

    def places(self, office: OfficeId | None) -> tuple[Place, ...]:
        """The office, or each jurisdiction of the home; none if there is no such office."""
        if office is None:
            return tuple(Place(self.rules.pack(jurisdiction)) for jurisdiction in self.offices)
        chosen = self.rules.offices.get(office)
        return (self._place(chosen),) if chosen else ()

    def answer(self, question: Question, place: Place) -> Answer:
        return answer(question, place, self.today, self.rules.strict)

    def elsewhere(self, question: Question, place: Place) -> tuple[Place, ...]:
        """The offices whose retained lists have this name, where only their province was asked; those that cannot use
        their list are left out, and their own page says so."""
        if place.office:
            return ()
        asked = map(self._usable, self.offices[place.pack.jurisdiction])
        return tuple(found for found in asked if found and found.retains(question.name))

    def _usable(self, office: Office) -> Place | None:
        try:
            return self._place(office)
        except PolicyError:
            return None

    def _place(self, office: Office) -> Place:
        return Place(self.rules.pack(office.jurisdiction), office, self.rules.catalogue(office, self.today))


class Guide:
    """The home's rules as they are now, for many threads."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = now) -> None:
        self._settings = settings
        self._clock = clock
        self._loading = Lock()
        self._held: tuple[_State | None, Guidance | SignsvcError] | None = None

    def current(self) -> Guidance:
        """The rules of today; while a file of theirs is wrong, the error that says so (SignsvcError).

        One thread loads what has changed; the others answer from what was loaded before, and wait only at the start.
        """
        state = self._state()
        if self._stale(state) and self._loading.acquire(blocking=self._held is None):
            try:
                if self._stale(state):  # another thread may have loaded it while this one waited
                    self._held = state, self._load(self._clock().date())
            finally:
                self._loading.release()
        loaded = self._held[1] if self._held else SettingsError("本地规则尚未载入，请稍后再试")
        if isinstance(loaded, SignsvcError):
            raise loaded
        return loaded

    def _stale(self, state: _State | None) -> bool:
        return self._held is None or state is None or self._held[0] != state

    def _state(self) -> _State | None:
        """What the files look like now; None while they cannot be looked at, which is asked again each time."""
        try:
            return self._clock().date(), tuple(_files(self._settings.home))
        except OSError:
            return None

    def _load(self, today: date) -> Guidance | SignsvcError:
        """What is wrong is kept too: a broken file is not read again at every question."""
        try:
            guidance = Guidance(Rules.load(self._settings), today)
            guidance.places(None)  # a fault in a pack shows now, not at one office's question
        except SignsvcError as error:
            _LOG.error("%s", error)
            return error
        except OSError as error:
            _LOG.error("rules cannot be read: %s", error.strerror)
            return SettingsError(f"本地规则读不到：{error.strerror}")
        return guidance


def _files(home: Path) -> Iterator[tuple[str, int, int, int]]:
    """Where the rules lie, cheaply: a new edition is appended or put in place, and either changes one of these."""
    for file in (
        home / OFFICES,
        *sorted((home / CATALOGUES).glob("*")),
        *pack_files(home / PACKS),
    ):
        try:
            seen = file.stat()
        except OSError:
            continue  # what it is that cannot be looked at, loading says
        yield str(file), seen.st_ino, seen.st_size, seen.st_mtime_ns
