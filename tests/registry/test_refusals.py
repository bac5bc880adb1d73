"""Notices of refusal in the registry: one entry a request, found by its number, and never a certificate."""

from __future__ import annotations

from pathlib import Path

import pytest
from registry.samples import LOG_KEY, MATCH_KEY, NOW, OFFICE, claim, create, issue, refusal, reopen, url_in
from registry.tampering import database, forge
from registry.test_crash import CrashError, crash_at_commit

from signsvc.errors import NotFound, RegistryError
from signsvc.models import Number, OfficeId
from signsvc.registry import REFUSED, Boxes, Registry, box_context
from signsvc.registry.match import MatchKey
from signsvc.statuses import Event


def number(registry: Registry, request_id: str) -> Number:
    return registry.notice_number(claim(registry, request_id).mark, OFFICE)


def test_the_number_follows_from_the_request_and_its_content_and_tells_neither(tmp_path: Path) -> None:
    registry = create(tmp_path)
    mark = claim(registry, "a").mark
    first = registry.notice_number(mark, OFFICE)
    assert first == registry.notice_number(mark, OFFICE)
    office, letter, code = first.rsplit("-", 2)
    assert (office, letter, len(code)) == (OFFICE, "J", 10)
    others = {
        registry.notice_number(claim(registry, "b").mark, OFFICE),
        registry.notice_number(claim(registry, "a", text="x").mark, OFFICE),
        registry.notice_number(mark, OfficeId("gd-demo")),
        Number(f"{OFFICE}-J-{MatchKey(b'x' * 32).notice_code(mark)}"),
    }
    assert len({first, *others}) == 5


def test_a_notice_is_recorded_once_and_the_first_one_stands(tmp_path: Path) -> None:
    registry = create(tmp_path)
    [first] = registry.record_refusals([refusal(registry, "a")], NOW)
    again = registry.record_refusals([refusal(registry, "a", "later"), refusal(registry, "b")], NOW)
    assert again[0] == first
    assert [item.index for item in again] == [0, 1]
    assert registry.refusals([first.number, Number("qh-demo-J-0")]) == {first.number: first}
    assert registry.refusal_by_sha256(first.sha256) == first
    assert registry.audit() == []


def test_one_request_twice_in_one_call_is_one_entry(tmp_path: Path) -> None:
    registry = create(tmp_path)
    one, two = registry.record_refusals([refusal(registry, "a"), refusal(registry, "a", "2")], NOW)
    assert one == two
    assert len(list(registry.boxes())) == 1


def test_two_requests_that_meet_under_one_number_are_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = create(tmp_path)
    monkeypatch.setattr(MatchKey, "notice_code", lambda key, mark: "0" * 10)
    with pytest.raises(RegistryError, match="已属于另一申请"):
        registry.record_refusals([refusal(registry, "a"), refusal(registry, "b")], NOW)
    registry.record_refusals([refusal(registry, "a")], NOW)
    with pytest.raises(RegistryError, match="已属于另一申请"):
        registry.record_refusals([refusal(registry, "b")], NOW)
    assert registry.audit() == []
    assert len(list(registry.boxes())) == 1


def test_a_number_that_is_a_certificates_is_no_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = create(tmp_path)
    [held] = issue(registry, "a")
    monkeypatch.setattr("signsvc.registry.refusals.notice_number", lambda key, mark, office: held.number)
    assert registry.refusals([held.number]) == {}
    with pytest.raises(RegistryError, match="已属于另一申请"):
        registry.record_refusals([refusal(registry, "a")], NOW)


def test_nothing_that_is_asked_of_certificates_answers_for_a_notice(tmp_path: Path) -> None:
    registry = create(tmp_path)
    [held] = issue(registry, "a")
    [notice] = registry.record_refusals([refusal(registry, "b")], NOW)
    assert registry.by_number(notice.number) is None
    assert registry.by_sha256(notice.sha256) is None
    assert registry.by_signed_sha256(notice.sha256) is None
    assert registry.refusal_by_sha256("00" * 32) is None
    assert registry.recall([claim(registry, "b").mark]) == [None]
    with pytest.raises(NotFound):
        registry.change_status(notice.number, Event.REVOKE, "other", None, b"box", NOW)
    with pytest.raises(NotFound):
        registry.change_status(held.number, Event.SUPERSEDE, "superseded", notice.number, b"box", NOW)
    with pytest.raises(NotFound):
        registry.record_copy(notice.number, b"box", NOW)
    assert registry.audit() == []


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted anyway"])
@pytest.mark.parametrize("transaction", [1, 2], ids=["record", "publish"])
def test_a_transaction_that_fails_either_way_leaves_one_entry_a_request(
    tmp_path: Path, transaction: int, persisted: bool
) -> None:
    registry = create(tmp_path)
    with crash_at_commit(registry, transaction, persisted), pytest.raises(CrashError):
        registry.record_refusals([refusal(registry, "a"), refusal(registry, "b")], NOW)
    assert [item for item in registry.audit() if item.severity == "fault"] == []
    again = reopen(tmp_path)
    wanted = [number(again, "a"), number(again, "b")]
    assert len(again.refusals(wanted)) == (2 if transaction == 2 or persisted else 0)
    again.record_refusals([refusal(again, "a", "2"), refusal(again, "b", "2")], NOW)
    assert [item.number for item in again.boxes()] == wanted
    again.publish()
    assert again.audit() == []


def test_a_status_event_behind_a_notice_is_found(tmp_path: Path) -> None:
    registry = create(tmp_path)
    [notice] = registry.record_refusals([refusal(registry, "a")], NOW)
    forge(tmp_path, "revoked", notice.number, b"box")
    assert "event_illegal" in [item.code for item in registry.audit()]


def test_a_thief_of_the_match_key_has_no_notice_signed(tmp_path: Path) -> None:
    """A box that opens takes the archive key."""
    create(tmp_path).close()
    opens = {REFUSED: b"encrypted a"}

    def only_ours(kind: str, number: str, box: bytes) -> bool:
        return opens.get(kind) == box

    registry = Registry.open(
        url_in(tmp_path), tmp_path / "log", MATCH_KEY, LOG_KEY, Boxes(only_ours, box_context)
    )
    registry.record_refusals([refusal(registry, "a")], NOW)
    with pytest.raises(RegistryError) as refused:
        registry.record_refusals([refusal(registry, "b")], NOW)
    assert refused.value.code == "registry_damaged"


def test_a_reader_without_the_log_key_finds_notices_and_writes_none(tmp_path: Path) -> None:
    registry = create(tmp_path)
    [notice] = registry.record_refusals([refusal(registry, "a")], NOW)
    reader = reopen(tmp_path, log_key=None)
    assert reader.refusals([notice.number]) == {notice.number: notice}
    with pytest.raises(RegistryError, match="只读"):
        reader.record_refusals([refusal(reader, "b")], NOW)


def test_a_changed_notice_is_answered_by_nobody(tmp_path: Path) -> None:
    registry = create(tmp_path)
    [notice] = registry.record_refusals([refusal(registry, "a")], NOW)
    with database(tmp_path) as connection:
        connection.execute("UPDATE entries SET record = replace(record, 'banned', 'unknown')")
    with pytest.raises(RegistryError) as refused:
        registry.refusals([notice.number])
    assert refused.value.code == "registry_damaged"
    assert "entry_changed" in [item.code for item in registry.audit()]
