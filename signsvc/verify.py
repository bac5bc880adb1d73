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
 3. registry  a good seal that is not registered is `not_found`; known signed bytes in other bytes are `altered`
 4.–6.        log, status and dates as above

What is shown comes from the registry, never from text parsed out of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from signsvc.errors import InputError
from signsvc.identity import clean_text, normalise_code, normalise_name, normalise_number, plain_id_number
from signsvc.models import Certificate, Sha256
from signsvc.registry import Registry
from signsvc.report import (
    BEIJING,
    Check,
    Checked,
    Reason,
    Report,
    SealInfo,
    Verdict,
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


@dataclass(frozen=True)
class Verifier:
    """What verification stands on. `registry` is None offline."""

    registry: Registry | None
    examine: Callable[[bytes], Examination]
    clock: Callable[[], datetime]

    def claims(self, report: Report, claims: Mapping[str, str]) -> dict[str, bool]:
        """Whether each claim (`name`, `id_number`, …) is what the certificate says: match or no match, never the value."""
        if self.registry is None or report.certificate is None or not claims:
            return {}
        normal = {field: text for field, raw in claims.items() if (text := _normal(field, raw))}
        return dict.fromkeys(claims, False) | self.registry.matches(report.certificate.number, normal)


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


def verify_number(verifier: Verifier, number: str, code: str, as_of: date | None = None) -> Report:
    """A Report by number and code. A malformed code is an InputError `malformed_code`: nothing was looked up."""
    known_form = _code(code)  # 1
    found = _registry(verifier).find(_number(number), known_form)  # 2
    return _registered(verifier, "number", found, (), as_of)


def verify_code(verifier: Verifier, code: str, as_of: date | None = None) -> Report:
    """A Report by code alone, the QR's target: its 74 random bits find the certificate."""
    return _registered(verifier, "number", _registry(verifier).by_code(_code(code)), (), as_of)


def verify_file(verifier: Verifier, data: bytes, as_of: date | None = None) -> Report:
    """A Report on a file, which may be hostile; everything wrong with it becomes a verdict."""
    registry = verifier.registry
    known = registry.by_sha256(Sha256(sha256(data).hexdigest())) if registry else None  # 1
    found = verifier.examine(data)  # 2
    if found.outcome is not Outcome.SEALED:
        return _report(verifier, REFUSED[found.outcome], "file", found.checks, as_of=as_of)
    if registry is None:
        return _report(verifier, Verdict.SEALED_ONLY, "file", found.checks, as_of=as_of)
    if known is None and found.signed_sha256 and registry.by_signed_sha256(found.signed_sha256):  # 3
        check = Check("container", "fail", "other_container", "签章内容相同，但文件字节与出具时不同")
        return _report(verifier, Verdict.ALTERED, "file", (*found.checks, check), as_of=as_of)
    return _registered(verifier, "file", known, found.checks, as_of)


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


def _registered(
    verifier: Verifier,
    checked: Checked,
    certificate: Certificate | None,
    checks: tuple[Check, ...],
    as_of: date | None,
) -> Report:
    """Log, status and dates of what the registry gave."""
    registry = _registry(verifier)
    if certificate is None:
        missing = Check("registry", "fail", "not_found", "登记系统没有这一条")
        return _report(verifier, Verdict.NOT_FOUND, checked, (*checks, missing), as_of=as_of)
    checks += (Check("registry", "pass", "ok", "已登记"),)
    size = registry.attested(certificate.number)
    if size is None:
        # Somebody wrote into the registry without the log key, or the log has not caught up: neither may be relied on.
        torn = Check("log", "fail", "registry_inconsistent", "登记记录与防篡改日志不一致，请联系出具单位")
        return _report(verifier, Verdict.NOT_FOUND, checked, (*checks, torn), as_of=as_of)
    checks += (Check("log", "pass", "ok", "已在防篡改日志中"),)
    day = as_of or _today(verifier)
    history = registry.history(certificate.number)
    verdict = judge(certificate, history, day)
    good = verdict in (Verdict.VALID, Verdict.EXPIRED, Verdict.NOT_YET_VALID)
    checks += (Check("status", "pass" if good else "fail", "ok" if good else verdict.value),)
    checks += (
        Check(
            "dates",
            "pass" if verdict is Verdict.VALID else "fail" if good else "skip",
            "ok" if verdict is Verdict.VALID else verdict.value if good else "not_reached",
        ),
    )
    seal = SealInfo(certificate.standing, "good", certificate.office_name)
    return _report(
        verifier,
        verdict,
        checked,
        checks,
        as_of=day,
        certificate=certificate,
        reasons=notes(certificate, status_at(history, day)),
        seal=seal,
        log=(certificate.index, size),
    )


def _report(
    verifier: Verifier,
    verdict: Verdict,
    checked: Checked,
    checks: tuple[Check, ...],
    *,
    as_of: date | None,
    certificate: Certificate | None = None,
    reasons: tuple[Reason, ...] | None = None,
    seal: SealInfo | None = None,
    log: tuple[int, int] | None = None,
) -> Report:
    if reasons is None:
        reasons = tuple(Reason(check.code, check.detail) for check in checks if check.result == "fail")
    return Report(
        verdict, checked, checks, reasons, certificate, seal, log, as_of or _today(verifier), _now(verifier)
    )


def _now(verifier: Verifier) -> datetime:
    return verifier.clock().astimezone(BEIJING)


def _today(verifier: Verifier) -> date:
    return _now(verifier).date()
