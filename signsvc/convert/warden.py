"""The warden: a small process of its own that runs a converter for its parent and cleans up behind both.

LibreOffice leaves its process group, so killing the group on a time-out leaves it alive; and a parent that is killed
cannot wipe the filled forms it wrote. The warden adopts every descendant (PR_SET_CHILD_SUBREAPER), ends them all
after each call, and wipes the work folder when its parent is gone, however it went. One program may be kept running
from call to call: it outlives those that end, and dies with one whose time was up.

Protocol, one JSON object a line. In: `{"argv": [...], "env": {...}, "seconds": 120}`, or with `"keep": true` instead of
the seconds for the program that stays; whichever stayed before is ended first, and no argv ends it only; or
`{"look": true}`, to be told whether it still does. Out, first
`{"offline": bool}` (whether the network was cut off), then for each call `{"ended": code, "kept": bytes}`: null for a
time-out, and the memory of what stays, 0 if nothing does. End of input ends it.

Runs as a script with the standard library only: `python -I -S warden.py FOLDER PARENT`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

GRACE = 5.0  # seconds to get rid of killed processes
WATCH = 0.5  # seconds between looks at the parent, in case a fork of it still holds the pipe
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIMITS = (
    (resource.RLIMIT_CORE, 0),  # a core dump would hold what the form says
    (resource.RLIMIT_FSIZE, 512 << 20),
    (resource.RLIMIT_AS, 8 << 30),
    (resource.RLIMIT_NOFILE, 1024),
)


class ParentGone(Exception):
    """The parent closed the pipe or no longer exists."""


class Warden:
    """Waits for calls, and for the end of its parent, at the same time."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._buffer = b""
        self._kept: int | None = None  # process id of what stays
        self._bell, bell = os.pipe()  # rings when a child ends
        os.set_blocking(bell, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Answer calls until the parent is gone; then raise ParentGone."""
        while True:
            call = json.loads(self._next_line())
            answer({"ended": self._do(call), "kept": memory(self._kept) if self._kept else 0})

    def _do(self, call: dict[str, Any]) -> int | None:
        if call.get("look"):
            self._end(spare=True)
            return 0
        words, env = call["argv"], call["env"]
        return self._keep(words, env) if call.get("keep") else self._run(words, env, call["seconds"])

    def _keep(self, argv: list[str], env: dict[str, str]) -> int:
        """Let a program run on, instead of the one before; 0, or 127 if it cannot be started."""
        self._end(spare=False)
        try:
            self._kept = start(argv, env).pid if argv else None
        except OSError:
            return 127
        return 0

    def _run(self, argv: list[str], env: dict[str, str], seconds: float) -> int | None:
        """Exit code of the program, or None if its time was up; no other descendant than what stays is left either
        way, and not that after a time-out."""
        try:
            child = start(argv, env)
        except OSError:
            return 127
        try:
            deadline = time.monotonic() + seconds
            while child.poll() is None and time.monotonic() < deadline:
                self._wait(deadline - time.monotonic())
            return child.returncode
        finally:
            self._end(spare=child.returncode is not None)

    def _end(self, spare: bool) -> None:
        """End every descendant, or spare what stays if that is alive."""
        if not spare or self._kept not in end_descendants(self._kept):
            end_descendants()
            self._kept = None

    def _next_line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._wait(WATCH)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _wait(self, seconds: float) -> None:
        """Sleep until input, the end of a child or `seconds`; raise ParentGone if that is what happened."""
        ready, _, _ = select.select([0, self._bell], [], [], max(0.0, min(seconds, WATCH)))
        if self._bell in ready:
            os.read(self._bell, 512)
        if 0 in ready:
            data = os.read(0, 65536)
            self._buffer += data
            if not data:
                raise ParentGone
        if os.getppid() != self._parent:
            raise ParentGone


def start(argv: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    """The program, silent, in a session of its own and under limits."""
    return subprocess.Popen(  # noqa: S603 (the parent chose the program)
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=confine,  # noqa: PLW1509 (this process has one thread)
    )


def confine() -> None:
    """Limits of the converter; it also dies with the warden."""
    for kind, limit in LIMITS:
        _, hard = resource.getrlimit(kind)
        ceiling = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (ceiling, ceiling))
    os.umask(0o077)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_descendants(spared: int | None = None) -> list[int]:
    """Kill every descendant and reap it; new ones born meanwhile are met on the next round. What is `spared` stays, and
    what is below it; those that stay are returned, the spared one first, if it is alive."""
    deadline = time.monotonic() + GRACE
    while True:
        reap()
        # In this order: what is born in between stands in the second list only, and is not doomed for it.
        present = below(os.getpid())[1:]
        staying = below(spared) if spared in present else []
        doomed = [pid for pid in present if pid not in staying]
        if not doomed or time.monotonic() > deadline:
            return staying
        sockets = [name for pid in doomed for name in sockets_of(pid)]
        for pid in doomed:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for name in sockets:
            with suppress(OSError):
                os.unlink(name)
        time.sleep(0.002)


def reap() -> None:
    """Let go of what has ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def below(top: int) -> list[int]:
    """A process and all below it, if it is there. Orphans stay below the warden because it is their subreaper."""
    children: dict[int, list[int]] = {}
    present = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                status = Path("/proc", entry, "stat").read_bytes()
                children.setdefault(int(status.rpartition(b")")[2].split()[1]), []).append(int(entry))
                present.add(int(entry))
    found = [top] if top in present else []
    for pid in found:
        found += children.get(pid, [])
    return found


def memory(top: int) -> int:
    """Bytes in memory of a process and all below it."""
    pages = 0
    for pid in below(top):
        with suppress(OSError):
            pages += int(Path("/proc", str(pid), "statm").read_bytes().split()[1])
    return pages * resource.getpagesize()


def sockets_of(pid: int) -> list[bytes]:
    """Where LibreOffice waits for its like: who is killed cannot remove that. Names are anybody's to choose."""
    with suppress(OSError):
        held = {os.readlink(link).encode() for link in Path("/proc", str(pid), "fd").iterdir()}
        lines = (line.split(maxsplit=7) for line in Path("/proc/net/unix").read_bytes().split(b"\n"))
        named = ((words[6], words[7]) for words in lines if len(words) == 8)
        return [name for node, name in named if b"socket:[%b]" % node in held and b"/OSL_PIPE_" in name]
    return []


def cut_network() -> bool:
    """Move into a network namespace without any interface up; False where the kernel does not let us."""
    user, group = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    if user == 0 and unshare(CLONE_NEWNET) == 0:
        return True
    if unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with suppress(OSError):  # without the map only the names of file owners are lost
            Path("/proc/self", name).write_text(text, "ascii")
    return True


def prctl(option: int, value: int) -> None:
    """Linux prctl(2) with one argument."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def answer(message: dict[str, Any]) -> None:
    """One line to the parent."""
    with suppress(BrokenPipeError):
        os.write(1, json.dumps(message).encode() + b"\n")


def leave(*_: object) -> None:
    """SIGTERM counts as the end of the parent."""
    raise ParentGone


def main(folder: str, parent: int) -> None:
    """Serve, and wipe `folder` at the end whatever ended it."""
    signal.signal(signal.SIGTERM, leave)
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        warden = Warden(parent)
        answer({"offline": cut_network()})
        warden.serve()
    except ParentGone:
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            end_descendants()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
