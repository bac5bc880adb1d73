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
from signsvc.errors import SignsvcError
from signsvc.models import Office, OfficeId
from signsvc.policy.answer import Answer, answer
from signsvc.policy.asking import Place, Question
from signsvc.wiring.home import CATALOGUES, OFFICES, PACKS, now
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

    def elsewhere(self, question: Question, place: Place) -> tuple[Answer, ...]:
        """Answers of the offices whose retained lists have this name, where only their province was asked."""
        if place.office:
            return ()
        asked = (self._place(office) for office in self.offices[place.pack.jurisdiction])
        return tuple(self.answer(question, place) for place in asked if place.retains(question.name))

    def _place(self, office: Office) -> Place:
        return Place(self.rules.pack(office.jurisdiction), office, self.rules.catalogue(office, self.today))


class Guide:
    """The home's rules as they are now, for many threads."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = now) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._state: _State | None = None
        self._loaded: Guidance | SignsvcError | None = None

    def current(self) -> Guidance:
        """The rules of today; raises PolicyError or SettingsError while a file of theirs is wrong."""
        with self._lock:
            state = (self._clock().date(), tuple(_files(self._settings.home)))
            if self._loaded is None or state != self._state:
                self._loaded, self._state = self._load(state[0]), state
            loaded = self._loaded
        if isinstance(loaded, SignsvcError):
            raise loaded
        return loaded

    def _load(self, today: date) -> Guidance | SignsvcError:
        """What is wrong is kept too: a broken file is not read again at every question."""
        try:
            guidance = Guidance(Rules.load(self._settings), today)
            for offices in guidance.offices.values():
                guidance.places(
                    offices[0].id
                )  # a fault in a pack or list shows now, not at one office's question
        except SignsvcError as error:
            _LOG.error("%s", error)
            return error
        return guidance


def _files(home: Path) -> Iterator[tuple[str, int, int, int]]:
    """Where the rules lie, cheaply: a new edition is appended or put in place, and either changes one of these."""
    for file in (
        home / OFFICES,
        *sorted((home / CATALOGUES).glob("*")),
        *sorted((home / PACKS).rglob("*.toml")),
    ):
        try:
            seen = file.stat()
        except FileNotFoundError:
            continue
        yield str(file), seen.st_ino, seen.st_size, seen.st_mtime_ns
