"""Verification: a number with its code, or a file, becomes a Report. Never raises on a bad document; fails closed.

By number:
 1. code      its length, alphabet and check character, before anything is asked of the registry
 2. registry  number and code together; an unknown number and a wrong code are one answer
 3. log       the record must be in the tree that the newest checkpoint signs
 4. status    as of the day asked for
 5. dates     valid_until is inclusive

By file:
 1. hash      the registry is asked for the exact bytes
 2. seal      the file is examined in a child process with limits, whatever the hash says
 3. registry  a good seal that is not registered is `not_found`, also a notice of refusal; known signed bytes in other
              bytes are `altered`
 4.–6.        log, status and dates as above

Offline the registry's part is taken by a proof bundle, if there is one: what was true when it was made.

What is shown comes from the registry or the bundle, never from text parsed out of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from signsvc.certificates import describe
from signsvc.errors import InputError
from signsvc.identity import clean_text, normalise_code, normalise_name, normalise_number, plain_id_number
from signsvc.models import Certificate, Sha256, Status
from signsvc.registry import Registry
from signsvc.report import (
    BEIJING,
    Check,
    Checked,
    Reason,
    Report,
    SealInfo,
    StatusEvent,
    Verdict,
    certificate_of,
    judge,
    notes,
    status_at,
)
from signsvc.seal.findings import Examination, Outcome

# What a file's examination means when it is not a good seal.
REFUSED = {
    Outcome.UNREADABLE: Verdict.UNREADABLE,
    Outcome.NOT_SEALED: Verdict.NOT_SEALED,
    Outcome.UNTRUSTED: Verdict.UNTRUSTED,
    Outcome.ALTERED: Verdict.ALTERED,
}
STATUS_VERDICTS = (Verdict.REVOKED, Verdict.SUPERSEDED, Verdict.SUSPENDED)


@dataclass(frozen=True)
class Bundle:
    """What a proof bundle proved: a clear record, its leaf's index, and the size of the log it was proven in."""

    record: Mapping[str, Any]
    index: int
    size: int

    def certificate(self) -> Certificate | None:
        """The certificate the record tells of; None if it is no record of an issue."""
        if self.record.get("kind") != "issued":
            return None
        sealed = datetime.fromisoformat(self.record["sealed_at"])
        return certificate_of(self.record, self.index, StatusEvent(Status.ISSUED, sealed))


@dataclass(frozen=True)
class Verifier:
    """What verification stands on: a registry, or offline a proof bundle, or neither."""

    registry: Registry | None
    examine: Callable[[bytes], Examination]
    clock: Callable[[], datetime]
    bundle: Bundle | None = None

    def claims(self, report: Report, claims: Mapping[str, str]) -> dict[str, bool]:
        """Whether each claim (`name`, `id_number`, …) is the certificate's: match or no match, never the value."""
        if self.registry is None or report.certificate is None or not claims:
            return {}
        normal = {field: text for field, raw in claims.items() if (text := _normal(field, raw))}
        return dict.fromkeys(claims, False) | self.registry.matches(report.certificate.number, normal)


@dataclass(frozen=True)
class _Case:
    """One verification under way: what was asked, on which day, and what was found so far."""

    verifier: Verifier
    checked: Checked
    as_of: date
    now: datetime
    checks: tuple[Check, ...] = ()

    def seen(self, *checks: Check) -> _Case:
        return replace(self, checks=self.checks + checks)

    def ends(self, verdict: Verdict) -> Report:
        """The Report of a case that never came to a certificate; every failed check is a reason."""
        reasons = tuple(Reason(check.code, check.detail) for check in self.checks if check.result == "fail")
        return Report(verdict, self.checked, self.checks, reasons, None, None, None, self.as_of, self.now)


def verify_number(verifier: Verifier, number: str, code: str, as_of: date | None = None) -> Report:
    """A Report by number and code; a malformed one is an InputError, and nothing was looked up."""
    known_form = _code(code)  # 1
    found = _registry(verifier).find(_number(number), known_form)  # 2
    return _registered(_case(verifier, "number", as_of), found)


def verify_code(verifier: Verifier, code: str, as_of: date | None = None) -> Report:
    """A Report by code alone, the QR's target: its 74 random bits find the certificate."""
    found = _registry(verifier).by_code(_code(code))
    return _registered(_case(verifier, "number", as_of), found)


def verify_file(verifier: Verifier, data: bytes, as_of: date | None = None) -> Report:
    """A Report on a file, which may be hostile; everything wrong with it becomes a verdict."""
    known = _known(verifier, Sha256(sha256(data).hexdigest()))  # 1
    found = verifier.examine(data)  # 2
    notice = () if known else _notice(verifier, data)
    case = _case(verifier, "file", as_of).seen(*found.checks, *notice)
    if found.outcome is not Outcome.SEALED:
        return case.ends(REFUSED[found.outcome])
    if notice:
        return case.ends(Verdict.NOT_FOUND)
    if verifier.registry is None and verifier.bundle is None:
        return case.ends(Verdict.SEALED_ONLY)
    if known is None and _signed_known(verifier, found):  # 3
        detail = "签章内容相同，但文件字节与出具时不同"
        return case.seen(Check("container", "fail", "other_container", detail)).ends(Verdict.ALTERED)
    return _registered(case, known)


