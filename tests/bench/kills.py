"""A long batch killed again and again: what `tests/whole/test_kill.py` shows for sixty rows, for two thousand.

Not fast, and no figure; it stands here because it takes minutes. Only a kill that meets the batch at work counts, its
converters there and rows left to make: one that comes while it starts is drawn again. The moment is chosen by how far
the batch has come, so that all kills together leave rows to make. After each one the log is whole
and nothing of anybody lies where forms are worked on; after the last a run goes to the end: every request is issued
once, every file is valid, and nothing of anybody is left in the home.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from home import Home, a_row
from whole.batches import MOMENTS, Batch, wait_for_wiping
from whole.test_kill import assert_clean, assert_issued_once, assert_nothing_is_lost
from whole.traces import traces

from signsvc.batch import CHUNK

ROWS, KILLS = 2000, 50
_NAME = "司寇瑱"
_EARLY = (Batch.started, Batch.filling, Batch.converting)  # moments before the first commit of a run
# Seconds that a kill waits at most after its moment; behind a commit the next chunk's comes at once.
_LONGEST = {Batch.started: 1.5, Batch.filling: 0.8, Batch.converting: 0.5}
_SOON = 0.1
_MAKERS = {"SIGNSVC_MAKERS": "2"}  # each more would commit a chunk more before a kill comes
_DRAWN = 2  # kills there may be for each that counts
_MARGIN = 4 * CHUNK  # rows that are left for the last kill: no run commits so many before it is killed


@dataclass(frozen=True)
class Killed:
    """What one kill met."""

    moment: str
    alive: bool  # not over before
    at_work: bool
    issued: int  # certificates there were


def tell(rows: int = ROWS, kills: int = KILLS) -> list[str]:
    """Kills and prints; what is wrong, in words."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch), {**_MAKERS, "TMPDIR": str(Path(scratch, "elsewhere"))})
        (home.folder / "elsewhere").mkdir()
        home.run("init", "--demo")
        wanted = [a_row(number, name=f"{_NAME}{chr(0x4E00 + number)}") for number in range(1, rows + 1)]
        file = home.write_rows("rows.csv", wanted)
        killed = _killed(home, file, rows, kills)
        results = home.sign(file)
        wait_for_wiping(home)
        assert_issued_once(home, wanted, results)
        assert_clean(home, home.folder / "out", results)
        found = _left(home, home.var)
    _print(rows, killed, Counter(row["status"] for row in results), time.monotonic() - begin)
    print(f"of names in any byte of the home: {len(found)} traces")
    return too_few(killed, kills) + found


def too_few(killed: Sequence[Killed], kills: int) -> list[str]:
    """What is wrong, in words, if not so many met a batch at work."""
    met = sum(kill.at_work for kill in killed)
    return [f"only {met} of {kills} kills met a batch at work"] * (met < kills)


def _killed(home: Home, file: Path, rows: int, kills: int) -> list[Killed]:
    """At each kill the registry is whole, every file a certificate of it, and no form lies about."""
    chance, killed = random.Random(20261122), list[Killed]()
    while too_few(killed, kills) and len(killed) < _DRAWN * kills:
        past = sum(kill.at_work for kill in killed) / kills
        killed.append(_kill(Batch(home, file), chance, rows, past))
    return killed


def _kill(batch: Batch, chance: random.Random, rows: int, past: float) -> Killed:
    home = batch.home
    moment = chance.choice(_moments(_issued(home), rows, past))
    batch.come(moment, chance.uniform(0, _LONGEST.get(moment, _SOON)))
    making = batch.making()
    batch.send(signal.SIGKILL, Batch.started, group=chance.random() < 0.5)
    ended = batch.wait()
    assert "Traceback" not in ended.err, ended.err
    wait_for_wiping(home)
    assert _left(home, home.var / "tmp") == []
    assert_nothing_is_lost(home, batch.out)
    issued, alive = _issued(home), ended.code == -signal.SIGKILL
    return Killed(moment.__name__, alive, alive and making and issued < rows, issued)


def _moments(issued: int, rows: int, past: float) -> Sequence[Callable[[Batch], bool]]:
    """When to kill next, `past` being the part of the kills that is over: what is ahead of them must commit nothing."""
    return MOMENTS if issued <= (rows - _MARGIN) * past else _EARLY


def _issued(home: Home) -> int:
    """Certificates there are."""
    with closing(sqlite3.connect(home.var / "registry.sqlite3")) as database:
        count: int = database.execute("SELECT count(*) FROM entries WHERE kind = 'issued'").fetchone()[0]
    return count


def _left(home: Home, folder: Path) -> list[str]:
    """What is left of anybody below the folder, or where temporary files go."""
    return [f"the home holds {trace}" for trace in traces([folder, home.folder / "elsewhere"], [_NAME])]


def _print(rows: int, killed: Sequence[Killed], ended: Counter[str], seconds: float) -> None:
    """How many kills met a batch at work, and when, and how far it had come."""
    met = [kill for kill in killed if kill.at_work]
    starting = sum(kill.alive and not kill.at_work and kill.issued < rows for kill in killed)
    phases = ", ".join(f"{count} {name}" for name, count in Counter(kill.moment for kill in met).items())
    print(f"{rows:,} rows, {len(killed)} SIGKILLs; a batch at work was met by {len(met)}: {phases}")
    print(f"{starting} met it starting, and were drawn again")
    print(f"certificates at the first kill {killed[0].issued:,}, at the last {killed[-1].issued:,}")
    print(f"the last run made {ended['issued']:,} and found {ended['unchanged']:,}; all in {seconds:.0f} s")
    print("every request issued once; every file valid; log whole")
