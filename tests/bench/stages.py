"""What each stage of a certificate costs, in milliseconds of one core and in raw RSA-3072 signatures."""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import processes
from home import Home
from thousand import thousand

from signsvc import batch
from signsvc.issue import Issuer
from signsvc.keys import Role
from signsvc.make import Maker, at_once
from signsvc.models import OfficeId
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.results import results
from signsvc.wiring.home import load_keys, now
from signsvc.wiring.issuing import issuing
from signsvc.wiring.making import Tools, making

ROWS = 300


def everywhere() -> float:
    """Seconds of processor time of this process and all that came from it."""
    return processes.cpu(os.getpid())


class Stopwatch:
    """Seconds of processor time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def time(
        self, stage: str, work: Callable[..., Any], clock: Callable[[], float] = time.process_time
    ) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            begin = clock()
            try:
                return work(*args, **kwargs)
            finally:
                self.seconds[stage] += clock() - begin

        return timed

    def watch(self, stage: str, target: Any, *methods: str) -> Any:
        """`target` with these methods timed, everything else as it is."""
        watch = self

        class Watched:
            def __getattr__(self, name: str) -> Any:
                found = getattr(target, name)
                return watch.time(stage, found) if name in methods else found

        return Watched()


def watched(issuer: Issuer, maker: Maker, watch: Stopwatch) -> Issuer:
    return replace(
        issuer,
        decide=watch.time("decide", issuer.decide),
        letters=watch.time("letters", issuer.letters),
        make=at_once(
            replace(
                maker,
                fill=watch.time("fill", maker.fill),
                text_of=watch.time("text of", maker.text_of),
                convert=watch.time("convert", maker.convert, everywhere),
                read_back=watch.time("read back", maker.read_back),
                seal=watch.time("seal", maker.seal),
            )
        ),
        archive=watch.watch("archive", issuer.archive, "put_many"),
        registry=watch.watch("registry", issuer.registry, "recall", "reserve", "commit"),
    )


def tell() -> list[str]:
    """Measures and prints; what is wrong, in words."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch))
        home.run("init", "--demo")
        today = now().date()
        rows = [
            RawRow(line, item.cells) for line, item in enumerate(thousand(ROWS * 2), 2) if item.code is None
        ]
        lines = list(batch.read(rows[:ROWS], lambda raw: row.parse(raw, today, {}, 0)))
        watch = Stopwatch()
        with (
            making(Tools.load(home.settings)) as maker,
            issuing(home.settings) as issuer,
            results(home.folder / "out") as written,
        ):
            ready = replace(issuer, make=at_once(maker))
            batch.sign(ready, lines[:1], written, lambda _: None)  # start the converter, draw the seals
            begin = everywhere()
            counts = batch.sign(watched(issuer, maker, watch), lines[1:], written, lambda _: None)
            total = everywhere() - begin
        if counts["issued"] != ROWS - 1:
            return [f"not every row was issued: {dict(counts)}"]
        _print(home, watch, total, ROWS - 1)
    return []


def _print(home: Home, watch: Stopwatch, total: float, rows: int) -> None:
    floor = signature(home)
    print(f"{rows} certificates in one process with its converter, which is warm")
    print(f"{'stage':<12}{'to signature':>14}{'core-ms':>10}")
    rest = total - sum(watch.seconds.values())
    for stage, seconds in {
        **watch.seconds,
        "the rest": rest,
        "all": total,
        "signature": floor * rows,
    }.items():
        print(f"{stage:<12}{seconds / rows / floor:>14.1f}{seconds / rows * 1000:>10.2f}")


def signature(home: Home) -> float:
    """Seconds of one raw RSA-3072 signature."""
    key = load_keys(home.settings, [Role.SEAL]).seal(OfficeId("gd-demo"))
    begin = time.process_time()
    for _ in range(100):
        key.sign(b"floor")
    return (time.process_time() - begin) / 100
