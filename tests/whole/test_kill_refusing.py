"""A batch of notices of refusal killed between archive and commit and started again: every request refused once."""

from __future__ import annotations

import csv
import time
from hashlib import sha256

from home import Home, a_row
from needs import require
from whole.batches import wait_for_wiping

from signsvc.audit import audit
from signsvc.models import Number
from signsvc.registry import REFUSED
from signsvc.wiring.recording import auditing

ROWS = [a_row(number, office="qh-demo", matter="健在证明") for number in range(1, 16)]
LONGEST = 120.0  # seconds


def faults(home: Home) -> list[str]:
    with auditing(home.settings) as (registry, archive):
        return [item.code for item in audit(registry, archive, home.lists) if item.severity == "fault"]


def test_a_batch_of_notices_killed_while_it_archives_ends_with_every_request_refused_once(home: Home) -> None:
    require("soffice")
    rows, archived = home.write_rows("rows.csv", ROWS), home.var / "archive"
    with home.start("refuse", rows, "-o", home.folder / "out") as batch:
        deadline = time.monotonic() + LONGEST
        while not any(archived.iterdir()) and batch.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        batch.kill()
    assert batch.returncode < 0
    assert faults(home) == []
    home.run("refuse", rows, "-o", home.folder / "out")
    with open(home.folder / "out" / "refusals.csv", encoding="utf-8-sig", newline="") as stream:
        results = list(csv.DictReader(stream))
    assert [row["request_id"] for row in results] == [row["request_id"] for row in ROWS]
    assert {row["status"] for row in results} <= {"noticed", "unchanged"}
    with auditing(home.settings) as (registry, _):
        recorded = registry.refusals([Number(row["number"]) for row in results])
        assert [item.kind for item in registry.boxes()] == [REFUSED] * len(ROWS)
    for row in results:
        assert sha256((home.folder / "out" / row["pdf"]).read_bytes()).hexdigest() == row["sha256"]
        assert recorded[Number(row["number"])].sha256 == row["sha256"]
    assert faults(home) == []
    wait_for_wiping(home)
    assert list((home.var / "tmp").iterdir()) == []
