"""Processes that make: they work side by side, and end with the one that owns the registry, or before it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from home import Home, a_row, read_results

from signsvc import batch
from signsvc.audit import audit
from signsvc.errors import KeysError, MakingEnded, SignsvcError
from signsvc.issue import begin
from signsvc.keys import KeyRing
from signsvc.make import at_once
from signsvc.models import DocxBytes, Draft, Request
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.results import results
from signsvc.wiring import making
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


def script(home: Home, text: str) -> subprocess.Popen[str]:
    """A program in a process of its own that is told the home's folder."""
    path = [str(Path(__file__).parent), home.environment["PYTHONPATH"]]
    return subprocess.Popen(
        [sys.executable, "-c", text, str(home.folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


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


def held_by_a_maker() -> tuple[bool, list[str]]:
    """In its process: whether it holds keys that seal, and which others."""
    [opened] = making._opened
    ring: KeyRing = opened.seal.__self__._ring  # type: ignore[union-attr]
    others = {"log": lambda: ring.log, "archive": lambda: ring.archive, "match": lambda: ring.match}
    held = []
    for name, reach in others.items():
        with suppress(KeysError):
            reach()
            held.append(name)
    return bool(ring.seals), held


def test_makers_hold_only_keys_that_seal(quick: Home) -> None:
    with issuing(quick.settings, 2) as issuer:
        pool: ProcessPoolExecutor = issuer.make.args[0]  # type: ignore[attr-defined]
        assert pool.submit(held_by_a_maker).result() == (True, [])


@pytest.mark.parametrize("count", [1, 2])
def test_a_converter_that_does_not_work_ends_the_batch_and_voids_nothing(home: Home, count: int) -> None:
    program = home.folder / "soffice"
    program.write_text("#!/bin/sh\nexit 77\n")
    program.chmod(0o700)
    broken = Home(home.folder, {"SIGNSVC_CONVERTER": "libreoffice"})

    def begun() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(home.folder))
            with issuing(broken.settings, count) as issuer:
                begin(issuer, requests(1, 2))()

    with pytest.raises(MakingEnded, match="转换程序不能工作"):
        begun()
    with issuing(Home(home.folder, EMBEDDED).settings) as issuer:
        outcomes = begin(issuer, requests(1, 2))()
        assert [item.kind for item in issuer.registry.boxes()] == ["issued", "issued"]
    assert [outcome.number for outcome in outcomes] == ["gd-demo-2026-000001", "gd-demo-2026-000002"]


def test_a_bad_document_fails_alone(quick: Home) -> None:
    with issuing(quick.settings) as issuer, making.making(Tools.load(quick.settings)) as maker:

        def fill(draft: Draft) -> DocxBytes:
            return DocxBytes(b"bad") if draft.number.endswith("1") else maker.fill(draft)

        half = replace(issuer, make=at_once(replace(maker, fill=fill)))
        outcomes = [*begin(half, requests(1))(), *begin(half, requests(2))()]
    assert [outcome.status for outcome in outcomes] == ["failed", "issued"]
    assert outcomes[0].faults[0].code == "conversion_failed"


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


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from home import Home
from signsvc.wiring.issuing import issuing
fork = os.fork
def interrupted():
    child = fork()
    if not child:
        os.kill(os.getpid(), signal.SIGINT)
    return child
if __name__ == "__main__":
    os.fork = interrupted
    with issuing(Home(Path(sys.argv[1]), {"SIGNSVC_CONVERTER": "embedded"}).settings, 2):
        print("ready", flush=True)
"""


def test_a_maker_that_is_interrupted_while_it_is_forked_goes_on(quick: Home) -> None:
    ended = script(quick, INTERRUPTED)
    assert ended.communicate(timeout=60) == ("ready\n", "")


def test_makers_die_with_their_parent_and_leave_nothing(quick: Home) -> None:
    parent = script(quick, WAITING)
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
