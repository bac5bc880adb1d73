"""Processes that make: they work side by side, and end with the one that owns the registry, or before it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from home import Home, a_row, read_results

from signsvc import batch
from signsvc.audit import audit
from signsvc.errors import KeysError, MakingEnded, SignsvcError
from signsvc.issue import begin
from signsvc.models import Request
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.results import results
from signsvc.wiring.home import now
from signsvc.wiring.issuing import issuing
from signsvc.wiring.making import Tools
from signsvc.wiring.recording import auditing

EMBEDDED = {"SIGNSVC_CONVERTER": "embedded"}  # what converts is of no matter here


@pytest.fixture
def quick(home: Home) -> Home:
    return Home(home.folder, EMBEDDED)


def requests(*numbers: int) -> list[Request]:
    return [row.parse(RawRow(number, dict(a_row(number))), now().date(), {}, 0) for number in numbers]


def children(parent: int) -> list[int]:
    """Of a process, also those of its threads."""
    tasks = Path(f"/proc/{parent}/task")
    return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


def makers(parent: int) -> list[int]:
    """The children that are forks of `parent`: they run the same program with the same words."""
    own = Path(f"/proc/{parent}/cmdline").read_bytes()
    return [pid for pid in children(parent) if Path(f"/proc/{pid}/cmdline").read_bytes() == own]


def ended(pid: int) -> bool:
    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return eventually(gone)


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def is_whole(home: Home) -> bool:
    with auditing(home.settings) as (registry, archive):
        return not [one for one in audit(registry, archive, home.lists) if one.severity == "fault"]


def test_chunks_are_made_side_by_side_and_come_out_in_the_order_of_the_file(quick: Home) -> None:
    out = quick.folder / "out"
    lines = [batch.Line(n, request.request_id, request) for n, request in enumerate(requests(*range(1, 7)))]
    with issuing(quick.settings, 2) as issuer, results(out) as written:
        assert len(makers(os.getpid())) == 2
        counts = batch.each_chunk(lambda some: begin(issuer, some), lines, written, lambda _: None, 2, size=1)
    assert counts == {"issued": 6}
    assert [line["number"] for line in read_results(out)] == [f"gd-demo-2026-{n:06d}" for n in range(1, 7)]
    assert is_whole(quick)
    assert list((quick.var / "tmp").iterdir()) == []
    assert makers(os.getpid()) == []


def test_makers_hold_only_keys_that_seal(quick: Home) -> None:
    ring = Tools.load(quick.settings).ring
    assert ring.seals
    for reach in (lambda: ring.log, lambda: ring.archive, lambda: ring.match):
        with pytest.raises(KeysError, match="没有载入"):
            reach()


def test_a_maker_that_is_killed_ends_the_batch_and_the_next_run_goes_on(quick: Home) -> None:
    def killed() -> None:
        with issuing(quick.settings, 2) as issuer:
            for pid in makers(os.getpid()):
                os.kill(pid, signal.SIGKILL)
            begin(issuer, requests(1, 2))()

    with pytest.raises(MakingEnded, match="重新运行"):
        killed()
    with issuing(quick.settings) as issuer:
        outcomes = begin(issuer, requests(1, 2))()
    assert [outcome.number for outcome in outcomes] == ["gd-demo-2026-000001", "gd-demo-2026-000002"]
    assert is_whole(quick)


def test_what_keeps_makers_from_beginning_is_told_in_its_words(home: Home) -> None:
    no_office = Home(home.folder, {"SIGNSVC_CONVERTER": "libreoffice"})

    def begun() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", "/nonexistent")
            with issuing(no_office.settings, 2):
                raise AssertionError

    with pytest.raises(SignsvcError, match="libreoffice-writer-nogui"):
        begun()


WAITING = """
import sys, time
from pathlib import Path
from home import Home
from signsvc.wiring.issuing import issuing
if __name__ == "__main__":
    with issuing(Home(Path(sys.argv[1]), {"SIGNSVC_CONVERTER": "embedded"}).settings, 2):
        print("ready", flush=True)
        time.sleep(60)
"""


def test_makers_die_with_their_parent_and_leave_nothing(quick: Home) -> None:
    path = [str(Path(__file__).parent), quick.environment["PYTHONPATH"]]
    parent = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(quick.folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    forked = makers(parent.pid)
    assert eventually(lambda: len(list((quick.var / "tmp").glob("run-*/convert-*"))) == 2)
    parent.kill()
    parent.wait()
    assert len(forked) == 2
    assert all(map(ended, forked))
    # Their own folders are gone; the parent's is empty, and the next start wipes it.
    assert [path.name for path in (quick.var / "tmp").glob("*/*")] == ["lock"]


def test_an_interrupted_batch_waits_for_no_maker_and_leaves_nothing(quick: Home) -> None:
    def interrupted() -> None:
        with issuing(quick.settings, 2) as issuer:
            begin(issuer, requests(*range(1, 40)))
            forked.extend(makers(os.getpid()))
            raise KeyboardInterrupt

    forked: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(forked) == 2
    assert all(map(ended, forked))
    assert list((quick.var / "tmp").iterdir()) == []
