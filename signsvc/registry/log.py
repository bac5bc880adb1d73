"""The tamper-evident log: leaves are added with their entries, checkpoints signed after their commit.

Crash story. A leaf and its nodes are written in the transaction that writes the entry: all or nothing. A checkpoint is
signed in a transaction of its own, over committed leaves only; the file `checkpoint` is replaced first, then the row
is committed. So the file may be one step ahead of the table, and the next `publish` makes that good; a file behind the
table, or ahead of the entries, was put back from somewhere else, and then nothing more is signed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, and_, func, insert, or_, select

from signsvc import merkle
from signsvc.errors import RegistryError
from signsvc.merkle import Frontier, Node
from signsvc.notes import Checkpoint, NoteError, open_checkpoint, sign_note
from signsvc.proofs import Proof, leaf_data
from signsvc.registry.book import Book, get_meta, put_meta
from signsvc.registry.match import MatchKey
from signsvc.registry.records import NewEntry, guard
from signsvc.registry.schema import SLICE, checkpoints, entries, nodes, writing

DAMAGED = "日志与登记库不一致，已停止写入：请运行 signsvc log verify"


@dataclass(frozen=True)
class Head:
    """Where the log stands: the newest checkpoint of the table, and the one that is shown (None: none yet)."""

    signed: Checkpoint | None
    shown: Checkpoint | None


def size(connection: Connection) -> int:
    """Number of leaves, one per entry."""
    last: int | None = connection.execute(select(func.max(entries.c.idx))).scalar()
    return 0 if last is None else last + 1


def append(connection: Connection, key: MatchKey, added: Sequence[NewEntry]) -> list[int]:
    """Write entries, their leaves and the nodes these complete; returns their indexes. Part of a larger transaction."""
    if not added:
        return []
    start = size(connection)
    frontier = load_frontier(connection, start)
    rows = [entry.row(start + offset, key) for offset, entry in enumerate(added)]
    made = [node for row in rows for node in frontier.append(_leaf(row["salt"], row["record"]))]
    connection.execute(insert(entries), rows)
    connection.execute(
        insert(nodes), [{"level": level, "idx": index, "hash": value} for (level, index), value in made]
    )
    return [row["idx"] for row in rows]


def load_nodes(connection: Connection, wanted: Sequence[Node]) -> dict[Node, bytes]:
    """The hashes of complete nodes, in one query; RegistryError if one is not there."""
    if not wanted:
        return {}
    named = or_(*(and_(nodes.c.level == level, nodes.c.idx == index) for level, index in wanted))
    found = {(row.level, row.idx): bytes(row.hash) for row in connection.execute(select(nodes).where(named))}
    if len(found) != len(set(wanted)):
        raise RegistryError(DAMAGED, "registry_damaged")
    return found


def load_frontier(connection: Connection, count: int) -> Frontier:
    """The edge of the tree of the first `count` leaves, from stored nodes: at most log2(count) of them."""
    peaks = merkle.peaks(count)
    found = load_nodes(connection, peaks)
    return Frontier(count, [found[peak] for peak in peaks])


def head(connection: Connection, book: Book) -> Head:
    """Where the log stands; RegistryError if file and table contradict each other or the entries."""
    note = connection.execute(
        select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
    ).scalar()
    try:
        signed = None if note is None else open_checkpoint(note, book.verifier)
        shown = open_checkpoint(book.shown.read_bytes(), book.verifier) if book.shown.exists() else None
    except (NoteError, OSError) as error:
        raise RegistryError(DAMAGED, "registry_damaged") from error
    if signed is not None and (shown is None or shown.size < signed.size):
        raise RegistryError(DAMAGED, "registry_damaged")
    if shown is not None and shown.size > size(connection):
        raise RegistryError("登记库比已公布的日志旧（可能恢复自旧备份），已停止写入", "registry_damaged")
    return Head(signed, shown)


def publish(book: Book) -> Checkpoint:
    """Sign a checkpoint over every committed leaf and show it. Doing it again changes nothing.

    Nothing is signed that does not continue the last checkpoint: its root is recomputed from stored nodes, and what
    came after it from the entries themselves, each of which must be as it was written.
    """
    if book.log_key is None:
        raise RegistryError("没有日志密钥，登记库只读")
    with writing(book.engine) as connection:
        now = head(connection, book)
        checkpoint = _continued(connection, book, now)
        if now.signed == checkpoint == now.shown:
            return checkpoint
        note = sign_note(checkpoint.text(), book.verifier.name, book.log_key)
        _show(book, note)
        if now.signed is None or now.signed.size < checkpoint.size:
            connection.execute(insert(checkpoints), {"size": checkpoint.size, "note": note})
            count = int(get_meta(connection, book.key, "checkpoints")) + 1
            put_meta(connection, book.key, {"checkpoints": str(count)})
    return checkpoint


def newest(connection: Connection, book: Book) -> tuple[str, Checkpoint]:
    """The newest checkpoint of the table, as a note and opened."""
    note = connection.execute(
        select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
    ).scalar()
    try:
        return note or "", open_checkpoint(note or "", book.verifier)
    except NoteError as error:
        raise RegistryError(DAMAGED, "registry_damaged") from error


def inclusion(connection: Connection, book: Book, index: int) -> Proof:
    """The proof that leaf `index` is in the log as last published; O(log n)."""
    note, checkpoint = newest(connection, book)
    if not 0 <= index < checkpoint.size:
        raise RegistryError("该条目尚未公布到日志，请稍后再试", "not_published")
    plan = merkle.inclusion_plan(index, checkpoint.size)
    found = load_nodes(connection, [node for group in plan for node in group])
    return Proof(index, tuple(merkle.prove(plan, found.__getitem__)), note)


def attested(connection: Connection, book: Book, rows: Sequence[RowMapping]) -> int | None:
    """The size of the newest checkpoint if each of these entries is proven to lie under it; None otherwise."""
    try:
        _, checkpoint = newest(connection, book)
        for row in rows:
            proof = inclusion(connection, book, row["idx"])
            merkle.check_inclusion(
                row["idx"], checkpoint.size, _leaf(row["salt"], row["record"]), proof.hashes, checkpoint.root
            )
    except (RegistryError, merkle.ProofError):
        return None
    return checkpoint.size if rows else None


def _continued(connection: Connection, book: Book, now: Head) -> Checkpoint:
    frontier = load_frontier(connection, now.signed.size if now.signed else 0)
    if now.signed is not None and frontier.root() != now.signed.root:
        raise RegistryError(DAMAGED, "registry_damaged")
    _check_shown(frontier, now)
    end = size(connection)
    while frontier.size < end:
        page = select(entries).where(entries.c.idx >= frontier.size).order_by(entries.c.idx).limit(SLICE)
        for row in connection.execute(page).mappings():
            if row["idx"] != frontier.size:
                raise RegistryError(DAMAGED, "registry_damaged")
            frontier.append(_leaf(guard(row, book.key)["salt"], row["record"]))
            _check_shown(frontier, now)
    return Checkpoint(book.verifier.name, frontier.size, frontier.root())


def _check_shown(frontier: Frontier, now: Head) -> None:
    if now.shown is not None and now.shown.size == frontier.size and now.shown.root != frontier.root():
        raise RegistryError(DAMAGED, "registry_damaged")


def _leaf(salt: bytes, record: str) -> bytes:
    return merkle.leaf_hash(leaf_data(salt, record))


def _show(book: Book, note: str) -> None:
    """Replace the published checkpoint, durably: whole old file or whole new one, whatever happens."""
    fresh = book.shown.with_suffix(".new")
    try:
        with open(fresh, "w", encoding="utf-8", newline="") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, book.shown)
        folder = os.open(book.log_folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise RegistryError("日志检查点无法写入：请检查磁盘空间和文件权限") from error
