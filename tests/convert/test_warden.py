"""Programs that do not want to end, and parents that end too soon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signsvc.convert.workshop import Outcome, Workshop

# Ignores SIGTERM, and leaves an orphan in a session of its own; both carry the marker in their command line.
STUBBORN = """\
trap '' TERM HUP INT
( setsid sh -c "trap '' TERM; while :; do sleep 1; done" "$1" & )
while :; do sleep 1; done
"""
PARENT = """\
import sys, time
from pathlib import Path
from signsvc.convert.workshop import Workshop
shop = Workshop(Path(sys.argv[1]))
(shop.folder / "0001.docx").write_text("secret")
print(shop.folder, flush=True)
if sys.argv[2] == "busy":
    shop.run(["/bin/sh", "-c", sys.argv[3], "sh", str(shop.folder)], {"PATH": "/usr/bin:/bin"}, 60)
time.sleep(60)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path / "work")
    yield workshop
    workshop.close()


def processes_of(marker: object) -> list[int]:
    """Processes with `marker` in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(marker).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def eventually(holds: Callable[[], bool], seconds: float = 3.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def script(text: str, *arguments: object) -> list[str]:
    return ["/bin/sh", "-c", text, "sh", *map(str, arguments)]


def run(shop: Workshop, text: str, *arguments: object, seconds: float = 20) -> Outcome:
    return shop.run(script(text, *arguments), {"PATH": os.environ["PATH"], "KEPT": "yes"}, seconds)


def test_a_program_gets_only_the_environment_it_is_given(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNSVC_PASSPHRASE_FILE", "/secret")
    assert run(shop, 'env > "$1"', shop.folder / "env") is Outcome.DONE
    seen = dict(line.split("=", 1) for line in (shop.folder / "env").read_text().splitlines())
    assert seen["KEPT"] == "yes"
    assert set(seen) <= {"PATH", "KEPT", "PWD", "SHLVL", "_", "OLDPWD"}


def test_failure_and_absence_are_crashes(shop: Workshop) -> None:
    assert run(shop, "exit 3") is Outcome.CRASHED
    assert run(shop, "kill -SEGV $$") is Outcome.CRASHED
    assert shop.run(["/nonexistent/soffice"], {}, 5) is Outcome.CRASHED


def test_a_time_out_ends_every_descendant(shop: Workshop) -> None:
    marker = shop.folder / "marker"
    began = time.monotonic()
    assert run(shop, STUBBORN, marker, seconds=0.5) is Outcome.TIMED_OUT
    assert time.monotonic() - began < 3
    assert processes_of(marker) == []


def test_nothing_survives_a_program_that_ends_by_itself(shop: Workshop) -> None:
    marker = shop.folder / "marker"
    assert run(shop, 'setsid sh -c "while :; do sleep 1; done" "$1" & exit 0', marker) is Outcome.DONE
    assert processes_of(marker) == []


def test_after_a_time_out_the_next_call_works(shop: Workshop) -> None:
    run(shop, STUBBORN, "x", seconds=0.2)
    assert run(shop, "exit 0") is Outcome.DONE


def stays(shop: Workshop, text: str, *arguments: object) -> None:
    shop.keep(script(text, *arguments), {"PATH": os.environ["PATH"]})


def test_what_is_kept_outlives_the_calls_and_nothing_else_does(shop: Workshop) -> None:
    kept, marker = shop.folder / "kept", shop.folder / "marker"
    stays(shop, 'sh -c "while :; do sleep 1; done" "$1"; exit 0', kept)
    assert shop.kept > 0
    assert eventually(lambda: len(processes_of(kept)) >= 2)
    before = set(processes_of(kept))
    assert run(shop, 'setsid sh -c "while :; do sleep 1; done" "$1" & exit 0', marker) is Outcome.DONE
    assert run(shop, "exit 3") is Outcome.CRASHED
    assert processes_of(marker) == []
    assert len(before & set(processes_of(kept))) >= 2  # beside what the shell is just starting
    assert shop.kept > 0


def test_what_is_kept_dies_with_a_call_whose_time_was_up(shop: Workshop) -> None:
    kept = shop.folder / "kept"
    stays(shop, STUBBORN, kept)
    assert run(shop, STUBBORN, "x", seconds=0.3) is Outcome.TIMED_OUT
    assert (processes_of(kept), shop.kept) == ([], 0)


def test_what_is_kept_makes_room_for_the_next_and_for_nothing(shop: Workshop) -> None:
    first, second = shop.folder / "first", shop.folder / "second"
    stays(shop, STUBBORN, first)
    stays(shop, STUBBORN, second)
    assert processes_of(first) == []
    assert eventually(lambda: processes_of(second) != [])
    shop.keep((), {})
    assert (processes_of(second), shop.kept) == ([], 0)
    stays(shop, STUBBORN, first)
    shop.close()
    assert processes_of(first) == []


def test_that_what_is_kept_has_ended_is_told_with_the_next_call(shop: Workshop) -> None:
    stays(shop, "exit 0")
    assert eventually(lambda: run(shop, "exit 0") is Outcome.DONE and shop.kept == 0)
    shop.keep(["/nonexistent/soffice"], {})
    assert shop.kept == 0


def test_the_socket_of_a_killed_program_is_removed(shop: Workshop, tmp_path: Path) -> None:
    """As LibreOffice makes one in /tmp; whatever else it has open stays."""
    listening = (
        "import socket, sys, time\n"
        "held = [socket.socket(socket.AF_UNIX) for _ in sys.argv[1:]]\n"
        "[one.bind(name) for one, name in zip(held, sys.argv[1:])]\n"
        "[one.listen() for one in held]\n"
        "time.sleep(60)"
    )
    odd = os.fsdecode(b"\xff\n")  # anybody may have sockets of such names
    names = [tmp_path / "OSL_PIPE_0_x", tmp_path / f"other {odd}"]
    shop.keep([sys.executable, "-c", listening, *map(str, names)], {})
    assert eventually(lambda: all(name.exists() for name in names))
    shop.keep((), {})
    assert [name.exists() for name in names] == [False, True]


def test_close_wipes_the_folder_and_ends_the_warden(shop: Workshop) -> None:
    (shop.folder / "in").mkdir()
    (shop.folder / "in" / "0001.docx").write_text("secret")
    shop.close()
    assert not shop.folder.exists()
    assert processes_of(shop.folder) == []


def test_the_folder_is_private(shop: Workshop) -> None:
    assert shop.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_killed_parent_leaves_no_process_and_no_file(tmp_path: Path, state: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "work"), state, STUBBORN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        folder = Path(parent.stdout.readline().strip())
        below = 3 if state == "busy" else 1  # the warden, and the program with its orphan
        assert eventually(lambda: len(processes_of(folder)) >= below)
        assert (folder / "0001.docx").exists()
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not folder.exists(), 1.5)
    assert eventually(lambda: processes_of(folder) == [], 1.5)


def test_a_fork_that_holds_the_pipe_does_not_hold_up_the_wiping(tmp_path: Path) -> None:
    forking = PARENT.replace("time.sleep(60)", "import os\nos.fork()\ntime.sleep(5)")
    command = [sys.executable, "-c", forking, str(tmp_path / "work"), "idle"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        folder = Path(parent.stdout.readline().strip())
        time.sleep(0.3)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert eventually(lambda: not folder.exists(), 2)


def test_a_killed_warden_costs_one_call(shop: Workshop) -> None:
    (warden,) = processes_of(shop.folder)
    os.kill(warden, signal.SIGKILL)
    old = shop.folder
    assert run(shop, "exit 0") is Outcome.CRASHED
    assert run(shop, "exit 0") is Outcome.DONE
    assert not old.exists()
    assert shop.folder != old


def test_the_network_is_cut_off_where_the_kernel_allows(shop: Workshop) -> None:
    assert run(shop, 'cat /proc/net/dev > "$1"', shop.folder / "dev") is Outcome.DONE
    interfaces = (shop.folder / "dev").read_text().splitlines()[2:]
    if shop.offline:
        assert [line.split(":")[0].strip() for line in interfaces] in ([], ["lo"])
    else:
        assert len(interfaces) > 1
