from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.models import Certificate, Medium, Number, OfficeId, Sha256, Standing, Status
from signsvc.report import (
    BEIJING,
    Check,
    Report,
    SealInfo,
    StatusEvent,
    Verdict,
    blanks,
    headline,
    history_of,
    judge,
    notes,
    status_at,
)

SEALED = datetime(2026, 11, 21, 9, 0, tzinfo=BEIJING)
CERTIFICATE = Certificate(
    office=OfficeId("o"),
    office_name="某社区居民委员会",
    office_phone="0000",
    number=Number("o-2026-000001"),
    matter="事项",
    statement_pattern="其属于本社区居民，{情况说明}",
    purpose="用途",
    addressee="某单位",
    legal_basis="依据",
    issued_on=date(2026, 11, 21),
    sealed_at=SEALED,
    valid_until=date(2027, 5, 20),
    holder="扎**",
    medium=Medium.ELECTRONIC,
    policy="某号",
    demo=False,
    sha256=Sha256("0" * 64),
    sm3="0" * 64,
    signed_sha256=Sha256("1" * 64),
    seal_certificate=Sha256("2" * 64),
    standing=Standing.RECOGNISED,
    status=Status.ISSUED,
    status_since=SEALED,
    index=0,
)
ISSUED = StatusEvent(Status.ISSUED, SEALED)


def report(verdict: Verdict, **changes: object) -> Report:
    certificate = replace(CERTIFICATE, **changes)  # type: ignore[arg-type]
    seal = SealInfo(certificate.standing, "good", "某社区居民委员会")
    return Report(verdict, "file", (), (), certificate, seal, (0, 1), date(2026, 11, 21), SEALED)


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        (date(2026, 11, 20), Verdict.NOT_YET_VALID),
        (date(2026, 11, 21), Verdict.VALID),
        (date(2027, 5, 20), Verdict.VALID),
        (date(2027, 5, 21), Verdict.EXPIRED),
    ],
)
def test_the_last_day_is_included(day: date, verdict: Verdict) -> None:
    assert judge(CERTIFICATE, ISSUED, day) is verdict


def test_status_comes_before_dates() -> None:
    revoked = StatusEvent(Status.REVOKED, SEALED + timedelta(days=1), "other")
    assert judge(CERTIFICATE, revoked, date(2030, 1, 1)) is Verdict.REVOKED


def test_a_day_in_the_past_is_judged_by_the_status_of_that_day() -> None:
    history = [
        ISSUED,
        StatusEvent(Status.SUSPENDED, SEALED + timedelta(days=10), "other"),
        StatusEvent(Status.ISSUED, SEALED + timedelta(days=20)),
        StatusEvent(Status.REVOKED, SEALED + timedelta(days=30), "other"),
    ]
    days = {
        0: Verdict.VALID,
        10: Verdict.SUSPENDED,
        19: Verdict.SUSPENDED,
        20: Verdict.VALID,
        30: Verdict.REVOKED,
    }
    for passed, verdict in days.items():
        day = CERTIFICATE.issued_on + timedelta(days=passed)
        assert judge(CERTIFICATE, status_at(history, day), day) is verdict


def test_a_day_ends_at_midnight_in_beijing() -> None:
    late = StatusEvent(Status.REVOKED, datetime(2026, 12, 1, 0, 0, tzinfo=BEIJING), "other")
    assert status_at([ISSUED, late], date(2026, 11, 30)) == ISSUED
    assert status_at([ISSUED, late], date(2026, 12, 1)) == late


def test_the_last_day_there_is_can_be_asked_for() -> None:
    assert judge(CERTIFICATE, status_at([ISSUED], date.max), date.max) is Verdict.EXPIRED


def test_a_check_that_was_left_out_may_not_be_relied_on() -> None:
    whole = report(Verdict.VALID)
    assert whole.rely
    assert not replace(whole, checks=(Check("status", "skip", "offline"),)).rely


def test_only_of_today_anything_is_relied_on() -> None:
    told = report(Verdict.VALID)
    for day in (date(2026, 11, 20), date(2026, 11, 22), date(2027, 5, 20)):
        assert not replace(told, as_of=day).rely
    evening = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # the 21st in Beijing
    assert replace(told, checked_at=evening).rely


