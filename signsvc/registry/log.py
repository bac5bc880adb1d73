"""The tamper-evident log: leaves are added with their entries, checkpoints signed after their commit.

Crash story. A leaf and its nodes are written in the transaction that writes the entry: all or nothing. A checkpoint is
signed in a transaction of its own, over committed leaves only; the file `checkpoint` is replaced first, then the row
is committed. So the file may be one step ahead of the table, and the next `publish` makes that good; a file behind the
table, or ahead of the entries, was put back from somewhere else, and then nothing more is signed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, func, select

from signsvc import merkle
from signsvc.errors import RegistryError
from signsvc.merkle import Frontier
from signsvc.notes import MAX_NOTE_BYTES, Checkpoint, NoteError, Verifier, open_checkpoint, sign_note
from signsvc.registry import counters
from signsvc.registry.book import Book
from signsvc.registry.durable import replace_file
from signsvc.registry.facts import get_fact, put_facts
from signsvc.registry.match import MatchKey
from signsvc.registry.records import FIRST, NewEntry, box_of, guard
from signsvc.registry.schema import SLICE, Row, checkpoints, entries, nodes, typed
from signsvc.registry.standings import renew, told
from signsvc.registry.treenodes import DAMAGED, leaf_of, load_nodes
from signsvc.registry.writes import put

NO_TRAIL = ""


@dataclass(frozen=True)
class Head:
    """Where the log stands: the newest checkpoint of the table, and the one that is shown (None: none yet)."""

    signed: Checkpoint | None
    shown: Checkpoint | None


def size(connection: Connection) -> int:
    """Number of leaves, one per entry."""
    last: int | None = connection.execute(select(func.max(entries.c.idx))).scalar()
    return 0 if last is None else last + 1


def append(connection: Connection, key: MatchKey, added: Sequence[NewEntry]) -> None:
    """Write entries, their leaves, the nodes these complete and their standings. Part of a larger transaction.

    RegistryError if any of it is not there afterwards as it was written.
    """
    if not added:
        return
    start = size(connection)
    frontier = load_frontier(connection, start)
    rows = [entry.row(start + offset, key) for offset, entry in enumerate(added)]
    renew(connection, key, rows)
    made = [node for row in rows for node in frontier.append(leaf_of(row["salt"], row["record"]))]
    put(connection, entries, rows)
    put(connection, nodes, [{"level": level, "idx": index, "hash": value} for (level, index), value in made])
    if size(connection) != frontier.size:
        raise RegistryError(DAMAGED, "registry_damaged")


def load_frontier(connection: Connection, count: int) -> Frontier:
    """The edge of the tree of the first `count` leaves, from stored nodes: at most log2(count) of them."""
    peaks = merkle.peaks(count)
    found = load_nodes(connection, peaks)
    return Frontier(count, [found[peak] for peak in peaks])


def head(connection: Connection, book: Book) -> Head:
    """Where the log stands; RegistryError if file and table contradict each other or the entries."""
    note, shown = _newest_note(connection), shown_checkpoint(book)
    signed = None if note is None else opened(note, book.verifier)
    if signed is not None and (shown is None or shown.size < signed.size):
        raise RegistryError(DAMAGED, "registry_damaged")
    if shown is not None and shown.size > size(connection):
        raise RegistryError("登记库比已公布的日志旧（可能恢复自旧备份），已停止写入", "registry_damaged")
    return Head(signed, shown)


@contextmanager
def appending(book: Book) -> Iterator[Connection]:
    """A write transaction on a log and numbers found sound; what it adds is published once it is committed.

    Between the two anyone can write. So publishing is told what was committed, and refuses a log that has lost it.
    """
    if book.log_key is None:
        raise RegistryError("没有日志密钥，登记库只读")
    with book.writing() as connection:
        signed = head(connection, book).signed
        counters.check(connection, book.key, size(connection))
        yield connection
        end = size(connection)
        whole = signed is not None and signed.size == end
        committed = None if whole else _reached(book, load_frontier(connection, end))
        counters.renew(connection, book.key, end)
    if committed is not None:
        publish(book, committed)


def publish(book: Book, committed: Checkpoint | None = None) -> Checkpoint:
    """Sign a checkpoint over every committed leaf and show it. Doing it again changes nothing.

    Nothing is signed that does not continue the last checkpoint: its root is recomputed from stored nodes, and what
    came after it from the entries themselves, each of which must be as it was written and hold a box that opens. Nor
    is anything signed that does not contain what the caller `committed`.
    """
    if book.log_key is None:
        raise RegistryError("没有日志密钥，登记库只读")
    with book.writing() as connection:
        now = head(connection, book)
        checkpoint = _continued(connection, book, now, committed)
        if now.signed == checkpoint == now.shown:
            return checkpoint
        note = sign_note(checkpoint.text(), book.verifier.name, book.log_key)
        replace_file(book.shown, note)
        if now.signed is None or now.signed.size < checkpoint.size:
            put(connection, checkpoints, [{"size": checkpoint.size, "note": note}])
            before = get_fact(connection, book.key, "checkpoints")
            put_facts(connection, book.key, {"checkpoints": trail(before, note)})
    return checkpoint


def newest(connection: Connection, book: Book) -> tuple[str, Checkpoint]:
    """The newest checkpoint of the table, as a note and opened."""
    note = _newest_note(connection) or ""
    return note, opened(note, book.verifier)


def trail(before: str, note: str) -> str:
    """What stands for all checkpoints signed so far: a running SHA-256 (hexadecimal) over their notes."""
    return sha256(before.encode() + note.encode()).hexdigest()


def shown_checkpoint(book: Book) -> Checkpoint | None:
    """The checkpoint that is shown, or None before the first; RegistryError if it is not this log's."""
    shown = shown_note(book)
    return None if shown is None else shown[1]


