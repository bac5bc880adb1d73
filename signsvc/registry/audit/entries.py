"""Entries one by one, and the order of events of each certificate that has any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, exists, select

from signsvc.models import Status
from signsvc.registry.audit.findings import Findings
from signsvc.registry.match import MatchKey
from signsvc.registry.records import COPIED, FIRST, ISSUED, clear
from signsvc.registry.schema import entries, slices, standings
from signsvc.registry.standings import holds
from signsvc.statuses import Event, after


def check_row(row: RowMapping, key: MatchKey, findings: Findings) -> dict[str, Any] | None:
    """The clear record of an entry that is as it was written; None, and a fault told, for any other."""
    record = clear(row, key)
    if record is None:
        findings.fault("entry_changed", f"日志第 {row['idx']} 条（{row['number']}）被改动")
    return record


def check_standings(
    connection: Connection, key: MatchKey, numbers: Sequence[str], findings: Findings
) -> None:
    """Whether the standing of each of these numbers stands for just the entries that there are."""
    indexes: dict[str, list[int]] = {number: [] for number in numbers}
    noted: dict[str, object] = {}
    for part in slices(numbers):
        query = select(entries.c.number, entries.c.idx).where(entries.c.number.in_(part))
        for row in connection.execute(query.order_by(entries.c.idx)):
            indexes[row.number].append(row.idx)
        found = connection.execute(select(standings).where(standings.c.number.in_(part)))
        noted |= {row.number: row.mac for row in found}
    for number, every in indexes.items():
        if not holds(key, number, every, noted.get(number)):
            findings.fault("standing_changed", f"{number} 的登记条目总账缺失或不符：有条目被改动、删除或添加")


def check_stray_standings(connection: Connection, findings: Findings) -> None:
    """Whether there are no other standings than those of numbers in the log."""
    known = exists().where(entries.c.number == standings.c.number)
    for number in connection.execute(select(standings.c.number).where(~known)).scalars():
        findings.fault("standing_changed", f"登记条目总账中的 {number} 在日志中没有条目")


def check_events(connection: Connection, records: Mapping[int, dict[str, Any]], findings: Findings) -> None:
    """Whether what came after an issue was allowed to come; `records` are those of one page, by index."""
    later = {index: record for index, record in records.items() if record["kind"] not in FIRST}
    told = _told(connection, sorted({record["number"] for record in later.values()}), max(later, default=-1))
    for number, rows in told.items():
        status: Status | None = None
        for index, kind in rows:
            before, status = status, _next(status, kind)
            if status is None and (before is not None or index in later):
                findings.fault("event_illegal", f"日志第 {index} 条（{number}）：{kind} 不能出现在此处")
                break
    _check_successors(connection, later, findings)


def _next(status: Status | None, kind: str) -> Status | None:
    if status is None:
        return Status.ISSUED if kind == ISSUED else None
    if kind == COPIED:
        return status
    return after(status, Event(kind)) if kind in tuple(Event) else None


def _told(connection: Connection, numbers: Sequence[str], last: int) -> dict[str, list[tuple[int, str]]]:
    """Index and kind of all entries of these numbers up to index `last`."""
    told: dict[str, list[tuple[int, str]]] = {}
    for part in slices(numbers):
        fits = entries.c.number.in_(part) & (entries.c.idx <= last)
        query = select(entries.c.idx, entries.c.number, entries.c.kind).where(fits).order_by(entries.c.idx)
        for row in connection.execute(query):
            told.setdefault(row.number, []).append((row.idx, row.kind))
    return told


def _check_successors(
    connection: Connection, later: Mapping[int, dict[str, Any]], findings: Findings
) -> None:
    named = {index: record for index, record in later.items() if "superseded_by" in record}
    issued: dict[str, int] = {}
    for part in slices([record["superseded_by"] for record in named.values()]):
        fits = entries.c.closes.in_(part) & (entries.c.kind == ISSUED)
        issued |= {
            row.closes: row.idx
            for row in connection.execute(select(entries.c.closes, entries.c.idx).where(fits))
        }
    for index, record in named.items():
        if issued.get(record["superseded_by"], index) >= index:
            findings.fault("successor_missing", f"日志第 {index} 条（{record['number']}）所指的新证明不存在")
