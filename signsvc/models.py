"""The nouns of signsvc: frozen dataclasses and NewTypes, nothing that does anything. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, NewType

from signsvc.errors import Fault

OfficeId = NewType("OfficeId", str)
# `{office}-{printed number}`, as in `qh-demo-2026-000001`; the printed part alone stands in 证明第____号.
Number = NewType("Number", str)
DocxBytes = NewType("DocxBytes", bytes)
PdfBytes = NewType("PdfBytes", bytes)
SealedPdf = NewType("SealedPdf", bytes)
# Lower-case hexadecimal SHA-256.
Sha256 = NewType("Sha256", str)
# What a character is printed as: text (仿宋) or heading (小标宋).
Role = Literal["body", "title"]
# After a font family, asks for its bold face: `Noto Serif CJK SC:bold`.
BOLD = ":bold"


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


class IdType(StrEnum):
    """Kinds of document a holder may show; the value is its printed name (domain 2.3)."""

    IDENTITY_CARD = "居民身份证"
    HK_MACAU_PERMIT = "港澳居民居住证"
    TAIWAN_PERMIT = "台湾居民居住证"
    FOREIGN_RESIDENT = "外国人永久居留身份证"
    PASSPORT = "护照"
    HOUSEHOLD_REGISTER = "户口簿"
    OTHER = "其他"


@dataclass(frozen=True)
class Request:
    """One row, normalised; whether it may be issued is not decided yet.

    `faults` are the row's own: it can never be issued with one, and a value that has a fault is blank here.
    """

    request_id: str
    office: str | None  # id or full name, as given
    matter: str
    addressee: str
    name: str
    id_type: IdType
    id_number: str
    valid_until: date  # inclusive, Beijing time
    verified_by: str
    verified_how: str  # 掌握信息 or 调查核实
    verified_on: date
    approved_by: str
    guardian: str | None = None
    guardian_relation: str | None = None
    guardian_consent: str | None = None
    statement: str | None = None
    slots: Mapping[str, str] = field(default_factory=dict)  # named slots, by their column
    legal_basis: str | None = None
    purpose: str | None = None
    issued_on: date | None = None  # None: today
    content: Mapping[str, str] = field(
        default_factory=dict
    )  # normalised cells as given: what "the same request" means
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Issue:
    """The decision: yes, with everything the form will say that comes from the catalogue."""

    matter: Matter
    basis: str  # printed 依据
    purpose: str
    statement: str  # printed 证明事项, slots filled
    statement_pattern: str  # the same with its slots as blanks, for whoever verifies
    policy: str  # document number of the pack in force that day
    policy_sha256: str = ""  # of the pack's files as they were read
    edition: str = ""  # of the catalogue: `list/number/digest`
    path: Path = Path.ORDINARY
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refuse:
    """The decision: no, and why, and where to go instead."""

    faults: tuple[Fault, ...]
    ways: tuple[str, ...] = ()  # alternatives, whoever may issue it, where to report an unreasonable demand
    notes: tuple[str, ...] = ()  # documents quoted whose validity is over
    policy: str = ""  # as in Issue
    policy_sha256: str = ""  # as in Issue
    edition: str = ""  # as in Issue


Decision = Issue | Refuse


@dataclass(frozen=True)
class Draft:
    """A certificate before it is sealed: everything that is printed, and nothing else."""

    number: Number
    printed_number: str  # 2026-000001
    code: str  # verification code (查验码), 16 characters, no separators
    office: Office
    addressee: str
    name: str
    id_type: IdType
    id_number: str
    basis: str
    statement: str
    purpose: str
    valid_until: date
    issued_on: date
    verify_url: str  # the page where number and code are typed
    qr_url: str  # the QR's target


@dataclass(frozen=True)
class Notice:
    """A notice of refusal (不予出具告知单) before it is a file: everything that is printed, and nothing else."""

    number: Number  # `{office}-J-{code}`: no certificate's
    office: Office
    name: str
    matter: str  # the certificate asked for, in the words of the request
    addressee: str
    decision: Refuse
    issued_on: date


@dataclass(frozen=True)
class SealPlace:
    """Where the seal goes: `page` from 0, its centre in PDF points (1/72 inch) from the page's lower left corner."""

    page: int
    x: float
    y: float


class Status(StrEnum):
    """Of a certificate in the registry. Expiry is not a status: it follows from valid_until."""

    ISSUED = "issued"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


class Standing(StrEnum):
    """How far a seal may be relied on (domain 2.14.5)."""

    DEMO = "demo"
    SELF_MANAGED = "self_managed"
    RECOGNISED = "recognised"


@dataclass(frozen=True)
class Certificate:
    """What the registry tells of an issued certificate: no full name, no identity number, no slot text."""

    office: OfficeId
    office_name: str
    office_phone: str
    number: Number
    matter: str
    statement_pattern: str
    purpose: str
    addressee: str
    legal_basis: str
    issued_on: date
    sealed_at: datetime
    valid_until: date
    holder: str  # first character + **
    medium: Medium
    policy: str
    demo: bool
    sha256: Sha256
    sm3: str
    signed_sha256: Sha256
    seal_certificate: Sha256  # of the leaf certificate's DER
    standing: Standing
    status: Status
    status_since: datetime
    index: int  # of its leaf in the log
    superseded_by: Number | None = None
    policy_sha256: str = ""  # of the policy pack as it was read; blank in records older than this field
    edition: str = ""  # of the retained list (保留清单): `list/number/digest`; likewise


@dataclass(frozen=True)
class Outcome:
    """What became of one request."""

    request_id: str
    status: str  # issued, unchanged, refused, failed
    number: Number | None = None
    code: str | None = None
    pdf: bytes | None = field(default=None, repr=False)
    sha256: Sha256 | None = None
    valid_until: date | None = None
    warnings: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    ways: tuple[str, ...] = ()  # what can be done instead of what was refused
