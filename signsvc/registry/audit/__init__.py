"""The audit (核验): every row, leaf, node, number, checkpoint and keyed hash held against each other.

It finds any change to what a sign or status command wrote and published, wherever it was made: a leaf is recomputed
from record and salt, the private part by its digest, look-up columns by what they are copies of, nodes and roots from
the leaves, checkpoints by their signatures and the running hash over them, the shown checkpoint by its place in the
tree, numbers by their unbroken row, counters, reservations, standings, seal certificates and facts by their keyed
hashes, the database's schema by what it was when it was made. Entries are read by pages in one snapshot of the
database, so memory stays flat and others may write meanwhile. A value of another type than its column's is a change
like any other.

What it cannot find: a database put back whole to an earlier state together with its shown checkpoint (witnesses, who
remember the checkpoint they saw last, find that); what a process had committed when it was killed, if somebody puts
every row back as it was before the next process publishes it (no command has reported success for it); and by itself,
what a thief of the match key adds after the last checkpoint in the form of the registry. Whoever holds the archive key
sees that its boxes do not open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select

from signsvc.errors import RegistryError
from signsvc.notes import Checkpoint, NoteError, open_checkpoint
from signsvc.registry import counters, database, schema, seals
from signsvc.registry.audit.entries import check_events, check_row, check_standings, check_stray_standings
from signsvc.registry.audit.findings import Finding, Findings
from signsvc.registry.audit.numbers import NumberCheck
from signsvc.registry.audit.tree import TreeCheck
from signsvc.registry.book import Book
from signsvc.registry.facts import get_fact
from signsvc.registry.records import CLOSING, FIRST, ISSUED

__all__ = ["Finding", "audit"]

PAGE = 1024
FACTS = {"schema", "log", "created", "checkpoints", "tables", counters.FACT}


def audit(book: Book) -> list[Finding]:
    """Every fault and note, in Chinese, naming what it concerns; RegistryError only if the database cannot be read."""
    findings = Findings()
    with _snapshot(book, findings) as (connection, shown):
        _check_form(connection, book, findings)
        facts = _check_facts(connection, book, findings)
        tree = TreeCheck(connection, book, shown, findings)
        numbers = NumberCheck(connection, book.key, findings)
        numbers.begin()
        named = _check_entries(connection, book, tree, numbers, findings)
        tree.finish(facts.get("checkpoints"))
        numbers.finish(tree.frontier.size, facts.get(counters.FACT))
        _check_certificates(connection, book, named, findings)
    return findings.told()


@contextmanager
def _snapshot(book: Book, findings: Findings) -> Iterator[tuple[Connection, Checkpoint | None]]:
    """The database as of one moment, and the checkpoint that was shown at that same moment."""
    with database.reading(book.engine) as connection:
        # While we hold the write lock nobody publishes; the first query fixes what this reader sees from then on.
        with database.writing(book.engine):
            connection.execute(select(func.count()).select_from(schema.meta)).scalar()
            shown = _shown(book, findings)
        yield connection, shown


def _shown(book: Book, findings: Findings) -> Checkpoint | None:
    try:
        return open_checkpoint(book.shown.read_bytes(), book.verifier) if book.shown.exists() else None
    except (OSError, NoteError):
        findings.fault("shown_changed", "已公布的检查点无法读取，或签名不是本日志的")
        return None


def _check_form(connection: Connection, book: Book, findings: Findings) -> None:
    """Whether the schema holds the tables and indexes that were made with the registry, and nothing else."""
    if database.form(connection) == book.form:
        return
    for name in database.strange(connection):
        findings.fault("schema_changed", f"登记库中有不属于本程序的 {name}")
    findings.fault("schema_changed", "登记库的表、索引与新建时不同：有外来的触发器、视图、表或索引，或被改动")


def _check_facts(connection: Connection, book: Book, findings: Findings) -> dict[str, str]:
    """What the registry says of itself, as far as it can be believed."""
    facts = {}
    named = set(connection.execute(select(schema.meta.c.key)).scalars())
    if not all(isinstance(name, str) for name in named):
        findings.fault("fact_changed", "登记库有无法读取的记录")
    for name in sorted(FACTS | {name for name in named if isinstance(name, str)}):
        try:
            facts[name] = get_fact(connection, book.key, name)
        except RegistryError as error:
            findings.fault("fact_changed", str(error))
            continue
        if name not in FACTS or (name == "log" and facts[name] != str(book.verifier)):
            findings.fault("fact_changed", f"登记库的 {name} 记录不属于本登记库")
    return facts


def _check_entries(
    connection: Connection, book: Book, tree: TreeCheck, numbers: NumberCheck, findings: Findings
) -> set[str]:
    """Every entry and standing, page by page; returns the seal certificates that the entries name."""
    table = schema.entries
    count = int(connection.execute(select(func.count()).select_from(table)).scalar_one())
    end = max(count, tree.shown.size if tree.shown else 0)
    named: set[str] = set()
    for start in range(0, max(end, 1), PAGE):
        stop = min(start + PAGE, end)
        query = select(table).where(table.c.idx.between(start, stop - 1)).order_by(table.c.idx)
        rows = {row["idx"]: row for row in connection.execute(query).mappings()}
        count -= len(rows)
        tree.page(stop, rows)
        checked = {index: check_row(row, book.key, findings) for index, row in rows.items()}
        records = {index: record for index, record in checked.items() if record is not None}
        first = {index: record for index, record in records.items() if record["kind"] in FIRST}
        named |= _follow(first, numbers, findings)
        check_events(connection, records, findings)
        check_standings(connection, book.key, [record["number"] for record in first.values()], findings)
    check_stray_standings(connection, findings)
    if count:
        findings.fault("entry_stray", f"有 {count} 条的位置超出日志的范围")
    return named


def _follow(records: Mapping[int, Mapping[str, Any]], numbers: NumberCheck, findings: Findings) -> set[str]:
    """Meet the serials that these entries use up; returns the seal certificates that they name."""
    named: set[str] = set()
    for index, record in records.items():
        try:
            if record["kind"] in CLOSING:  # a notice has no serial
                numbers.meet(record)
            if record["kind"] == ISSUED:
                named |= {record["seal_certificate"], *record["seal_issuers"]}
        except (KeyError, TypeError):  # made by a thief of the match key, who did not take the trouble
            findings.fault("entry_changed", f"日志第 {index} 条（{record['number']}）残缺，不是本程序所写")
    return named


def _check_certificates(connection: Connection, book: Book, named: set[str], findings: Findings) -> None:
    missing = set(named)
    for row in connection.execute(select(schema.certificates)).mappings():
        name = row["sha256"]
        missing.discard(name)
        if not seals.whole(book.key, row) or name not in named:
            findings.fault("certificate_changed", f"印章证书 {name} 被改动，或无人引用")
    for name in sorted(missing):
        findings.fault("certificate_missing", f"印章证书 {name} 缺失")
