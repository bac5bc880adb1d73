"""A process that records what happens to certificates after their issue; it holds no sealing key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from signsvc import boxes
from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.errors import NotFound
from signsvc.models import Number
from signsvc.registry import COPIED, Registry
from signsvc.statuses import Event
from signsvc.wiring.home import RECORDING, archive_folder, now, open_home
from signsvc.workspace import workspace


@contextmanager
def auditing(settings: Settings) -> Iterator[tuple[Registry, Archive]]:
    """The registry and the archive, for holding one against the other."""
    ring, registry = open_home(settings, RECORDING)
    with closing(registry), workspace(settings.home / "tmp") as work:
        yield registry, Archive(archive_folder(settings), work, ring.archive)


def change_status(
    settings: Settings, number: str, event: Event, reason: str, by: str | None, note: str | None
) -> None:
    """A status event with its note, which stays inside, encrypted."""
    whole = Number(number)
    with auditing(settings) as (registry, archive):
        box = boxes.lock(archive, event, whole, {"note": note})
        registry.change_status(whole, event, reason, Number(by) if by else None, box, now())


def retained_copy(settings: Settings, number: str, reason: str) -> bytes:
    """The office's copy, its giving out recorded before it leaves (Q34)."""
    whole = Number(number)
    with auditing(settings) as (registry, archive):
        known = registry.by_number(whole)
        if known is None:
            raise NotFound(f"没有编号为 {whole} 的证明：请填完整编号，如 qh-demo-2026-000001")
        data = archive.get(known.certificate.sha256)
        box = boxes.lock(archive, COPIED, whole, {"reason": reason})
        registry.record_copy(whole, box, now())
        return data
