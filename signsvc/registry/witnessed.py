"""What the log hands out: its newest checkpoint, and proofs under one that witnesses (见证人) have cosigned.

The cosigned checkpoint lies beside the published one, in the file `witnessed`. Whoever writes there can only take
cosignatures away: a note that the log did not sign, or that proves nothing, is not handed out, nor is a cosignature
that is not by one of the book's witnesses.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from signsvc import merkle
from signsvc.cosignatures import cosigned_by, pinned_only, with_cosignatures
from signsvc.errors import RegistryError
from signsvc.notes import Checkpoint, NoteError, open_checkpoint, split_note
from signsvc.proofs import Proof
from signsvc.registry import log
from signsvc.registry.book import Book
from signsvc.registry.durable import alone, replace_file
from signsvc.registry.treenodes import DAMAGED, load_nodes

Noted = tuple[str, Checkpoint]


def published(connection: Connection, book: Book, before: Noted | None) -> Noted:
    """The newest checkpoint, with its cosignatures if it has any. `before` is what was shown before this transaction
    began: what is shown is in the database by then.

    RegistryError if the entries do not reach as far as what was shown, or the table has another tree.
    """
    signed = log.newest(connection, book)
    note, checkpoint = max(signed, before or signed, key=lambda noted: noted[1].size)
    if checkpoint.size > log.size(connection) or _differ(checkpoint, signed[1]):
        raise RegistryError(DAMAGED, "registry_damaged")
    held = cosigned(book)
    return held if held and held[1] == checkpoint else (note, checkpoint)


def cosigned(book: Book) -> Noted | None:
    """The checkpoint that was cosigned last, with the cosignatures that hold; None if there is none that is this log's,
    or none of its witnesses cosigned it."""
    try:
        note = pinned_only(book.witnessed.read_bytes().decode(), book.verifier, book.witnesses)
        checkpoint = open_checkpoint(note, book.verifier)
        return (note, checkpoint) if cosigned_by(note, book.witnesses) else None
    except (OSError, NoteError, UnicodeDecodeError):
        return None


def keep(connection: Connection, book: Book, note: str) -> str:
    """Keep a cosigned checkpoint; what is kept of it by then. RegistryError if it is older than the one kept, or of
    another tree than this.

    If the same is kept already, it gains the cosignatures: of those who bring one at a time, nobody's is lost.
    """
    try:
        checkpoint = open_checkpoint(note, book.verifier)
        fresh = pinned_only(note, book.verifier, book.witnesses)
    except NoteError as error:
        raise RegistryError("这不是本日志的检查点", "bad_checkpoint") from error
    if checkpoint.size > log.size(connection):
        raise RegistryError("检查点比登记库新：登记库可能恢复自旧备份", "registry_damaged")
    if log.load_frontier(connection, checkpoint.size).root() != checkpoint.root:
        raise RegistryError(DAMAGED, "registry_damaged")
    with alone(book.log_folder):
        kept = _merged(book, fresh, checkpoint)
        replace_file(book.witnessed, kept)
    return kept


def _merged(book: Book, fresh: str, checkpoint: Checkpoint) -> str:
    """What is kept by now, with the cosignatures of `fresh`."""
    held = cosigned(book)
    if held and held[1].size > checkpoint.size:
        raise RegistryError("已保存有更新的联署检查点", "bad_checkpoint")
    text, signatures = split_note(fresh)
    if held is None or split_note(held[0])[0] != text:
        return fresh
    lines = "".join(item.line() for item in signatures)
    return with_cosignatures(held[0], lines, book.witnesses)


def inclusions(connection: Connection, book: Book, indexes: Sequence[int]) -> list[Proof]:
    """The proofs that these leaves are in the log as last cosigned, if that is far enough for all of them, or as last
    published; O(log n) each. RegistryError if one does not hold: what was cosigned was the log of another past."""
    held = cosigned(book)
    note, checkpoint = held if held and held[1].size > max(indexes) else log.newest(connection, book)
    if not 0 <= min(indexes) <= max(indexes) < checkpoint.size:
        raise RegistryError("该条目尚未公布到日志，请稍后再试", "not_published")
    plans = [merkle.inclusion_plan(index, checkpoint.size) for index in indexes]
    leaves = [(0, index) for index in indexes]
    found = load_nodes(connection, [*leaves, *(node for plan in plans for group in plan for node in group)])
    paths = [merkle.prove(plan, found.__getitem__) for plan in plans]
    try:
        for leaf, path in zip(leaves, paths, strict=True):
            merkle.check_inclusion(leaf[1], checkpoint.size, found[leaf], path, checkpoint.root)
    except merkle.ProofError as error:
        raise RegistryError(DAMAGED, "registry_damaged") from error
    return [Proof(index, tuple(path), note) for index, path in zip(indexes, paths, strict=True)]


def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` leaves begins the one of `new` (RFC 6962 2.1.2); empty from an empty tree."""
    if old == 0:
        return []
    plan = merkle.consistency_plan(old, new)
    found = load_nodes(connection, [node for group in plan for node in group])
    return merkle.prove(plan, found.__getitem__)


def _differ(one: Checkpoint, other: Checkpoint) -> bool:
    return one.size == other.size and one.root != other.root
