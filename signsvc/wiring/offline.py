"""A process that verifies without a network: pinned roots and, for what the registry knew, what the asker brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from signsvc import keys
from signsvc.config import Settings
from signsvc.cosignatures import Witness, cosigned_by
from signsvc.errors import InputError, KeysError
from signsvc.identity import normalise_code, status_digest, status_id
from signsvc.models import Status
from signsvc.notes import NoteError
from signsvc.notes import Verifier as LogKey
from signsvc.proofs import Proven, log_chain, open_bundle
from signsvc.report import BEIJING, Check, StatusEvent, history_of
from signsvc.seal.sandbox import Sandbox
from signsvc.statuslist import MAX_KEYS_BYTES, MAX_LIST_BYTES, ListError, StatusList, Stop, open_list
from signsvc.texts import Text
from signsvc.verify import Bundle, Verifier
from signsvc.wiring.home import load_keys, now
from signsvc.wiring.verifying import Asking, read_given, trusting

LIST_AGE = timedelta(days=7)
CLOCKS_APART = timedelta(minutes=5)
UNBOUND = (Check("code", "skip", "code_not_bound", "存证包出自早期版本，不能核对查验码是不是这份证明的"),)


@dataclass(frozen=True)
class Stopped:
    """A signed list of stopped certificates, the keys it must be signed by, and the code to look the certificate up."""

    statuses: Path
    keys: Path
    code: str


@dataclass(frozen=True)
class Brought:
    """What the asker has instead of a registry: a proof bundle, witnesses who must have cosigned it, a list."""

    proof: Path
    witnesses: Sequence[str] = ()
    stopped: Stopped | None = None
    log_key: str | None = None  # pinned by the asker: then no certificate needs to vouch for the log


@contextmanager
def asking_offline(settings: Settings, root: Path | None, brought: Brought | None) -> Iterator[Asking]:
    """Verification with nothing but pinned roots and what was `brought`; without receipts."""
    trust = trusting(None if root else load_keys(settings, ()), root)
    bundle = _bundle(brought, trust.roots) if brought else None
    with Sandbox() as sandbox:
        yield Verifier(None, lambda data: sandbox.examine(data, trust), now, bundle), None


def _bundle(brought: Brought, roots: Sequence[bytes]) -> Bundle:
    """A proof bundle that holds: its log is one that is trusted, its records are in that log, witnesses say so."""
    text = read_given(brought.proof, "存证包")
    pinned = _pinned(brought.log_key) if brought.log_key else None
    try:
        proven = open_bundle(text, pinned or _certified(text, roots))
        checks = _witnessed(proven.issue.proof.checkpoint, brought.witnesses)
        history = history_of(proven.issue.record, [entry.record for entry in proven.later])
    except (ValueError, KeyError, TypeError, KeysError) as error:
        raise InputError("存证包不完整、被改动，或不是所信任的日志的", "bad_proof") from error
    index, size = proven.issue.proof.index, proven.checkpoint.size
    bundle = Bundle(proven.issue.record, index, history, size, checks=checks)
    return _with_list(bundle, brought.stopped, proven) if brought.stopped else bundle


def _pinned(key: str) -> LogKey:
    try:
        return LogKey.parse(key.strip())
    except NoteError as error:
        message = "日志公钥无法识别：请整行复制，如 example.org/log+1a2b3c4d+…"
        raise InputError(message, "bad_log_key") from error


def _certified(bundle: bytes, roots: Sequence[bytes]) -> LogKey:
    """The key of the log that the bundle's own certificates lead to; KeysError if they do not."""
    chain = log_chain(bundle)
    if not chain:
        message = "存证包中没有日志证书，不能只凭根证书核对：请用 --log-key 给出日志公钥，或联网查验"
        raise InputError(message, "bad_proof")
    return keys.certified_log(chain, roots, now())


