"""The registry as its callers see it: numbers, idempotency, finding, status events, proofs."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from registry.counting import statements
from registry.samples import (
    CHAIN,
    DAY,
    FORMAT,
    ID_NUMBER,
    LOG_KEY,
    MATCH_KEY,
    NAME,
    NOW,
    OFFICE,
    ORIGIN,
    STATEMENT,
    WITNESS,
    certificate,
    claim,
    code_of,
    commit,
    cosigned,
    create,
    issue,
    known,
    one_of_everything,
    reopen,
    reserve,
    url_in,
)

from signsvc.errors import NotFound, RegistryError, StatusNotAllowed
from signsvc.models import Certificate, Number, OfficeId, Status
from signsvc.proofs import open_bundle
from signsvc.registry import Boxed, Claim, Conflict, Lost, Recorded, Registry, Reservation
from signsvc.report import history_of
from signsvc.statuses import Event


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return create(tmp_path)


def faults(registry: Registry) -> list[str]:
    return [item.message for item in registry.audit() if item.severity == "fault"]


def change(
    registry: Registry, number: Number, event: Event, reason: str = "other", by: Number | None = None
) -> None:
    registry.change_status(number, event, reason, by, b"box", NOW)


def test_a_registry_is_made_once_and_its_log_never_forked(tmp_path: Path) -> None:
    create(tmp_path)
    with pytest.raises(RegistryError):
        create(tmp_path)
    (tmp_path / "registry.sqlite3").unlink()
    with pytest.raises(RegistryError):
        create(tmp_path)


def test_a_missing_registry_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(RegistryError):
        reopen(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "registry.sqlite3").touch()
    with pytest.raises(RegistryError):
        reopen(tmp_path)


def test_keys_of_another_registry_are_refused(tmp_path: Path) -> None:
    create(tmp_path)
    with pytest.raises(RegistryError):
        Registry.open(url_in(tmp_path), tmp_path / "log", bytes(32), LOG_KEY)
    with pytest.raises(RegistryError):
        Registry.open(url_in(tmp_path), tmp_path / "log", MATCH_KEY, Ed25519PrivateKey.generate())


def test_a_log_name_that_no_note_could_bear_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError):
        Registry.create(url_in(tmp_path), tmp_path / "log", "two words", MATCH_KEY, LOG_KEY)


def test_without_the_log_key_everything_can_be_read_and_nothing_written(tmp_path: Path) -> None:
    held = issue(create(tmp_path), "r1")
    reader = reopen(tmp_path, log_key=None)
    assert reader.by_number(held[0].number)
    assert faults(reader) == []
    with pytest.raises(RegistryError):
        reserve(reader, "r2")
    with pytest.raises(RegistryError):
        reader.publish()


def test_numbers_run_from_one_per_office_and_year(registry: Registry) -> None:
    wishes = [
        claim(registry, "a"),
        claim(registry, "b", OfficeId("gd-demo")),
        claim(registry, "c"),
        claim(registry, "d", day=date(2027, 1, 1)),
    ]
    numbers = [item.number for item in registry.reserve(wishes, NOW) if isinstance(item, Reservation)]
    assert numbers == [
        "qh-demo-2026-000001",
        "gd-demo-2026-000001",
        "qh-demo-2026-000002",
        "qh-demo-2027-000001",
    ]


def test_a_request_keeps_its_reservation_even_with_other_content(registry: Registry) -> None:
    first = reserve(registry, "a", "b")
    changed = registry.reserve([claim(registry, "a", text="changed"), claim(registry, "b")], NOW)
    assert isinstance(changed[0], Reservation)
    assert changed[0].number == first[0].number
    assert changed[0].mark != first[0].mark
    assert changed[1] == first[1]
    lost, won = registry.commit([certificate(first[0]), certificate(changed[0])], NOW)
    assert lost == Lost(Conflict(first[0].number))
    assert isinstance(won, Certificate)


@pytest.mark.parametrize("move", [{"office": OfficeId("gd-demo")}, {"day": date(2027, 1, 1)}])
def test_a_request_that_moves_to_another_office_or_year_leaves_a_voided_number(
    registry: Registry, move: dict[str, object]
) -> None:
    first = reserve(registry, "a")[0]
    moved = registry.reserve([claim(registry, "a", **move)], NOW)[0]  # type: ignore[arg-type]
    assert isinstance(moved, Reservation)
    assert moved.serial == 1
    assert moved.number != first.number
    assert registry.commit([certificate(first)], NOW) == [Lost(None)]
    commit(registry, [moved])
    assert registry.by_number(first.number) is None
    assert registry.audit() == []


def test_one_request_twice_in_a_chunk_gets_one_number(registry: Registry) -> None:
    held = reserve(registry, "a", "a")
    assert held[0] == held[1]
    won, lost = registry.commit([certificate(held[0]), certificate(held[1], "again")], NOW)
    assert isinstance(won, Certificate)
    assert isinstance(lost, Lost)
    assert isinstance(lost.known, Recorded)
    assert lost.known.certificate == won


@pytest.mark.parametrize(
    "number_format", ["{serial}", "{year}", "{other}", "{year:d", "{serial.x}{year}", "{0}"]
)
def test_a_format_that_cannot_number_is_refused_before_a_number_is_used(
    registry: Registry, number_format: str
) -> None:
    with pytest.raises(RegistryError):
        registry.reserve([Claim(registry.mark("a", {}), OFFICE, number_format, DAY)], NOW)
    assert reserve(registry, "b")[0].serial == 1


def test_a_request_is_recalled_by_its_content(registry: Registry) -> None:
    held = issue(registry, "a")[0]
    marks = [
        claim(registry, "b").mark,
        claim(registry, "a").mark,
        claim(registry, "a", text="changed").mark,
    ]
    unknown, same, other = registry.recall(marks)
    assert unknown is None
    assert isinstance(same, Recorded)
    assert same.box == certificate(held).box == registry.box(held.number)
    assert other == Conflict(held.number)
    assert registry.reserve([claim(registry, "a", text="changed")], NOW) == [Lost(Conflict(held.number))]


def test_a_committed_certificate_is_told_without_its_secrets(registry: Registry) -> None:
    held = issue(registry, "a")[0]
    told = known(registry, held.number).certificate
    new = certificate(held)
    assert (told.status, told.status_since, told.index) == (Status.ISSUED, NOW, 0)
    for name in (
        "matter",
        "holder",
        "valid_until",
        "sealed_at",
        "sha256",
        "sm3",
        "medium",
        "standing",
        "demo",
        "purpose",
    ):
        assert getattr(told, name) == getattr(new, name)
    assert NAME not in repr(told)
    assert NAME not in repr(new)
    assert MATCH_KEY.hex() not in repr(registry.__dict__)


def test_two_certificates_never_share_a_code(registry: Registry) -> None:
    held = reserve(registry, "a", "b")
    clash = certificate(held[1])
    object.__setattr__(clash, "code", code_of(held[0]))
    won, lost = registry.commit([certificate(held[0]), clash], NOW)
    assert isinstance(won, Certificate)
    assert lost == Lost(None)
    assert reserve(registry, "b") == [held[1]]


def test_a_voided_number_is_never_used_again(registry: Registry) -> None:
    held = reserve(registry, "a", "b")
    done = registry.void([(held[0], "conversion_failed"), (held[0], "conversion_failed")], NOW)
    assert done == [held[0]]
    assert registry.void([(held[0], "conversion_failed")], NOW) == []
    assert registry.commit([certificate(held[0])], NOW) == [Lost(None)]
    assert reserve(registry, "a")[0].serial == 3
    with pytest.raises(ValueError, match="code"):
        registry.void([(held[1], "加仓的编号")], NOW)


def test_a_number_that_is_issued_is_not_voided(registry: Registry) -> None:
    held = issue(registry, "a")
    assert registry.void([(held[0], "seal_failed")], NOW) == []
    assert registry.by_number(held[0].number)


def test_number_and_code_find_only_together(registry: Registry) -> None:
    one, two = issue(registry, "a", "b")
    assert registry.find(one.number, code_of(one)) == registry.by_number(one.number)
    assert registry.find(one.printed, code_of(one)) == registry.by_number(one.number)
    assert registry.find(one.number.upper(), code_of(one)) == registry.by_number(one.number)
    assert registry.proof_bundle(one.number.upper(), code_of(one))
    for number, code in (
        (one.number, code_of(two)),
        (one.number, "X"),
        ("", code_of(one)),
        ("二", code_of(one)),
    ):
        assert registry.find(number, code) is None
    assert registry.by_code(code_of(two)) == registry.by_number(two.number)
    assert registry.by_code("X") is None


def test_a_wrong_code_costs_the_same_whether_the_number_exists(registry: Registry) -> None:
    held = issue(registry, "a")[0]
    registry.find(held.number, "X")  # a schema as it was is looked at once
    with statements(registry) as right:
        registry.find(held.number, "X")
    with statements(registry) as wrong:
        registry.find("qh-demo-2026-999999", "X")
    assert right == wrong


def test_files_are_found_by_either_hash(registry: Registry) -> None:
    new = certificate(issue(registry, "a")[0])
    told = registry.by_number(new.reservation.number)
    assert registry.by_sha256(new.sha256) == registry.by_signed_sha256(new.signed_sha256) == told
    assert registry.by_sha256(new.signed_sha256) is None
    assert list(registry.boxes()) == [
        Boxed("issued", new.reservation.number, new.sha256, "", "2026-11-21", new.box)
    ]


def test_claims_are_answered_by_match_or_no_match(registry: Registry) -> None:
    number = issue(registry, "a")[0].number
    right = {"name": NAME, "id_number": ID_NUMBER, "statement": STATEMENT, "valid_until": "2027-05-20"}
    assert registry.matches(number, right) == dict.fromkeys(right, True)
    assert registry.matches(number, {**right, "name": "加仓"})["name"] is False
    assert registry.matches(number, {"id_number": NAME}) == {"id_number": False}
    with pytest.raises(ValueError, match="age"):
        registry.matches(number, {"age": "30"})
    with pytest.raises(NotFound):
        registry.matches("qh-demo-2026-999999", right)


def test_status_events_follow_one_another(registry: Registry) -> None:
    one, two = (item.number for item in issue(registry, "a", "b"))
    change(registry, one, Event.SUSPEND, "information_wrong")
    change(registry, one, Event.RESUME)
    later = NOW + timedelta(days=3)
    told = registry.change_status(one, Event.SUPERSEDE, "superseded", two, b"box", later)
    assert (told.status, told.status_since, told.superseded_by) == (Status.SUPERSEDED, later, two)
    history = known(registry, one).history
    assert [item.status for item in history] == [
        Status.ISSUED,
        Status.SUSPENDED,
        Status.ISSUED,
        Status.SUPERSEDED,
    ]
    assert history[1].reason == "information_wrong"
    assert registry.by_number(two) == registry.by_code(code_of(issue_of(registry, "b")))
    assert faults(registry) == []


def issue_of(registry: Registry, request_id: str) -> Reservation:
    return Reservation(claim(registry, request_id).mark, OFFICE, 2026, 0, "")


@pytest.mark.parametrize(
    ("before", "event"),
    [
        ([], Event.RESUME),
        ([Event.SUSPEND], Event.SUSPEND),
        ([Event.REVOKE], Event.RESUME),
        ([Event.REVOKE], Event.REVOKE),
        ([Event.REVOKE], Event.SUSPEND),
    ],
)
def test_what_the_present_status_does_not_allow_is_refused(
    registry: Registry, before: list[Event], event: Event
) -> None:
    number = issue(registry, "a")[0].number
    for step in before:
        change(registry, number, step)
    size = registry.publish().size
    with pytest.raises(StatusNotAllowed):
        change(registry, number, event)
    assert registry.publish().size == size


def test_only_a_living_certificate_of_the_same_office_supersedes(registry: Registry) -> None:
    one, two = (item.number for item in issue(registry, "a", "b"))
    village = registry.reserve([claim(registry, "c", OfficeId("gd-demo"))], NOW)[0]
    assert isinstance(village, Reservation)
    commit(registry, [village])
    for by in (one, village.number, None):
        with pytest.raises(StatusNotAllowed):
            change(registry, one, Event.SUPERSEDE, by=by)
    with pytest.raises(StatusNotAllowed):
        change(registry, one, Event.REVOKE, by=two)
    with pytest.raises(NotFound):
        change(registry, one, Event.SUPERSEDE, by=Number("qh-demo-2026-999999"))
    change(registry, two, Event.REVOKE)
    with pytest.raises(StatusNotAllowed):
        change(registry, one, Event.SUPERSEDE, by=two)


def test_a_reason_outside_the_public_list_is_refused(registry: Registry) -> None:
    number = issue(registry, "a")[0].number
    with pytest.raises(StatusNotAllowed):
        change(registry, number, Event.REVOKE, "加仓要求")


def test_unknown_and_voided_numbers_have_no_status(registry: Registry) -> None:
    held = reserve(registry, "a")[0]
    registry.void([(held, "seal_failed")], NOW)
    for number in (held.number, Number("x")):
        with pytest.raises(NotFound):
            change(registry, number, Event.REVOKE)
        assert registry.by_number(number) is None
        with pytest.raises(NotFound):
            registry.record_copy(number, b"", NOW)


def test_a_copy_given_out_is_in_the_log_and_changes_no_status(registry: Registry) -> None:
    number = issue(registry, "a")[0].number
    registry.record_copy(number, b"box", NOW)
    change(registry, number, Event.REVOKE)
    registry.record_copy(number, b"box", NOW)
    assert registry.publish().size == 4
    assert len(known(registry, number).history) == 2
    assert faults(registry) == []


def test_a_proof_bundle_stands_alone(registry: Registry) -> None:
    held = issue(registry, *(f"r{n}" for n in range(11)))
    for item in held:
        bundle = registry.proof_bundle(item.printed, code_of(item))
        assert bundle is not None
        proven = open_bundle(bundle, registry.verifier)
        issued, checkpoint = proven.issue, proven.checkpoint
        assert (issued.record["number"], checkpoint.size, checkpoint.origin) == (item.number, 11, ORIGIN)
        assert registry.inclusion(issued.proof.index) == issued.proof
        for secret in (NAME, ID_NUMBER, STATEMENT, code_of(item), item.mark.request_key):
            assert secret not in json.dumps(json.loads(bundle), ensure_ascii=False)
    assert registry.proof_bundle(held[0].number, code_of(held[1])) is None


def test_a_proof_bundle_holds_every_change_of_status_under_one_checkpoint(tmp_path: Path) -> None:
    create(tmp_path).close()
    registry = reopen(tmp_path, witnesses=[WITNESS])
    mine, other = issue(registry, "mine", "other")
    change(registry, mine.number, Event.SUSPEND)
    registry.record_copy(mine.number, b"box", NOW)
    registry.keep_cosigned(cosigned(registry.checkpoint()))
    change(registry, other.number, Event.REVOKE)
    before = open_bundle(registry.proof_bundle(mine.number, code_of(mine)) or "", registry.verifier)
    assert before.checkpoint.size == 4  # the cosigned one, which reaches as far as the suspension
    change(registry, mine.number, Event.RESUME)
    change(registry, mine.number, Event.REVOKE)
    bundle = registry.proof_bundle(mine.number, code_of(mine)) or ""
    proven = open_bundle(bundle, registry.verifier)
    assert [entry.record["kind"] for entry in proven.later] == ["suspended", "resumed", "revoked"]
    assert [entry.proof.index for entry in proven.later] == [2, 5, 6]
    assert proven.checkpoint.size == 7  # the cosigned one does not reach the revocation
    told = history_of(proven.issue.record, [entry.record for entry in proven.later])
    assert told == known(registry, mine.number).history


def test_no_proof_bundle_is_given_while_the_newest_entry_is_not_published(
    registry: Registry, tmp_path: Path
) -> None:
    held = issue(registry, "a")[0]
    change(registry, held.number, Event.REVOKE)
    with sqlite3.connect(tmp_path / "registry.sqlite3") as connection:
        connection.execute("DELETE FROM checkpoints WHERE size = 2")
    connection.close()
    with pytest.raises(RegistryError) as refused:
        registry.proof_bundle(held.number, code_of(held))
    assert refused.value.code == "not_published"


def test_a_leaf_that_is_not_published_has_no_proof_yet(registry: Registry) -> None:
    issue(registry, "a")
    for index in (-1, 1):
        with pytest.raises(RegistryError):
            registry.inclusion(index)


def test_everything_known_of_a_number_is_proven_to_be_in_the_log(registry: Registry, tmp_path: Path) -> None:
    one, two = issue(registry, "a", "b")
    change(registry, one.number, Event.SUSPEND)
    assert known(registry, one.number).size == known(registry, two.number).size == 3
    with sqlite3.connect(tmp_path / "registry.sqlite3") as connection:
        connection.execute("DELETE FROM checkpoints WHERE size = 3")
    connection.close()
    assert known(registry, one.number).size is None  # its suspension is not under a signed checkpoint
    assert known(registry, two.number).size == 2
    with sqlite3.connect(tmp_path / "registry.sqlite3") as connection:
        connection.execute("UPDATE nodes SET hash = zeroblob(32) WHERE level = 0 AND idx = 0")
    connection.close()
    assert known(registry, two.number).size is None


def test_publishing_again_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    issue(registry, "a")
    shown = tmp_path / "log" / "checkpoint"
    before = shown.stat().st_mtime_ns
    assert registry.publish() == registry.publish()
    assert shown.stat().st_mtime_ns == before
    assert shown.read_text() == registry.checkpoint()
    assert [path.name for path in shown.parent.iterdir()] == ["checkpoint"]


def test_what_was_changed_in_the_database_is_never_served(tmp_path: Path) -> None:
    held = issue(create(tmp_path), "a")[0]
    with sqlite3.connect(tmp_path / "registry.sqlite3") as connection:
        connection.execute("UPDATE entries SET record = replace(record, '2027-05-20', '2037-05-20')")
    connection.close()
    registry = reopen(tmp_path)
    for look in (lambda: registry.by_number(held.number), lambda: registry.find(held.number, code_of(held))):
        with pytest.raises(RegistryError) as refused:
            look()
        assert refused.value.code == "registry_damaged"


def test_no_name_number_slot_text_code_or_request_id_is_kept(tmp_path: Path) -> None:
    one_of_everything(tmp_path).close()
    secrets = [NAME, ID_NUMBER, STATEMENT, "r1", code_of(issue_of(create(tmp_path / "other"), "r1"))]
    for path in [path for path in tmp_path.glob("**/*") if path.is_file()]:
        raw = path.read_bytes()
        for secret in secrets[:3] + secrets[4:]:
            for encoding in ("utf-8", "gb18030", "utf-16-le"):
                assert secret.encode(encoding) not in raw, (path.name, secret)
        assert b'"r1"' not in raw


def test_a_time_without_a_zone_is_refused(registry: Registry) -> None:
    with pytest.raises(ValueError, match="zone"):
        registry.reserve([claim(registry, "a")], datetime(2026, 1, 1))  # noqa: DTZ001
    assert registry.audit() == []


def test_the_chain_is_named_by_the_record(registry: Registry) -> None:
    told = known(registry, issue(registry, "a")[0].number).certificate
    assert told.seal_certificate == sha256(CHAIN[0]).hexdigest()
    assert told.issued_on == DAY
    assert told.sealed_at.astimezone(UTC) == NOW - timedelta(seconds=5)
    assert FORMAT.format(year=2026, serial=1) in told.number
