"""The Merkle tree as it is stored: complete nodes by their place, each written once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Label, bindparam, select

from signsvc import merkle
from signsvc.errors import RegistryError
from signsvc.merkle import Node
from signsvc.proofs import leaf_data
from signsvc.registry.database import Held, Prepared
from signsvc.registry.schema import nodes, slices

DAMAGED = "日志与登记库不一致，已停止写入：请运行 signsvc log verify"
# So many nodes are asked for at a time, each by its key and all in one row: a proof in a log of ten million needs them.
_TOGETHER = 24


def node_at(name: str, level: ColumnElement[int] | int, index: ColumnElement[int]) -> Label[bytes]:
    """A node's hash as a column of another query; empty where there is none."""
    named = (nodes.c.level == level) & (nodes.c.idx == index)
    return select(nodes.c.hash).where(named).scalar_subquery().label(name)


def _asked(place: int) -> Label[bytes]:
    return node_at(f"hash{place}", bindparam(f"level{place}"), bindparam(f"index{place}"))


_NODES = Prepared(select(*map(_asked, range(_TOGETHER))))


def leaf_of(salt: bytes, record: str) -> bytes:
    """The hash of an entry's leaf."""
    return merkle.leaf_hash(leaf_data(salt, record))


def load_nodes(held: Held, wanted: Sequence[Node]) -> dict[Node, bytes]:
    """The hashes of complete nodes; RegistryError if one is not there or no hash at all."""
    found = [value for part in slices(wanted, _TOGETHER) for value in _hashes(held, part)]
    if not all(map(is_hash, found)):
        raise RegistryError(DAMAGED, "registry_damaged")
    return dict(zip(wanted, found, strict=True))


def is_hash(value: object) -> bool:
    """Whether this can be a node's hash: whatever it is, it came from a table."""
    return isinstance(value, bytes) and len(value) == merkle.HASH_BYTES


def _hashes(held: Held, wanted: Sequence[Node]) -> list[bytes]:
    """What the table has for each of up to `_TOGETHER` nodes, whatever it is."""
    padded = [*wanted, *[(None, None)] * (_TOGETHER - len(wanted))]
    levels = {f"level{place}": level for place, (level, _) in enumerate(padded)}
    indexes = {f"index{place}": index for place, (_, index) in enumerate(padded)}
    [row] = _NODES.rows(held, **levels, **indexes)
    return list(row.values())[: len(wanted)]
