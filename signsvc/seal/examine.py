"""What a sealed PDF says of itself. Never raises on a bad document, and never asks the network.

 1. file       a PDF at all, and of a size that we issue
 2. signer     whose seal? From the signatures in the bare bytes, also of damaged files
 3. whole      one revision, one byte range up to the last byte, a hole that holds the signature and nothing else
 4. container  the signature in its only encoding, naming its certificate among what it signs
 5. document   a strict reader sees one seal field, certified, no changes allowed, and nothing unsigned beside it
 6. seal       digest and signature (RSA PKCS#1 v1.5, SHA-256), chain to a root at the sealing time: a certificate
               that has expired since still counts

Steps 3–6 fail as `altered`, for they are reached only under a seal certificate of ours; a chain that did not hold at
the sealing time is `untrusted`. A file without such a certificate is told apart as `untrusted`, `not_sealed` or
`unreadable`; its signature, good or not, is of no interest.

A validator's summary is no acceptance rule: most of them call a file good to which bytes or whole revisions were
added. So every step must pass, and two independent readings (bytes here, objects there) must agree.
Whether the seal certificate had been revoked is the registry's knowledge, not the file's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pyhanko.pdf_utils.misc import PdfDecodeLimitError

from signsvc.seal import document
from signsvc.seal.claim import Claim, canonical, is_ours, names_its_certificate, read_claim
from signsvc.seal.document import SealingTime
from signsvc.seal.findings import Examination, Outcome, Trust, steps
from signsvc.seal.prechecks import (
    MAX_BYTES,
    Misshapen,
    find_byte_range,
    sealed_whole,
    signature_candidates,
)

# Nothing was changed, but nobody we trust stands behind it.
_NOT_VOUCHED_FOR = frozenset({"certificate_chain", "timestamp_untrusted"})
Result = TypeVar("Result")
Instead = TypeVar("Instead")


@dataclass
class _Record:
    """What has been found so far in one examination."""

    data: bytes
    trust: Trust
    claim: Claim | None = None
    ours: bool = False
    sealing: SealingTime | None = None
    passed: int = 0  # steps
    failure: str = "ok"  # code of the step that failed; those behind it are not looked at


def examine(data: bytes, trust: Trust) -> Examination:
    """Judges `data`, the whole file. Runs parsers on foreign bytes: uploads go through the sandbox."""
    record = _Record(data, trust)
    outcome = _shielded(lambda: _judge(record), lambda error: _broken(record, error))
    return _examination(record, outcome)


def _shielded(step: Callable[[], Result], otherwise: Callable[[Exception], Instead]) -> Result | Instead:
    """The border to hostile files, and the only wide except.

    Parsers answer malformed input with whatever they stumble over: TypeError, AssertionError, RecursionError,
    MemoryError, OSError were all seen. A verifier that raises is a verifier that can be made silent.
    """
    try:
        return step()
    except Exception as error:  # noqa: BLE001
        return otherwise(error)


def _broken(record: _Record, error: Exception) -> Outcome:
    match error:
        case MemoryError() | PdfDecodeLimitError():
            record.failure = "too_large"
        case RecursionError():
            record.failure = "too_deep"
        case _:
            record.failure = "malformed"
    return Outcome.ALTERED if record.ours else Outcome.UNREADABLE


def _judge(record: _Record) -> Outcome:
    if len(record.data) > MAX_BYTES:
        return _unreadable(record, "too_large")
    if not record.data.startswith(b"%PDF-"):
        return _unreadable(record, "not_pdf")
    record.passed += 1
    _find_signer(record, signature_candidates(record.data))
    if not record.ours:
        return _judge_foreign(record)
    record.passed += 1
    return _judge_ours(record)


def _unreadable(record: _Record, code: str) -> Outcome:
    record.failure = code
    return Outcome.UNREADABLE


def _find_signer(record: _Record, signatures: Iterable[bytes]) -> None:
    """The first signature under a certificate of ours; without one, the last that can be read."""
    for der in signatures:
        claim = _shielded(partial(read_claim, der), lambda _: None)
        if claim is None:
            continue
        record.claim = claim
        record.ours = _shielded(partial(is_ours, claim, record.trust), lambda _: False)
        if record.ours:
            return


def _judge_foreign(record: _Record) -> Outcome:
    """No seal of ours in the bare bytes: is there another's, or ours in a rewritten file, or none at all?"""
    if record.claim is None:
        signatures = tuple(document.signatures_in(record.data))
        _find_signer(record, signatures)
        if record.ours:
            record.passed += 1
            record.failure = "several_revisions"
            return Outcome.ALTERED
        if not signatures and b"/ByteRange" not in record.data:
            record.failure = "not_sealed"
            return Outcome.NOT_SEALED
    record.failure = "not_ours"
    return Outcome.UNTRUSTED


def _judge_ours(record: _Record) -> Outcome:
    try:
        _check_ours(record)
    except Misshapen as flaw:
        record.failure = flaw.code
        return Outcome.UNTRUSTED if flaw.code in _NOT_VOUCHED_FOR else Outcome.ALTERED
    return Outcome.SEALED


def _check_ours(record: _Record) -> None:
    byte_range, der = sealed_whole(record.data)
    record.passed += 1
    claim = read_claim(der)
    if not is_ours(claim, record.trust):
        raise Misshapen("signature_container")
    if canonical(claim) != der:
        raise Misshapen("signature_encoding")
    if not names_its_certificate(claim):
        raise Misshapen("certificate_not_named")
    record.passed += 1
    signature = document.sealed_field(record.data, byte_range, der)
    record.passed += 1
    record.sealing = document.validate(signature, claim, record.trust)
    record.passed += 1


def _examination(record: _Record, outcome: Outcome) -> Examination:
    byte_range = find_byte_range(record.data)
    claim, sealing = record.claim, record.sealing
    return Examination(
        outcome=outcome,
        checks=steps(record.passed, record.failure),
        signed_sha256=byte_range.signed_sha256(record.data) if byte_range else None,
        seal_certificate=claim.leaf_sha256 if claim else None,
        sealed_at=sealing.at if sealing else None,
        timestamped=sealing.timestamped if sealing else False,
    )
