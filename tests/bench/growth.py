"""Whether a certificate and a proof cost more the longer the log is: a registry of a thousand beside a long one.

Certificates are registered as `sign` registers them, by its chunks and waiting for the disk; what is compared is
processor time, the median of rounds that take turns.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from statistics import median

from bench.million import Filled, code_of, filled_home, register, seal_chain, writing
from home import Home

from signsvc.batch import CHUNK
from signsvc.registry import Registry
from signsvc.wiring.home import now

SMALL = 1_000  # certificates
ROUNDS = 15
ASKED = 50  # heads and proofs in a round
GOAL = 1.2  # times what it costs in the small one


@dataclass(frozen=True)
class Grown:
    """An open registry; `chain` is the office's seal certificate and its issuers."""

    registry: Registry
    filled: Filled
    chain: tuple[bytes, ...]

    def certificate(self, at: int) -> int:
        """One more chunk, for the round `at`; how many that were."""
        first = self.filled.count + 1 + at * CHUNK
        register(self.registry, range(first, first + CHUNK), self.chain, now())
        return CHUNK

    def head(self, _at: int) -> int:
        """The newest checkpoint, as often."""
        for _ in range(ASKED):
            self.registry.checkpoint()
        return ASKED

    def proof(self, at: int) -> int:
        """Proof bundles of as many certificates, all over the log, others in each round."""
        step = self.filled.count // ASKED
        for serial in range(at % step + 1, ASKED * step + 1, step):
            if self.registry.proof_bundle(self.filled.number(serial), code_of(serial)) is None:
                raise RuntimeError(f"certificate {serial} is not there")
        return ASKED


def tell(home: Home, filled: Filled) -> list[str]:
    """Measures and prints; what is wrong, in words."""
    with (
        filled_home(SMALL) as (other, few),
        writing(other.settings) as small,
        writing(home.settings) as large,
    ):
        beside = (
            Grown(small, few, seal_chain(other.settings)),
            Grown(large, filled, seal_chain(home.settings)),
        )
        times = _alternating(*beside)
    return _print(times, filled)


def _alternating(small: Grown, large: Grown) -> dict[str, tuple[float, float]]:
    """Core-ms of each in the small and in the large registry."""
    times: dict[str, tuple[list[float], list[float]]] = {}
    for at in range(ROUNDS):
        for name in ("certificate", "head", "proof"):
            lists = times.setdefault(name, ([], []))
            for grown, found in zip((small, large), lists, strict=True):
                found.append(_core_ms(grown, name, at))
    return {name: (median(few), median(many)) for name, (few, many) in times.items()}


def _core_ms(grown: Grown, name: str, at: int) -> float:
    gc.collect()
    begin = time.process_time()
    done: int = getattr(grown, name)(at)
    return (time.process_time() - begin) / done * 1000


def _print(times: dict[str, tuple[float, float]], filled: Filled) -> list[str]:
    """The table, ratios first; what is wrong, in words."""
    print(
        f"\ncore-ms in a registry of {SMALL:,} certificates and in one of {filled.count:,}, {ROUNDS} rounds in turn"
    )
    print(f"{'one':<14}{'ratio':>8}{f'{SMALL:,}':>12}{f'{filled.count:,}':>12}")
    for name, (few, many) in times.items():
        print(f"{name:<14}{many / few:>8.2f}{few:>12.3f}{many:>12.3f}")
    return [
        f"a {name} costs {many / few:.2f} times as much among {filled.count:,} as among {SMALL:,}"
        for name, (few, many) in times.items()
        if many > GOAL * few
    ]
