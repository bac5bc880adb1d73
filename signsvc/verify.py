"""Verification: a number with its code, or a file, becomes a Report. Never raises on a bad document; fails closed.

By number:
 1. code      its length, alphabet and check character, before anything is asked of the registry
 2. registry  number and code together; an unknown number and a wrong code are one answer
 3. log       the record must be in the tree that the newest checkpoint signs
 4. seal      its certificate must have been in force when it sealed; what became of that later changes nothing
 5. status    as of the day asked for
 6. dates     valid_until is inclusive

By file:
 1. hash      the registry is asked for the exact bytes. What it knows, a certificate or a notice of refusal, is not
              parsed: it was examined before it was registered
 2. file      any other file is examined in a child process with limits; so is every file where the asker brings a root
              of his own, for he asks whose seal it is, or is offline
 3. registry  a good seal that is not registered is `not_found`, also a notice of refusal; known signed bytes in other
              bytes are `altered`
 then log, seal, status and dates as above

By hash: the registry's part of the same, about a file that stays with the asker.

Offline the registry's part is taken by a proof bundle, if there is one: what was true when it was made.

What is shown comes from the registry or the bundle, never from text parsed out of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from signsvc.certificates import describe
from signsvc.errors import InputError
from signsvc.identity import clean_text, normalise_code, normalise_name, normalise_number, plain_id_number
from signsvc.models import Sha256, Status
from signsvc.registry import Known, Registry
from signsvc.report import (
    BEIJING,
    Asked,
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
from signsvc.revocations import Force, InForce, Revoked, force
from signsvc.seal.findings import Examination, Outcome
from signsvc.texts import Text

# What a file's examination means when it is not a good seal.
REFUSED = {
    Outcome.UNREADABLE: Verdict.UNREADABLE,
    Outcome.NOT_SEALED: Verdict.NOT_SEALED,
    Outcome.UNTRUSTED: Verdict.UNTRUSTED,
    Outcome.ALTERED: Verdict.ALTERED,
}
STATUS_VERDICTS = (Verdict.REVOKED, Verdict.SUPERSEDED, Verdict.SUSPENDED)
REGISTERED_BYTES = Check("file", "pass", "registered_bytes", "文件与登记的原件逐字节相同")
OTHER_CONTAINER = Check("container", "fail", "other_container", "签章内容相同，但文件字节与出具时不同")
NOT_REGISTERED = Check("registry", "fail", "not_found", "没有这一条登记")
NOTICE = Check("registry", "fail", "refusal_notice", "这是本系统登记的不予出具告知单，不是证明")
# Somebody wrote into the registry without the log key, or the log has not caught up: neither is relied on.
TORN = Check("log", "fail", "registry_inconsistent", "登记记录与防篡改日志不一致，请联系出具单位")
SEAL_CHECKS = {
    InForce.GOOD: Check("seal_certificate", "pass", "ok", "盖章时签章证书有效"),
    InForce.REVOKED: Check("seal_certificate", "fail", "seal_revoked", "盖章时签章证书已被撤销"),
    InForce.EXPIRED: Check("seal_certificate", "fail", "seal_expired", "盖章时签章证书已过期"),
    InForce.NOT_YET_VALID: Check("seal_certificate", "fail", "seal_not_yet_valid", "盖章时签章证书尚未生效"),
    InForce.NOT_CHECKED: Check(
        "seal_certificate", "skip", "seal_not_checked", "未核对盖章时签章证书是否有效"
    ),
}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Bundle:
    """What a proof bundle proved: a clear record, its leaf's index, and the size of the log it was proven in.

    `listed_at` is the time of a list of stopped certificates that was brought along, `stop` what it says of this one,
    `checks` what else was looked at.
    """

    record: Mapping[str, Any]
    index: int
    size: int
    listed_at: datetime | None = None
    stop: StatusEvent | None = None
    checks: tuple[Check, ...] = ()

    def known(self) -> Known | None:
        """The certificate the record tells of, as it was issued or stopped; None if it is no record of an issue."""
        if self.record.get("kind") != "issued":
            return None
        issued = StatusEvent(Status.ISSUED, datetime.fromisoformat(self.record["sealed_at"]))
        history = (issued, self.stop) if self.stop else (issued,)
        return Known(certificate_of(self.record, self.index, history[-1]), history, self.size, ())


@dataclass(frozen=True)
class Verifier:
    """What verification stands on: a registry, or offline a proof bundle, or neither.

    `revoked` tells which certificates of seals are revoked, as far as is known at the moment. With `examines_all` a
    file is examined even if the registry knows its bytes.
    """

    registry: Registry | None
    examine: Callable[[bytes], Examination]
    clock: Callable[[], datetime]
    bundle: Bundle | None = None
    revoked: Callable[[], Revoked] = dict
    examines_all: bool = True

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
    asked: Asked
    as_of: date
    now: datetime
    checks: tuple[Check, ...] = ()

    def seen(self, *checks: Check) -> _Case:
        return replace(self, checks=self.checks + checks)

    def ends(self, verdict: Verdict) -> Report:
        """The Report of a case that never came to a certificate."""
        failed = self.told("fail")
        return Report(
            verdict, self.checked, self.checks, failed, None, None, None, self.as_of, self.now, self.asked
        )

    def told(self, result: str) -> tuple[Reason, ...]:
        """The checks with this result as reasons, for whoever reads the verdict."""
        return tuple(Reason(check.code, check.detail) for check in self.checks if check.result == result)


def verify_number(verifier: Verifier, number: str, code: str, as_of: date | None = None) -> Report:
    """A Report by number and code; a malformed one is an InputError, and nothing was looked up."""
    known_form, plain = _code(code), _number(number)  # 1
    found = _registry(verifier).find(plain, known_form)  # 2
    return _registered(_case(verifier, "number", Asked.by_number(plain), as_of), found)


def verify_code(verifier: Verifier, code: str, as_of: date | None = None) -> Report:
    """A Report by code alone, the QR's target: its 74 random bits find the certificate."""
    found = _registry(verifier).by_code(_code(code))
    return _registered(_case(verifier, "number", Asked(), as_of), found)


