"""What became of certificates after their issue: suspended, resumed, revoked, superseded; and copies given out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from signsvc.errors import RegistryError, StatusNotAllowed
from signsvc.models import Number, Status
from signsvc.registry import log
from signsvc.registry.book import Book
from signsvc.registry.records import COPIED, VOIDED, NewEntry, pack, stamp, status_after
from signsvc.registry.rows import issued_row
from signsvc.registry.schema import Row
from signsvc.registry.standings import told
from signsvc.registry.treenodes import DAMAGED
from signsvc.report import StatusEvent
from signsvc.statuses import REASONS, Event, after


def histories(connection: Connection, book: Book, wanted: Sequence[str]) -> dict[str, list[StatusEvent]]:
    """The events of each number in their order, its issue first; RegistryError if one was changed or is missing."""
    return {number: events(rows) for number, rows in told(connection, book.key, wanted).items()}


def events(rows: Sequence[Row]) -> list[StatusEvent]:
    """What the entries of one number tell of it: a copy given out changes nothing, a voided number has no history."""
    return [_event(row) for row in rows if row["kind"] not in (COPIED, VOIDED)]


def change(
    connection: Connection,
    book: Book,
    number: str,
    event: Event,
    reason: str,
    by: str | None,
    box: bytes,
    at: datetime,
) -> None:
    """Add a status event to an issued certificate; `reason` is a key of the public list, a note stands in `box` only.

    Raises NotFound for an unknown number, StatusNotAllowed where status, reason or `by` (the number that supersedes)
    do not allow it.
    """
    row = issued_row(connection, book, number)
    now = histories(connection, book, [number])[number][-1].status
    if after(now, event) is None:
        raise StatusNotAllowed(f"该证明现为 {now.value} 状态，不能执行此操作")
    if reason not in REASONS:
        raise StatusNotAllowed("原因不在公开清单内，应为：" + "、".join(REASONS))
    record = {"office": row["clear"]["office"], "reason": reason, "registered_at": stamp(at)}
    if (event is Event.SUPERSEDE) != (by is not None):
        raise StatusNotAllowed("换发须指明新证明的编号，其他操作不得指明")
    if by is not None:
        _check_successor(connection, book, row, by)
        record["superseded_by"] = by
    log.append(connection, book.key, [NewEntry(event.value, Number(number), record, {"box": pack(box)})])
    if histories(connection, book, [number])[number][-1].status is not status_after(event.value):
        raise RegistryError(DAMAGED, "registry_damaged")


def record_copy(connection: Connection, book: Book, number: str, box: bytes, at: datetime) -> None:
    """Note that the office's copy was given out again; why stands in the box only."""
    row = issued_row(connection, book, number)
    record = {"office": row["clear"]["office"], "registered_at": stamp(at)}
    log.append(connection, book.key, [NewEntry(COPIED, Number(number), record, {"box": pack(box)})])


def _check_successor(connection: Connection, book: Book, row: Row, by: str) -> None:
    office = row["clear"]["office"]
    if by == row["number"] or issued_row(connection, book, by)["clear"]["office"] != office:
        raise StatusNotAllowed("换发的新证明须由同一组织出具，且不能是原证明本身")
    if histories(connection, book, [by])[by][-1].status is not Status.ISSUED:
        raise StatusNotAllowed("换发的新证明已不在有效状态")


def _event(row: Row) -> StatusEvent:
    record = row["clear"]
    return StatusEvent(
        status=status_after(row["kind"]),
        at=datetime.fromisoformat(record["registered_at"]),
        reason=record.get("reason", ""),
        superseded_by=record.get("superseded_by"),
    )
