"""Whether entries lie under a checkpoint: what every answer to the public stands on.

In a log of a million entries a proof has twenty steps. The first six lead to the node over the 64 entries around; the
hashes for them come with the entry itself (`SIBLINGS`). What has once been proven to lie under this very root, that
node and those further up, is remembered, and need not be proven again.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence

from sqlalchemy import Label

from signsvc import merkle
from signsvc.merkle import Node
from signsvc.notes import Checkpoint
from signsvc.registry.database import Held
from signsvc.registry.schema import Row, entries
from signsvc.registry.treenodes import is_hash, leaf_of, load_nodes, node_at

_STEPS = 6
_MOST = 100_000  # nodes remembered: some 20 MB; the log of a million entries has 31,000 of them


def _sibling(level: int) -> Label[bytes]:
    place = entries.c.idx.bitwise_rshift(level)
    return node_at(f"sibling{level}", level, place.bitwise_or(1) - place.bitwise_and(1))


# Columns beside an entry: what lies beside its way up; empty where the tree is not complete yet.
SIBLINGS = tuple(map(_sibling, range(_STEPS)))
_NAMES = tuple(column.name for column in SIBLINGS)


class Proven:
    """Nodes that proofs have shown to lie under one root. Under another, however alike, nothing is taken over."""

    def __init__(self) -> None:
        self._under: tuple[bytes, dict[Node, bytes]] = b"", {}

    def check(self, held: Held, checkpoint: Checkpoint, rows: Sequence[Row]) -> None:
        """That these entries, with their SIBLINGS, lie under `checkpoint`; ProofError or RegistryError if their proofs
        do not lead there."""
        known = self._known(checkpoint.root)
        for row in rows:
            around, beside = (_STEPS, row["idx"] >> _STEPS), _beside(row, checkpoint.size)
            value = _climbed(row, beside)
            if not beside or known.get(around) != value:
                found = _prove(held, checkpoint, row, ChainMap(beside, known))
                if len(known) < _MOST:
                    known.update({**found, **({around: value} if beside else {})})

    def _known(self, root: bytes) -> dict[Node, bytes]:
        under = self._under
        if under[0] != root:
            under = self._under = root, {}
        return under[1]


def _beside(row: Row, size: int) -> dict[Node, bytes]:
    """The nodes beside the entry's way up to the one over the 64 around it, from the row itself. None of them where a
    tree of this size has no such node: though the table may have gone on, what lies under it was not all signed."""
    whole = (row["idx"] >> _STEPS) + 1 <= size >> _STEPS
    found = (
        {(level, row["idx"] >> level ^ 1): row[name] for level, name in enumerate(_NAMES)} if whole else {}
    )
    return found if all(map(is_hash, found.values())) else {}


def _climbed(row: Row, beside: dict[Node, bytes]) -> bytes:
    """The hash that the entry gives to the node above all that is `beside` its way."""
    value = leaf_of(row["salt"], row["record"])
    for (_, place), other in beside.items():
        value = merkle.node_hash(value, other) if place & 1 else merkle.node_hash(other, value)
    return value


def _prove(held: Held, checkpoint: Checkpoint, row: Row, known: ChainMap[Node, bytes]) -> dict[Node, bytes]:
    """Prove an entry by itself; what had to be asked for and belongs to the proofs of entries elsewhere too."""
    plan = merkle.inclusion_plan(row["idx"], checkpoint.size)
    found = load_nodes(held, [node for group in plan for node in group if node not in known])
    proof = merkle.prove(plan, known.new_child(found).__getitem__)
    leaf = leaf_of(row["salt"], row["record"])
    merkle.check_inclusion(row["idx"], checkpoint.size, leaf, proof, checkpoint.root)
    return {node: value for node, value in found.items() if not _around(node, row["idx"])}


def _around(node: Node, index: int) -> bool:
    """Whether a node is one of those that only this entry and the 63 around it need."""
    level, place = node
    return level < _STEPS and place >> (_STEPS - level) == index >> _STEPS
