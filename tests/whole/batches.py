"""A batch in a process of its own, watched from outside and ended at a chosen moment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import commands
from home import Home
from needs import require

WIPED_WITHIN = 3.0  # seconds in which a dead batch's converter must have wiped what it worked on
_LONGEST = 120.0


@dataclass(frozen=True)
class Ended:
    """How a batch ended: its exit code (negative: the signal) and all that it said."""

    code: int
    out: str
    err: str


class Batch:
    """`signsvc sign` at work; a process group of its own, so that a signal reaches it and nobody else."""

    def __init__(self, home: Home, rows: Path, out: str = "out") -> None:
        require("soffice")  # its work folder tells how far the conversion has come
        self.home, self.out = home, home.folder / out
        self._archived, self._delivered = len(self._archive()), len(self._files())
        self._shown = self._checkpoint()
        self._told = [home.folder / f"{out}.{number}.told" for number in (1, 2)]
        words = ["sign", str(rows), "-o", str(self.out)]
        self.process = commands.start(words, home.folder, home.environment, self._told)

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def wait(self) -> Ended:
        """Its end, by itself or by a signal."""
        self.process.join(_LONGEST)
        code = self.process.exitcode
        assert code is not None, "it does not end"
        out, err = (file.read_text("utf-8") for file in self._told)
        return Ended(code, out, err)

    def come(self, moment: Callable[[Batch], bool], delay: float = 0.0) -> bool:
        """Wait until `delay` seconds after the moment has come; False if the batch has ended by then."""
        deadline = time.monotonic() + _LONGEST
        while not moment(self) and self.process.is_alive():
            assert time.monotonic() < deadline, "the moment does not come"
            time.sleep(0.001)
        time.sleep(delay)
        return self.process.is_alive()

    def send(
        self, number: signal.Signals, moment: Callable[[Batch], bool], delay: float = 0.0, group: bool = False
    ) -> bool:
        """The signal, `delay` seconds after the moment has come; False if the batch had ended before."""
        if not self.come(moment, delay):
            return False
        if group:
            os.killpg(self.pid, number)
        else:
            os.kill(self.pid, number)
        return True

    def started(self) -> bool:
        """It may not have done anything yet."""
        return True

    def making(self) -> bool:
        """There is a converter's folder: it has begun to make, or is about to."""
        return bool(converters(self.home))

    def filling(self) -> bool:
        """Filled forms lie in the converter's folder."""
        return any(self._work("in"))

    def converting(self) -> bool:
        """What comes of the conversion is being written."""
        with suppress(FileNotFoundError):  # as in `_work`
            return any(path.stat().st_size for path in self._work("out"))
        return False

    def archiving(self) -> bool:
        return len(self._archive()) > self._archived

    def committing(self) -> bool:
        """The new checkpoint is shown: right behind the commit."""
        return self._checkpoint() != self._shown

    def delivering(self) -> bool:
        return len(self._files()) > self._delivered

    def _work(self, tray: str) -> list[Path]:
        with suppress(FileNotFoundError):  # folders go while we look
            return list((self.home.var / "tmp").glob(f"run-*/convert-*/{tray}/*"))
        return []

    def _archive(self) -> list[str]:
        return os.listdir(self.home.var / "archive")

    def _files(self) -> list[Path]:
        return list(self.out.glob("*.pdf"))

    def _checkpoint(self) -> int:
        return (self.home.var / "log" / "checkpoint").stat().st_mtime_ns


MOMENTS: tuple[Callable[[Batch], bool], ...] = (
    Batch.started,
    Batch.filling,
    Batch.converting,
    Batch.archiving,
    Batch.committing,
    Batch.delivering,
)


def converters(home: Home) -> list[Path]:
    """The folders of converters that run, or have not been wiped yet."""
    return list((home.var / "tmp").glob("run-*/convert-*"))


def wait_for_wiping(home: Home) -> None:
    """Until no converter's folder is left, or the time allowed for it is over."""
    deadline = time.monotonic() + WIPED_WITHIN
    while converters(home) and time.monotonic() < deadline:
        time.sleep(0.02)
