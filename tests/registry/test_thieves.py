"""What somebody can do who holds the match key and writes to the database: nothing that is signed into the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from registry.samples import LOG_KEY, MATCH_KEY, NOW, claim, create, issue, known, reserve, url_in
from registry.tampering import forge

from signsvc.errors import RegistryError
from signsvc.models import Number, OfficeId
from signsvc.registry import Boxes, Registry, box_context
from signsvc.statuses import Event


def opens(kind: str, number: str, box: bytes) -> bool:
    """Stands for the archive key: a box that was locked names what it was locked for."""
    return box.startswith(box_context(kind, number)) or box == b"encrypted " + number.encode()


def locked(event: Event, number: Number, note: str = "") -> bytes:
    return box_context(event, number) + note.encode()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    create(tmp_path).close()
    return Registry.open(url_in(tmp_path), tmp_path / "log", MATCH_KEY, LOG_KEY, Boxes(opens, box_context))


def test_entries_whose_boxes_open_are_published(registry: Registry) -> None:
    number = issue(registry, "a")[0].number
    for turn in ("first", "second"):
        for event in (Event.SUSPEND, Event.RESUME):
            registry.change_status(number, event, "other", None, locked(event, number, turn), NOW)
    registry.void([(reserve(registry, "b")[0], "seal_failed")], NOW)
    moved = [claim(registry, "c"), claim(registry, "c", OfficeId("gd-demo"))]  # the first is voided
    assert [len(registry.reserve([item], NOW)) for item in moved] == [1, 1]
    assert registry.publish().size == 7


def test_a_forged_void_is_never_signed(registry: Registry, tmp_path: Path) -> None:
    held = reserve(registry, "a")[0]
    forge(tmp_path, "voided", held.number, b"")
    with pytest.raises(RegistryError):
        registry.publish()
    assert registry.checkpoint().splitlines()[1] == "0"


@pytest.mark.parametrize(
    "box", [b"", b"made up", b"suspended qh-demo-2026-000001", b"resumed qh-demo-2026-000002"]
)
def test_a_forged_event_is_never_signed(registry: Registry, tmp_path: Path, box: bytes) -> None:
    number = issue(registry, "a")[0].number
    registry.change_status(number, Event.SUSPEND, "other", None, locked(Event.SUSPEND, number), NOW)
    forge(tmp_path, "resumed", number, box)
    for write in (registry.publish, lambda: issue(registry, "b")):
        with pytest.raises(RegistryError) as refused:
            write()
        assert refused.value.code == "registry_damaged"
    assert registry.checkpoint().splitlines()[1] == "2"
    assert known(registry, number).size is None


@pytest.mark.parametrize("kind", ["voided", "resumed", "nonsense"])
def test_the_audit_outlives_entries_that_make_no_sense(registry: Registry, tmp_path: Path, kind: str) -> None:
    forge(tmp_path, kind, Number("x"), b"")
    faults = [item for item in registry.audit() if item.severity == "fault"]
    assert ["x" in item.message for item in faults] == [True]


def test_a_box_serves_only_once(registry: Registry, tmp_path: Path) -> None:
    number = issue(registry, "a")[0].number
    used = locked(Event.RESUME, number)
    registry.change_status(number, Event.SUSPEND, "other", None, locked(Event.SUSPEND, number), NOW)
    registry.change_status(number, Event.RESUME, "other", None, used, NOW)
    registry.change_status(number, Event.SUSPEND, "other", None, locked(Event.SUSPEND, number, "2"), NOW)
    forge(tmp_path, "resumed", number, used)
    with pytest.raises(RegistryError):
        registry.publish()
