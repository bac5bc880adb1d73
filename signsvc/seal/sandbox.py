"""Hostile files in a child: no network, no other file, little memory, little time, and an answer whatever happens.

A template process has the PDF libraries loaded and forks for every file, so an honest file costs tens of milliseconds
and no state passes from one file to the next. The child is foreign ground once it has parsed the file: of its answer
only codes, digests and times are taken, never words (`findings`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from types import TracebackType

from signsvc.errors import Exit, SignsvcError
from signsvc.seal.findings import REQUEST, Examination, Trust, refused
from signsvc.seal.prechecks import MAX_BYTES

_LONGEST_ANSWER = 64 * 1024
_START_SECONDS = 30.0
_DEATH_SECONDS = 1.0


class SandboxFailed(SignsvcError):
    """The child could not be started: a fault of the machine, not of the file."""

    code = "sandbox_failed"
    exit = Exit.UNUSABLE
    http = 503


@dataclass(frozen=True)
class Limits:
    """What one file may cost: wall-clock `seconds`, `cpu_seconds`, and `memory` in bytes of address space."""

    seconds: float = 1.8
    cpu_seconds: int = 2
    memory: int = 1 << 30


@dataclass(frozen=True)
class _Template:
    """The process that forks, and the socket that asks it to."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    owner: int  # process that started it: a fork of ours starts its own

    @property
    def usable(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None


class Sandbox:
    """Examines files in children. Usable from any thread; `parallel` files at a time, the others wait their turn.

    It starts with the first file; `ready` starts it earlier, beside the caller, so that the first file need not wait.
    The time limit of a file begins when its child is ready. Close it, or use it as a context manager; its children die
    with this process.
    """

    def __init__(self, limits: Limits = Limits(), parallel: int = 4) -> None:
        self._limits = limits
        self._slots = threading.BoundedSemaphore(parallel)
        self._lock = threading.Lock()
        self._template: _Template | None = None

    def examine(self, data: bytes, trust: Trust) -> Examination:
        """Judges `data`; `unreadable` with `too_slow`, `too_large` or `crashed` if the child had to give up.

        Raises SandboxFailed only if no child can be had at all.
        """
        if len(data) > MAX_BYTES:
            return refused("too_large")
        with self._slots:
            line, handle = self._child()
            with line:
                try:
                    return self._converse(line, data, trust)
                finally:
                    _end(handle)

    @property
    def template_pid(self) -> int:
        """Process number of the template, for whoever watches processes."""
        return self._living_template().process.pid

    def ready(self) -> bool:
        """Whether a file could be examined; a template that is missing or died is started by asking."""
        return self._living_template().usable

    def close(self) -> None:
        """Ends the template and with it every child."""
        with self._lock:
            template, self._template = self._template, None
            if template:
                template.control.close()
                if template.owner == os.getpid():
                    template.process.kill()
                    template.process.wait()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _converse(self, line: socket.socket, data: bytes, trust: Trust) -> Examination:
        deadline = time.monotonic() + self._limits.seconds
        encoded = trust.to_json()
        try:
            line.settimeout(self._limits.seconds)
            line.sendall(REQUEST.pack(len(encoded), len(data)) + encoded + data)
            return Examination.from_json(_read_all(line, deadline))
        except TimeoutError:
            return refused("too_slow")
        except (OSError, ValueError):
            return refused("crashed")

    def _child(self) -> tuple[socket.socket, int]:
        """A line to a fresh child and the handle to end it with; a dead template is replaced once."""
        for _ in range(2):
            template = self._living_template()
            try:
                return _fork(template)
            except OSError:
                # Its sockets are gone a moment before its death can be seen.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    template.process.wait(_DEATH_SECONDS)
        raise SandboxFailed("检查程序无法启动；请稍后重试，仍失败请联系管理员")

    def _living_template(self) -> _Template:
        with self._lock:
            if self._template and not self._template.usable:
                self._template.control.close()
                self._template = None
            self._template = self._template or self._start()
            return self._template

    def _start(self) -> _Template:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = [str(theirs.fileno()), str(self._limits.memory), str(self._limits.cpu_seconds)]
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "signsvc.seal.worker", *arguments],
                pass_fds=[theirs.fileno()],
                # No secret of this process reaches the child through its environment.
                env={"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return _Template(process, ours, os.getpid())


def _fork(template: _Template) -> tuple[socket.socket, int]:
    """OSError if the template is gone or silent."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            socket.send_fds(template.control, [b"f"], [theirs.fileno()])
        ours.settimeout(_START_SECONDS)
        _, handles, _, _ = socket.recv_fds(ours, 1, 1)
        if not handles:
            raise ConnectionError("the template ended")
    except OSError:
        ours.close()
        raise
    return ours, handles[0]


def _read_all(line: socket.socket, deadline: float) -> bytes:
    """Everything up to the end of the stream; TimeoutError past the deadline, ValueError if it never ends."""
    answer = bytearray()
    while len(answer) <= _LONGEST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        part = line.recv(_LONGEST_ANSWER)
        if not part:
            return bytes(answer)
        answer += part
    raise ValueError("the answer is too long")


def _end(handle: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    os.close(handle)
