"""What a single case (个案) brings with it beside the request: consultation, investigation, risk, transition.

A batch row has none of it. Each record tells what it still lacks, in words for the clerk; a path is open when nothing
is lacking.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Finding(StrEnum):
    """Conclusion of an investigation (Q17)."""

    TRUE = "true"  # 属实
    FALSE = "false"  # 不属实
    UNVERIFIABLE = "unverifiable"  # 无法核实


class Demand(StrEnum):
    """Why a matter that should not be certified is asked for all the same (Q19, G27)."""

    POLICY_GAP = "policy_gap"  # 政策措施衔接不到位
    CIVIL_PARTY = "civil_party"  # 民商事主体明确要求


@dataclass(frozen=True)
class Consultation:
    """A residents' consultation (议事协商), agreed to and signed by the head of the office (Q18, G15).

    Agreed means more than half of those present, as for residents' and villagers' assemblies (居民委员会组织法 art. 10,
    村民委员会组织法 art. 22).
    """

    held_on: date | None = None
    place: str = ""
    method: str = ""  # 居民会议、居民代表会议、议事协商会 …
    convener: str = ""
    attendees: int = 0
    in_favour: int = 0
    procedure: str = ""  # how it was decided: show of hands, ballot (议事协商决策程序)
    agreed: bool = False  # 经居民群众讨论同意
    minutes: str = ""  # reference of the minutes in the case file
    signed_by: str = ""  # 负责人
    signed_on: date | None = None

    def lacking(self, today: date) -> tuple[str, ...]:
        """What is missing before the certificate may be issued."""
        told = _blank(self, _CONSULTATION)
        if not (self.agreed and self.attendees < 2 * self.in_favour <= 2 * self.attendees):
            told.append("居民群众讨论同意的结果（到会人数的过半数赞成）")
        days = [day for day in (self.held_on, self.signed_on, today) if day is not None]
        if days != sorted(days):
            told.append("合理的先后日期（先协商、后签字，均不晚于今天）")
        return tuple(told)


_CONSULTATION = {
    "held_on": "协商日期",
    "place": "协商地点",
    "method": "协商方式",
    "convener": "召集人",
    "procedure": "决策程序",
    "minutes": "会议记录",
    "signed_by": "负责人签字",
    "signed_on": "签字日期",
}


@dataclass(frozen=True)
class Investigation:
    """What was found out, by whom, how and when (调查核实, Q17)."""

    by: str = ""
    method: str = ""
    on: date | None = None
    finding: Finding | None = None

    def lacking(self, today: date) -> tuple[str, ...]:
        """What is missing; a finding other than 属实 carries no certificate."""
        told = _blank(self, {"by": "调查人", "method": "调查方式", "on": "调查日期"})
        if self.on and self.on > today:
            told.append("不晚于今天的调查日期")
        if self.finding is not Finding.TRUE:
            told.append("结论为属实的调查核实")
        return tuple(told)


@dataclass(frozen=True)
class RiskAssessment:
    """The legal risk of issuing, and what was done against it (法律风险评估, Q20)."""

    risks: str = ""
    level: str = ""
    precautions: str = ""
    by: str = ""
    on: date | None = None
    may_issue: bool = False  # the opinion it ends in

    def lacking(self, today: date) -> tuple[str, ...]:
        """What is missing before the certificate may be issued."""
        told = _blank(self, _ASSESSMENT)
        if self.on and self.on > today:
            told.append("不晚于今天的评估日期")
        if not self.may_issue:
            told.append("可以出具的评估意见")
        return tuple(told)


_ASSESSMENT = {
    "risks": "风险点",
    "level": "风险等级",
    "precautions": "防范措施",
    "by": "评估人",
    "on": "评估日期",
}


@dataclass(frozen=True)
class Transition:
    """The four conditions of the transitional path (过渡期), and the evidence of the demand (Q19, G27)."""

    reason: Demand | None = None
    requester: str = ""  # 索要单位
    evidence: str = ""  # reference of what shows the demand
    within_duties: bool = False  # 属于自身职责范围
    verifiable: bool = False  # 能够核实

    def lacking(self) -> tuple[str, ...]:
        """Which conditions are not met."""
        told = _blank(self, {"reason": "仍需办理的原因", "requester": "索要单位", "evidence": "索要的凭据"})
        if not self.within_duties:
            told.append("属于自身职责范围的确认")
        if not self.verifiable:
            told.append("能够核实的确认")
        return tuple(told)


@dataclass(frozen=True)
class Circumstances:
    """A case on the desk. The flags may be set on the case where the catalogue sets none on its matter."""

    public_interest: bool = False  # 涉及公共利益或者多数居民切身利益
    legal_risk: bool = False  # 可能涉及法律风险
    consultation: Consultation = Consultation()
    investigation: Investigation = Investigation()
    assessment: RiskAssessment = RiskAssessment()
    transition: Transition | None = None

    def lacking_for_risk(self, today: date) -> tuple[str, ...]:
        """Risk needs all three: investigated, consulted, assessed (Q20)."""
        return (
            *self.investigation.lacking(today),
            *self.consultation.lacking(today),
            *self.assessment.lacking(today),
        )


def _blank(record: object, names: dict[str, str]) -> list[str]:
    """The Chinese names of fields that were left empty, or hold nothing but spaces."""
    return [said for key, said in names.items() if not str(getattr(record, key) or "").strip()]
