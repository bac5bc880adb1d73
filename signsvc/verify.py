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

Offline the registry's part is taken by a proof bundle, if there is one: what was true when it was made, as far as
whoever brings it left it whole.

What is shown comes from the registry or the bundle, never from text parsed out of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from signsvc.certificates import describe
from signsvc.errors import InputError, SignsvcError
from signsvc.identity import normalise_code, normalise_number
from signsvc.models import Sha256
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
    changed_later,
    judge,
    notes,
    status_at,
)
from signsvc.requests.claims import forms
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
REGISTERED = Check("registry", "pass", "ok", "已登记")
LOGGED = Check("log", "pass", "ok", "已在防篡改日志中")
NOT_REGISTERED = Check("registry", "fail", "not_found", "没有这一条登记")
NOTICE = Check("registry", "fail", "refusal_notice", "这是本系统登记的不予出具告知单，不是证明")
UNCHANGED = Check("status", "pass", "ok", "未被撤销、暂停或换发")
IN_TIME = Check("dates", "pass", "ok", "在有效期内")
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
    """What a proof bundle proved: the clear record of an issue, its leaf's index, what became of it since, and the size
    of the log that all of it was proven in.

    `listed_at` is the time of a list of stopped certificates that was brought along; what it says of this one is the
    last of `history`. `checks` tell what else was looked at.
    """

    record: Mapping[str, Any]
    index: int
    history: tuple[StatusEvent, ...]
    size: int
    listed_at: datetime | None = None
    checks: tuple[Check, ...] = ()

    def known(self) -> Known:
        """The certificate that the record tells of."""
        certificate = certificate_of(self.record, self.index, self.history[-1])
        return Known(certificate, self.history, self.size, ())


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
        if self.registry is None or report.certificate is None:
            return {}
        matches = dict.fromkeys(claims, False)
        waiting = {field: forms(field, raw) for field, raw in claims.items()}
        # Once for all claims, and again only for a statement that can be printed in more ways than one.
        while asked := {field: left.pop(0) for field, left in waiting.items() if left and not matches[field]}:
            matches |= self.registry.matches(report.certificate.number, asked)
        return matches


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
        """The checks with this result as reasons, for whoever reads the verdict; what was not reached is none."""
        found = (check for check in self.checks if check.result == result and check.code != "not_reached")
        return tuple(Reason(check.code, check.detail) for check in found)


def verify_number(verifier: Verifier, number: str, code: str, as_of: date | None = None) -> Report:
    """A Report by number and code; a malformed one is an InputError, and nothing was looked up."""
    known_form, plain = parse_code(code), parse_number(number)  # 1
    found = _registry(verifier).find(plain, known_form)  # 2
    return _registered(_case(verifier, "number", Asked.by_number(plain), as_of), found)


def verify_code(verifier: Verifier, code: str, as_of: date | None = None) -> Report:
    """A Report by code alone, the QR's target: its 74 random bits find the certificate."""
    found = _registry(verifier).by_code(parse_code(code))
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
        return not_asked(verifier, item, error, as_of)


def not_asked(
    verifier: Verifier, item: Mapping[str, str], error: SignsvcError, as_of: date | None = None
) -> Report:
    """The Report on an item of many that was not looked up; its reason has the error's code and words."""
    case = _case(verifier, "hash" if "sha256" in item else "number", _asked(item), as_of)
    return case.seen(Check("request", "fail", error.code, error.args[0])).ends(Verdict.NOT_FOUND)


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


def _asked(item: Mapping[str, object]) -> Asked:
    """What of an item is well-formed."""
    asked, texts = Asked(), {key: value for key, value in item.items() if isinstance(value, str)}
    with suppress(InputError):
        asked = Asked.by_number(parse_number(texts.get("number", "")))
    with suppress(InputError):
        asked = replace(asked, sha256=_sha256(texts.get("sha256", "")))
    return asked


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
    event = _event(case, known)
    verdict = judge(certificate, event, case.as_of)
    seal = _seal_check(case.verifier, in_force)
    case = case.seen(
        REGISTERED,
        LOGGED,
        *(case.verifier.bundle.checks if case.verifier.bundle else ()),
        seal,
        _status_check(case.verifier, verdict),
        _date_check(verdict),
    )
    return Report(
        verdict if seal.result != "fail" else Verdict.UNTRUSTED,
        case.checked,
        case.checks,
        (*_reasons(case, known, event, seal, reach), *case.told("skip")),
        certificate,
        SealInfo(
            certificate.standing, in_force.value, describe(known.chain[0]).issuer if known.chain else ""
        ),
        (certificate.index, known.size),
        case.as_of,
        case.now,
        case.asked,
    )


