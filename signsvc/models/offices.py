"""Offices that issue (出具组织)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

OfficeId = NewType("OfficeId", str)


class OfficeKind(StrEnum):
    """居民委员会 or 村民委员会: chooses 社区/村 and 居民/村民 in the form (Annex 4 B3, B9)."""

    COMMUNITY = "community"
    VILLAGE = "village"


@dataclass(frozen=True)
class Office:
    """A community office (基层群众性自治组织) that issues."""

    id: OfficeId
    name: str  # full legal name (domain 2.2)
    jurisdiction: str  # policy pack: "qinghai", "guangdong", "guangdong/a-city"
    county: str  # 示范区: county-level unit with its real suffix (Annex 4 B1)
    town: str  # 和平街道 (B2)
    community: str  # 幸福社区, 向阳村 (B3)
    kind: OfficeKind
    phone: str
    demo: bool
    title_prefix: str = ""  # before 基层群众性自治组织证明 (B0); empty: the community
    number_format: str = "{year}-{serial:06d}"
    seal_serial: str = ""  # digits along the lower rim of the seal, if it has them
    seal_image: str = ""  # path of the office's own PNG/SVG/PDF; empty: drawn from the name
