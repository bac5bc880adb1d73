"""`signsvc log verify` tells every change to what signing and the status commands wrote, and what was changed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from home import Home, a_row

from signsvc import cli
from signsvc.audit import audit
from signsvc.errors import TextMismatch
from signsvc.issue import issue
from signsvc.keys import Role
from signsvc.make import at_once
from signsvc.models import Request
from signsvc.registry import counters, log
from signsvc.registry.database import connect, writing
from signsvc.registry.match import MatchKey
from signsvc.registry.numbers import reservation_mac
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.statuses import Event
from signsvc.wiring.home import database_url, load_keys, now
from signsvc.wiring.issuing import issuing
from signsvc.wiring.making import Tools, making
from signsvc.wiring.recording import auditing, change_status, retained_copy

REVOKED, COPIED, OLD, NEW = (f"gd-demo-2026-{serial:06d}" for serial in (1, 2, 3, 4))
VOIDED, RESERVED = "gd-demo-2026-000005", "gd-demo-2026-000006"
Change = Callable[[Home], None]
Told = Callable[[], tuple[int, list[str]]]


@pytest.fixture(scope="module")
def full(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one of everything: issued, suspended, revoked, superseded, copied, voided, and one only reserved."""
    home = Home(Path(shutil.copytree(pristine, tmp_path_factory.mktemp("full") / "home")))
    with issuing(home.settings) as issuer:
        assert {outcome.status for outcome in issue(issuer, requests(1, 2, 3, 4))} == {"issued"}
    shutil.copytree(home.var, home.folder / "earlier")
    for event, reason in (
        (Event.SUSPEND, "other"),
        (Event.RESUME, "other"),
        (Event.REVOKE, "issued_in_error"),
    ):
        change_status(home.settings, REVOKED, event, reason, None, None)
    change_status(home.settings, OLD, Event.SUPERSEDE, "superseded", NEW, None)
    retained_copy(home.settings, COPIED, "补领")
    _void_and_reserve(home)
    return home


@pytest.fixture
def own(full: Home, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(full.folder, tmp_path / "own")))


@pytest.fixture
def log_verify(own: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """The command, run in this process because starting another takes longer; its exit code and lines."""
    monkeypatch.setattr(os, "environ", own.environment)
    monkeypatch.chdir(own.folder)

    def run() -> tuple[int, list[str]]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["log", "verify"])
        return int(ended.value.code or 0), capsys.readouterr().out.splitlines()

    return run


def requests(*numbers: int) -> list[Request]:
    return [row.parse(RawRow(number, dict(a_row(number))), now().date(), {}, 0) for number in numbers]


def _void_and_reserve(home: Home) -> None:
    """One number whose text could not be read back, and one whose process ended before it was issued."""

    def unreadable(*_: object) -> Any:
        raise TextMismatch("没有读到")

    def killed(*_: object) -> Any:
        raise KeyboardInterrupt

    with making(Tools.load(home.settings)) as maker, issuing(home.settings) as issuer:
        broken = replace(issuer, make=at_once(replace(maker, read_back=unreadable)))
        [failed] = issue(broken, requests(5))
        assert [fault.code for fault in failed.faults] == ["text_mismatch"]
        with pytest.raises(KeyboardInterrupt):
            issue(replace(issuer, make=killed), requests(6))


@contextmanager
def database(home: Home) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home.var / "registry.sqlite3", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def sql(*statements: str) -> Change:
    """Statements that each must hit something."""

    def change(home: Home) -> None:
        with database(home) as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, statement

    return change


def run_script(home: Home, script: str) -> None:
    with database(home) as connection:
        connection.executescript(script)


def record(number: str, kind: str = "issued", **fields: Any) -> Change:
    """Other fields in the record of an entry, in the canonical form that it was written in."""

    def change(home: Home) -> None:
        with database(home) as connection:
            query = "SELECT idx, record FROM entries WHERE number = ? AND kind = ?"
            [(index, text)] = connection.execute(query, [number, kind])
            assert all(json.loads(text)[name] != value for name, value in fields.items())
            changed = json.dumps(
                {**json.loads(text), **fields}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
            )
            connection.execute("UPDATE entries SET record = ? WHERE idx = ?", [changed, index])

    return change


def deleted(kind: str) -> Change:
    return sql(f"DELETE FROM entries WHERE kind = '{kind}'")


