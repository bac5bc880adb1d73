"""The parent's side of the warden: a private folder and a way to run one program in it, killable and offline."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import IO, Any, cast

from signsvc.errors import ConversionFailed

_WARDEN = Path(__file__).with_name("warden.py")
_MARGIN = 15.0  # seconds the warden may take beyond the program's own time


class Outcome(Enum):
    """How a call ended."""

    DONE = auto()
    CRASHED = auto()
    TIMED_OUT = auto()


class Workshop:
    """A 0700 folder under `base` with its warden; both end with `close`, or with this process, however it ends.

    `offline` tells whether the kernel let the warden cut off the network; `kept` is the memory, in bytes, of the
    program that stays from call to call, 0 if none does.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._start()

    def run(self, argv: Sequence[str], env: Mapping[str, str], seconds: float) -> Outcome:
        """Run `argv` to its end, or to its time-out in `seconds`; no process of it is left afterwards. After a time-out
        nothing stays."""
        ended = self._ask({"argv": list(argv), "env": dict(env), "seconds": seconds}, seconds)
        if ended is None:
            return Outcome.TIMED_OUT
        return Outcome.DONE if ended == 0 else Outcome.CRASHED

    def keep(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Let `argv` run on, in place of what has stayed until now; without `argv` nothing stays."""
        self._ask({"argv": list(argv), "env": dict(env), "keep": True}, 0.0)

    def look(self) -> int:
        """What `kept` is by now."""
        self._ask({"look": True}, 0.0)
        return self.kept

    def _ask(self, call: Mapping[str, Any], seconds: float) -> int | None:
        """The exit code, None for a time-out; 127 too if the warden itself is gone: what ran under it died with it."""
        try:
            self._input.write(json.dumps(call).encode() + b"\n")
            self._input.flush()
            said = self._answer(seconds + _MARGIN)
        except (OSError, EOFError):
            self.close()
            self._start()
            return 127
        self.kept = int(said["kept"])
        ended: int | None = said["ended"]
        return ended

    def close(self) -> None:
        """End the warden and what runs under it, and wipe the folder."""
        for pipe in (self._input, self._output):
            try:
                pipe.close()
            except OSError:
                continue
        try:
            self._process.wait(_MARGIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        self._base.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="convert-", dir=self._base)).resolve()
        self._process = subprocess.Popen(  # noqa: S603 (our own script)
            [sys.executable, "-I", "-S", str(_WARDEN), str(self.folder), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._input = cast(IO[bytes], self._process.stdin)
        self._output = cast(IO[bytes], self._process.stdout)
        self.kept = 0
        try:
            self.offline = bool(self._answer(_MARGIN)["offline"])
        except EOFError as error:
            self.close()
            raise ConversionFailed("转换进程无法启动，请用 signsvc doctor 检查") from error

    def _answer(self, seconds: float) -> dict[str, Any]:
        """The warden's next line; EOFError if it died or keeps silent."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        line = self._output.readline() if poll.poll(seconds * 1000) else b""
        if not line.endswith(b"\n"):
            self._process.kill()
            raise EOFError
        answer: dict[str, Any] = json.loads(line)
        return answer