def verify_hash(verifier: Verifier, sha256: str, as_of: date | None = None) -> Report:
    """A Report on the file with this SHA-256 (64 hexadecimal digits); a malformed one is an InputError."""
    digest = _sha256(sha256)
    found = _registry(verifier).by_sha256(digest)
    return _registered(_case(verifier, "hash", Asked(sha256=digest), as_of), found)


def verify_item(verifier: Verifier, item: Mapping[str, str], as_of: date | None = None) -> Report:
    """A Report on one item of many, `{number, code}` or `{sha256}`; a malformed one becomes a Report too."""
    try:
        match item:
            case {"sha256": str(digest), **others} if not others:
                return verify_hash(verifier, digest, as_of)
            case {"number": str(number), "code": str(code), **others} if not others:
                return verify_number(verifier, number, code, as_of)
        raise InputError("每一项应有编号和查验码，或有文件的 SHA-256", "malformed_item")
    except InputError as error:
        case = _case(verifier, "hash" if "sha256" in item else "number", Asked(), as_of)
        return case.seen(Check("request", "fail", error.code, str(error))).ends(Verdict.NOT_FOUND)


def verify_file(verifier: Verifier, data: bytes, as_of: date | None = None) -> Report:
    """A Report on a file, which may be hostile; everything wrong with it becomes a verdict."""
    digest = Sha256(sha256(data).hexdigest())
    case = _case(verifier, "file", Asked(sha256=digest), as_of)
    known = _known(verifier, digest)  # 1
    if not verifier.examines_all and (known or _is_notice(case)):
        return _registered(case.seen(REGISTERED_BYTES), known)
    found = verifier.examine(data)  # 2
    case = case.seen(*found.checks)
    if found.outcome is not Outcome.SEALED:
        return case.ends(REFUSED[found.outcome])
    if verifier.registry is None and verifier.bundle is None:
        return case.ends(Verdict.SEALED_ONLY)
    if known is None and _signed_known(verifier, found):  # 3
        return case.seen(OTHER_CONTAINER).ends(Verdict.ALTERED)
    return _registered(case, known)


def _case(verifier: Verifier, checked: Checked, asked: Asked, as_of: date | None) -> _Case:
    now = verifier.clock().astimezone(BEIJING)
    return _Case(verifier, checked, asked, as_of or now.date(), now)


