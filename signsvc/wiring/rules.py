"""The rules of this home: its offices, their retained lists, and the policy packs of their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from signsvc import policy
from signsvc.config import Settings
from signsvc.errors import PolicyError, RowFailed, RowRefused, SettingsError
from signsvc.models import Decision, Issue, Office, OfficeId, Refuse, Request
from signsvc.policy import Catalogue, Pack
from signsvc.texts import chinese_date
from signsvc.wiring.home import CATALOGUES, OFFICES, now
from signsvc.wiring.lists import Held, Lists, load_lists
from signsvc.wiring.packs import source


@dataclass(frozen=True)
class Rules:
    """Offices, retained lists and packs of this home, loaded once."""

    offices: Mapping[OfficeId, Office]
    lists: Lists
    strict: bool
    home: Path
    packs: dict[str, Pack] = field(default_factory=dict)
    _held: dict[date, Mapping[OfficeId, Held]] = field(default_factory=dict)

    @classmethod
    def load(cls, settings: Settings) -> Rules:
        """From the home: SettingsError names a file that is missing, PolicyError one that cannot be read,
        CatalogueChanged a list whose journal is not as it was written. A list that some office cannot use today stops
        only that office; see `catalogue`."""
        offices = policy.load_offices(_data(settings.home / OFFICES), OFFICES)
        return cls(offices, load_lists(settings.home / CATALOGUES), settings.strict_policy, settings.home)

    @cached_property
    def slot_names(self) -> frozenset[str]:
        """Columns that a request file may have besides the fixed ones."""
        held = self._catalogues(_today()).values()
        return frozenset(name for found in held if isinstance(found, Catalogue) for name in found.slot_names)

    def catalogue(self, office: Office, day: date | None = None) -> Catalogue:
        """The office's list as it holds on that day, today unless given; an empty one if it has none.

        PolicyError if it has one that it cannot use, and what to do about it.
        """
        found = self._catalogues(day or _today()).get(office.id) or policy.no_catalogue(office.jurisdiction)
        if isinstance(found, PolicyError):
            raise PolicyError(str(found))
        return found

    def _catalogues(self, day: date) -> Mapping[OfficeId, Held]:
        if day not in self._held:
            self._held[day] = self.lists.on(day, self.offices)
        return self._held[day]

    def pack(self, jurisdiction: str) -> Pack:
        """The pack of a place: the home's own folders before those of the package."""
        if jurisdiction not in self.packs:
            self.packs[jurisdiction] = policy.load_pack(jurisdiction, source(self.home))
        return self.packs[jurisdiction]

    def find_office(self, request: Request) -> Office:
        return policy.find_office(self.offices, request.office, None)

    def decision(self, request: Request, office: Office, day: date) -> Decision:
        """The decision on a batch row, by the office's list and its own place's pack; RowFailed if it cannot use the
        list, for that is no word of the policy.

        One that is dated back must have been issuable on the day it bears as well, from the list as it was then.
        """
        dated = request.issued_on or day
        if dated < day and isinstance(then := self._decided_on(request, office, dated), Refuse):
            prefix = f"按出具日期{chinese_date(dated)}的清单和规定："
            return replace(
                then, faults=tuple(replace(one, message=prefix + one.message) for one in then.faults)
            )
        return self._decided_on(request, office, day)

    def _decided_on(self, request: Request, office: Office, day: date) -> Decision:
        pack = self.pack(office.jurisdiction)
        try:
            catalogue = self.catalogue(office, day)
        except PolicyError as error:
            raise RowFailed(str(error), error.code) from error
        return policy.decide(request, office, catalogue, pack, day, self.strict)

    def decide(self, request: Request, office: Office, day: date) -> Issue:
        """The same; a refusal is raised with every fault."""
        decision = self.decision(request, office, day)
        if isinstance(decision, Refuse):
            raise RowRefused(decision.faults, decision.ways)
        return decision


def _today() -> date:
    return now().date()


def _data(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError as error:
        raise SettingsError(f"缺少 {file.name}：请在 SIGNSVC_HOME 中放入本地的组织名单") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"读不懂 {file.name}：应为 UTF-8 编码的文件") from error
