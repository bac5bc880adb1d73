"""A batch killed at any moment and started again, interrupted, or run twice at once: every request issued once."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from home import Home, a_row, read_results
from whole import pages
from whole.batches import MOMENTS, Batch, Ended, wait_for_wiping

from signsvc.archive import Archive
from signsvc.audit import audit
from signsvc.registry import Registry
from signsvc.wiring.recording import auditing

KILLS = 8


def requests(count: int, together: int) -> list[dict[str, str]]:
    """Rows of two offices. Every few a row comes twice, which makes the batch commit so many `together`."""
    found = []
    for number in range(1, count + 1):
        row = a_row(number, office="gd-demo" if number % 3 else "qh-demo", name=f"欧阳{chr(0x4E00 + number)}")
        found += [row, row] if number % together == 0 else [row]
    return found


SIXTY, DOZEN = requests(60, 10), requests(12, 4)


@contextmanager
def opened(home: Home) -> Iterator[tuple[Registry, Archive]]:
    with auditing(home.settings) as found:
        yield found


def assert_nothing_is_lost(home: Home, out: Path) -> None:
    """At every moment: the log has no fault, and a file in the folder is a certificate of the registry."""
    with opened(home) as (registry, archive):
        assert [item for item in audit(registry, archive, home.lists) if item.severity == "fault"] == []
        for file in out.glob("*.pdf"):
            known = registry.by_sha256(sha256(file.read_bytes()).hexdigest())
            assert known is not None, file.name
            assert f"{known.certificate.number}.pdf" == file.name


def assert_issued_once(home: Home, rows: Sequence[dict[str, str]], results: Sequence[dict[str, str]]) -> None:
    """At the end: one number a request, one request a number, and no number unaccounted for."""
    assert [row["request_id"] for row in results] == [row["request_id"] for row in rows]
    assert {row["status"] for row in results} <= {"issued", "unchanged"}
    numbers = {row["request_id"]: row["number"] for row in results}
    assert all(numbers[row["request_id"]] == row["number"] for row in results)
    assert len(set(numbers.values())) == len(numbers)
    assert_accounted_for(home, set(numbers.values()))


def assert_accounted_for(home: Home, issued: set[str]) -> None:
    """Every serial from 1 to the last one given out is issued, or voided with its reason."""
    with closing(sqlite3.connect(home.var / "registry.sqlite3")) as database:
        entries = [
            (kind, json.loads(record))
            for kind, record in database.execute("SELECT kind, record FROM entries")
        ]
        last = dict(database.execute("SELECT office, last FROM counters"))
        assert database.execute("SELECT count(*) FROM reservations").fetchone() == (0,)
    closed = [record for kind, record in entries if kind in ("issued", "voided")]
    assert {record["number"] for kind, record in entries if kind == "issued"} == issued
    assert all(record["reason"] for kind, record in entries if kind == "voided")
    for office, highest in last.items():
        assert sorted(record["serial"] for record in closed if record["office"] == office) == [
            *range(1, highest + 1)
        ]
    assert sum(last.values()) == len(closed)


def assert_clean(home: Home, out: Path, results: Sequence[dict[str, str]]) -> None:
    """Folder, archive and work folder hold what they should and no more; every file is valid."""
    files = sorted({row["pdf"] for row in results})
    assert sorted(path.name for path in out.iterdir()) == [*files, "results.csv", "results.xlsx"]
    for row in results:
        file = out / row["pdf"]
        assert sha256(file.read_bytes()).hexdigest() == row["sha256"]
        office, _, printed = row["number"].partition("-demo-")
        assert f"证明第{printed}号" in pages.texts(file)[0], office
    home.run("verify", *(out / file for file in files))
    home.run("log", "verify")
    archived = {path.name for path in (home.var / "archive").iterdir()}
    assert all(re.fullmatch("[0-9a-f]{64}", name) for name in archived)
    assert {row["sha256"] for row in results} <= archived
    assert list((home.var / "tmp").iterdir()) == []


def test_a_batch_killed_at_random_moments_ends_with_every_request_issued_once(home: Home) -> None:
    rows = home.write_rows("rows.csv", SIXTY)
    chance = random.Random(20261121)
    moments = [*MOMENTS, *chance.choices(MOMENTS, k=KILLS - len(MOMENTS))]
    chance.shuffle(moments)
    hits = 0
    for turn, moment in enumerate(moments):
        batch = Batch(home, rows)
        delay = chance.uniform(0, 2 if moment is Batch.started else 0.06)
        hits += batch.send(signal.SIGKILL, moment, delay, group=turn % 2 == 0)
        assert "Traceback" not in batch.wait().err
        assert_nothing_is_lost(home, batch.out)
    assert hits >= KILLS * 2 // 3
    results = home.sign(rows)
    assert_issued_once(home, SIXTY, results)
    assert_clean(home, batch.out, results)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_an_interrupted_batch_says_so_in_one_line_leaves_nothing_and_can_go_on(
    home: Home, number: signal.Signals
) -> None:
    rows = home.write_rows("rows.csv", DOZEN)
    batch = Batch(home, rows)
    assert batch.send(number, Batch.converting)
    ended = batch.wait()
    assert ended.code != 0
    assert "Traceback" not in ended.err
    assert [line for line in ended.err.splitlines() if line] == ["error: aborted: 已中止"]
    wait_for_wiping(home)
    assert list((home.var / "tmp").iterdir()) == []
    assert not list(batch.out.glob(".*"))
    results = home.sign(rows)
    assert_issued_once(home, DOZEN, results)
    assert_clean(home, batch.out, results)


def test_two_batches_at_once_into_one_folder(home: Home) -> None:
    rows = home.write_rows("rows.csv", DOZEN)
    both = [Batch(home, rows), Batch(home, rows)]
    assert_both_ended_well([batch.wait() for batch in both])
    results = read_results(both[0].out)
    assert_issued_once(home, DOZEN, results)
    assert_clean(home, both[0].out, results)


def test_two_batches_at_once_into_two_folders(home: Home) -> None:
    rows = home.write_rows("rows.csv", DOZEN)
    both = [Batch(home, rows, "one"), Batch(home, rows, "other")]
    assert_both_ended_well([batch.wait() for batch in both])
    one, other = (read_results(batch.out) for batch in both)
    facts = ("request_id", "number", "code", "pdf", "sha256", "valid_until")
    assert [[row[key] for key in facts] for row in one] == [[row[key] for key in facts] for row in other]
    status = Counter(row["status"] for row in (*one, *other))
    assert status == {"issued": 12, "unchanged": len(one) + len(other) - 12}
    for batch, results in zip(both, (one, other), strict=True):
        assert_issued_once(home, DOZEN, results)
        assert_clean(home, batch.out, results)


def assert_both_ended_well(both: Sequence[Ended]) -> None:
    assert [(ended.code, ended.err) for ended in both] == [(0, ""), (0, "")]
