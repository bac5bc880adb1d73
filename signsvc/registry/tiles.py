"""The log as others fetch it: tiles from the stored nodes, bundles from the entries. Nothing is hashed anew."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from signsvc.errors import RegistryError
from signsvc.merkle import HASH_BYTES
from signsvc.proofs import leaf_data
from signsvc.registry.book import Book
from signsvc.registry.records import guard
from signsvc.registry.schema import entries, nodes, typed
from signsvc.registry.treenodes import DAMAGED
from signsvc.tiles import STEP, Tile


def tile(connection: Connection, wanted: Tile) -> bytes:
    """The hashes of a tile, one after the other; RegistryError if one is missing or no hash at all."""
    level, place = STEP * wanted.level, nodes.c.idx
    query = select(nodes).where(nodes.c.level == level, *_among(place, wanted)).order_by(place)
    rows = [row for row in connection.execute(query).mappings() if typed(nodes, row)]
    data = b"".join(row["hash"] for row in rows)
    if len(rows) != wanted.width or len(data) != wanted.width * HASH_BYTES:
        raise RegistryError(DAMAGED, "registry_damaged")
    return data


def bundle(connection: Connection, book: Book, wanted: Tile) -> bytes:
    """What the leaves of a tile commit to, each after its length in 16 bits: 32 bytes that tell nothing.

    RegistryError if an entry is missing or was changed.
    """
    place = entries.c.idx
    query = select(entries).where(*_among(place, wanted)).order_by(place)
    rows = [guard(row, book.key) for row in connection.execute(query).mappings()]
    if len(rows) != wanted.width:
        raise RegistryError(DAMAGED, "registry_damaged")
    leaves = (leaf_data(row["salt"], row["record"]) for row in rows)
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def _among(place: Any, wanted: Tile) -> tuple[Any, Any]:
    return place >= wanted.start, place < wanted.start + wanted.width
