"""Entries one by one, and the order of events of each certificate that has any."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from signsvc.models import Status
from signsvc.registry.audit.findings import Findings
from signsvc.registry.match import MatchKey, same
from signsvc.registry.records import COPIED, ISSUED, copies, entry_mac
from signsvc.registry.schema import entries, slices
from signsvc.statuses import Event, after

LATER = (COPIED, *Event)


def check_row(row: RowMapping, key: MatchKey, findings: Findings) -> dict[str, Any] | None:
    """The clear record of an entry that is as it was written; None, and a fault told, for any other."""
    try:
        record, private = json.loads(row["record"]), json.loads(row["private"])
        mac = entry_mac(key, row["idx"], row["salt"], row["record"], row["private"])
        whole = (
            same(mac, row["mac"])
            and record["private"] == sha256(row["private"].encode()).hexdigest()
            and all(row[name] == value for name, value in copies(record, private).items())
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        whole = False
    if whole:
        return dict(record)
    findings.fault("entry_changed", f"日志第 {row['idx']} 条（{row['number']}）被改动")
    return None


def check_events(connection: Connection, records: Mapping[int, dict[str, Any]], findings: Findings) -> None:
    """Whether what came after an issue was allowed to come; `records` are those of one page, by index."""
    later = {index: record for index, record in records.items() if record["kind"] in LATER}
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
