"""What an office may certify: the items (证明事项) of its retained list, their bases and slots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from signsvc.models.offices import OfficeKind


class BasisKind(StrEnum):
    """What a legal basis (依据) is; only the first four may found a certificate (G16)."""

    LAW = "law"  # 法律
    REGULATION = "regulation"  # 行政法规
    LOCAL_REGULATION = "local_regulation"  # 地方性法规
    STATE_COUNCIL = "state_council"  # 国务院决定
    INTERPRETATION = "interpretation"  # 司法解释, quoted beside a law
    RULE = "rule"  # 规章
    NORMATIVE = "normative"  # 规范性文件


@dataclass(frozen=True)
class Basis:
    """One dated legal reference, down to the article (Q10, Q25, G16)."""

    kind: BasisKind
    title: str  # 《中华人民共和国民事诉讼法》（2023年修正）
    article: str  # 第六十一条第二款第三项
    number: str = ""  # 文号: 国务院令第498号; printed in brackets behind the title
    valid_from: date | None = None
    valid_to: date | None = None  # last day in force
    ended_by: str = ""
    text: str = ""
    issuer_named: bool = False  # the text itself names the committee as issuer (G16)

    @property
    def printed(self) -> str:
        """The reference as the form prints it."""
        return self.title + (f"（{self.number}）" if self.number else "") + self.article


class Path(StrEnum):
    """The way a matter is decided; only ORDINARY goes by batch (contract 4)."""

    ORDINARY = "ordinary"
    CONSULTATION = "consultation"  # 议事协商 (Q18, G15)
    RISK = "risk"  # 法律风险评估 (Q20)
    TRANSITIONAL = "transitional"  # 过渡期 (Q19, G27)


class Handling(StrEnum):
    """办结类型: done while the applicant waits, or within a number of working days (Q16)."""

    ON_THE_SPOT = "on_the_spot"  # 当场办结
    TIMED = "timed"  # 限时办结


class Medium(StrEnum):
    """What counts as the original: the sealed file, or paper under a wet seal (电子签名法 art. 3)."""

    ELECTRONIC = "electronic"
    PAPER = "paper"


@dataclass(frozen=True)
class Slot:
    """A blank in a matter's statement. `free` is 允许自填: any text, screened against the not-to-issue names."""

    name: str  # 情况说明; also the header of its column
    free: bool = False
    max_length: int = 100
    default: str | None = None  # None: must be given


@dataclass(frozen=True)
class Matter:
    """An item (证明事项) of an office's catalogue (保留清单)."""

    id: str
    name: str
    pattern: str  # 其属于本社区居民，{情况说明}
    purposes: tuple[str, ...]
    addressee: str  # 证明索要单位
    bases: tuple[Basis, ...]
    owner: str  # 责任部门: who demands it answers for it (G4)
    aliases: tuple[str, ...] = ()
    handled: str = ""  # 涉及办理事项名称
    slots: tuple[Slot, ...] = ()
    path: Path = Path.ORDINARY
    medium: Medium = Medium.ELECTRONIC
    office_kinds: tuple[OfficeKind, ...] = (OfficeKind.COMMUNITY, OfficeKind.VILLAGE)
    handling: Handling = Handling.ON_THE_SPOT
    limit_days: int | None = None  # working days; only for TIMED
    can_verify: bool = True  # 是否有能力核实证明内容
    conflict_reason: str = ""  # why a name on a not-to-issue list is kept all the same
    issuer_reason: str = ""  # why the office certifies though no basis names it as issuer (G16)
    justification: str = ""  # 必要性、可行性、可替代性、法律风险论证, for a local regulation (G17)
    necessity: str = ""  # 必要性 (Q2)
    yearly_count: int | None = None  # 年办理数量 (G2)
    reason: str = ""  # 保留理由 (G3)
    channel: str = ""  # 办理渠道
    note: str = ""  # 备注
    demo: bool = False

    @property
    def public_interest(self) -> bool:
        """Touches the community's interest or most residents': consultation first (Q18)."""
        return self.path is Path.CONSULTATION
