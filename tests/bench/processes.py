"""What a process and all that come from it use, as the kernel counts it (proc(5))."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")  # a second
_PROC = Path("/proc")


def tree(first: int) -> list[Path]:
    """The folders below /proc of a process and all that come from it; who ends meanwhile is left out."""
    found, left = [], [str(first)]
    while left:
        own = _PROC / left.pop()
        with suppress(OSError):
            for task in (own / "task").iterdir():
                left += (task / "children").read_text().split()
            found.append(own)
    return found


def cpu(first: int) -> float:
    """Seconds of processor time that they have used so far, children that have ended included."""
    return sum(map(_ticks, tree(first))) / _TICKS


def memory(first: int) -> int:
    """Bytes that they hold, what several share counted once (PSS)."""
    return sum(map(_shared_out, tree(first)))


@dataclass
class Memory:
    """The most that was held at one time, in bytes, before and after `early` had ended."""

    before: int = 0
    after: int = 0

    @property
    def peak(self) -> int:
        return max(self.before, self.after)


@contextmanager
def watched(first: int, early: Callable[[], bool], every: float = 0.5) -> Iterator[Memory]:
    """Looks at the memory of a process and all that come from it every so many seconds, while the block runs."""
    seen, ended = Memory(), threading.Event()

    def look() -> None:
        first_part = True
        while not ended.wait(every):
            held, first_part = memory(first), first_part and early()
            if first_part:
                seen.before = max(seen.before, held)
            else:
                seen.after = max(seen.after, held)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def _ticks(process: Path) -> int:
    """Time in user mode and in the kernel, of the process and of its children that have ended."""
    with suppress(OSError):
        return sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:15]))
    return 0


def _shared_out(process: Path) -> int:
    with suppress(OSError):
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
