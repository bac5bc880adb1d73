"""What a verification says: verdict, checks, reasons, and what the certificate is. Pure.

One Report makes the page, the JSON and the lines on the terminal. It holds no full name, no identity number and
nothing that filled a slot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Literal

from signsvc.models import Certificate, Medium, Number, OfficeId, Sha256, Standing, Status
from signsvc.statuses import REASONS, Event, after
from signsvc.texts import Text

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")


class Verdict(StrEnum):
    """In the order in which they apply: the first that is true is the verdict."""

    UNREADABLE = "unreadable"
    NOT_SEALED = "not_sealed"
    UNTRUSTED = "untrusted"
    ALTERED = "altered"
    NOT_FOUND = "not_found"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    SUSPENDED = "suspended"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    VALID = "valid"
    SEALED_ONLY = "sealed_only"  # offline, without registry facts


Checked = Literal["number", "file", "hash"]
# Without words: a certificate that was found is told by its own number, whatever that looks like.
_PLAIN_NUMBER = re.compile(r"[0-9A-Za-z()\[\]〔〕./-]{1,80}")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `code` is stable, `detail` is for people."""

    name: str
    result: Literal["pass", "fail", "skip"]
    code: str
    detail: str = ""


@dataclass(frozen=True)
class Reason:
    """Why the verdict is what it is, or what a reader must know beside it."""

    code: str
    message: str


@dataclass(frozen=True)
class StatusEvent:
    """A change of status (撤销, 暂停 …) as the log tells it."""

    status: Status
    at: datetime
    reason: str = ""  # key of the public list of reasons
    superseded_by: Number | None = None


@dataclass(frozen=True)
class SealInfo:
    """How far the seal may be relied on, and who vouched for it."""

    standing: Standing
    status_at_sealing: str  # good, revoked, expired, not_yet_valid, not_checked
    issuer: str


@dataclass(frozen=True)
class Asked:
    """What was asked about: a number or the SHA-256 of a file, as far as they are well-formed; never the code."""

    number: str | None = None
    sha256: str | None = None

    @classmethod
    def by_number(cls, number: str) -> Asked:
        """Only what has the plain form of a number: whoever asks must not get his own sentences signed."""
        return cls(number=number if _PLAIN_NUMBER.fullmatch(number) else None)


@dataclass(frozen=True)
class Report:
    """The answer. `rely` is the one boolean for machines: valid today, every check passed (offline the status is not
    one of them), under a recognised seal, and no demonstration."""

    verdict: Verdict
    checked: Checked
    checks: tuple[Check, ...]
    reasons: tuple[Reason, ...]
    certificate: Certificate | None
    seal: SealInfo | None
    log: tuple[int, int] | None  # index, size
    as_of: date
    checked_at: datetime
    asked: Asked = Asked()

    @property
    def rely(self) -> bool:
        return (
            self.verdict is Verdict.VALID
            and self.as_of == self.checked_at.astimezone(BEIJING).date()
            and all(check.result == "pass" for check in self.checks)
            and self.certificate is not None
            and not self.certificate.demo
            and self.seal is not None
            and self.seal.standing is Standing.RECOGNISED
            and self.certificate.medium is Medium.ELECTRONIC
        )

    def as_json(self) -> dict[str, Any]:
        """The Report as banks' machines read it; times are RFC 3339 in Beijing time."""
        return {
            "verdict": self.verdict.value,
            "rely": self.rely,
            "checked": self.checked,
            "asked": vars(self.asked),
            "checks": [vars(check) for check in self.checks],
            "reasons": [vars(reason) for reason in self.reasons],
            "certificate": certificate_json(self.certificate) if self.certificate else None,
            "seal": vars(self.seal) if self.seal else None,
            "log": {"index": self.log[0], "size": self.log[1]} if self.log else None,
            "as_of": self.as_of.isoformat(),
            "checked_at": rfc3339(self.checked_at),
        }