def shown_note(book: Book) -> tuple[str, Checkpoint] | None:
    """The same as a note, and opened."""
    try:
        seen = os.stat(book.shown)
        note = _read(book.shown, seen.st_ino, seen.st_ctime_ns, seen.st_size)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RegistryError(DAMAGED, "registry_damaged") from error
    checkpoint = opened(note, book.verifier)
    return note.decode(), checkpoint


@lru_cache(maxsize=8)
def _read(file: Path, *_state: int) -> bytes:
    """A checkpoint's bytes, read again once the file has changed: every lookup asks for them."""
    with open(file, "rb") as stream:
        return stream.read(MAX_NOTE_BYTES + 1)


def _newest_note(connection: Connection) -> str | None:
    query = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    if row is not None and not typed(checkpoints, row):
        raise RegistryError(DAMAGED, "registry_damaged")
    return None if row is None else str(row["note"])


@lru_cache(maxsize=8)  # every lookup asks for the same two
def opened(note: bytes | str, verifier: Verifier) -> Checkpoint:
    """A checkpoint of this log; RegistryError for any other text."""
    try:
        return open_checkpoint(note, verifier)
    except NoteError as error:
        raise RegistryError(DAMAGED, "registry_damaged") from error


def _continued(connection: Connection, book: Book, now: Head, committed: Checkpoint | None) -> Checkpoint:
    """The checkpoint over everything, grown from the signed one by way of the shown one and of what was committed."""
    met = [item for item in (now.signed, now.shown, committed) if item is not None]
    frontier = load_frontier(connection, now.signed.size if now.signed else 0)
    _check_met(frontier, met)
    if committed is not None and committed.size < frontier.size:
        _check_begins(connection, committed, frontier)
    end = size(connection)
    if committed is not None and committed.size > end:
        raise RegistryError(DAMAGED, "registry_damaged")
    while frontier.size < end:
        page = select(entries).where(entries.c.idx >= frontier.size).order_by(entries.c.idx).limit(SLICE)
        for row in connection.execute(page).mappings():
            if row["idx"] != frontier.size:
                raise RegistryError(DAMAGED, "registry_damaged")
            _check_box(connection, book, guard(row, book.key))
            frontier.append(leaf_of(row["salt"], row["record"]))
            _check_met(frontier, met)
    return _reached(book, frontier)


def _reached(book: Book, frontier: Frontier) -> Checkpoint:
    return Checkpoint(book.verifier.name, frontier.size, frontier.root())


def _check_begins(connection: Connection, committed: Checkpoint, frontier: Frontier) -> None:
    """What was committed is the beginning of what another process has signed since (RFC 6962 2.1.2)."""
    if committed.size == 0:
        return
    plan = merkle.consistency_plan(committed.size, frontier.size)
    found = load_nodes(connection, [node for group in plan for node in group])
    proof = merkle.prove(plan, found.__getitem__)
    try:
        merkle.check_consistency(committed.size, frontier.size, proof, committed.root, frontier.root())
    except merkle.ProofError as error:
        raise RegistryError(DAMAGED, "registry_damaged") from error


def _check_box(connection: Connection, book: Book, row: Row) -> None:
    """Refuse an entry that a thief of the match key made: a box that opens takes the archive key, and serves once."""
    if book.boxes is None:
        return
    box, number = box_of(row), row["number"]
    others = [] if row["kind"] in FIRST else told(connection, book.key, [number])[number]
    used = any(box_of(other) == box for other in others if other["idx"] < row["idx"])
    if used or not book.boxes.opens(row["kind"], number, box):
        raise RegistryError(DAMAGED, "registry_damaged")


def _check_met(frontier: Frontier, met: Sequence[Checkpoint]) -> None:
    """The tree has the root that is known for this size, where one is."""
    if any(item.size == frontier.size and item.root != frontier.root() for item in met):
        raise RegistryError(DAMAGED, "registry_damaged")
