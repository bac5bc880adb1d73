"""A process that verifies without a network: pinned roots and, for what the registry knew, what the asker brought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from signsvc import keys
from signsvc.config import Settings
from signsvc.cosignatures import Witness, cosigned_by
from signsvc.errors import InputError, KeysError
from signsvc.identity import normalise_code, status_id
from signsvc.notes import Checkpoint, NoteError
from signsvc.proofs import BundleError, log_chain, open_bundle
from signsvc.report import Check, StatusEvent
from signsvc.seal.sandbox import Sandbox
from signsvc.statuslist import MAX_KEYS_BYTES, MAX_LIST_BYTES, ListError, StatusList, open_list
from signsvc.texts import Text
from signsvc.verify import Bundle, Verifier
from signsvc.wiring.home import load_keys, now
from signsvc.wiring.verifying import Asking, read_given, trusting

LIST_AGE = timedelta(days=7)
CLOCKS_APART = timedelta(minutes=5)


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


@contextmanager
def asking_offline(settings: Settings, root: Path | None, brought: Brought | None) -> Iterator[Asking]:
    """Verification with nothing but pinned roots and what was `brought`; without receipts."""
    trust = trusting(None if root else load_keys(settings, ()), root)
    bundle = _bundle(brought, trust.roots) if brought else None
    with Sandbox() as sandbox:
        yield Verifier(None, lambda data: sandbox.examine(data, trust), now, bundle), None


def _bundle(brought: Brought, roots: Sequence[bytes]) -> Bundle:
    """A proof bundle that holds: its log's key leads to the roots, its record is in that log, witnesses say so."""
    text = read_given(brought.proof, "存证包")
    try:
        chain = log_chain(text)
        if not chain:
            raise InputError("存证包中没有日志证书，不能离线核对：请联网查验", "bad_proof")
        record, proof, checkpoint = open_bundle(text, keys.certified_log(chain, roots, now()))
        checks = _witnessed(proof.checkpoint, brought.witnesses)
    except (BundleError, NoteError, KeysError) as error:
        raise InputError("存证包不完整、被改动，或不是所信任的根证书之下的日志", "bad_proof") from error
    bundle = Bundle(record, proof.index, checkpoint.size, checks=checks)
    return _with_list(bundle, brought.stopped, checkpoint) if brought.stopped else bundle


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


def _with_list(bundle: Bundle, stopped: Stopped, checkpoint: Checkpoint) -> Bundle:
    """The bundle, and what the list says of its certificate."""
    listed = _list(stopped)
    if listed.log != checkpoint.origin:
        raise InputError("名单不是这份证明所在日志的", "bad_statuses")
    try:
        name = status_id(bundle.record["number"], normalise_code(stopped.code))
    except ValueError as error:
        raise InputError(str(error), "malformed_code") from error
    found = listed.find(name)
    event = StatusEvent(found.status, found.since, found.reason) if found else None
    checks = (*bundle.checks, *_age(listed, bundle, now()))
    return replace(bundle, listed_at=listed.issued_at, stop=event, checks=checks)


def _list(stopped: Stopped) -> StatusList:
    try:
        return open_list(
            read_given(stopped.statuses, "名单", MAX_LIST_BYTES),
            read_given(stopped.keys, "名单的公钥", MAX_KEYS_BYTES),
        )
    except ListError as error:
        raise InputError("名单不完整、被改动，或不是由所给的公钥签署", "bad_statuses") from error


def _age(listed: StatusList, bundle: Bundle, at: datetime) -> tuple[Check, ...]:
    """What is wrong with the time of the list, if anything."""
    if listed.issued_at > at + CLOCKS_APART:
        return (Check("statuses", "skip", "list_from_future", "名单的时间晚于本机时间，请核对时钟"),)
    if at - listed.issued_at > LIST_AGE:
        return (Check("statuses", "skip", "list_outdated", "名单已超过7天，请换用新的名单"),)
    if listed.size <= bundle.index:
        return (Check("statuses", "skip", "list_outdated", "名单早于这份证明的登记，请换用新的名单"),)
    return ()