def _known(verifier: Verifier, digest: Sha256) -> Known | None:
    if verifier.registry is not None:
        return verifier.registry.by_sha256(digest)
    proven = verifier.bundle.known() if verifier.bundle else None
    return proven if proven and proven.certificate.sha256 == digest else None


def _is_notice(case: _Case) -> bool:
    """A notice of refusal is no certificate, sealed or not; who asks for its very file is told what it is."""
    registry, digest = case.verifier.registry, case.asked.sha256
    return bool(registry and digest and registry.refusal_by_sha256(digest))


def _signed_known(verifier: Verifier, found: Examination) -> bool:
    if found.signed_sha256 is None:
        return False
    if verifier.registry is not None:
        return verifier.registry.by_signed_sha256(found.signed_sha256) is not None
    proven = verifier.bundle.known() if verifier.bundle else None
    return proven is not None and proven.certificate.signed_sha256 == found.signed_sha256


def _registered(case: _Case, known: Known | None) -> Report:
    """Log, seal, status and dates of what the registry or the bundle gave."""
    if known is None:
        return case.seen(NOTICE if _is_notice(case) else NOT_REGISTERED).ends(Verdict.NOT_FOUND)
    if known.size is None:
        return case.seen(TORN).ends(Verdict.NOT_FOUND)
    certificate, reach = known.certificate, force(known.chain, case.verifier.revoked())
    in_force = reach.at(certificate.sealed_at) if reach else InForce.NOT_CHECKED
    verdict = judge(certificate, known.history, case.as_of)
    case = case.seen(
        Check("registry", "pass", "ok", "已登记"),
        Check("log", "pass", "ok", "已在防篡改日志中"),
        *(case.verifier.bundle.checks if case.verifier.bundle else ()),
        SEAL_CHECKS[in_force],
        _status_check(case.verifier, verdict),
        _date_check(verdict),
    )
    trusted = SEAL_CHECKS[in_force].result != "fail"
    return Report(
        verdict if trusted else Verdict.UNTRUSTED,
        case.checked,
        case.checks,
        (*_reasons(case, known, in_force, reach), *case.told("skip")),
        certificate,
        SealInfo(
            certificate.standing, in_force.value, describe(known.chain[0]).issuer if known.chain else ""
        ),
        (certificate.index, known.size),
        case.as_of,
        case.now,
        case.asked,
    )


def _reasons(case: _Case, known: Known, in_force: InForce, reach: Force | None) -> tuple[Reason, ...]:
    """Why the verdict is what it is: first what became of the seal, then what the registry notes."""
    noted = notes(known.certificate, status_at(known.history, case.as_of))
    if in_force is InForce.GOOD and reach:
        return (*noted, *_since(reach, case.now))
    check = SEAL_CHECKS[in_force]
    return (Reason(check.code, check.detail), *noted) if check.result == "fail" else noted


def _since(reach: Force, now: datetime) -> tuple[Reason, ...]:
    """What became of the seal's certificate after it sealed: PDF readers may show it, and it changes nothing."""
    if reach.revoked is not None:
        words, day = "签章证书已于{day}撤销；本件在此之前盖章，不受影响", reach.revoked
        return (Reason("seal_revoked_later", Text(words, day=day.astimezone(BEIJING).date())),)
    if now > reach.not_after:
        words, day = "签章证书已于{day}到期；本件在此之前盖章，不受影响", reach.not_after
        return (Reason("seal_expired_later", Text(words, day=day.astimezone(BEIJING).date())),)
    return ()


def _status_check(verifier: Verifier, verdict: Verdict) -> Check:
    if verdict in STATUS_VERDICTS:
        return Check("status", "fail", verdict.value, "登记状态不是有效")
    if verifier.bundle and verifier.bundle.listed_at:
        words = "截至{time}的名单中没有这份证明；此后是否被撤销或暂停，须联网查验"
        time = verifier.bundle.listed_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
        return Check("status", "skip", "not_listed", Text(words, time=time))
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


def _sha256(raw: str) -> Sha256:
    text = "".join(raw.split()).lower()
    if not _SHA256.fullmatch(text):
        raise InputError("SHA-256 应为 64 位十六进制数字", "malformed_sha256")
    return Sha256(text)


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
