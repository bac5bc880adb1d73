"""A file of requests, chunk by chunk: what `sign` issues and what `check` says beforehand.

Resumable because issuing is: killed at any moment and started again, every request ends up issued once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from signsvc.errors import Fault, RowRefused
from signsvc.issue import Issuer, foresee, issue
from signsvc.models import Outcome, Request
from signsvc.requests.table import RawRow
from signsvc.results import Results

# Rows converted by one call of the converter and committed by one transaction.
CHUNK = 50


@dataclass(frozen=True)
class Line:
    """One row of the file: either a request, or why it is none."""

    line: int  # as the spreadsheet counts, the header being 1
    request_id: str
    request: Request | None
    faults: tuple[Fault, ...] = ()


def read(rows: Iterable[RawRow], parse: Callable[[RawRow], Request]) -> Iterator[Line]:
    """Rows to requests; a faulty row carries every fault it has."""
    for row in rows:
        try:
            request = parse(row)
        except RowRefused as refusal:
            yield Line(row.line, row.request_id, None, refusal.faults)
        else:
            yield Line(row.line, request.request_id, request)


def chunks(lines: Iterable[Line], size: int = CHUNK) -> Iterator[list[Line]]:
    """Chunks in which no request id comes twice: the second of two waits for what becomes of the first."""
    chunk: list[Line] = []
    seen: set[str] = set()
    for line in lines:
        if len(chunk) == size or (line.request and line.request_id in seen):
            yield chunk
            chunk, seen = [], set()
        chunk.append(line)
        if line.request:
            seen.add(line.request_id)
    if chunk:
        yield chunk


def sign(
    issuer: Issuer, lines: Iterable[Line], results: Results, progress: Callable[[Outcome], None]
) -> Counter[str]:
    """Issue every row; results are written as each chunk is committed. Returns how many ended in which status."""
    counts: Counter[str] = Counter()
    for chunk in chunks(lines):
        issued = iter(issue(issuer, [line.request for line in chunk if line.request]))
        for line in chunk:
            outcome = (
                next(issued) if line.request else Outcome(line.request_id, "refused", faults=line.faults)
            )
            results.add(outcome)
            counts[outcome.status] += 1
            progress(outcome)
    return counts


def check(issuer: Issuer, lines: Iterable[Line]) -> Iterator[tuple[Line, tuple[Fault, ...]]]:
    """Every row with every fault that issuing would find before it uses a number; nothing is issued."""
    seen: dict[str, Request] = {}
    for chunk in chunks(lines):
        requests = [line.request for line in chunk if line.request]
        foreseen = dict(
            zip((request.request_id for request in requests), foresee(issuer, requests), strict=True)
        )
        for line in chunk:
            faults = line.faults or foreseen.get(line.request_id, ())
            yield line, faults + _repeated(line, seen)


def _repeated(line: Line, seen: dict[str, Request]) -> tuple[Fault, ...]:
    """A request id that stands twice in the file with different content."""
    if line.request is None:
        return ()
    first = seen.setdefault(line.request_id, line.request)
    if first.content == line.request.content:
        return ()
    return (Fault("request_conflict", "申请编号在本文件中重复，内容不同", "request_id"),)
