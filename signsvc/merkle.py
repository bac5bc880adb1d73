"""The Merkle tree of RFC 6962 section 2.1 over SHA-256: hashes, proofs and their checks. Pure; O(log n) everywhere.

A node is named `(level, index)`: level 0 holds the leaf hashes, and node (k, i) covers leaves i·2^k to (i+1)·2^k - 1.
Only complete nodes are ever named or stored; they never change once they exist. A tree of any size is the row of its
*peaks*, the largest complete nodes from left to right, and every proof is a list of groups of complete nodes: each
group folds into one hash. Whoever stores the nodes can so fetch all that a proof needs in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

Node = tuple[int, int]
NodeHash = Callable[[Node], bytes]
HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class ProofError(ValueError):
    """A proof does not lead to the root it is said to lead to, or has the wrong length."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data): the hash of a leaf (RFC 6962 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right): the hash of an inner node (RFC 6962 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def cover(start: int, end: int) -> list[Node]:
    """The complete nodes that make up leaves `start` to `end - 1`, largest first.

    `start` must be a multiple of the largest power of two that fits, as it is for every subtree of RFC 6962.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def peaks(size: int) -> list[Node]:
    """The peaks of a tree of `size` leaves, from left to right."""
    return cover(0, size)


def fold(hashes: Sequence[bytes]) -> bytes:
    """One hash from the hashes of neighbouring complete nodes, largest first; no hash at all is the empty tree."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


@dataclass
class Frontier:
    """The growing edge of a tree: its size and the hashes of its peaks. Never holds more than log2(size) hashes."""

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Add one leaf hash; returns the complete nodes that came to be, the leaf's own first."""
        made = [((0, self.size), leaf)]
        level, index = 0, self.size
        while index & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            level, index = level + 1, index >> 1
            made.append(((level, index), leaf))
        self.hashes.append(leaf)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The Merkle tree hash of what is there now."""
        return fold(self.hashes)


def inclusion_plan(index: int, size: int) -> list[list[Node]]:
    """The groups of nodes whose folded hashes prove leaf `index` in a tree of `size` leaves (RFC 6962 2.1.1)."""
    if not 0 <= index < size:
        raise ProofError("the leaf lies outside the tree")
    start, end, groups = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            groups.append(cover(middle, end))
            end = middle
        else:
            groups.append(cover(start, middle))
            start = middle
    return groups[::-1]


def consistency_plan(old: int, new: int) -> list[list[Node]]:
    """The groups of nodes that prove a tree of `old` leaves to be the beginning of one of `new` (RFC 6962 2.1.2)."""
    if not 0 < old <= new:
        raise ProofError("the older tree must be neither empty nor larger than the newer one")
    start, end, groups, whole = 0, new, [], True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            groups.append(cover(middle, end))
            end = middle
        else:
            groups.append(cover(start, middle))
            start, whole = middle, False
    # The older tree itself is known to whoever checks, and left out; a part of it is not.
    return groups[::-1] if whole else [cover(start, end), *groups[::-1]]


def prove(plan: Sequence[Sequence[Node]], node: NodeHash) -> list[bytes]:
    """The proof that `plan` describes, its hashes fetched through `node`."""
    return [fold([node(name) for name in group]) for group in plan]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that `proof` leads to from leaf hash `leaf`; ProofError if its length is wrong (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError("the leaf lies outside the tree")
    _check_lengths([leaf, *proof])
    position, last, result = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if position & 1 or position == last:
            result = node_hash(step, result)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, step)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return result


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """ProofError unless leaf hash `leaf` is at `index` in the tree of `size` leaves with this `root`."""
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise ProofError("the proof leads to another root")


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """ProofError unless the tree of `old` leaves begins the one of `new` leaves (RFC 9162 2.1.4.2)."""
    if not 0 < old <= new:
        raise ProofError("the older tree must be neither empty nor larger than the newer one")
    _check_lengths([old_root, new_root, *proof])
    if old == new:
        if proof or old_root != new_root:
            raise ProofError("trees of one size must have one root and need no proof")
        return
    if _climb(old, new, proof, old_root) != (old_root, new_root):
        raise ProofError("the proof leads to other roots")


def _climb(old: int, new: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """Both roots as the proof has them: climb from the last node of the older tree."""
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        raise ProofError("the proof is too short")
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if position & 1 or position == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, step)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return first, second


def _split(count: int) -> int:
    """The largest power of two below `count`: where RFC 6962 divides a tree."""
    return int(1 << ((count - 1).bit_length() - 1))


def _check_lengths(hashes: Sequence[bytes]) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise ProofError("a hash is not 32 bytes long")
