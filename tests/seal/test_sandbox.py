"""The child that opens hostile files: limited, cut off, replaceable, and never in the way of an answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from vectors import hostile
from vectors.workshop import Workshop

from signsvc.seal.examine import examine
from signsvc.seal.findings import Outcome
from signsvc.seal.sandbox import Limits, Sandbox

# Every field has the next one twice: more paths than anyone can walk.
SLOW = hostile.field_tree(40)
CHATTY = """
import sys, time
from signsvc.seal.sandbox import Sandbox
box = Sandbox()
print(box.template_pid, flush=True)
time.sleep(60)
"""


def test_the_child_says_what_an_examination_here_says(shop: Workshop, sandbox: Sandbox) -> None:
    for data in (shop.sealed, shop.sealed + b"\n", shop.plain, b"no pdf"):
        assert sandbox.examine(data, shop.pinned) == examine(data, shop.pinned)


def test_an_honest_file_is_quick_once_the_sandbox_is_warm(shop: Workshop, sandbox: Sandbox) -> None:
    sandbox.examine(shop.sealed, shop.pinned)
    started = time.monotonic()
    for _ in range(5):
        sandbox.examine(shop.sealed, shop.pinned)
    assert (time.monotonic() - started) / 5 < 0.5


def test_a_file_that_takes_too_long_is_given_up(shop: Workshop) -> None:
    with Sandbox(Limits(seconds=0.4)) as box:
        box.examine(shop.plain, shop.pinned)
        started = time.monotonic()
        found = box.examine(SLOW, shop.pinned)
        assert time.monotonic() - started < 2.0
        assert (found.outcome, found.code) == (Outcome.UNREADABLE, "too_slow")
        assert no_children(box.template_pid)


def test_time_on_the_processor_is_limited_by_the_system(shop: Workshop) -> None:
    with Sandbox(Limits(seconds=20, cpu_seconds=1)) as box:
        assert box.examine(SLOW, shop.pinned).code == "crashed"


def test_memory_is_limited_by_the_system(shop: Workshop) -> None:
    with Sandbox(Limits(memory=1 << 20)) as box:
        found = box.examine(shop.sealed, shop.pinned)
        assert found.outcome is not Outcome.SEALED  # how far it came before depends on the allocator
        assert found.code in ("too_large", "crashed")


def test_starting_up_does_not_count_against_the_file(shop: Workshop) -> None:
    with Sandbox(Limits(seconds=0.5)) as box:
        assert box.examine(shop.sealed, shop.pinned).outcome is Outcome.SEALED


def test_a_killed_template_is_replaced(shop: Workshop) -> None:
    with Sandbox() as box:
        before = box.template_pid
        os.kill(before, signal.SIGKILL)
        assert box.examine(shop.sealed, shop.pinned).outcome is Outcome.SEALED
        assert box.template_pid != before


def test_threads_share_a_sandbox(shop: Workshop, sandbox: Sandbox) -> None:
    files = [shop.sealed, shop.sealed + b"\n", shop.plain] * 6
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda data: sandbox.examine(data, shop.pinned).outcome, files))
    assert found == [Outcome.SEALED, Outcome.ALTERED, Outcome.NOT_SEALED] * 6


def test_a_slow_file_does_not_hold_up_the_others(shop: Workshop) -> None:
    with Sandbox(Limits(seconds=2.0)) as box, ThreadPoolExecutor(2) as pool:
        box.examine(shop.plain, shop.pinned)
        slow = pool.submit(box.examine, SLOW, shop.pinned)
        assert pool.submit(box.examine, shop.sealed, shop.pinned).result().outcome is Outcome.SEALED
        assert not slow.done()


def test_the_child_sees_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNSVC_PASSPHRASE_FILE", "marker-of-a-secret")
    with Sandbox() as box:
        assert b"marker-of-a-secret" not in Path(f"/proc/{box.template_pid}/environ").read_bytes()


def test_the_child_is_cut_off_from_the_network(shop: Workshop, sandbox: Sandbox) -> None:
    sandbox.examine(shop.plain, shop.pinned)
    network = Path(f"/proc/{sandbox.template_pid}/net")
    assert os.readlink(f"/proc/{sandbox.template_pid}/ns/net") != os.readlink("/proc/self/ns/net")
    assert (network / "route").read_text().splitlines()[1:] == []


def test_closing_ends_the_template(shop: Workshop) -> None:
    with Sandbox() as box:
        box.examine(shop.plain, shop.pinned)
        template = box.template_pid
    assert not Path(f"/proc/{template}").exists()


def test_the_template_dies_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", CHATTY], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    template = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    assert wait_until(lambda: ended(template))


def ended(process: int) -> bool:
    """Gone, or dead and waiting for whoever inherits it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def no_children(process: int) -> bool:
    listing = Path(f"/proc/{process}/task/{process}/children")
    return wait_until(lambda: listing.read_text().split() == [])


def wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False