def certificate_of(record: Mapping[str, Any], index: int, event: StatusEvent) -> Certificate:
    """The certificate that an issued entry's clear record tells of; `event` is its newest status, `index` its leaf."""
    return Certificate(
        office=OfficeId(record["office"]),
        office_name=record["office_name"],
        office_phone=record["office_phone"],
        number=Number(record["number"]),
        matter=record["matter"],
        statement_pattern=record["statement_pattern"],
        purpose=record["purpose"],
        addressee=record["addressee"],
        legal_basis=record["legal_basis"],
        issued_on=date.fromisoformat(record["issued_on"]),
        sealed_at=datetime.fromisoformat(record["sealed_at"]),
        valid_until=date.fromisoformat(record["valid_until"]),
        holder=record["holder"],
        medium=Medium(record["medium"]),
        policy=record["policy"],
        demo=record["demo"],
        sha256=Sha256(record["sha256"]),
        sm3=record["sm3"],
        signed_sha256=Sha256(record["signed_sha256"]),
        seal_certificate=Sha256(record["seal_certificate"]),
        standing=Standing(record["standing"]),
        status=event.status,
        status_since=event.at,
        index=index,
        superseded_by=event.superseded_by,
        policy_sha256=record.get("policy_sha256", ""),
        edition=record.get("edition", ""),
    )


def certificate_json(certificate: Certificate) -> dict[str, Any]:
    """The public face of a certificate, as in Report."""
    return {
        "office": {
            "id": certificate.office,
            "name": certificate.office_name,
            "phone": certificate.office_phone,
        },
        "number": certificate.number,
        "matter": certificate.matter,
        "statement_pattern": certificate.statement_pattern,
        "purpose": certificate.purpose,
        "addressee": certificate.addressee,
        "legal_basis": certificate.legal_basis,
        "issued_on": certificate.issued_on.isoformat(),
        "sealed_at": rfc3339(certificate.sealed_at),
        "valid_until": certificate.valid_until.isoformat(),
        "status": certificate.status.value,
        "status_since": rfc3339(certificate.status_since),
        "superseded_by": certificate.superseded_by,
        "holder": certificate.holder,
        "medium": certificate.medium.value,
        "policy": certificate.policy,
        "policy_sha256": certificate.policy_sha256,
        "edition": certificate.edition,
        "demo": certificate.demo,
        "sha256": certificate.sha256,
        "signed_sha256": certificate.signed_sha256,
    }


def rfc3339(moment: datetime) -> str:
    """2026-11-21T09:30:00+08:00."""
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")


def history_of(issue: Mapping[str, Any], later: Iterable[Mapping[str, Any]]) -> tuple[StatusEvent, ...]:
    """What became of a certificate, as the clear records of its entries tell, its issue first.

    ValueError if they cannot have followed one another: one was left out between them, or is no change of status.
    """
    if issue["kind"] != "issued":
        raise ValueError("this is not the issue of a certificate")
    found = [StatusEvent(Status.ISSUED, datetime.fromisoformat(issue["registered_at"]))]
    for record in later:
        status = after(found[-1].status, Event(record["kind"]))
        if status is None:
            raise ValueError("these changes of status cannot have followed one another")
        at = datetime.fromisoformat(record["registered_at"])
        found.append(StatusEvent(status, at, record.get("reason", ""), record.get("superseded_by")))
    return tuple(found)


def status_at(history: Sequence[StatusEvent], as_of: date) -> StatusEvent | None:
    """The last event by the end of that day in Beijing; for days to come, the last there is. In log order."""
    happened = [event for event in history if event.at.astimezone(BEIJING).date() <= as_of]
    return happened[-1] if happened else None


def judge(certificate: Certificate, event: StatusEvent | None, as_of: date) -> Verdict:
    """Verdict of a registered certificate on a day, `event` being what its status was by: status, then the dates;
    valid_until is inclusive."""
    match event.status if event else Status.ISSUED:
        case Status.REVOKED:
            return Verdict.REVOKED
        case Status.SUPERSEDED:
            return Verdict.SUPERSEDED
        case Status.SUSPENDED:
            return Verdict.SUSPENDED
    if as_of < certificate.issued_on:
        return Verdict.NOT_YET_VALID
    if as_of > certificate.valid_until:
        return Verdict.EXPIRED
    return Verdict.VALID


STANDING_NAMES = {
    Standing.DEMO: "演示签章",
    Standing.SELF_MANAGED: "自建签章：只证明文件未被改动，不等同法定电子印章",
    Standing.RECOGNISED: "认可的电子印章",
}
STANDING_NOTES = {
    Standing.DEMO: Reason("demo_data", "演示数据，无法律效力"),
    Standing.SELF_MANAGED: Reason("seal_self_managed", STANDING_NAMES[Standing.SELF_MANAGED]),
}


