"""The registry's tables, in SQLAlchemy Core.

Entries, nodes, checkpoints and certificates are only ever added. What columns beside `record` and `private` hold is
copied from these for looking up, and whoever reads an entry holds the copies against them. `mac` columns are keyed
hashes of their row under the match key: whoever can write to the database but does not hold that key cannot make a
row that was never there, but can put back one that was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
    tuple_,
)

VERSION = "3"
# Values in one IN (…): far below what any database allows, few enough to be planned well.
SLICE = 500

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
    Column("mac", String(64), nullable=False),
)
# The last serial given out, per office and year: see counters.py.
counters = Table(
    "counters",
    metadata,
    Column("office", String(64), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)
# Only open ones: a row leaves when its number is issued or voided.
reservations = Table(
    "reservations",
    metadata,
    Column("office", String(64), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("serial", Integer, primary_key=True, autoincrement=False),
    Column("printed", String(64), nullable=False),
    Column("request_key", String(64), nullable=False, unique=True),
    Column("content_key", String(64), nullable=False),
    Column("reserved_at", String(32), nullable=False),
    Column("mac", String(64), nullable=False),
)
# `idx` is the index of the entry's leaf; `closes` the number that an issued, voided or refused entry uses up.
entries = Table(
    "entries",
    metadata,
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("number", String(160), nullable=False, index=True),
    Column("closes", String(160), unique=True),
    Column("record", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("private", Text, nullable=False),
    Column("request_key", String(64), unique=True),
    Column("code_hash", String(64), unique=True),
    Column("sha256", String(64), index=True),
    Column("signed_sha256", String(64), index=True),
    Column("mac", String(64), nullable=False),
)
# The keyed hash of which entries each number has: see standings.py.
standings = Table(
    "standings",
    metadata,
    Column("number", String(160), primary_key=True),
    Column("mac", String(64), nullable=False),
)
# Complete nodes of the Merkle tree; level 0 holds the leaf hashes.
nodes = Table(
    "nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
# Seal certificates and their issuers, DER, by SHA-256.
certificates = Table(
    "certificates",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("mac", String(64), nullable=False),
)

Row = Mapping[Any, Any]  # by the columns' names
Item = TypeVar("Item")


def _form(column: Column[Any]) -> tuple[type, ...]:
    return (column.type.python_type, *((type(None),) if column.nullable else ()))


_NAMES = {table.name: itemgetter(*table.columns.keys()) for table in metadata.sorted_tables}
_FORMS = {table.name: [_form(column) for column in table.columns] for table in metadata.sorted_tables}


def typed(table: Table, row: Row) -> bool:
    """Whether every value of a row is of its column's type: SQLite keeps whatever it is given."""
    return all(map(isinstance, _NAMES[table.name](row), _FORMS[table.name]))


def among(*columns: Column[Any]) -> ColumnElement[bool]:
    """That `columns` of a row together hold one of the keys which the statement is given as `keys` (see `packed`).

    They go in as one JSON array: for pairs in a list, `(a, b) IN ((…), …)`, SQLite reads the whole table.
    """
    given = func.json_each(bindparam("keys", type_=Text)).table_valued("value")
    parts = [func.json_extract(given.c.value, f"$[{place}]") for place in range(len(columns))]
    return tuple_(*columns).in_(select(*parts))


def packed(keys: Sequence[Sequence[str | int]]) -> dict[str, str]:
    """The keys for `among`, each as long as there are columns."""
    return {"keys": json.dumps([list(key) for key in keys])}


def slices(items: Sequence[Item], size: int = SLICE) -> Iterator[Sequence[Item]]:
    """`items` in pieces that fit into one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
