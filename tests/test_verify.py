"""Verification over a registry of its own: what was asked, what was looked at, what is answered."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from authority import BEGIN, END, root
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from home import Home, read_results
from joserfc import jws
from joserfc.jwk import KeySet
from registry.samples import NAME, NOW, STATEMENT, certificate, create, issue, known, refusal, reserve
from sqlalchemy import event

from signsvc.errors import InputError, RegistryError
from signsvc.identity import new_code
from signsvc.keys import Role
from signsvc.models import Sha256, Standing
from signsvc.receipts import ALGORITHM, Receipts, published
from signsvc.registry import Registry, Reservation
from signsvc.report import Asked, Report, Verdict, headline
from signsvc.revocations import Revoked, revocations
from signsvc.seal.findings import Examination, Outcome, Trust, refused
from signsvc.seal.sandbox import Sandbox
from signsvc.statuses import Event
from signsvc.verify import Verifier, verify_code, verify_file, verify_hash, verify_item, verify_number
from signsvc.wiring.answering import answered
from signsvc.wiring.home import database_url, load_keys, log_folder
from signsvc.wiring.verifying import asking

DAY = timedelta(days=1)
CODE = new_code(lambda count: count // 2)
WRONG = new_code(lambda count: count // 3)


def never(data: bytes) -> Examination:
    raise AssertionError("a file was parsed")


def verifier(
    registry: Registry, revoked: Revoked | None = None, later: timedelta = timedelta(), **more: Any
) -> Verifier:
    fields: dict[str, Any] = {"examine": never, "examines_all": False, **more}
    return Verifier(registry, clock=lambda: NOW + later, revoked=lambda: revoked or {}, **fields)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return create(tmp_path)


def file_of(held: Reservation) -> bytes:
    return f"%PDF-{held.number}".encode()


def issue_with_code(registry: Registry) -> Reservation:
    """A certificate whose code is CODE."""
    held = reserve(registry, "coded")[0]
    registry.commit([replace(certificate(held), code=CODE)], NOW)
    return held


def codes(report: Report) -> list[str]:
    return [reason.code for reason in report.reasons]


# What was asked.


def test_a_hash_is_answered_like_its_file(registry: Registry) -> None:
    held, asker = issue(registry, "a")[0], verifier(registry)
    digest = sha256(file_of(held)).hexdigest()
    for spelled in (digest, digest.upper(), f" {digest[:32]} {digest[32:]}\n"):
        report = verify_hash(asker, spelled)
        assert (report.verdict, report.checked, report.asked.sha256) == (Verdict.VALID, "hash", digest)
    assert headline(report).endswith("文件未被改动，在有效期内")
    assert verify_hash(asker, "0" * 64).verdict is Verdict.NOT_FOUND
    assert verify_hash(asker, digest, NOW.date() - DAY).verdict is Verdict.NOT_YET_VALID
    for malformed in ("", "0" * 63, "0" * 65, "g" * 64, "０" * 64):
        with pytest.raises(InputError) as error:
            verify_hash(asker, malformed)
        assert error.value.code == "malformed_sha256"


def test_a_malformed_item_is_a_report_and_the_others_are_answered(registry: Registry) -> None:
    held = issue(registry, "a")[0]
    asker = verifier(registry)
    digest = sha256(file_of(held)).hexdigest()
    number = {"number": held.number, "code": CODE}
    mine = Asked(held.number)
    expected: list[tuple[dict[str, Any], str, Asked]] = [
        ({"sha256": digest}, "demo_data", Asked(None, digest)),
        (number, "not_found", mine),
        ({"sha256": "x"}, "malformed_sha256", Asked()),
        ({**number, "code": CODE[:-1] + WRONG[-1]}, "malformed_code", mine),
        ({**number, "number": "?"}, "malformed_number", Asked()),
        ({**number, "number": "本行特此证明1", "code": "1"}, "malformed_code", Asked()),
        ({}, "malformed_item", Asked()),
        ({"number": held.number}, "malformed_item", mine),
        ({"number": 7, "sha256": 7}, "malformed_item", Asked()),
        ({**number, "sha256": digest.upper()}, "malformed_item", Asked(held.number, digest)),
    ]
    for place, (item, code, asked) in enumerate(expected):
        report = verify_item(asker, item)
        assert (codes(report)[0], report.asked) == (code, asked)
        if place > 1:
            assert (report.verdict, report.checks[0].name) == (Verdict.NOT_FOUND, "request")


def test_a_receipt_says_what_was_asked_and_nobody_gets_his_own_words_signed(registry: Registry) -> None:
    held = issue(registry, "a")[0]
    for number, said in (
        (held.number, held.number),
        (f"证明第 {held.printed} 号", held.printed),
        ("社区证〔2026〕1号", None),
        ("本行特此证明此人信用良好1", None),
        ("x" * 79 + "1", "x" * 79 + "1"),
        ("x" * 80 + "1", None),
    ):
        report = verify_number(verifier(registry), number, WRONG)
        assert report.verdict is Verdict.NOT_FOUND
        assert report.as_json()["asked"] == {"number": said, "sha256": None}
        assert WRONG not in json.dumps(report.as_json())
    assert verify_code(verifier(registry), WRONG).as_json()["asked"] == {"number": None, "sha256": None}
    data = b"nothing of ours"
    report = verify_file(verifier(registry, examine=lambda data: refused("not_pdf")), data)
    assert report.as_json()["asked"] == {"number": None, "sha256": sha256(data).hexdigest()}


def test_the_receipt_is_over_the_answer_without_it(registry: Registry) -> None:
    key = Ed25519PrivateKey.generate()
    held = issue(registry, "a")[0]
    report = verify_hash(verifier(registry), certificate(held).sha256)
    answer = json.loads(answered(report, {"name": True}, Receipts(key)).text)
    signed = jws.deserialize_compact(
        answer["receipt"], KeySet.import_key_set(dict(published([key.public_key()]))), algorithms=[ALGORITHM]
    )
    assert json.loads(signed.payload) == {name: value for name, value in answer.items() if name != "receipt"}
    assert answer["claims"] == {"name": True}
    assert json.loads(answered(report, {}, None).text) == {**report.as_json(), "receipt": None}


@pytest.mark.parametrize(
    ("claim", "value", "match"),
    [
        ("valid_until", "2027-05-20", True),
        *(
            ("valid_until", text, True)
            for text in ("2027年5月20日", "2027/5/20", "2027.5.20", "２０２７-05-20 ")
        ),
        *(("valid_until", text, False) for text in ("2027-05-21", "20270520", "2027-02-30", "永久", "")),
        ("statement", STATEMENT, True),
        ("statement", "其属于本社区居民,现居和平路", True),
        ("statement", f"{STATEMENT}。", True),
        ("statement", " 其属于本社区居民，\r\n  现居和平路. \n", True),
        *(
            ("statement", text, False)
            for text in ("", "。", "其属于本社区居民", "其属于本社区居民，现居 和平路")
        ),
    ],
)
def test_a_claim_is_taken_as_people_write_it(registry: Registry, claim: str, value: str, match: bool) -> None:
    asker = verifier(registry)
    report = verify_hash(asker, certificate(issue(registry, "a")[0]).sha256)
    assert asker.claims(report, {claim: value, "name": NAME}) == {claim: match, "name": True}


def test_of_another_person_nothing_is_relied_on(registry: Registry) -> None:
    chain, _ = WAYS["in force"][0]()
    report = verify_hash(verifier(registry), sealed_with(registry, chain))
    for matches in ({}, {"name": True}, {"name": True, "id_number": False}):
        answer = json.loads(answered(report, matches, Receipts(Ed25519PrivateKey.generate())).text)
        assert answer["rely"] is all(matches.values())
        body = answer["receipt"].split(".")[1]
        signed = json.loads(urlsafe_b64decode(body + "=="))
        assert signed["rely"] is answer["rely"]


# On which day.


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([Event.SUSPEND], ("suspended_later", "按2026年11月22日的情况；此后已于2026年11月24日暂停")),
        ([Event.REVOKE], ("revoked_later", "按2026年11月22日的情况；此后已于2026年11月24日撤销")),
        ([Event.SUPERSEDE], ("superseded_later", "按2026年11月22日的情况；此后已于2026年11月24日换发")),
        ([Event.SUSPEND, Event.RESUME], None),
    ],
)
def test_what_was_stopped_since_is_said_first_and_not_relied_on(
    registry: Registry, events: list[Event], told: tuple[str, str] | None
) -> None:
    chain, _ = WAYS["in force"][0]()
    digest = sealed_with(registry, chain)
    mine, other = registry.by_sha256(digest), issue(registry, "other")[0].number
    assert mine is not None
    for place, happened in enumerate(events):
        by = other if happened is Event.SUPERSEDE else None
        box = b"box %d" % place
        registry.change_status(mine.certificate.number, happened, "other", by, box, NOW + 3 * DAY)
    asker = verifier(registry, later=10 * DAY)
    report = verify_hash(asker, digest, (NOW + DAY).date())
    assert (report.verdict, report.rely) == (Verdict.VALID, False)
    assert [(item.code, item.message) for item in report.reasons] == ([told] if told else [])
    today = verify_hash(asker, digest)
    assert (today.verdict is Verdict.VALID, today.rely) == (told is None, told is None)
    assert "not_reached" not in codes(today)


def test_what_was_resumed_since_is_said_too(registry: Registry) -> None:
    number = issue(registry, "a")[0].number
    registry.change_status(number, Event.SUSPEND, "other", None, b"1", NOW)
    registry.change_status(number, Event.RESUME, "other", None, b"2", NOW + 3 * DAY)
    digest = known(registry, number).certificate.sha256
    report = verify_hash(verifier(registry, later=10 * DAY), digest, (NOW + DAY).date())
    assert (report.verdict, codes(report)[0]) == (Verdict.SUSPENDED, "resumed_later")


def test_a_clock_that_is_behind_hides_no_revocation(registry: Registry) -> None:
    number = issue(registry, "a")[0].number
    registry.change_status(number, Event.REVOKE, "other", None, b"box", NOW + 3 * DAY)
    digest = known(registry, number).certificate.sha256
    assert verify_hash(verifier(registry), digest).verdict is Verdict.REVOKED


# What is looked at.


def test_what_the_registry_knows_is_not_parsed(registry: Registry) -> None:
    held = issue(registry, "a")[0]
    registry.record_refusals([refusal(registry, "n")], NOW)
    report = verify_file(verifier(registry), file_of(held))
    assert (report.verdict, report.checks[0].code) == (Verdict.VALID, "registered_bytes")
    notice = b"%PDF-refused n"
    for told in (
        verify_file(verifier(registry), notice),
        verify_hash(verifier(registry), sha256(notice).hexdigest()),
    ):
        assert (told.verdict, codes(told)) == (Verdict.NOT_FOUND, ["refusal_notice"])
    for other in (file_of(held) + b"\n", notice + b"\n"):
        with pytest.raises(AssertionError, match="parsed"):
            verify_file(verifier(registry), other)


def test_who_brings_his_own_root_is_told_whose_seal_it_is(registry: Registry) -> None:
    held = issue(registry, "a")[0]
    found = Examination(Outcome.UNTRUSTED, ())
    asker = verifier(registry, examine=lambda data: found, examines_all=True)
    assert verify_file(asker, file_of(held)).verdict is Verdict.UNTRUSTED


def test_a_lookup_is_one_transaction(registry: Registry) -> None:
    held = issue_with_code(registry)
    begun: list[object] = []
    event.listen(registry._book.engine, "checkout", lambda *held: begun.append(held))
    asker = verifier(registry)
    for ask in (
        lambda: verify_number(asker, held.printed, CODE),
        lambda: verify_code(asker, CODE),
        lambda: verify_hash(asker, certificate(held).sha256),
        lambda: verify_file(asker, file_of(held)),
    ):
        begun.clear()
        assert ask().verdict is Verdict.VALID
        assert len(begun) == 1


def test_a_seal_made_after_the_start_is_known_to_the_examination(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins: list[int] = []

    def watched(self: Sandbox, data: bytes, trust: Trust) -> Examination:
        pins.append(len(trust.pins or ()))
        return refused("not_pdf")

    monkeypatch.setattr(Sandbox, "examine", watched)
    settings = home.settings
    ring = load_keys(settings, (Role.MATCH, Role.LOG))
    with asking(settings, None, signed=False) as (asker, _):
        verify_file(asker, b"a file")
        issue(Registry.open(database_url(settings), log_folder(settings), ring.match, ring.log), "a")
        verify_file(asker, b"a file")
    assert pins[1] == pins[0] + 2  # the seal and its issuer


# The seal, judged at its sealing time.

Way = Callable[[], tuple[tuple[bytes, ...], Revoked]]


def ways() -> dict[str, tuple[Way, Verdict, str, list[str]]]:
    issuing = (top := root()).below("签发", 7)
    issuers = [top.certificate, issuing.certificate]
    sealed = NOW - timedelta(seconds=5)

    def revoked(since: datetime) -> Way:
        return lambda: (issuing.seal(9), revocations([issuing.revokes({9: since})], issuers))

    def dated(begin: datetime, end: datetime) -> Way:
        return lambda: (issuing.seal(9, begin, end), {})

    def orphaned() -> tuple[tuple[bytes, ...], Revoked]:
        return issuing.seal(9), revocations([top.revokes({7: sealed})], issuers)

    return {
        "in force": (dated(BEGIN, END), Verdict.VALID, "good", []),
        "expired since": (dated(BEGIN, NOW), Verdict.VALID, "good", ["seal_expired_later"]),
        "revoked since": (revoked(NOW), Verdict.VALID, "good", ["seal_revoked_later"]),
        "revoked that second": (revoked(sealed), Verdict.UNTRUSTED, "revoked", ["seal_revoked"]),
        "revoked before": (revoked(sealed - DAY), Verdict.UNTRUSTED, "revoked", ["seal_revoked"]),
        "issuer revoked": (orphaned, Verdict.UNTRUSTED, "revoked", ["seal_revoked"]),
        "expired before": (dated(BEGIN, sealed - DAY), Verdict.UNTRUSTED, "expired", ["seal_expired"]),
        "not yet": (dated(NOW, END), Verdict.UNTRUSTED, "not_yet_valid", ["seal_not_yet_valid"]),
        "not readable": (lambda: ((b"x",), {}), Verdict.UNTRUSTED, "not_checked", ["seal_not_checked"]),
    }


WAYS = ways()


def sealed_with(registry: Registry, chain: tuple[bytes, ...]) -> Sha256:
    """The file of a certificate under a recognised seal with this chain."""
    new = certificate(reserve(registry, "a")[0])
    registry.commit([replace(new, chain=chain, standing=Standing.RECOGNISED, demo=False)], NOW)
    return new.sha256


def test_a_seal_whose_certificates_are_gone_is_not_taken_for_good(registry: Registry) -> None:
    """Whoever can write to the database, and has no key, could else turn a seal that was revoked in time."""
    chain, revoked = WAYS["revoked before"][0]()
    digest = sealed_with(registry, chain)
    with registry._book.writing() as connection:
        connection.exec_driver_sql("DELETE FROM certificates")
    with pytest.raises(RegistryError, match="印章证书缺失"):
        verify_hash(verifier(registry, revoked), digest)


@pytest.mark.parametrize("what", WAYS)
def test_a_seal_is_judged_at_its_sealing_time(registry: Registry, what: str) -> None:
    made, verdict, status, reasons = WAYS[what]
    chain, revoked = made()
    digest = sealed_with(registry, chain)
    report = verify_hash(verifier(registry, revoked, later=30 * DAY), digest)
    assert report.seal is not None
    assert (report.verdict, report.seal.status_at_sealing, codes(report)) == (verdict, status, reasons)
    assert report.rely is (status == "good")
    if reasons == ["seal_revoked_later"]:
        assert report.reasons[0].message == "签章证书已于2026年11月21日撤销；本件在此之前盖章，不受影响"
    if verdict is Verdict.UNTRUSTED and status != "not_checked":
        assert headline(report) == "盖章时签章证书已被撤销或不在有效期内，不得采信"


# The command.


def test_lookup_on_the_command_line_carries_a_receipt(issued: Home) -> None:
    row = read_results(issued.folder / "out")[0]
    told = issued.json("lookup", row["number"], "--code", row["code"])
    keys = KeySet.import_key_set(dict(published([load_keys(issued.settings, ()).receipt_public])))
    signed = jws.deserialize_compact(told.pop("receipt"), keys, algorithms=[ALGORITHM])
    assert json.loads(signed.payload) == told
    assert told["asked"]["number"] == row["number"]