_WHY = {
    Status.ISSUED: "恢复原因：{reason}",
    Status.SUSPENDED: "暂停原因：{reason}",
    Status.REVOKED: "撤销原因：{reason}",
    Status.SUPERSEDED: "换发原因：{reason}",
}
_LATER = {
    Status.ISSUED: ("resumed_later", "按{day}的情况；此后已于{since}恢复"),
    Status.SUSPENDED: ("suspended_later", "按{day}的情况；此后已于{since}暂停"),
    Status.REVOKED: ("revoked_later", "按{day}的情况；此后已于{since}撤销"),
    Status.SUPERSEDED: ("superseded_later", "按{day}的情况；此后已于{since}换发"),
}


def notes(certificate: Certificate, event: StatusEvent | None) -> tuple[Reason, ...]:
    """What a reader must know beside the verdict: standing of the seal, paper original, why the status changed."""
    found: list[Reason] = []
    if note := STANDING_NOTES.get(certificate.standing):
        found.append(note)
    if certificate.medium is Medium.PAPER:
        found.append(Reason("paper_original", "以加盖公章的纸质件为准"))
    return (*found, *(_of_event(event) if event else ()))


def _of_event(event: StatusEvent) -> Iterator[Reason]:
    """Why the status is what it is; that it was replaced because it was replaced is said once."""
    if event.reason == event.status == Status.SUPERSEDED:
        yield Reason(event.reason, "已换发新的证明")
    elif event.reason:
        words = Text(_WHY[event.status], reason=REASONS.get(event.reason, event.reason))
        yield Reason(event.reason, words)
    if event.superseded_by:
        yield Reason("superseded_by", Text("已换发为 {number}", number=event.superseded_by))


def changed_later(then: StatusEvent | None, now: StatusEvent, as_of: date) -> tuple[Reason, ...]:
    """What an answer for an earlier day must say first, if the status has changed since: `revoked_later`, …"""
    if now.status is (then.status if then else Status.ISSUED):
        return ()
    code, words = _LATER[now.status]
    since = now.at.astimezone(BEIJING).date()
    return (Reason(code, Text(words, day=as_of, since=since)),)


def headline(report: Report) -> str:
    """The verdict first, in plain words; a demonstration never reads as more than one."""
    text = _headline(report)
    if report.certificate and report.certificate.demo:
        return Text("演示数据，无法律效力：{verdict}", verdict=text)
    return text


def _headline(report: Report) -> str:
    certificate = report.certificate
    match report.verdict:
        case Verdict.VALID if report.checked == "number":
            return "登记信息相符，在有效期内（未核对文件内容）"
        case Verdict.VALID:
            return "文件未被改动，在有效期内"
        case Verdict.EXPIRED if certificate:
            return Text("已于{day}过期", day=certificate.valid_until)
        case Verdict.REVOKED:
            return "已撤销，不得使用"
        case Verdict.SUPERSEDED:
            return "已换发，本件不再有效"
        case Verdict.SUSPENDED:
            return "已暂停使用，请联系出具单位"
        case Verdict.NOT_YET_VALID:
            return "尚未生效"
        case Verdict.NOT_FOUND if any(reason.code == "refusal_notice" for reason in report.reasons):
            return "这是不予出具告知单，不是证明"
        case Verdict.NOT_FOUND if report.checked == "number":
            return "未查到：编号或查验码不符，或尚未上传；请联系出具单位"
        case Verdict.NOT_FOUND:
            return "未查到：本登记系统没有这份文件；请联系出具单位"
        case Verdict.ALTERED:
            return "文件已被改动，与出具时不一致"
        case Verdict.UNTRUSTED if certificate:
            return "盖章时签章证书已被撤销或不在有效期内，不得采信"
        case Verdict.UNTRUSTED:
            return "签章不是本系统登记的出具单位所加盖"
        case Verdict.NOT_SEALED:
            return "文件没有电子签章"
        case Verdict.SEALED_ONLY:
            return "签章完好；离线状态下未核对登记信息和有效期"
        case _:
            return "文件无法读取，不是本系统出具的文件或已损坏"


def blanks(pattern: str) -> str:
    """A statement's pattern with its slots as blanks: what filled them is nobody's business here."""
    return re.sub(r"\{([^{}]*)\}", r"＿＿（\1）", pattern)
