"""A log of a test's own making, held in memory, and how it is published over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from werkzeug.serving import make_server

from signsvc.merkle import Frontier, Node, consistency_plan, leaf_hash, prove
from signsvc.notes import Checkpoint, Verifier, sign_note, verifier_of
from signsvc.tiles import STEP, Tile

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "log.example/demo"


@dataclass
class Grown:
    """A tree of any leaves, every node of it, and checkpoints of every size."""

    leaves: list[bytes] = field(default_factory=list)
    nodes: dict[Node, bytes] = field(default_factory=dict)
    roots: list[bytes] = field(default_factory=lambda: [Frontier().root()])
    frontier: Frontier = field(default_factory=Frontier)

    @classmethod
    def of(cls, *leaves: bytes) -> Grown:
        grown = cls()
        grown.add(*leaves)
        return grown

    def add(self, *leaves: bytes) -> None:
        for leaf in leaves:
            self.nodes.update(self.frontier.append(leaf_hash(leaf)))
            self.leaves.append(leaf)
            self.roots.append(self.frontier.root())

    @property
    def size(self) -> int:
        return len(self.leaves)

    @property
    def verifier(self) -> Verifier:
        return verifier_of(ORIGIN, KEY)

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        count = self.size if size is None else size
        return Checkpoint(ORIGIN, count, self.roots[count])

    def note(self, size: int | None = None) -> str:
        return sign_note(self.checkpoint(size).text(), ORIGIN, KEY)

    def proof(self, old: int, new: int) -> list[bytes]:
        return prove(consistency_plan(old, new), self.nodes.__getitem__)

    def tile(self, tile: Tile) -> bytes:
        level = STEP * tile.level
        return b"".join(self.nodes[level, tile.start + place] for place in range(tile.width))

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """The log as a web application."""
        path = environ["PATH_INFO"].removeprefix("/")
        if path == "checkpoint":
            start("200 OK", [("Content-Type", "text/plain")])
            return [self.note().encode()]
        _, level, place = path.split("/", 2)
        tile = Tile.parse(level, place)
        assert tile is not None, path
        assert tile.within(self.size), path
        start("200 OK", [("Content-Type", "application/octet-stream")])
        return [self.tile(tile)]


@contextmanager
def served(application: Any) -> Iterator[str]:
    """A web application at an address of its own."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
