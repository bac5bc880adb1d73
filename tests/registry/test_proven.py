"""What is remembered of proofs proves no more than they did."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from registry import samples
from registry.samples import code_of, create, issue

from signsvc.merkle import ProofError
from signsvc.notes import Checkpoint
from signsvc.registry import Registry, known, log
from signsvc.registry.proven import Proven

COUNT = 131  # two times the 64 entries that are proven together, and some more
NOWHERE: Any = None  # instead of a database: whoever asks it, fails


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    registry = create(tmp_path_factory.mktemp("registry"))
    registry.held = issue(registry, *(f"n{n}" for n in range(COUNT)))  # type: ignore[attr-defined]
    yield registry
    registry.close()


def checkpoint(registry: Registry, size: int) -> Checkpoint:
    """The one that was, or would have been, signed over the first `size` entries."""
    with registry._book.reading() as connection:
        return Checkpoint(registry.verifier.name, size, log.load_frontier(connection, size).root())


def row(registry: Registry, index: int) -> dict[str, Any]:
    code = registry._book.key.code_hash(code_of(registry.held[index]))  # type: ignore[attr-defined]
    with registry._book.looking() as held:
        [found] = known.CODE.rows(held, value=code)
    assert found["idx"] == index
    return found


def proven(registry: Registry, size: int, *indexes: int) -> Proven:
    made = Proven()
    with registry._book.looking() as held:
        made.check(held, checkpoint(registry, size), [row(registry, index) for index in indexes])
    return made


@pytest.mark.parametrize("size", [1, 2, 40, 63, 64, 65, 127, 128, 129, COUNT])
def test_every_entry_of_every_tree_is_proven_and_none_beyond_it(registry: Registry, size: int) -> None:
    """Once in the order of the log and once against it, with all that was remembered on the way."""
    signed, rows = checkpoint(registry, size), [row(registry, index) for index in range(COUNT)]
    with registry._book.looking() as held:
        for order in (rows, rows[::-1]):
            memory = Proven()
            for one in order:
                if one["idx"] < size:
                    memory.check(held, signed, [one])
                else:
                    with pytest.raises(ProofError):
                        memory.check(held, signed, [one])


def test_entries_beside_a_proven_one_need_no_question(registry: Registry) -> None:
    memory = proven(registry, COUNT, 70)
    memory.check(NOWHERE, checkpoint(registry, COUNT), [row(registry, index) for index in (64, 71, 127)])
    with pytest.raises(AttributeError):
        memory.check(NOWHERE, checkpoint(registry, COUNT), [row(registry, COUNT - 1)])


def test_what_only_the_entries_around_need_is_not_remembered(registry: Registry) -> None:
    """Of the three last entries' proof: the node over the first 128, and none of the three's own."""
    assert {*proven(registry, COUNT, COUNT - 1)._known(checkpoint(registry, COUNT).root)} == {(7, 0)}


@pytest.mark.parametrize("cell", ["record", "salt", "idx", "sibling0", "sibling5"])
def test_a_changed_entry_is_not_helped_by_its_neighbours(registry: Registry, cell: str) -> None:
    changed = row(registry, 70)
    changed[cell] = {"record": "{}", "salt": bytes(16), "idx": 71}.get(cell, bytes(32))
    with registry._book.looking() as held:
        for memory in (proven(registry, COUNT, 70, 71), Proven()):
            with pytest.raises(ProofError):
                memory.check(held, checkpoint(registry, COUNT), [changed])


def test_what_was_proven_under_one_root_counts_under_no_other(registry: Registry) -> None:
    memory, one = proven(registry, COUNT, 70), row(registry, 71)
    forged = Checkpoint(registry.verifier.name, COUNT, bytes(32))
    with registry._book.looking() as held, pytest.raises(ProofError):
        memory.check(held, forged, [one])
    with pytest.raises(AttributeError):
        memory.check(NOWHERE, checkpoint(registry, COUNT), [one])  # forgotten, and proven anew


def test_what_is_no_hash_proves_nothing_though_it_folds_to_the_root(tmp_path: Path) -> None:
    """One byte of a leaf's cell moved into its neighbour's: together they are the same 64 bytes."""
    registry = create(tmp_path)
    held = issue(registry, "a", "b", "c")
    with sqlite3.connect(tmp_path / "registry.sqlite3") as database:
        left, right = (
            bytes(cell)
            for (cell,) in database.execute("SELECT hash FROM nodes WHERE level = 0 ORDER BY idx LIMIT 2")
        )
        database.execute("UPDATE nodes SET hash = ? WHERE level = 0 AND idx = 0", [left + right[:1]])
        database.execute("UPDATE nodes SET hash = ? WHERE level = 0 AND idx = 1", [right[1:]])
    assert [samples.known(registry, one.number).size for one in held] == [None, None, 3]
    registry.close()
