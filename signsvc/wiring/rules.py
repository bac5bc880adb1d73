"""The rules of this home: its offices, its catalogue, and the packs of their provinces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from signsvc import policy
from signsvc.config import Settings
from signsvc.errors import RowRefused, SettingsError
from signsvc.models import Issue, Office, OfficeId, Refuse, Request
from signsvc.policy import Catalogue, Pack
from signsvc.wiring.home import CATALOGUE, OFFICES


@dataclass(frozen=True)
class Rules:
    """Offices, catalogue and packs of this home, loaded once."""

    offices: Mapping[OfficeId, Office]
    catalogue: Catalogue
    strict: bool
    packs: dict[str, Pack] = field(default_factory=dict)

    @classmethod
    def load(cls, settings: Settings) -> Rules:
        """From the data files of the home; SettingsError names one that is missing."""
        return cls(
            policy.load_offices(_data(settings, OFFICES), OFFICES),
            policy.load_catalogue(_data(settings, CATALOGUE), CATALOGUE),
            settings.strict_policy,
        )

    def pack(self, province: str) -> Pack:
        if province not in self.packs:
            self.packs[province] = policy.load_pack(province)
        return self.packs[province]

    def find_office(self, request: Request) -> Office:
        return policy.find_office(self.offices, request.office, None)

    def decide(self, request: Request, office: Office, day: date) -> Issue:
        """The decision; a refusal is raised with every fault."""
        decision = policy.decide(
            request, office, self.catalogue, self.pack(office.province), day, self.strict
        )
        if isinstance(decision, Refuse):
            raise RowRefused(decision.faults)
        return decision


def _data(settings: Settings, name: str) -> str:
    try:
        return (settings.home / name).read_text("utf-8")
    except FileNotFoundError as error:
        raise SettingsError(f"缺少 {name}：请在 SIGNSVC_HOME 中放入本地的组织名单和保留清单") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"读不懂 {name}：应为 UTF-8 编码的文件") from error
