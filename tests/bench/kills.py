"""A long batch killed again and again: what `tests/whole/test_kill.py` shows for sixty rows, for two thousand.

Not fast, and no figure; it stands here because it takes minutes. After the last kill one run goes to the end: every
request is issued once, the log is whole, and nothing of anybody is left in the home.
"""

from __future__ import annotations

import random
import signal
import tempfile
import time
from pathlib import Path

from home import Home, a_row
from whole.batches import MOMENTS, Batch, wait_for_wiping
from whole.test_kill import assert_issued_once, assert_nothing_is_lost
from whole.traces import traces

ROWS, KILLS = 2000, 50
_NAME = "司寇瑱"


def tell(rows: int = ROWS, kills: int = KILLS) -> list[str]:
    """Kills and prints; what is wrong, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch))
        home.run("init", "--demo")
        wanted = [a_row(number, name=f"{_NAME}{chr(0x4E00 + number)}") for number in range(1, rows + 1)]
        file = home.write_rows("rows.csv", wanted)
        hit = _killed(home, file, kills)
        begin = time.monotonic()
        results = home.sign(file)
        seconds = time.monotonic() - begin
        left = sum(row["status"] == "issued" for row in results)
        assert_issued_once(home, wanted, results)
        home.run("log", "verify")
        wait_for_wiping(home)
        found = traces([home.var], [_NAME])
        print(f"\n{rows:,} rows, {kills} SIGKILLs, {hit} of them before the batch had ended by itself")
        print(f"the last run issued {left:,} in {seconds:.0f} s; every request once; log whole")
        return [f"the home holds {trace}" for trace in found]


def _killed(home: Home, file: Path, kills: int) -> int:
    """How many kills found a batch at work. At each the registry is whole, and every file a certificate of it."""
    chance, hit = random.Random(20261122), 0
    for turn in range(kills):
        batch = Batch(home, file)
        moment = MOMENTS[turn % len(MOMENTS)]
        hit += batch.send(signal.SIGKILL, moment, chance.uniform(0, 2), group=chance.random() < 0.5)
        ended = batch.wait()
        assert "Traceback" not in ended.err, ended.err
        assert_nothing_is_lost(home, batch.out)
    return hit