def _witnessed(note: str, keys: Sequence[str]) -> tuple[Check, ...]:
    """Every one of these witnesses has cosigned; InputError or NoteError otherwise."""
    witnesses = [Witness.parse(key) for key in keys]
    if not witnesses:
        return ()
    found = cosigned_by(note, witnesses)
    if missing := [item.name for item in witnesses if item not in found]:
        raise InputError(f"存证包没有见证人 {'、'.join(missing)} 的联署", "bad_proof")
    names = "、".join(item.name for item in found)
    return (Check("witnesses", "pass", "ok", Text("见证人已联署：{names}", names=names)),)


def _with_list(bundle: Bundle, stopped: Stopped, proven: Proven) -> Bundle:
    """The bundle, and what the list says of its certificate."""
    listed = _list(stopped)
    moment = now()
    if listed.log != proven.checkpoint.origin:
        raise InputError("名单不是这份证明所在日志的", "bad_statuses")
    if listed.issued_at > moment + CLOCKS_APART:
        raise InputError("名单的时间晚于本机时间：请核对本机的时钟，或换一份名单", "bad_statuses")
    name, bound = _looked_up(bundle.record, stopped.code)
    outdated = listed.size <= proven.newest
    news = _news(_event(listed.find(name), moment), bundle.history[-1], outdated)
    checks = (
        *bundle.checks,
        *_signed_by(listed),
        *_age(listed, outdated, moment),
        *(() if bound else UNBOUND),
    )
    listed_at = listed.issued_at if bound and not outdated else None
    return replace(bundle, listed_at=listed_at, history=(*bundle.history, *news), checks=checks)


def _looked_up(record: Mapping[str, Any], code: str) -> tuple[str, bool]:
    """The `status_id` of a certificate, and whether its record says that this is its code.

    InputError `wrong_code` if it says that it is not: another code is on no list.
    """
    try:
        name = status_id(record["number"], normalise_code(code))
    except ValueError as error:
        raise InputError(str(error), "malformed_code") from error
    expected = record.get("status_digest")
    if expected is not None and expected != status_digest(name):
        raise InputError("查验码不是这份证明的，请逐位核对", "wrong_code")
    return name, expected is not None


def _event(found: Stop | None, moment: datetime) -> StatusEvent | None:
    """What the list says, from the day that it names. A clock that is behind must not put it off."""
    if found is None:
        return None
    day = datetime.combine(found.since, time(), BEIJING)
    return StatusEvent(found.status, min(day, moment), found.reason)


def _news(event: StatusEvent | None, last: StatusEvent, outdated: bool) -> tuple[StatusEvent, ...]:
    """What the list tells of a certificate, unless the bundle's `last` event tells more. In doubt, for the list names
    days only, the list counts."""
    if event is None or last.status in (event.status, Status.REVOKED, Status.SUPERSEDED):
        return ()
    earlier = event.at.astimezone(BEIJING).date() < last.at.astimezone(BEIJING).date()
    return () if outdated and earlier else (event,)


def _list(stopped: Stopped) -> StatusList:
    try:
        return open_list(
            read_given(stopped.statuses, "名单", MAX_LIST_BYTES),
            read_given(stopped.keys, "名单的公钥", MAX_KEYS_BYTES),
        )
    except ListError as error:
        raise InputError("名单不完整、被改动，或不是由所给的公钥签署", "bad_statuses") from error


def _signed_by(listed: StatusList) -> tuple[Check, ...]:
    """By which key: it was brought along, and nothing here says whose it is."""
    words = "名单由公钥{key}签署：请与服务方公布的核对；名单和公钥不得取自出示证明的人"
    return (Check("statuses_key", "skip", "key_not_pinned", Text(words, key=listed.signed_by)),)


def _age(listed: StatusList, outdated: bool, at: datetime) -> tuple[Check, ...]:
    """What is wrong with the time of the list, if anything."""
    if at - listed.issued_at > LIST_AGE:
        return (Check("statuses", "skip", "list_outdated", "名单已超过7天，请换用新的名单"),)
    if outdated:
        return (Check("statuses", "skip", "list_outdated", "名单早于存证包中最新的一条登记，请换用新的名单"),)
    return ()