def archived(change: Callable[[Path], object]) -> Change:
    """A change to the file of the first certificate."""

    def change_file(home: Home) -> None:
        with database(home) as connection:
            [(name,)] = connection.execute("SELECT sha256 FROM entries WHERE closes = ?", [REVOKED])
        change(home.var / "archive" / name)

    return change_file


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def another(file: Path) -> None:
    """The archived file of somebody else, under this name."""
    other = next(path for path in sorted(file.parent.iterdir()) if path != file)
    shutil.copy(other, file)


def foreign(home: Home) -> None:
    (home.var / "archive" / "notes.txt").write_text("x")


def other_box(home: Home) -> None:
    """The sealed box of one certificate in the place of another's."""
    with database(home) as connection:
        query = "SELECT private FROM entries WHERE closes = ?"
        mine, theirs = (
            json.loads(connection.execute(query, [number]).fetchone()[0]) for number in (OLD, NEW)
        )
        swapped = json.dumps({**mine, "box": theirs["box"]}, sort_keys=True, separators=(",", ":"))
        connection.execute("UPDATE entries SET private = ? WHERE closes = ?", [swapped, OLD])


def checkpoint(change: Callable[[Path, Home], object]) -> Change:
    return lambda home: change(home.var / "log" / "checkpoint", home)  # type: ignore[return-value]


def rewrite(file: Path, _: Home) -> None:
    origin, size, *rest = file.read_text().split("\n")
    file.write_text("\n".join([origin, str(int(size) - 1), *rest]))


def put_back(file: Path, home: Home) -> None:
    shutil.copy(home.folder / "earlier" / "log" / "checkpoint", file)


def other_log(file: Path, home: Home) -> None:
    """A checkpoint of another log, good in itself."""
    stranger = Home(home.folder / "stranger")
    stranger.folder.mkdir()
    stranger.run("init")
    shutil.copy(stranger.var / "log" / "checkpoint", file)


def old_database(home: Home) -> None:
    for name in ("registry.sqlite3-wal", "registry.sqlite3-shm"):
        (home.var / name).unlink(missing_ok=True)
    shutil.copy(home.folder / "earlier" / "registry.sqlite3", home.var / "registry.sqlite3")


def match_key(home: Home) -> MatchKey:
    return MatchKey(load_keys(home.settings, {Role.MATCH}).match)


def vouched(home: Home) -> None:
    """Let the registry's own fact stand for the numbers as they are now."""
    with writing(connect(database_url(home.settings))) as connection:
        counters.renew(connection, match_key(home), log.size(connection))


def skipped(home: Home) -> None:
    """By somebody who holds the match key: a counter that went on without a certificate."""
    sql("UPDATE counters SET last = last + 1 WHERE office = 'gd-demo'")(home)
    vouched(home)


def reserved_again(home: Home) -> None:
    """By somebody who holds the match key: an issued number set aside for another request."""
    with database(home) as connection:
        found = dict(connection.execute("SELECT * FROM reservations").fetchone())
        found |= {"serial": 1, "printed": "2026-000001"}
        found["mac"] = reservation_mac(match_key(home), found)
        connection.execute("UPDATE reservations SET serial = 1, printed = :printed, mac = :mac", found)
    vouched(home)