def record(kind: str, day: int, **more: str) -> dict[str, str]:
    return {"kind": kind, "registered_at": f"2026-11-{day}T09:00:00+08:00", **more}


def test_a_history_is_read_from_records() -> None:
    later = [record("suspended", 22, reason="other"), record("resumed", 23), record("revoked", 24)]
    told = history_of(record("issued", 21), later)
    assert [(event.status, event.at.day, event.reason) for event in told] == [
        (Status.ISSUED, 21, ""),
        (Status.SUSPENDED, 22, "other"),
        (Status.ISSUED, 23, ""),
        (Status.REVOKED, 24, ""),
    ]
    replaced = history_of(record("issued", 21), [record("superseded", 22, superseded_by="o-2")])
    assert replaced[-1].superseded_by == "o-2"


@pytest.mark.parametrize(
    ("first", "kinds"),
    [
        ("issued", ["resumed"]),  # what was left out before it shows
        ("issued", ["revoked", "resumed"]),
        ("issued", ["suspended", "suspended"]),
        ("issued", ["copied"]),
        ("issued", ["issued"]),
        ("voided", []),
        ("refused", []),
    ],
)
def test_what_cannot_have_followed_is_no_history(first: str, kinds: list[str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        history_of(record(first, 21), [record(kind, 22) for kind in kinds])


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (Status.REVOKED, "information_wrong", [("information_wrong", "撤销原因：信息有误")]),
        (Status.SUSPENDED, "other", [("other", "暂停原因：其他")]),
        (Status.ISSUED, "other", [("other", "恢复原因：其他")]),
        (Status.ISSUED, "", []),
        (Status.REVOKED, "superseded", [("superseded", "撤销原因：换发")]),
        (
            Status.SUPERSEDED,
            "information_wrong",
            [("information_wrong", "换发原因：信息有误"), ("superseded_by", "已换发为 o-2")],
        ),
        (
            Status.SUPERSEDED,
            "superseded",
            [("superseded", "已换发新的证明"), ("superseded_by", "已换发为 o-2")],
        ),
    ],
)
def test_a_reason_says_of_what_it_is_the_reason(
    status: Status, reason: str, told: list[tuple[str, str]]
) -> None:
    by = Number("o-2") if status is Status.SUPERSEDED else None
    found = notes(CERTIFICATE, StatusEvent(status, SEALED, reason, by))
    assert [(item.code, item.message) for item in found] == told


def test_slots_show_as_blanks() -> None:
    assert blanks("其属于本社区居民，{情况说明}") == "其属于本社区居民，＿＿（情况说明）"


@given(st.sampled_from(Verdict), st.sampled_from(Standing), st.sampled_from(Medium), st.booleans())
def test_only_a_valid_electronic_file_under_a_recognised_seal_may_be_relied_on(
    verdict: Verdict, standing: Standing, medium: Medium, demo: bool
) -> None:
    expected = (
        verdict is Verdict.VALID
        and standing is Standing.RECOGNISED
        and medium is Medium.ELECTRONIC
        and not demo
    )
    assert report(verdict, standing=standing, medium=medium, demo=demo).rely is expected


def test_headlines_are_the_public_ones() -> None:
    assert headline(report(Verdict.VALID)) == "文件未被改动，在有效期内"
    by_number = replace(report(Verdict.VALID), checked="number")
    assert headline(by_number) == "登记信息相符，在有效期内（未核对文件内容）"
    assert headline(report(Verdict.EXPIRED)) == "已于2027年5月20日过期"
    nothing = replace(by_number, verdict=Verdict.NOT_FOUND, certificate=None)
    assert headline(nothing) == "未查到：编号或查验码不符，或尚未上传；请联系出具单位"
    assert headline(report(Verdict.VALID, demo=True)).startswith("演示数据，无法律效力")


@given(st.sampled_from(Verdict))
def test_every_verdict_has_a_headline_and_a_json_form(verdict: Verdict) -> None:
    told = report(verdict)
    assert headline(told)
    assert told.as_json()["verdict"] == verdict.value
    assert told.as_json()["checked_at"] == "2026-11-21T09:00:00+08:00"
