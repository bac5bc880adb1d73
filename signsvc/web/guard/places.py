"""Places among the files that are examined at the same time, for all workers of a machine together.

A place is one byte of a file in memory, held by lockf(2): the kernel takes it back from a worker that dies. Such locks
belong to processes, so each worker also remembers which places its own threads hold.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from signsvc.errors import Busy

WAIT = 1.0  # seconds
_PAUSE = 0.02
_RETRY_AFTER = 5  # seconds


class Places:
    """`count` places, shared with the processes that are forked after this was made."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._file = os.memfd_create("signsvc-places")
        self._own: set[int] = set()
        self._among_threads = threading.Lock()

    @contextmanager
    def taken(self, wait: float | None = None) -> Iterator[None]:
        """A place for as long as the block runs; Busy if none becomes free within `wait` (or 1) seconds."""
        place = self._wait(time.monotonic() + (WAIT if wait is None else wait))
        try:
            yield
        finally:
            self._leave(place)

    def in_use(self) -> int:
        """How many are taken at this moment, by this worker and the others; for the metrics."""
        free = []
        while (place := self._take()) is not None:
            free.append(place)
        for place in free:
            self._leave(place)
        return self._count - len(free)

    def _wait(self, until: float) -> int:
        while (place := self._take()) is None:
            if time.monotonic() >= until:
                raise Busy("正在核对的文件太多，请稍后再试", _RETRY_AFTER)
            time.sleep(_PAUSE)
        return place

    def _take(self) -> int | None:
        with self._among_threads:
            for place in set(range(self._count)) - self._own:
                try:
                    fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                except (BlockingIOError, PermissionError):  # POSIX allows either
                    continue
                self._own.add(place)
                return place
        return None

    def _leave(self, place: int) -> None:
        with self._among_threads:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
            self._own.discard(place)
