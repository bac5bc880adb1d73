"""The registry's tables and transactions: SQLAlchemy Core, SQLite by default, nothing that PostgreSQL has not.

Entries, nodes, checkpoints and certificates are only ever added. What columns beside `record` and `private` hold is
copied from these for looking up, and whoever reads an entry holds the copies against them. `mac` columns are keyed
hashes of their row under the match key: whoever can write to the database but does not hold that key cannot make a
row that was never there, but can put back one that was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from signsvc.errors import RegistryBusy, RegistryError, SignsvcError

VERSION = "2"
BUSY_SECONDS = 30
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
# The last serial given out, per office and year.
counters = Table(
    "counters",
    metadata,
    Column("office", String(64), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
    Column("mac", String(64), nullable=False),
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
# `idx` is the index of the entry's leaf; `closes` the number that an issued or voided entry uses up.
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
)

Item = TypeVar("Item")
_FORMS = {
    table.name: [(column.name, column.type.python_type, column.nullable) for column in table.columns]
    for table in metadata.sorted_tables
}


def connect(url: str) -> Engine:
    """An engine for `url`. Open it after forking: connections must not cross into a child. RegistryError if it is
    no address of a database that can be used here."""
    try:
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise RegistryError("SIGNSVC_DATABASE_URL 无法使用：请检查写法，以及数据库驱动是否安装") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def present(url: str) -> bool:
    """Whether there is a database at `url` at all; never makes one, as merely connecting to SQLite would."""
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise RegistryError("SIGNSVC_DATABASE_URL 不是数据库地址") from error
    return parts.get_backend_name() != "sqlite" or Path(parts.database or "").is_file()


@contextmanager
def transaction(engine: Engine, write: bool) -> Iterator[Connection]:
    """One transaction, whole or not at all. Raises RegistryBusy when another process holds the database for longer
    than 30 seconds, RegistryError when it fails otherwise."""
    try:
        with engine.connect().execution_options(signsvc_write=write) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise _translated(error) from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer overlaps: sizes, counters and reservations read in it stay true."""
    with transaction(engine, write=True) as connection:
        # SQLite holds its one write lock from BEGIN IMMEDIATE on; elsewhere this row stands for it.
        connection.execute(select(meta.c.key).where(meta.c.key == "schema").with_for_update())
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads."""
    with transaction(engine, write=False) as connection:
        yield connection


def typed(table: Table, row: Mapping[Any, Any]) -> bool:
    """Whether every value of a row is of its column's type: SQLite keeps whatever it is given."""
    return all(
        isinstance(row[name], form) or (row[name] is None and empty)
        for name, form, empty in _FORMS[table.name]
    )


def slices(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """`items` in pieces that fit into one statement."""
    for start in range(0, len(items), SLICE):
        yield items[start : start + SLICE]


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling is off: `begin` says which kind each one is.
    connection.isolation_level = None
    # Bytes that are no UTF-8 must not stop the audit; no value that was written here looks like what they become.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("signsvc_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _translated(error: DBAPIError) -> SignsvcError:
    # The extended result code keeps the primary one in its low byte.
    code: Any = getattr(error.orig, "sqlite_errorcode", 0)
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RegistryBusy("登记库正被其他进程占用，请稍后重新运行")
    return RegistryError("登记库读写失败：请检查磁盘空间和文件权限，再运行 signsvc log verify")
