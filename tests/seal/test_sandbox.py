"""The child that opens hostile files: limited, cut off, replaceable, and never in the way of an answer."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from vectors import hostile
from vectors.workshop import Workshop

from signsvc.seal.examine import examine
from signsvc.seal.findings import DETAILS, STEPS, Outcome, Trust
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


def test_nothing_is_started_before_it_is_needed() -> None:
    with Sandbox() as box:
        assert box._template is None
        assert box.ready()
        assert box.examine(b"no pdf", Trust(())).code == "not_pdf"


@pytest.fixture
def possessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose child does what the file says: whatever a broken parser could be made to do."""
    (tmp_path / "sitecustomize.py").write_text(POSSESSED, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Sandbox() as box:
        yield box


POSSESSED = """
import os
from signsvc.seal import examine
from signsvc.seal.findings import refused

class Said:
    def __init__(self, said): self.to_json = lambda: said

def obey(data, trust):
    if data.startswith(b"{"):
        return Said(data)
    try:
        exec(data.decode())
    except PermissionError:
        return refused("encrypted")
    return refused("malformed")

examine.examine = obey
"""
SECRET = "-----BEGIN PRIVATE KEY-----"
ANSWER = {
    "outcome": "altered",
    "passed": 2,
    "code": "byte_range",
    "signed_sha256": None,
    "seal_certificate": None,
    "sealed_at": None,
    "timestamped": False,
}
LIES = {
    "issuer": SECRET,
    "owner": SECRET,
    "unit": SECRET,
    "checks": [{"name": SECRET, "result": "fail", "code": "byte_range", "detail": SECRET}],
}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "byte_range"),
        (LIES, "byte_range"),
        ({"outcome": "sealed"}, "crashed"),
        ({"outcome": "sealed", "code": "ok"}, "crashed"),
        ({"passed": 6, "code": "ok"}, "crashed"),
        ({"passed": 6}, "crashed"),
        ({"passed": -1}, "crashed"),
        ({"passed": 2.0}, "crashed"),
        ({"code": SECRET}, "crashed"),
        ({"code": [SECRET]}, "crashed"),
        ({"outcome": SECRET}, "crashed"),
        ({"signed_sha256": SECRET}, "crashed"),
        ({"seal_certificate": "A" * 64}, "crashed"),
        ({"sealed_at": SECRET}, "crashed"),
        ({"sealed_at": "2026-11-21T00:00:00+08:00" + " " * 40}, "crashed"),
    ],
)
def test_no_word_of_the_childs_is_taken(possessed: Sandbox, said: dict[str, object], code: str) -> None:
    found = possessed.examine(json.dumps({**ANSWER, **said}).encode(), Trust(()))
    assert (found.outcome is Outcome.SEALED, found.code) == (False, code)
    assert SECRET not in repr(found)
    assert [(check.name, check.detail) for check in found.checks if check.code == code] == [
        (STEPS[2] if code == "byte_range" else "file", DETAILS[code])
    ]


@pytest.mark.parametrize(
    ("deed", "since"),
    [
        ("open('/etc/passwd')", 1),
        ("os.listdir('/proc')", 1),
        (f"open({__file__!r}, 'r+')", 1),
        (f"os.kill({os.getpid()}, 0)", 6),
    ],
    ids=["reading", "listing", "writing", "signalling"],
)
def test_the_child_reaches_no_file_and_no_other_process(possessed: Sandbox, deed: str, since: int) -> None:
    """As far as this machine's kernel offers it; `since` is the version of Landlock that does."""
    offered = ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset(2): the version
    assert possessed.examine(deed.encode(), Trust(())).code == (
        "encrypted" if offered >= since else "malformed"
    )


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
