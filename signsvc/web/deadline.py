"""A request has so many seconds in all, from its first byte to the last of its answer.

A time limit on each read (as gunicorn's threads know it) stops who falls silent, not who sends a byte every few
seconds: he would hold a thread for as long as he likes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

SECONDS = 30.0  # 10 MB at 3 Mbit/s
_LOOK = 1.0  # seconds


class Hurried(ThreadWorker):
    """Threads, and one that shuts the sockets of requests that take too long: whoever reads or writes there ends."""

    def init_process(self) -> None:
        self._since: dict[TConn, float] = {}
        threading.Thread(target=self._watch, daemon=True).start()
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        self._since[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            del self._since[conn]

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK)
            latest = time.monotonic() - SECONDS
            for conn, since in self._since.copy().items():
                if since < latest:
                    with contextlib.suppress(OSError):  # it ended just now
                        conn.sock.shutdown(socket.SHUT_RDWR)
