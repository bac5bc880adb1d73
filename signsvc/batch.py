"""A file of requests, chunk by chunk: what `sign` issues, `refuse` gives notice of and `check` says beforehand.

Resumable because the chunks are: killed at any moment and started again, every request ends up issued, or refused in
writing, once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from math import ceil
from operator import itemgetter

from signsvc.errors import Fault
from signsvc.issue import Issuer, begin, foresee
from signsvc.models import Outcome, Request
from signsvc.refuse import Refuser, refuse
from signsvc.requests.table import RawRow
from signsvc.results import Results

# Rows converted by one call of the converter and committed by one transaction, at most.
CHUNK = 100


@dataclass(frozen=True)
class Line:
    """One row of the file."""

    line: int  # as the spreadsheet counts, the header being 1
    request_id: str  # as it may be shown, also where it is not sound
    request: Request


def read(rows: Iterable[RawRow], parse: Callable[[RawRow], Request]) -> Iterator[Line]:
    """Rows to requests; a faulty row carries every fault it has."""
    for row in rows:
        yield Line(row.line, row.request_id, parse(row))


def chunks(lines: Iterable[Line], size: int = CHUNK) -> Iterator[list[Line]]:
    """Chunks in which no request id comes twice: the second of two waits for what becomes of the first."""
    chunk: list[Line] = []
    seen: set[str] = set()
    for line in lines:
        name = line.request.request_id
        if len(chunk) == size or name in seen:
            yield chunk
            chunk, seen = [], set()
        chunk.append(line)
        seen |= {name} if name else set()
    if chunk:
        yield chunk


def even(rows: int, makers: int) -> int:
    """The size of chunks of which each maker has as many: else some would stand by while the last one is made."""
    each = ceil(rows / (makers * CHUNK))
    return ceil(rows / (makers * each))


def sign(
    issuer: Issuer,
    lines: Iterable[Line],
    results: Results,
    progress: Callable[[Outcome], None],
    size: int = CHUNK,
) -> Counter[str]:
    """Issue every row; results are written as each chunk is committed. Returns how many ended in which status."""
    return each_chunk(partial(begin, issuer), lines, results, progress, issuer.ahead, size)


def give_notice(
    refuser: Refuser, lines: Iterable[Line], results: Results, progress: Callable[[Outcome], None]
) -> Counter[str]:
    """A notice of refusal for every row that the policy refuses; otherwise as `sign`."""
    return each_chunk(lambda requests: partial(refuse, refuser, requests), lines, results, progress, 0)


def each_chunk(
    work: Callable[[Sequence[Request]], Callable[[], list[Outcome]]],
    lines: Iterable[Line],
    results: Results,
    progress: Callable[[Outcome], None],
    ahead: int,
    size: int = CHUNK,
) -> Counter[str]:
    """`ahead` chunks are begun before the first of them is finished; they are finished in their order."""
    counts: Counter[str] = Counter()
    for chunk, finish in _begun(work, chunks(lines, size), ahead):
        for line, outcome in zip(chunk, finish(), strict=True):
            told = replace(outcome, request_id=line.request_id)
            results.add(told)
            counts[told.status] += 1
            progress(told)
    return counts


def _begun(
    work: Callable[[Sequence[Request]], Callable[[], list[Outcome]]], cut: Iterable[list[Line]], ahead: int
) -> Iterator[tuple[list[Line], Callable[[], list[Outcome]]]]:
    """Every chunk, begun. Of two with one request id the second is not begun before the first is finished."""
    begun: deque[tuple[list[Line], Callable[[], list[Outcome]]]] = deque()
    for chunk in cut:
        while begun and (len(begun) > ahead or not _ids(chunk).isdisjoint(_ids(*map(itemgetter(0), begun)))):
            yield begun.popleft()
        try:
            begun.append((chunk, work([line.request for line in chunk])))
        except Exception:
            yield from begun  # what is under way is finished first: it is as good as before
            raise
    yield from begun


def _ids(*chunks: Sequence[Line]) -> set[str]:
    return {line.request.request_id for chunk in chunks for line in chunk} - {""}


def check(issuer: Issuer, lines: Iterable[Line]) -> Iterator[tuple[Line, tuple[Fault, ...], tuple[str, ...]]]:
    """Every row with every fault that issuing would find before it uses a number, and what can be done instead;
    nothing is issued."""
    first: dict[str, bytes] = {}
    for chunk in chunks(lines):
        foreseen = foresee(issuer, [line.request for line in chunk])
        for line, outcome in zip(chunk, foreseen, strict=True):
            faults, ways = (outcome.faults, outcome.ways) if outcome else ((), ())
            yield line, faults + _repeated(line.request, first), ways


def _repeated(request: Request, first: dict[str, bytes]) -> tuple[Fault, ...]:
    """A request id that stands twice in the file with different content; `first` keeps a digest of each."""
    digest = sha256(repr(sorted(request.content.items())).encode()).digest()
    if not request.request_id or first.setdefault(request.request_id, digest) == digest:
        return ()
    return (Fault("request_conflict", "申请编号在本文件中重复，内容不同", "request_id"),)
