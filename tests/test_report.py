from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

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
    judge,
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
    assert judge(CERTIFICATE, [ISSUED], day) is verdict


def test_status_comes_before_dates() -> None:
    history = [ISSUED, StatusEvent(Status.REVOKED, SEALED + timedelta(days=1), "other")]
    assert judge(CERTIFICATE, history, date(2030, 1, 1)) is Verdict.REVOKED


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
        assert judge(CERTIFICATE, history, CERTIFICATE.issued_on + timedelta(days=passed)) is verdict


def test_a_day_ends_at_midnight_in_beijing() -> None:
    late = StatusEvent(Status.REVOKED, datetime(2026, 12, 1, 0, 0, tzinfo=BEIJING), "other")
    assert status_at([ISSUED, late], date(2026, 11, 30)) == ISSUED
    assert status_at([ISSUED, late], date(2026, 12, 1)) == late


def test_the_last_day_there_is_can_be_asked_for() -> None:
    assert judge(CERTIFICATE, [ISSUED], date.max) is Verdict.EXPIRED


def test_a_check_that_was_left_out_may_not_be_relied_on() -> None:
    whole = report(Verdict.VALID)
    assert whole.rely
    assert not replace(whole, checks=(Check("status", "skip", "offline"),)).rely


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