def _event(case: _Case, known: Known) -> StatusEvent | None:
    """What the status rests on, that day; for today and later it is the newest event, whatever the clock says."""
    if case.as_of >= case.now.date():
        return known.history[-1]
    return status_at(known.history, case.as_of)


def _reasons(
    case: _Case, known: Known, event: StatusEvent | None, seal: Check, reach: Force | None
) -> tuple[Reason, ...]:
    """Why the verdict is what it is: first what holds no longer, then what became of the seal, then what the registry
    notes."""
    later = changed_later(event, known.history[-1], case.as_of)
    noted = notes(known.certificate, event)
    if seal.result == "pass" and reach:
        return (*later, *noted, *_since(reach, case.now))
    failed = (Reason(seal.code, seal.detail),) if seal.result == "fail" else ()
    return (*later, *failed, *noted)


def _since(reach: Force, now: datetime) -> tuple[Reason, ...]:
    """What became of the seal's certificate after it sealed: PDF readers may show it, and it changes nothing."""
    if reach.revoked is not None:
        words, day = "签章证书已于{day}撤销；本件在此之前盖章，不受影响", reach.revoked
        return (Reason("seal_revoked_later", Text(words, day=day.astimezone(BEIJING).date())),)
    if now > reach.not_after:
        words, day = "签章证书已于{day}到期；本件在此之前盖章，不受影响", reach.not_after
        return (Reason("seal_expired_later", Text(words, day=day.astimezone(BEIJING).date())),)
    return ()


def _seal_check(verifier: Verifier, in_force: InForce) -> Check:
    """Offline a file's examination has seen chain and dates, and knows of no revocation. The registry has the chain,
    and a chain that cannot be read vouches for nothing."""
    check = SEAL_CHECKS[in_force]
    if in_force is not InForce.NOT_CHECKED:
        return check
    if verifier.registry is None:
        return replace(check, detail="离线：未核对签章证书是否已被撤销")
    return replace(check, result="fail")


def _status_check(verifier: Verifier, verdict: Verdict) -> Check:
    if verdict in STATUS_VERDICTS:
        return Check("status", "fail", verdict.value, "登记状态不是有效")
    if verifier.bundle and verifier.bundle.listed_at:
        words = "截至{time}的名单中没有这份证明；此后是否被撤销或暂停，须联网查验"
        time = verifier.bundle.listed_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
        return Check("status", "skip", "not_listed", Text(words, time=time))
    if verifier.registry is None:
        return Check(
            "status", "skip", "offline", "存证包只说明它做成时的情况：此后是否被撤销或暂停，须联网查验"
        )
    return UNCHANGED


def _date_check(verdict: Verdict) -> Check:
    if verdict in STATUS_VERDICTS:
        return Check("dates", "skip", "not_reached", "未核对日期")
    if verdict is Verdict.VALID:
        return IN_TIME
    return Check("dates", "fail", verdict.value, "不在有效期内")


def _registry(verifier: Verifier) -> Registry:
    if verifier.registry is None:
        raise InputError("离线时无法按编号查验", "registry_needed")
    return verifier.registry


def parse_number(number: str) -> str:
    """A certificate's number as it is registered; InputError `malformed_number` if it can be none."""
    try:
        return normalise_number(number)
    except ValueError as error:
        raise InputError(str(error), "malformed_number") from error


def parse_code(code: str) -> str:
    """A code as it is registered; InputError `malformed_code` if it can be none."""
    try:
        return normalise_code(code)
    except ValueError as error:
        raise InputError(str(error), "malformed_code") from error


def _sha256(raw: str) -> Sha256:
    text = "".join(raw.split()).lower()
    if not _SHA256.fullmatch(text):
        raise InputError("SHA-256 应为 64 位十六进制数字", "malformed_sha256")
    return Sha256(text)
