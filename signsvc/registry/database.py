"""The database itself: opening it, its transactions, and whether its schema is still the one that was made.

SQLite only, for now. A database can hold programs of its own: a trigger would run inside our transactions and undo or
copy what they write, a view would answer in a table's place. So everything in the schema is read at the beginning of
each transaction, and must be what was there when the registry was made. It is read whole, in some 60 µs: SQLite's own
counter of schema changes (`PRAGMA schema_version`) can be set back by whoever changes the schema. Only who merely
reads, and sees that nobody has changed anything since he looked last, looks no further.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import PoolProxiedConnection

from signsvc.errors import RegistryBusy, RegistryError, SignsvcError
from signsvc.registry.schema import metadata

# A connection in a transaction, SQLAlchemy's own or one straight from its pool.
Held = Connection | PoolProxiedConnection

BUSY_SECONDS = 30
_PATIENCE = f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}"
# What ANALYZE leaves steers plans only, and is an administrator's to make.
_OBJECTS = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master "
    "WHERE NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4')) ORDER BY type, name"
)
_FORM = "signsvc_form"  # where a connection keeps what it saw
_TABLES = {table.name for table in metadata.sorted_tables}
_INDEXES = {str(index.name) for table in metadata.sorted_tables for index in table.indexes}


def connect(url: str, new: bool = False) -> Engine:
    """An engine for `url`, which makes no database unless it is a `new` one. Connections must not cross into a child:
    fork before the first, or dispose of them. RegistryError if it is no address of a database that can be used here."""
    try:
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise RegistryError("SIGNSVC_DATABASE_URL 无法使用：请检查写法，以及数据库驱动是否安装") from error
    if engine.dialect.name != "sqlite":
        raise RegistryError("SIGNSVC_DATABASE_URL 无法使用：目前只支持 SQLite")
    if not new:
        event.listen(engine, "do_connect", _only_existing)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def present(url: str) -> bool:
    """Whether there is a database at `url` at all; never makes one, as merely connecting to SQLite would."""
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise RegistryError("SIGNSVC_DATABASE_URL 不是数据库地址") from error
    return parts.get_backend_name() != "sqlite" or Path(parts.database or "").is_file()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer overlaps, whole or not at all: sizes, counters and reservations read in it
    stay true. Raises RegistryBusy when another process holds the database for longer than 30 seconds, RegistryError
    when it fails otherwise."""
    with _transaction(engine, "BEGIN IMMEDIATE") as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, all of it as of one moment."""
    with _transaction(engine, "BEGIN") as connection:
        yield connection


class Prepared:
    """A query whose words are worked out once.

    SQLAlchemy binds a statement anew at each execution and wraps what comes back, which takes several times as long as
    SQLite needs for a few rows by their keys. For what every answer to the public stands on, and nothing else.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        self.words = str(compiled)
        self._given = dict(compiled.params)

    def rows(self, held: Held, **values: str | int | None) -> list[dict[str, Any]]:
        """The rows, each by its columns' names."""
        found = driver(held).execute(self.words, {**self._given, **values})
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]


@contextmanager
def looking(engine: Engine) -> Iterator[Held]:
    """A transaction that only reads, as `reading`, for queries that are prepared."""
    try:
        with closing(engine.raw_connection()) as held:
            driver(held).execute("BEGIN")
            try:
                yield held
            finally:
                driver(held).execute("ROLLBACK")  # nothing was written
    except sqlite3.Error as error:
        raise _translated(error) from error


def driver(held: Held) -> sqlite3.Connection:
    """The driver's own connection: for prepared queries, and for what every transaction begins with."""
    proxied = held.connection if isinstance(held, Connection) else held
    found: sqlite3.Connection = proxied.driver_connection  # type: ignore[assignment]
    return found


def form(held: Held) -> str:
    """SHA-256 (hexadecimal) of all that stands in the schema: tables, indexes and whatever was put beside them."""
    found = driver(held).execute(_OBJECTS)
    return sha256(json.dumps([[str(cell) for cell in row] for row in found]).encode()).hexdigest()


def form_for_reading(held: Held) -> str:
    """`form`, as it was worked out last on this connection, unless the database was changed since.

    `PRAGMA data_version` counts in this connection's memory the changes that others have committed, a schema or a
    schema's counter put back among them: nobody else can set it back. Asked first, it fixes what the transaction sees.
    Who writes past SQLite into its files is not counted, but then neither its page cache nor the schema it works by is
    read again. For reading only: what a view or a trigger could do here, a changed row can do too, and every row that
    is answered from is held against its keyed hash and the log.
    """
    version = driver(held).execute("PRAGMA data_version").fetchone()
    if held.info.get(_FORM, (None,))[0] != version:
        held.info[_FORM] = version, form(held)
    return str(held.info[_FORM][1])


def empty(connection: Connection) -> bool:
    """Whether nothing at all stands in the schema."""
    return connection.exec_driver_sql(_OBJECTS).first() is None


def strange(connection: Connection) -> list[str]:
    """Type and name of everything in the schema that no registry has."""
    return [
        f"{row.type} {row.name}"
        for row in connection.exec_driver_sql(_OBJECTS)
        if not _ours(str(row.type), str(row.name), row.sql)
    ]


def wipe(engine: Engine) -> None:
    """Let what was deleted leave the write-ahead log too, unless somebody is reading just now: then a later one will.

    In the database file it is overwritten already (`secure_delete`).
    """
    with _transaction(engine, "") as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")  # readers need not be waited for
        try:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.exec_driver_sql(_PATIENCE)


@contextmanager
def _transaction(engine: Engine, begin: str) -> Iterator[Connection]:
    try:
        with engine.connect().execution_options(signsvc_begin=begin) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise _translated(error.orig) from error
    except sqlite3.Error as error:
        raise _translated(error) from error


def _ours(kind: str, name: str, sql: object) -> bool:
    if kind == "table":
        return name in _TABLES
    # What SQLite makes by itself for a key has no words of its own, and no one else may have its name.
    return kind == "index" and (name in _INDEXES or (name.startswith("sqlite_autoindex_") and sql is None))


def _only_existing(_dialect: object, _record: object, given: list[Any], options: dict[str, Any]) -> None:
    """Merely connecting would make an empty database where one was moved away."""
    given[0], options["uri"] = f"{Path(given[0]).as_uri()}?mode=rw", True


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling is off: `begin` says which kind each one is.
    connection.isolation_level = None
    # Bytes that are no UTF-8 must not stop the audit; no value that was written here looks like what they become.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    connection.execute(_PATIENCE)
    connection.execute("PRAGMA journal_mode = WAL")
    # 16 MiB of pages: the upper levels of a large registry's indexes, which every lookup goes through.
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("PRAGMA synchronous = FULL")
    # A keyed hash that was replaced must not lie about for somebody to find and put back.
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    if begin := connection.get_execution_options()["signsvc_begin"]:
        driver(connection).execute(begin)


def _translated(error: BaseException | None) -> SignsvcError:
    # The extended result code keeps the primary one in its low byte.
    code: Any = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RegistryBusy("登记库正被其他进程占用，请稍后重新运行")
    return RegistryError("登记库读写失败：请检查磁盘空间和文件权限，再运行 signsvc log verify")
