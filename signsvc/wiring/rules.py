"""The rules of this home: its offices, their retained lists, and the policy packs of their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from signsvc import policy
from signsvc.config import Settings
from signsvc.errors import RowRefused, SettingsError
from signsvc.models import Decision, Issue, Office, OfficeId, Refuse, Request
from signsvc.policy import Catalogue, Pack
from signsvc.wiring.home import CATALOGUES, OFFICES, now
from signsvc.wiring.lists import Lists, load_lists
from signsvc.wiring.packs import source


@dataclass(frozen=True)
class Rules:
    """Offices, retained lists and packs of this home, loaded once."""

    offices: Mapping[OfficeId, Office]
    lists: Lists
    strict: bool
    home: Path
    packs: dict[str, Pack] = field(default_factory=dict)
    _held: dict[date, Mapping[OfficeId, Catalogue]] = field(default_factory=dict)

    @classmethod
    def load(cls, settings: Settings) -> Rules:
        """From the home: SettingsError names a file that is missing, PolicyError one that is wrong today,
        CatalogueChanged a list whose journal is not as it was written."""
        rules = cls.read(settings)
        rules._catalogues(_today())
        return rules

    @classmethod
    def read(cls, settings: Settings) -> Rules:
        """The same, but whether the lists can be used is not asked yet: for who will put them right."""
        offices = policy.load_offices(_data(settings.home / OFFICES), OFFICES)
        return cls(offices, load_lists(settings.home / CATALOGUES), settings.strict_policy, settings.home)

    @cached_property
    def slot_names(self) -> frozenset[str]:
        """Columns that a request file may have besides the fixed ones."""
        return frozenset(
            name for catalogue in self._catalogues(_today()).values() for name in catalogue.slot_names
        )

    def catalogue(self, office: Office, day: date | None = None) -> Catalogue:
        """The office's list as it holds on that day, today unless given; an empty one if it has none."""
        return self._catalogues(day or _today()).get(office.id) or policy.no_catalogue(office.jurisdiction)

    def _catalogues(self, day: date) -> Mapping[OfficeId, Catalogue]:
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
        """The decision on a batch row."""
        pack = self.pack(office.jurisdiction)
        return policy.decide(request, office, self.catalogue(office, day), pack, day, self.strict)

    def decide(self, request: Request, office: Office, day: date) -> Issue:
        """The same; a refusal is raised with every fault."""
        decision = self.decision(request, office, day)
        if isinstance(decision, Refuse):
            raise RowRefused(decision.faults)
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
