"""The tree of a log as files to be fetched: tiles of 256 hashes, and bundles of entries (C2SP tlog-tiles). Pure.

Tile `(level, index)` holds the hashes of complete nodes `(8·level, 256·index)` and on, up to 256; one that is not full
yet is asked for by its width. Everything that a proof needs can be worked out from tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from signsvc.merkle import HASH_BYTES, Node, ProofError, fold, prove

WIDTH = 256
STEP = 8  # levels of the tree from one level of tiles to the next
MAX_LEVEL = 63
_PATH = re.compile(r"((?:x[0-9]{3}/){0,6})([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_LEVEL = re.compile(r"0|[1-9][0-9]?", re.ASCII)


@dataclass(frozen=True)
class Tile:
    """A row of `width` hashes; at level 0 also the bundle of entries under them."""

    level: int
    index: int
    width: int = WIDTH

    @classmethod
    def parse(cls, level: str, path: str) -> Tile | None:
        """From `<L>` and `<N>[.p/<W>]` of its address; None for anything but the one way to write it."""
        matched = _PATH.fullmatch(path)
        if matched is None or not _LEVEL.fullmatch(level) or int(level) > MAX_LEVEL:
            return None
        above, last, width = matched.groups()
        index = int(above.replace("x", "").replace("/", "") + last)
        tile = cls(int(level), index, int(width or WIDTH))
        return tile if tile.width <= WIDTH and tile.path == path else None

    @property
    def path(self) -> str:
        """`<N>[.p/<W>]`: the index in groups of three digits, `x` before all but the last."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]]) + self._suffix

    @property
    def _suffix(self) -> str:
        return "" if self.full else f".p/{self.width}"

    @property
    def full(self) -> bool:
        return self.width == WIDTH

    @property
    def start(self) -> int:
        """Index, within the row of nodes at its level, of its first."""
        return self.index * WIDTH

    def within(self, size: int) -> bool:
        """Whether a tree of `size` leaves has all its hashes."""
        return self.start + self.width <= size >> (STEP * self.level)


def tile_of(node: Node, size: int) -> Tile:
    """The tile of a tree of `size` leaves that complete `node` is in, or is folded from; as full as it is."""
    level, index = node[0] // STEP, (node[1] << node[0] % STEP) // WIDTH
    return Tile(level, index, min(WIDTH, (size >> (STEP * level)) - index * WIDTH))


def prove_from_tiles(
    plan: Sequence[Sequence[Node]], size: int, fetch: Callable[[Tile], bytes]
) -> list[bytes]:
    """The proof that `plan` describes in a tree of `size` leaves; each tile is fetched once.

    ProofError if a tile is not as long as it must be. What is in it is not checked: the proof will not hold.
    """
    tiles = {tile_of(node, size) for group in plan for node in group}
    found = {tile: _checked(tile, fetch(tile)) for tile in sorted(tiles, key=lambda tile: tile.path)}
    return prove(plan, lambda node: _node(node, found[tile_of(node, size)]))


def _checked(tile: Tile, data: bytes) -> bytes:
    if len(data) != tile.width * HASH_BYTES:
        raise ProofError("a tile does not have its length")
    return data


def _node(node: Node, tile: bytes) -> bytes:
    count = 1 << node[0] % STEP
    start = (node[1] * count % WIDTH) * HASH_BYTES
    row = tile[start : start + count * HASH_BYTES]
    return _folded([row[place : place + HASH_BYTES] for place in range(0, len(row), HASH_BYTES)])


def _folded(hashes: Sequence[bytes]) -> bytes:
    """The node over `hashes`, a power of two of them."""
    half = len(hashes) // 2
    return fold([_folded(hashes[:half]), _folded(hashes[half:])]) if half else hashes[0]
