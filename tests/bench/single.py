"""One certificate at a time, as at a counter: decided, numbered, filled, converted, read back, sealed, kept, published.

LibreOffice stands by; what happens when it is gone, or hangs, is measured too.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from bench import processes
from bench.programs import good_rows
from bench.stages import everywhere, signature
from home import Home

from signsvc.issue import Issuer, issue
from signsvc.models import Request
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.wiring.home import now
from signsvc.wiring.issuing import issuing

ROUNDS = 60
GOAL = 0.3  # seconds, the median of those made while LibreOffice stands by
TIME_OUT = 3  # seconds: what a LibreOffice that hangs may cost; the setting is 120 unless it is changed
ANEW = 2.0  # seconds of one for which LibreOffice starts anew: less than its time-out, so that no wait goes unseen
KILLED, HANGS, NEXT = "LibreOffice killed", "LibreOffice hangs", ": the next"
LIMITS = {"median": GOAL, KILLED: ANEW, KILLED + NEXT: ANEW, HANGS: TIME_OUT + ANEW, HANGS + NEXT: ANEW}


@dataclass(frozen=True)
class Counter:
    """Issues for one after the other who comes; what goes wrong is told in `wrong`."""

    issuer: Issuer
    requests: Iterator[Request]
    wrong: list[str] = field(default_factory=list)

    def serve(self) -> float:
        """Seconds of one certificate."""
        request = next(self.requests)
        begin = time.perf_counter()
        (outcome,) = issue(self.issuer, [request])
        seconds = time.perf_counter() - begin
        if outcome.status != "issued":
            self.wrong.append(f"not issued: {outcome.faults}")
        return seconds

    def serve_after(self, fate: signal.Signals) -> tuple[float, float]:
        """Of the next two, when this has come over the LibreOffice that stood by."""
        before = standing_by()
        for process in before:
            os.kill(process, fate)
        taken = self.serve(), self.serve()
        if not before or set(before) & set(standing_by()):
            self.wrong.append(f"no LibreOffice stood by, or it was not ended by {fate.name}")
        return taken


def tell() -> list[str]:
    """Measures and prints; what is wrong, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch), {"SIGNSVC_CONVERSION_TIMEOUT": str(TIME_OUT)})
        home.run("init", "--demo")
        begin = time.perf_counter()
        with issuing(home.settings) as issuer:
            counter = Counter(issuer, _requests())
            seconds = {"opening": time.perf_counter() - begin, "the first": counter.serve()}
            begin_cpu = everywhere()
            warm = [counter.serve() for _ in range(ROUNDS)]
            core = (everywhere() - begin_cpu) / ROUNDS
            seconds |= {"median": median(warm), "95th percentile": quantiles(warm, n=20)[-1]}
            seconds["processor time"] = core
            for words, fate in ((KILLED, signal.SIGKILL), (HANGS, signal.SIGSTOP)):
                seconds[words], seconds[words + NEXT] = counter.serve_after(fate)
        _print(seconds, signature(home))
    return counter.wrong + too_slow(seconds)


def too_slow(seconds: Mapping[str, float]) -> list[str]:
    """What took longer than it may, in words."""
    return [
        f"one certificate, {words}: {seconds[words]:.3f} s, limit {limit:g} s"
        for words, limit in LIMITS.items()
        if seconds[words] > limit
    ]


def standing_by() -> list[int]:
    """The processes of the LibreOffice that waits for the next document."""
    found = processes.tree(os.getpid())
    return [int(own.name) for own in found if b"ready.txt" in (own / "cmdline").read_bytes()]


def _requests() -> Iterator[Request]:
    today = now().date()
    for line, cells in enumerate(good_rows(count()), 2):
        yield row.parse(RawRow(line, cells), today, {}, 0)


def _print(seconds: dict[str, float], floor: float) -> None:
    print(f"one certificate at a time, issued whole; a LibreOffice that hangs is ended after {TIME_OUT} s")
    print(f"{'one':<30}{'to signature':>14}{'ms':>10}")
    for words, taken in seconds.items():
        print(f"{words:<30}{taken / floor:>14.0f}{taken * 1000:>10.0f}")
