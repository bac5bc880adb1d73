"""Making a registry, and opening one that was made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, inspect

from signsvc.cosignatures import Witness
from signsvc.errors import RegistryError
from signsvc.notes import NoteError, Verifier, verifier_of
from signsvc.registry import counters, database, log, schema
from signsvc.registry.book import Book, Boxes
from signsvc.registry.facts import get_fact, put_facts
from signsvc.registry.match import MatchKey
from signsvc.registry.records import stamp
from signsvc.report import BEIJING


def create(url: str, log_folder: Path, origin: str, match_key: bytes, log_key: Ed25519PrivateKey) -> Book:
    """A new registry and its log, the empty log published; RegistryError if there is one, or its log."""
    if (log_folder / "checkpoint").exists():
        raise RegistryError("日志已存在：不能为同一日志另建登记库")
    engine, key, verifier = database.connect(url, new=True), MatchKey(match_key), _named(origin, log_key)
    log_folder.mkdir(parents=True, exist_ok=True)
    with database.writing(engine) as connection:
        if not database.empty(connection):  # what is there would pass for ours for ever
            raise RegistryError("登记库已存在，或数据库中已有别的内容，不再新建")
        schema.metadata.create_all(connection)
        form = database.form(connection)
        _put_first_facts(connection, key, verifier, form)
    book = Book(engine, key, log_folder, verifier, form, log_key)
    log.publish(book)
    return book


def exists(url: str) -> bool:
    """Whether there is a registry at `url`; nothing is made by asking."""
    if not database.present(url):
        return False
    engine = database.connect(url)
    try:
        with database.reading(engine) as connection:
            return inspect(connection).has_table("meta")
    finally:
        engine.dispose()


def open_book(
    url: str,
    log_folder: Path,
    match_key: bytes,
    log_key: Ed25519PrivateKey | None,
    boxes: Boxes | None,
    witnesses: Sequence[Witness],
) -> Book:
    """The registry at `url`; RegistryError if it is missing or under other keys."""
    if not exists(url):
        raise RegistryError("没有登记库：请先运行 signsvc init")
    engine, key = database.connect(url), MatchKey(match_key)
    with database.reading(engine) as connection:
        if get_fact(connection, key, "schema") != schema.VERSION:
            raise RegistryError(
                "登记库的版本与本程序不符：请用建库时的版本，或移走旧库后重新运行 signsvc init"
            )
        verifier = Verifier.parse(get_fact(connection, key, "log"))
        form = get_fact(connection, key, "tables")
    if log_key is not None and verifier_of(verifier.name, log_key) != verifier:
        raise RegistryError("日志密钥不是本登记库的")
    return Book(engine, key, log_folder, verifier, form, log_key, boxes, tuple(witnesses))


def _put_first_facts(connection: Connection, key: MatchKey, verifier: Verifier, form: str) -> None:
    facts = {
        "schema": schema.VERSION,
        "log": str(verifier),
        "created": stamp(datetime.now(BEIJING)),
        "checkpoints": log.NO_TRAIL,
        "tables": form,
        counters.FACT: counters.fact(connection, 0),
    }
    put_facts(connection, key, facts)


def _named(origin: str, log_key: Ed25519PrivateKey) -> Verifier:
    try:
        return verifier_of(origin, log_key)
    except NoteError as error:
        raise RegistryError("日志名称不能为空，也不能含空格或加号") from error
