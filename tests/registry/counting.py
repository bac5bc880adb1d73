"""Counts what the registry asks of its database: statements, and rows written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from signsvc.registry import Registry


@contextmanager
def statements(registry: Registry) -> Iterator[Counter[str]]:
    """The statements sent within the block, with the number of parameters each carried."""
    seen: Counter[str] = Counter()
    engine = registry._book.engine

    def count(
        _c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
    ) -> None:
        seen[statement.split("WHERE")[0].split("(")[0].strip()] += len(parameters) if executemany else 1

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", count)
