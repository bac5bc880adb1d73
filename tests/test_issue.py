"""Issuing step by step: each write failed both ways, and what a failed step leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from home import Home, a_row

from signsvc.audit import audit
from signsvc.errors import ConversionFailed, Fault, RowRefused, SealFailed, TextMismatch
from signsvc.issue import Issuer, issue
from signsvc.make import Maker, at_once
from signsvc.models import DocxBytes, Draft, PdfBytes, Request
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.wiring.home import CATALOGUES, now
from signsvc.wiring.issuing import issuing
from signsvc.wiring.lists import look_at_lists
from signsvc.wiring.making import Tools, making


class PowerCut(Exception):
    """The process ends here: nothing of signsvc may catch it."""


class Failing:
    """`target`, whose method `name` fails once: before it does its work (lost) or after it (persisted anyway)."""

    def __init__(self, target: Any, name: str, persisted: bool) -> None:
        self._target, self._name, self._persisted = target, name, persisted

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        return self._fail(method) if name == self._name else method

    def _fail(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **kwargs: Any) -> Any:
            if self._persisted:
                method(*args, **kwargs)
            raise PowerCut

        return failing


@pytest.fixture
def maker(home: Home) -> Iterator[Maker]:
    with making(Tools.load(home.settings)) as opened:
        yield opened


@pytest.fixture
def issuer(home: Home, maker: Maker) -> Iterator[Issuer]:
    with issuing(home.settings) as opened:
        yield replace(opened, make=at_once(maker))


def remade(issuer: Issuer, maker: Maker, **steps: Any) -> Issuer:
    """The issuer, with other steps of making."""
    return replace(issuer, make=at_once(replace(maker, **steps)))


def requests(*numbers: int, **changes: str) -> list[Request]:
    today = now().date()
    return [row.parse(RawRow(number, dict(a_row(number, **changes))), today, {}, 0) for number in numbers]


def is_whole(issuer: Issuer) -> bool:
    lists = look_at_lists(issuer.archive.folder.parent / CATALOGUES)
    findings = audit(issuer.registry, issuer.archive, lists)
    return not [finding for finding in findings if finding.severity == "fault"]


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted"])
@pytest.mark.parametrize(
    ("owner", "write"),
    [("registry", "reserve"), ("archive", "put_many"), ("registry", "commit")],
)
def test_a_power_cut_at_a_write_ends_in_every_request_issued_once(
    issuer: Issuer, owner: str, write: str, persisted: bool
) -> None:
    cut = replace(issuer, **{owner: Failing(getattr(issuer, owner), write, persisted)})
    with pytest.raises(PowerCut):
        issue(cut, requests(1, 2))
    assert is_whole(issuer)
    outcomes = issue(issuer, requests(1, 2))
    committed = write == "commit" and persisted
    assert {outcome.status for outcome in outcomes} == ({"unchanged"} if committed else {"issued"})
    assert [outcome.number for outcome in outcomes] == ["gd-demo-2026-000001", "gd-demo-2026-000002"]
    assert all(outcome.pdf and outcome.code for outcome in outcomes)
    assert is_whole(issuer)


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted"])
def test_a_power_cut_while_a_failed_number_is_voided(issuer: Issuer, maker: Maker, persisted: bool) -> None:
    def unreadable(pdf: PdfBytes, text: str, draft: object) -> Any:
        raise TextMismatch("没有读到")

    failing = Failing(issuer.registry, "void", persisted)
    cut = replace(remade(issuer, maker, read_back=unreadable), registry=failing)
    with pytest.raises(PowerCut):
        issue(cut, requests(1))
    [outcome] = issue(issuer, requests(1))
    assert outcome.status == "issued"
    assert outcome.number == ("gd-demo-2026-000002" if persisted else "gd-demo-2026-000001")
    assert is_whole(issuer)


@pytest.mark.parametrize(
    ("step", "error"),
    [("read_back", TextMismatch("文字不符")), ("seal", SealFailed("盖章失败"))],
)
def test_a_failed_step_voids_the_number_and_leaves_the_other_rows_alone(
    issuer: Issuer, maker: Maker, step: str, error: Exception
) -> None:
    calls = 0

    def once(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise error
        return real(*args)

    real = getattr(maker, step)
    broken = remade(issuer, maker, **{step: once})
    first, second = issue(broken, requests(1, 2))
    assert first.status == "failed"
    assert first.number is None
    assert second.status == "issued"
    assert second.number == "gd-demo-2026-000002"
    again = issue(issuer, requests(1))[0]
    assert (again.status, again.number) == ("issued", "gd-demo-2026-000003")
    assert is_whole(issuer)


@pytest.mark.parametrize("step", ["fill", "read_back"])
def test_a_row_that_is_refused_after_its_number_was_reserved_voids_it(
    issuer: Issuer, maker: Maker, step: str
) -> None:
    def late(*_: Any) -> Any:
        raise RowRefused([Fault("glyph_missing", "缺字")])

    [refused] = issue(remade(issuer, maker, **{step: late}), requests(1))
    assert (refused.status, refused.number) == ("refused", None)
    assert [(item.kind, item.number) for item in issuer.registry.boxes()] == [
        ("voided", "gd-demo-2026-000001")
    ]
    [outcome] = issue(issuer, requests(1))
    assert (outcome.status, outcome.number) == ("issued", "gd-demo-2026-000002")
    assert is_whole(issuer)


def test_a_defect_in_one_row_ends_the_batch_and_keeps_every_number(issuer: Issuer, maker: Maker) -> None:
    def broken(pdf: PdfBytes, text: str, draft: Draft) -> Any:
        if draft.number.endswith("1"):
            raise ZeroDivisionError
        return maker.read_back(pdf, text, draft)

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            issue(remade(issuer, maker, read_back=broken), requests(1, 2))
        assert is_whole(issuer)
    [other] = issue(remade(issuer, maker, read_back=broken), requests(2))
    assert other.number == "gd-demo-2026-000002"
    assert issue(issuer, requests(1))[0].number == "gd-demo-2026-000001"


def test_a_document_that_does_not_convert_fails_alone(issuer: Issuer, maker: Maker) -> None:
    def convert(documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
        return [ConversionFailed("无法转换"), *maker.convert(documents[1:])]

    first, second = issue(remade(issuer, maker, convert=convert), requests(1, 2))
    assert [fault.code for fault in first.faults] == ["conversion_failed"]
    assert second.status == "issued"


def test_a_refused_request_uses_no_number_and_may_change(issuer: Issuer) -> None:
    [refused] = issue(issuer, requests(1, purpose="办理贷款"))
    assert [fault.code for fault in refused.faults] == ["purpose_not_allowed"]
    [outcome] = issue(issuer, requests(1))
    assert (outcome.status, outcome.number) == ("issued", "gd-demo-2026-000001")


def test_a_reserved_request_may_change_and_keeps_its_number(issuer: Issuer) -> None:
    cut = replace(issuer, archive=Failing(issuer.archive, "put_many", False))
    with pytest.raises(PowerCut):
        issue(cut, requests(1))
    [outcome] = issue(issuer, requests(1, name="欧阳武"))
    assert (outcome.status, outcome.number) == ("issued", "gd-demo-2026-000001")
    assert is_whole(issuer)


def test_a_character_without_a_font_refuses_the_row_by_name_and_code_point(issuer: Issuer) -> None:
    # U+2A6DF: the end of Extension B, in neither configured font nor fallback where this fails
    rare = next(char for char in map(chr, range(0x323AF, 0x31350, -1)) if issuer.letters([char]))
    [refused] = issue(issuer, requests(1, name=f"王{rare}"))
    assert refused.faults[0].code == "glyph_missing"
    assert f"U+{ord(rare):04X}" in refused.faults[0].message
    assert issue(issuer, requests(1))[0].number == "gd-demo-2026-000001"


def test_two_processes_on_one_request_end_in_one_certificate(
    issuer: Issuer, maker: Maker, home: Home
) -> None:
    """The second process commits while the first is still converting."""

    def overtaken(documents: Sequence[DocxBytes]) -> Any:
        with issuing(home.settings) as other:
            [faster] = issue(other, requests(1))
            assert faster.status == "issued"
        return maker.convert(documents)

    [slower] = issue(remade(issuer, maker, convert=overtaken), requests(1))
    assert (slower.status, slower.number) == ("unchanged", "gd-demo-2026-000001")
    assert is_whole(issuer)


def test_an_issued_request_is_unchanged_on_a_later_day(issuer: Issuer) -> None:
    """Also when its dates would be refused by then, and whatever else would be decided now."""
    today = now().date()
    cells = a_row(1, issued_on=today.isoformat(), valid_until=(today + timedelta(days=2)).isoformat())
    raw = RawRow(2, dict(cells))
    [issued] = issue(issuer, [row.parse(raw, today, {}, 0)])
    later = today + timedelta(days=30)
    again = row.parse(raw, later, {}, 0)
    assert {fault.code for fault in again.faults} == {"request_invalid:invalid_date"}
    [outcome] = issue(replace(issuer, clock=lambda: now() + timedelta(days=30)), [again])
    assert (outcome.status, outcome.number, outcome.pdf) == ("unchanged", issued.number, issued.pdf)
    changed = row.parse(RawRow(2, {**cells, "name": "?"}), later, {}, 0)
    [conflict] = issue(issuer, [changed])
    assert [fault.code for fault in conflict.faults] == ["request_conflict"]


def test_every_fault_of_a_row_is_told_at_once(issuer: Issuer) -> None:
    [refused] = issue(
        issuer, requests(1, matter="亲属关系证明", id_number="1", verified_by="", name="王\U000323af")
    )
    assert {fault.code for fault in refused.faults} == {
        "request_invalid:invalid_id_number",
        "request_invalid:investigation_required",
        "banned_matter",
        "glyph_missing",
    }
    [unknown] = issue(issuer, requests(1, office="nowhere", valid_until=""))
    assert {fault.code for fault in unknown.faults} == {"request_invalid:missing_field", "unknown_office"}
