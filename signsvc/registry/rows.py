"""Entries fetched by one of their look-up columns, each checked to be as it was written."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, select

from signsvc.errors import NotFound
from signsvc.registry.book import Book
from signsvc.registry.records import ISSUED, guard
from signsvc.registry.schema import Row, entries, slices


def rows_by(connection: Connection, book: Book, column: Column[str], values: Sequence[str]) -> list[Row]:
    """The entries whose `column` holds one of `values`; one query for each slice."""
    rows: list[Row] = []
    for part in slices(values):
        found = connection.execute(select(entries).where(column.in_(part))).mappings()
        rows.extend(guard(row, book.key) for row in found)
    return rows


def row_by(connection: Connection, book: Book, column: Column[str], value: str) -> Row | None:
    """The entry whose `column` holds `value`, or None."""
    rows = rows_by(connection, book, column, [value])
    return rows[0] if rows else None


def issued_row(connection: Connection, book: Book, number: str) -> Row:
    """The entry of an issued certificate; NotFound for any other number."""
    row = row_by(connection, book, entries.c.closes, number)
    if row is None or row["kind"] != ISSUED:
        raise NotFound("未查到该编号：请核对后重试")
    return row
