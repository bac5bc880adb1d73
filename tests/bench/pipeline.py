"""How many times the ordinary pipeline's rate signsvc makes, what a certificate costs, and the memory of a batch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

from bench import plot
from bench.programs import CORES, EARLY, ORDINARY, REFERENCE, Programs, Run
from bench.stages import signature
from home import Home

SIZES = (10, 100, 1_000, 10_000)
LONG = (*SIZES, 100_000)
GOAL = (f"signsvc, {REFERENCE}", 1_000, 100)  # who, with how many rows, is how many times as fast
FILE = 60_000  # bytes on average, at most
HELD = 1.5e9  # bytes of memory, of all processes together, at most
LEVEL = 1.1  # memory after the first rows, to that before


def tell(sizes: Sequence[int], plots: Path | None) -> list[str]:
    """Measures, prints and, into a folder if there is one, plots; what is wrong, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch))
        home.run("init", "--demo")
        runs = sorted(Programs(home).measure(sizes), key=lambda run: (run.name, run.rows))
        floor = signature(home)
    if plots:
        plot.rates([(run.name, run.rows, run.rate) for run in runs], plots)
    ordinary = ordinary_rate(runs)
    _print(runs, ordinary, floor)
    return [fault for run in runs for fault in wrong(run, ordinary)]


def ordinary_rate(runs: Sequence[Run]) -> float:
    """Certificates a second of the ordinary pipeline, over all its rows."""
    of = [run for run in runs if run.name == ORDINARY]
    return sum(run.rows for run in of) / sum(run.seconds for run in of)


def wrong(run: Run, ordinary: float) -> Iterator[str]:
    """What is wrong with a run; `ordinary` is the rate to compare with."""
    name, rows, times = GOAL
    what = f"{run.name}, {run.rows:,} rows"
    if len(run.sizes) != run.rows:
        yield f"{what}: {len(run.sizes)} files"
    if run.name != name:  # the others have no goal
        return
    if run.rows == rows and run.rate < times * ordinary:
        yield f"{what}: {run.rate / ordinary:.1f} times the ordinary rate instead of {times}"
    if sum(run.sizes) > FILE * len(run.sizes):
        yield f"{what}: files of {_average(run):.0f} KB on average"
    if run.memory.peak > HELD:
        yield f"{what}: {run.memory.peak / 1e6:,.0f} MB of memory"
    if run.rows > EARLY and run.memory.after > LEVEL * run.memory.before:
        grown = run.memory.after / run.memory.before
        yield f"{what}: memory grows to {grown:.2f} times that of the first {EARLY:,}"


def _average(run: Run) -> float:
    """KB a file."""
    return sum(run.sizes) / max(1, len(run.sizes)) / 1000


def _print(runs: Sequence[Run], ordinary: float, floor: float) -> None:
    """The table, ratios first."""
    cost = mean(run.core_ms for run in runs if run.name == ORDINARY)
    print(
        f"whole programs on {CORES} cores; the ordinary pipeline makes {ordinary:.2f} certificates a second,"
    )
    print(f"at {cost:,.0f} core-ms each; a raw signature (RSA-3072) takes {floor * 1000:.2f} core-ms")
    head = (
        f"{'program':<22}{'rows':>9}{'to ordinary':>13}{'by cores':>10}{'to signature':>14}{'a second':>10}"
    )
    print(f"{head}{'core-ms':>9}{'KB a file':>11}{f'MB to {EARLY:,}':>13}{'MB after':>10}")
    for run in runs:
        print(
            f"{run.name:<22}{run.rows:>9,}{run.rate / ordinary:>13.1f}{cost / run.core_ms:>10.1f}"
            f"{run.core_ms / 1000 / floor:>14.1f}{run.rate:>10.2f}{run.core_ms:>9.1f}{_average(run):>11.1f}"
            f"{run.memory.before / 1e6:>13,.0f}{run.memory.after / 1e6:>10,.0f}"
        )
