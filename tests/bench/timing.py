"""Whether time tells an unknown number from a wrong code: AUC of the two, asked in turn and at random.

0.5 is a coin. Among samples without any difference 95 % of measurements lie within 0.5 ± 1.96 σ,
σ² = (n + m + 1) / 12 n m; the goal of 0.48 to 0.52 is 3.5 σ wide for 5,000 of each. The same measurement is made once
more with 20 µs added to one kind: a clock that would not see those proves nothing.
"""

from __future__ import annotations

import gc
import http.client
import json
import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from bench.million import Filled, code_of
from bench.running import Running
from home import Home

from signsvc.report import Verdict
from signsvc.verify import Verifier, verify_number
from signsvc.wiring.verifying import asking

SAMPLES = 10_000  # half of each kind
WARM_UP = 500  # questions asked first and not counted
PLANTED = 20  # microseconds
GOAL = (0.48, 0.52)


@dataclass(frozen=True)
class Question:
    """A number and a well-formed code that is no certificate's; `known` is the number."""

    number: str
    code: str
    known: bool


@dataclass(frozen=True)
class Times:
    """Nanoseconds of each answer, by whether the number is known."""

    known: Sequence[int]
    unknown: Sequence[int]

    @property
    def auc(self) -> float:
        return auc(self.known, self.unknown)


def auc(left: Sequence[float], right: Sequence[float]) -> float:
    """The chance that one of `left` is larger than one of `right`, ties counted half: Mann and Whitney's U / n m."""
    ranked = sorted([(value, True) for value in left] + [(value, False) for value in right])
    ranks, place = 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        # Places count from 1; equals share the mean of theirs.
        ranks += sum(is_left for _, is_left in ranked[place:end]) * (place + 1 + end) / 2
        place = end
    return (ranks - len(left) * (len(left) + 1) / 2) / (len(left) * len(right))


def margin(left: int, right: int) -> float:
    """Half the width of the 95 % interval around 0.5 where there is no difference."""
    return 1.96 * sqrt((left + right + 1) / (12 * left * right))


def questions(filled: Filled, count: int) -> list[Question]:
    """Half of the numbers known, half of the same form unknown; no code was ever used before."""
    drawing, half = secrets.token_hex(8), count // 2
    known = random.sample(range(1, filled.count + 1), half)
    unknown = random.sample(range(filled.count + 1, 2 * filled.count + 1), half)
    asked = [
        Question(filled.number(serial), code_of(serial, drawing), serial <= filled.count)
        for serial in (*known, *unknown)
    ]
    random.shuffle(asked)
    return asked


def measure(ask: Callable[[Question], None], asked: Sequence[Question], planted: int = 0) -> Times:
    """Every answer timed; `planted` microseconds are added to those on known numbers."""
    times: dict[bool, list[int]] = {True: [], False: []}
    gc.collect()
    gc.disable()
    try:
        for question in asked:
            begin = time.perf_counter_ns()
            ask(question)
            _wait_until(time.perf_counter_ns() + (planted * 1000 if question.known else 0))
            times[question.known].append(time.perf_counter_ns() - begin)
    finally:
        gc.enable()
    return Times(times[True], times[False])


def _wait_until(end: int) -> None:
    while time.perf_counter_ns() < end:
        pass


def in_process(verifier: Verifier) -> Callable[[Question], None]:
    """Asks the verification itself: less noise, so that less can hide."""

    def ask(question: Question) -> None:
        report = verify_number(verifier, question.number, question.code)
        if report.verdict is not Verdict.NOT_FOUND:
            raise SystemExit(f"{question} was answered {report.verdict}")

    return ask


def over_http(server: Running) -> Callable[[Question], None]:
    """Asks the running service, always over the same connection."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)

    def ask(question: Question) -> None:
        body = json.dumps({"number": question.number, "code": question.code})
        connection.request("POST", "/api/v1/verify", body, server.headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200 or json.loads(content)["verdict"] != "not_found":
            raise SystemExit(f"{question} was answered {answer.status} {content[:200]!r}")

    return ask


def tell(home: Home, filled: Filled) -> list[str]:
    """Measures and prints; what is wrong, in words."""
    print(f"\nunknown number or wrong code: {SAMPLES:,} answers, {WARM_UP} before them not counted")
    print(f"{'asked':<14}{'AUC':>8}{'no difference':>18}{'with +20 µs':>14}{'median µs':>12}")
    with asking(home.settings, None, signed=False) as (verifier, _):
        wrong = _tell("in process", in_process(verifier), filled)
    with Running.start(home, "signsvc", "serve") as server:
        return wrong + _tell("over HTTP", over_http(server), filled)


def _tell(way: str, ask: Callable[[Question], None], filled: Filled) -> list[str]:
    measure(ask, questions(filled, WARM_UP))
    found = measure(ask, questions(filled, SAMPLES))
    planted = measure(ask, questions(filled, SAMPLES // 5), PLANTED).auc
    around = margin(len(found.known), len(found.unknown))
    print(
        f"{way:<14}{found.auc:>8.4f}{f'0.5 ± {around:.4f}':>18}{planted:>14.4f}"
        f"{median([*found.known, *found.unknown]) / 1000:>12.0f}"
    )
    wrong = [] if GOAL[0] <= found.auc <= GOAL[1] else [f"{way}: AUC {found.auc:.4f} is outside {GOAL}"]
    return wrong if planted > GOAL[1] else [*wrong, f"{way}: {PLANTED} µs would not have been seen"]
