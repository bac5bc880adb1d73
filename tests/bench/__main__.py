"""`make bench`: what things cost, measured on this machine in one run. `python -m bench PART…` measures some parts.

Prints ratios first, for figures differ from machine to machine. Exits 1 if a goal was missed or an answer was wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import decisions, issuing, service, timing
from bench.million import filled_home

FEW, MANY = 20_000, 1_000_000  # certificates


def _with(count: int, tell: Callable[..., list[str]]) -> Callable[[], list[str]]:
    def part() -> list[str]:
        with filled_home(count) as (home, filled):
            return tell(home, filled)

    return part


PARTS: dict[str, Callable[[], list[str]]] = {
    "issuing": issuing.tell,
    "decisions": decisions.tell,
    "timing": _with(FEW, timing.tell),
    "service": _with(FEW, service.tell),
    "million": _with(MANY, service.tell),
}


def main(names: list[str]) -> None:
    if unknown := set(names) - set(PARTS):
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    wrong = [fault for name in names or PARTS for fault in PARTS[name]()]
    sys.exit("\n".join(f"wrong: {fault}" for fault in wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