def _case(verifier: Verifier, checked: Checked, as_of: date | None) -> _Case:
    now = verifier.clock().astimezone(BEIJING)
    return _Case(verifier, checked, as_of or now.date(), now)


def _known(verifier: Verifier, digest: Sha256) -> Certificate | None:
    if verifier.registry is not None:
        return verifier.registry.by_sha256(digest)
    proven = verifier.bundle.certificate() if verifier.bundle else None
    return proven if proven and proven.sha256 == digest else None


def _notice(verifier: Verifier, data: bytes) -> tuple[Check, ...]:
    """A notice of refusal is no certificate, sealed or not; who holds its very file is told what it is."""
    if verifier.registry is None or not verifier.registry.refusal_by_sha256(sha256(data).hexdigest()):
        return ()
    detail = "这是本系统登记的不予出具告知单，不是证明"
    return (Check("registry", "fail", "refusal_notice", detail),)


def _signed_known(verifier: Verifier, found: Examination) -> bool:
    if found.signed_sha256 is None:
        return False
    if verifier.registry is not None:
        return verifier.registry.by_signed_sha256(found.signed_sha256) is not None
    proven = verifier.bundle.certificate() if verifier.bundle else None
    return proven is not None and proven.signed_sha256 == found.signed_sha256


def _registered(case: _Case, certificate: Certificate | None) -> Report:
    """Log, status and dates of what the registry or the bundle gave."""
    if certificate is None:
        return case.seen(Check("registry", "fail", "not_found", "没有这一条登记")).ends(Verdict.NOT_FOUND)
    size = _attested(case.verifier, certificate)
    if size is None:
        # Somebody wrote into the registry without the log key, or the log has not caught up: rely on neither.
        torn = Check("log", "fail", "registry_inconsistent", "登记记录与防篡改日志不一致，请联系出具单位")
        return case.seen(torn).ends(Verdict.NOT_FOUND)
    history = _history(case.verifier, certificate)
    verdict = judge(certificate, history, case.as_of)
    case = case.seen(
        Check("registry", "pass", "ok", "已登记"),
        Check("log", "pass", "ok", "已在防篡改日志中"),
        _status_check(case.verifier, verdict),
        _date_check(verdict),
    )
    return Report(
        verdict,
        case.checked,
        case.checks,
        (*notes(certificate, status_at(history, case.as_of)), *_limits(case)),
        certificate,
        _seal(case.verifier, certificate),
        (certificate.index, size),
        case.as_of,
        case.now,
    )


def _seal(verifier: Verifier, certificate: Certificate) -> SealInfo:
    """Who vouched for the seal, and whether its certificate was in force. Revocation of seals is not kept yet."""
    der = verifier.registry.seal_certificate(certificate.seal_certificate) if verifier.registry else b""
    facts = describe(der)
    if facts.not_before is None or facts.not_after is None:
        return SealInfo(certificate.standing, "not_checked", facts.issuer)
    inside = facts.not_before <= certificate.sealed_at <= facts.not_after
    return SealInfo(certificate.standing, "within_dates" if inside else "outside_dates", facts.issuer)


def _attested(verifier: Verifier, certificate: Certificate) -> int | None:
    if verifier.registry is not None:
        return verifier.registry.attested(certificate.number)
    return verifier.bundle.size if verifier.bundle else None


def _history(verifier: Verifier, certificate: Certificate) -> Sequence[StatusEvent]:
    if verifier.registry is not None:
        return verifier.registry.history(certificate.number)
    return [StatusEvent(Status.ISSUED, certificate.sealed_at)]


def _limits(case: _Case) -> tuple[Reason, ...]:
    """What was not looked at, for whoever reads the verdict."""
    return tuple(Reason(check.code, check.detail) for check in case.checks if check.result == "skip")


def _status_check(verifier: Verifier, verdict: Verdict) -> Check:
    if verdict in STATUS_VERDICTS:
        return Check("status", "fail", verdict.value, "登记状态不是有效")
    if verifier.registry is None:
        return Check("status", "skip", "offline", "离线：出具之后是否被撤销或暂停，须联网查验")
    return Check("status", "pass", "ok", "未被撤销、暂停或换发")


def _date_check(verdict: Verdict) -> Check:
    if verdict in STATUS_VERDICTS:
        return Check("dates", "skip", "not_reached", "未核对日期")
    if verdict is Verdict.VALID:
        return Check("dates", "pass", "ok", "在有效期内")
    return Check("dates", "fail", verdict.value, "不在有效期内")


def _registry(verifier: Verifier) -> Registry:
    if verifier.registry is None:
        raise InputError("离线时无法按编号查验", "registry_needed")
    return verifier.registry


def _number(number: str) -> str:
    try:
        return normalise_number(number)
    except ValueError as error:
        raise InputError(str(error), "malformed_number") from error


def _code(code: str) -> str:
    try:
        return normalise_code(code)
    except ValueError as error:
        raise InputError(str(error), "malformed_code") from error


def _normal(field: str, raw: str) -> str | None:
    """A claimed value in the form in which it was registered; None for what no certificate can hold."""
    try:
        match field:
            case "name":
                return normalise_name(raw)[0]
            case "id_number":
                return plain_id_number(raw)
            case _:
                return clean_text(raw, 1000)
    except ValueError:
        return None
