"""What the benchmark rests on: its measure of time differences, and its way to fill a registry."""

from __future__ import annotations

import random
import time

import pytest
from bench import million, timing
from bench.timing import auc, margin, measure
from home import Home

from signsvc.identity import normalise_code
from signsvc.report import Verdict
from signsvc.verify import verify_number
from signsvc.wiring.verifying import asking


def by_pairs(left: list[int], right: list[int]) -> float:
    """The definition, pair by pair."""
    wins = sum((one > other) + (one == other) / 2 for one in left for other in right)
    return wins / (len(left) * len(right))


def test_auc_is_the_share_of_pairs_won_with_ties_counted_half() -> None:
    chance = random.Random(7)
    for _ in range(50):
        left = [chance.randrange(9) for _ in range(chance.randrange(1, 30))]
        right = [chance.randrange(9) for _ in range(chance.randrange(1, 30))]
        assert auc(left, right) == pytest.approx(by_pairs(left, right))
    assert auc([2, 3], [0, 1]) == 1.0
    assert auc([0, 1], [2, 3]) == 0.0


def test_the_interval_holds_what_chance_makes() -> None:
    """Of 200 measurements of nothing 95 % lie inside, give or take four standard deviations of that count."""
    chance = random.Random(7)
    inside = 0
    for _ in range(200):
        samples = [[chance.gauss(0, 1) for _ in range(100)] for _ in range(2)]
        inside += abs(auc(*samples) - 0.5) <= margin(100, 100)
    assert 178 <= inside <= 200


def test_a_difference_that_is_planted_shows() -> None:
    """By 2 ms on what takes nothing, which no machine is too slow or too busy to show."""
    filled = million.Filled(2026, 100)
    asked = timing.questions(filled, 60)
    assert sum(question.known for question in asked) == 30
    assert len({question.code for question in asked}) == 60
    assert measure(lambda _: None, asked, planted=2000).auc > 0.9
    assert measure(lambda question: time.sleep(0 if question.known else 0.002), asked).auc < 0.1


def test_a_registry_that_the_benchmark_fills_is_whole_and_answers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(million, "CHUNK", 128)
    filled = million.fill(home.settings, 300)
    with asking(home.settings, None, signed=False) as (verifier, _):
        assert verifier.registry is not None
        assert verifier.registry.audit() == []
        for serial in (1, 128, 129, 300):
            number, code = filled.number(serial), million.code_of(serial)
            report = verify_number(verifier, number, code)
            assert (report.verdict, report.log) == (Verdict.VALID, (serial - 1, 300))
            wrong = million.code_of(serial, "wrong")
            assert normalise_code(wrong) == wrong
            assert verify_number(verifier, number, wrong).verdict is Verdict.NOT_FOUND
        assert verify_number(verifier, filled.number(301), million.code_of(301)).verdict is Verdict.NOT_FOUND


def test_the_benchmark_fills_no_registry_twice(home: Home) -> None:
    million.fill(home.settings, 2)
    with pytest.raises(RuntimeError, match="not fresh"):
        million.fill(home.settings, 2)
