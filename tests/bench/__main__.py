"""`make bench`: what things cost, measured on this machine in one run. `python -m bench PART…` measures some parts.

Prints ratios first, for figures differ from machine to machine. With `--write` what was printed goes into
docs/benchmarks.md as well. Exits 1 if a goal was missed or an answer was wrong.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from bench import decisions, growth, kills, page, pipeline, service, single, stages, timing
from bench.million import Filled, filled_home
from home import Home

FEW, MANY = 20_000, 1_000_000  # certificates
LONG = "pipeline-long"  # takes the place of `pipeline`; hours where certificates are slow
Part = Callable[[], list[str]]


def _with(count: int, *tells: Callable[[Home, Filled], list[str]]) -> Part:
    def part() -> list[str]:
        with filled_home(count) as (home, filled):
            return [fault for tell in tells for fault in tell(home, filled)]

    return part


def parts(plots: Path | None) -> dict[str, Part]:
    """What can be measured, by name; plots go into the folder, if there is one."""
    return {
        "pipeline": partial(pipeline.tell, pipeline.SIZES, plots),
        LONG: partial(pipeline.tell, pipeline.LONG, plots),
        "stages": stages.tell,
        "single": single.tell,
        "decisions": decisions.tell,
        "kills": kills.tell,
        "timing": _with(FEW, timing.tell),
        "service": _with(FEW, service.tell),
        "million": _with(MANY, growth.tell, service.tell),
    }


class _Both(io.StringIO):
    """What is printed, kept and shown as it comes."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]
        return super().write(text)


def measure(part: Part) -> tuple[str, list[str]]:
    """What a part printed, and what is wrong."""
    with redirect_stdout(_Both()) as printed:
        faults = part()
    return printed.getvalue(), faults


def main() -> None:
    asked = argparse.ArgumentParser(prog="bench")
    asked.add_argument("parts", nargs="*", metavar="PART", help="one of " + ", ".join(parts(None)))
    asked.add_argument("--write", action="store_true")
    given = asked.parse_args()
    known = parts(page.DOCS if given.write else None)
    if unknown := set(given.parts) - set(known):
        asked.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    wanted = given.parts or [name for name in known if name != LONG]
    measured = {name: measure(known[name]) for name in wanted}
    if given.write:
        printed = {name.removesuffix("-long"): text for name, (text, _) in measured.items()}
        page.write(page.DOCS, list(known), printed)
    sys.exit("\n".join(f"wrong: {fault}" for _, faults in measured.values() for fault in faults))


if __name__ == "__main__":
    main()
