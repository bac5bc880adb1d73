"""What the service answers under load: wrk asks it, and in the same run an empty view behind the same middleware and a
bare one.

All of them run on our gunicorn with its options, and wrk on the same cores. They are asked in rounds, one after the
other, so that a noisy machine is noisy for all. Limits and logs are on: the API key has the highest limit that there
is, and so many certificates are asked about that none is asked about too often.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.beside import PATH
from bench.million import Filled, code_of
from bench.running import WORKERS, Running
from home import Home

THREADS, CONNECTIONS = 2, 16
ROUNDS, SECONDS = 3, 10
ASKED = 20_000  # different certificates
WRONG = 0.1  # share of the questions with a wrong code
GOAL = 0.5
LOOKUP, EMPTY, BARE, PAGE = "POST /api/v1/verify", "empty view, same middleware", "bare view", "GET /v/…"
SCRIPT = Path(__file__).with_name("ask.lua")


@dataclass(frozen=True)
class Round:
    """What wrk counted: seconds, milliseconds of half and of all but one in a hundred of the answers; `refused` were
    answered 4xx or 5xx, `broken` not at all. `cpu` is the server's processor time in seconds."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p99: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class Target:
    """What is asked: a server, a file of requests, and the path instead of theirs."""

    server: Running
    requests: Path
    path: str = ""

    def wrk(self, seconds: int) -> Round:
        """One round."""
        words = [
            f"-t{THREADS}",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "-s",
            str(SCRIPT),
            self.server.address,
            "--",
        ]
        headers = [f"{name}={value}" for name, value in self.server.headers.items()]
        path = [f"PATH={self.path}"] if self.path else []
        before = self.server.cpu()
        done = subprocess.run(
            ["wrk", *words, str(self.requests), *headers, *path], capture_output=True, text=True, check=True
        )
        return Round(**json.loads(done.stdout.splitlines()[-1]), cpu=self.server.cpu() - before)


def tell(home: Home, filled: Filled) -> list[str]:
    """Measures and prints; what is wrong, in words."""
    if shutil.which("wrk") is None:
        return ["wrk is not installed: nothing of the service was measured"]
    serials = random.sample(range(1, filled.count + 1), min(ASKED, filled.count))
    lookups = _write(home.folder / "lookups.txt", _lookups(filled, serials))
    pages = _write(home.folder / "pages.txt", (f"GET /v/{code_of(serial)}" for serial in serials))
    with ExitStack() as servers:
        service, empty, bare = (
            servers.enter_context(Running.start(home, *command))
            for command in (("signsvc", "serve"), ("bench.beside", "empty"), ("bench.beside", "bare"))
        )
        targets = {
            LOOKUP: Target(service, lookups),
            EMPTY: Target(empty, lookups, PATH),
            BARE: Target(bare, lookups, PATH),
            PAGE: Target(service, pages),
        }
        wrong = _check(service, filled, serials)
        rounds = _alternating(targets)
        wrong += _check(service, filled, serials)
    return wrong + _print(filled, rounds)


def _lookups(filled: Filled, serials: Sequence[int]) -> Iterator[str]:
    """One question on each certificate, some with a wrong code."""
    drawing = secrets.token_hex(8)
    for serial in serials:
        code = code_of(serial, drawing) if random.random() < WRONG else code_of(serial)
        yield "POST /api/v1/verify " + json.dumps({"number": filled.number(serial), "code": code})


def _write(file: Path, lines: Iterable[str]) -> Path:
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def _check(server: Running, filled: Filled, serials: Sequence[int]) -> list[str]:
    """Whether the answers are right: certificates valid, wrong codes not found, and the page says so too."""
    wrong = []
    for serial in random.sample(serials, 20):
        for drawing, expected in (("issued", "valid"), ("wrong", "not_found")):
            question = {"number": filled.number(serial), "code": code_of(serial, drawing)}
            status, content = server.ask("POST", "/api/v1/verify", json.dumps(question))
            verdict = json.loads(content).get("verdict")
            if (status, verdict) != (200, expected):
                wrong.append(f"{question} was answered {status} {verdict} instead of {expected}")
        status, content = server.ask("GET", f"/v/{code_of(serial)}")
        if status != 200 or filled.number(serial).encode() not in content:
            wrong.append(f"the page of {filled.number(serial)} was answered {status}")
    return wrong


def _alternating(targets: Mapping[str, Target]) -> dict[str, list[Round]]:
    """Some rounds of each, in turn; a second before them to warm up is not counted."""
    for target in targets.values():
        target.wrk(1)
    rounds: dict[str, list[Round]] = {name: [] for name in targets}
    for _ in range(ROUNDS):
        for name, target in targets.items():
            rounds[name].append(target.wrk(SECONDS))
    return rounds


def _print(filled: Filled, rounds: Mapping[str, Sequence[Round]]) -> list[str]:
    """The table, ratios first; what is wrong, in words."""
    rates = {name: sum(r.requests for r in of) / sum(r.seconds for r in of) for name, of in rounds.items()}
    print(
        f"\n{filled.count:,} certificates, {ROUNDS} × {SECONDS} s each in turn, {WORKERS} workers, {CONNECTIONS} "
        f"connections; wrk and servers share {len(os.sched_getaffinity(0))} cores"
    )
    head = f"{'asked':<30}{'to empty':>10}{'to bare':>9}{'a second':>10}"
    print(f"{head}{'of rounds':>16}{'CPU ms':>8}{'p50 ms':>8}{'p99 ms':>8}{'errors':>8}")
    for name, of in rounds.items():
        cpu = sum(r.cpu for r in of) / sum(r.requests for r in of) * 1000
        slowest, fastest = min(r.rate for r in of), max(r.rate for r in of)
        print(
            f"{name:<30}{rates[name] / rates[EMPTY]:>10.2f}{rates[name] / rates[BARE]:>9.2f}{rates[name]:>10.0f}"
            f"{f'{slowest:.0f}–{fastest:.0f}':>16}{cpu:>8.2f}{median(r.p50 for r in of):>8.1f}"
            f"{max(r.p99 for r in of):>8.1f}{sum(r.refused + r.broken for r in of):>8}"
        )
    wrong = [
        f"{name}: {sum(r.refused for r in of)} answers refused, {sum(r.broken for r in of)} broken"
        for name, of in rounds.items()
        if any(r.refused + r.broken for r in of)
    ]
    ratio = rates[LOOKUP] / rates[EMPTY]
    return (
        wrong
        if ratio >= GOAL
        else [*wrong, f"a lookup costs more than {1 / GOAL:.0f} empty views: {ratio:.2f}"]
    )