CHANGES: dict[str, tuple[Change, str, str]] = {
    # what is done: the change, the code that tells it, and what the message names
    "another day in a record": (record(REVOKED, valid_until="2099-12-31"), "entry_changed", REVOKED),
    "another status reason": (record(REVOKED, "revoked", reason="other"), "entry_changed", REVOKED),
    "another reason for a void": (record(VOIDED, "voided", reason="other"), "entry_changed", VOIDED),
    "a look-up column": (
        sql(f"UPDATE entries SET code_hash = '0' WHERE closes = '{OLD}'"),
        "entry_changed",
        OLD,
    ),
    "a file's hash for looking up": (
        sql(f"UPDATE entries SET sha256 = '{'0' * 64}' WHERE closes = '{OLD}'"),
        "entry_changed",
        OLD,
    ),
    "the box of another": (other_box, "entry_changed", OLD),
    "a certificate gone": (deleted("issued"), "entry_missing", "第 0 条"),
    "a void gone": (deleted("voided"), "entry_missing", "条缺失"),
    "a revocation gone": (deleted("revoked"), "entry_missing", "条缺失"),
    "a suspension gone": (deleted("suspended"), "entry_missing", "条缺失"),
    "a copy gone": (deleted("copied"), "entry_missing", "条缺失"),
    "the newest entry and its traces gone": (
        sql(
            "DELETE FROM checkpoints WHERE size = (SELECT count(*) FROM entries)",
            "DELETE FROM entries WHERE idx = (SELECT max(idx) FROM entries)",
        ),
        "entry_missing",
        "条缺失",
    ),
    "archived file gone": (archived(Path.unlink), "archive_changed", REVOKED),
    "archived file changed": (archived(flip), "archive_changed", REVOKED),
    "archived file of another": (archived(another), "archive_changed", REVOKED),
    "archived file cut short": (archived(lambda file: file.write_bytes(b"")), "archive_changed", REVOKED),
    "foreign file in the archive": (foreign, "archive_foreign", "存档"),
    "number skipped": (skipped, "number_missing", "第 7 号"),
    "counter put back": (sql("UPDATE counters SET last = last - 1"), "counter_changed", "gd-demo"),
    "trigger put in": (
        lambda home: run_script(home, "CREATE TRIGGER quiet AFTER INSERT ON entries BEGIN SELECT 1; END"),
        "schema_changed",
        "trigger quiet",
    ),
    "seal certificate of another": (
        sql("UPDATE certificates SET der = (SELECT max(der) FROM certificates)"),
        "certificate_changed",
        "印章证书",
    ),
    "reservation gone": (sql("DELETE FROM reservations"), "number_missing", "第 6 号"),
    "number given twice": (reserved_again, "number_twice", "第 1 号"),
    "shown checkpoint rewritten": (checkpoint(rewrite), "shown_changed", "检查点"),
    "shown checkpoint of another log": (checkpoint(other_log), "shown_changed", "检查点"),
    "shown checkpoint put back": (checkpoint(put_back), "shown_behind", "检查点"),
    "shown checkpoint gone": (checkpoint(lambda file, _: file.unlink()), "shown_behind", "检查点"),
    "signed checkpoint rewritten": (
        sql(
            "UPDATE checkpoints SET note = replace(note, char(10) || '4' || char(10), char(10) || '3' || char(10))"
        ),
        "checkpoint_changed",
        "检查点",
    ),
    "signed checkpoint gone": (sql("DELETE FROM checkpoints WHERE size = 4"), "checkpoint_missing", "检查点"),
    "leaf rewritten": (sql("UPDATE nodes SET hash = zeroblob(32) WHERE idx = 0"), "node_changed", "节点"),
    "database put back": (old_database, "entry_missing", "条缺失"),
}


def test_a_home_with_one_of_everything_is_whole_and_its_open_number_is_a_note(full: Home) -> None:
    told = full.run("log", "verify").stdout.splitlines()
    assert [line.split(": ")[:2] for line in told[:-1]] == [["note", "reservation_open"]]
    assert RESERVED in told[0]
    assert told[-1] == "日志完整"


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_found_and_named(own: Home, log_verify: Told, what: str) -> None:
    change, code, named = CHANGES[what]
    change(own)
    ended, told = log_verify()
    assert ended == 1
    assert any(line.startswith(f"fault: {code}: ") and named in line for line in told), told
    assert told[-1] == "日志不完整：见上"


@pytest.mark.parametrize("column", ["kind", "number", "closes", "request_key", "sha256", "signed_sha256"])
def test_nonsense_in_a_column_is_found_and_hides_nothing_else(own: Home, column: str) -> None:
    """Whatever a look-up column holds, the audit goes on to the end."""
    foreign(own)
    with database(own) as connection, auditing(own.settings) as (registry, archive):
        [(index, before)] = connection.execute(f"SELECT idx, {column} FROM entries WHERE closes = ?", [OLD])
        for value in (None, "", "zz", b"\xff", 7, before):
            with suppress(sqlite3.IntegrityError):  # the database itself refuses to lose some
                connection.execute(f"UPDATE entries SET {column} = ? WHERE idx = ?", [value, index])
                found = {
                    item.code for item in audit(registry, archive, own.lists) if item.severity == "fault"
                }
                assert ("entry_changed" in found) == (value != before), value
                assert "archive_foreign" in found, value


def test_every_fault_of_several_is_told(own: Home, log_verify: Told) -> None:
    codes = set()
    for what in (
        "a look-up column",
        "archived file gone",
        "a revocation gone",
        "shown checkpoint rewritten",
    ):
        change, code, _ = CHANGES[what]
        change(own)
        codes.add(code)
    ended, told = log_verify()
    assert ended == 1
    assert codes <= {line.split(": ")[1] for line in told[:-1]}
