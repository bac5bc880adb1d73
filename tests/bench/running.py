"""A server of its own process on a free port of this machine, asked with an API key."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from home import Home

WORKERS = 2
PER_MINUTE = 1_000_000  # the most that a key may have: the limits are on, and nobody reaches them
_TESTS = str(Path(__file__).parent.parent)
_STARTS_WITHIN = 60.0  # seconds


@dataclass(frozen=True)
class Running:
    """Where it answers, its first process, and the headers of a question to it."""

    process: int
    host: str
    port: int
    headers: Mapping[str, str]

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    @classmethod
    @contextmanager
    def start(cls, home: Home, *command: str) -> Iterator[Running]:
        """`python -m COMMAND --port …` over the home, until the block ends."""
        made = home.run("apikey", "add", "bench", "--per-minute", str(PER_MINUTE))
        key = made.stdout.strip()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        words = [sys.executable, "-m", *command, "--port", str(port), "--workers", str(WORKERS)]
        environment = {**home.environment, "PYTHONPATH": os.pathsep.join([_TESTS, os.getcwd()])}
        with (home.folder / "server.log").open("w") as log:
            process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        try:
            running = cls(process.pid, "127.0.0.1", port, headers)
            running._wait(process)
            yield running
        finally:
            process.terminate()
            process.wait(30)

    def cpu(self) -> float:
        """Seconds of processor time that it has used so far, workers that have ended included."""
        return processes.cpu(self.process)

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, bytes]:
        """Status and content of one answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request(method, path, body.encode() or None, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Until something answers; what does not start ends the benchmark."""
        end = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < end and process.poll() is None:
            try:
                self.ask("GET", "/healthz")
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("a server did not start")
