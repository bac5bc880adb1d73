"""Certificates that seals were made with, and their issuers: kept once, by SHA-256, each under a keyed hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from signsvc.errors import RegistryError
from signsvc.models import Sha256
from signsvc.registry.book import Book
from signsvc.registry.database import Held, Prepared
from signsvc.registry.match import MatchKey, same
from signsvc.registry.schema import among, certificates, packed, slices, typed
from signsvc.registry.writes import put

DAMAGED = "登记库中有印章证书缺失或被改动：请运行 signsvc log verify"
_NAMED = Prepared(select(certificates).where(among(certificates.c.sha256)))


def keep(connection: Connection, key: MatchKey, chain: Iterable[bytes]) -> None:
    """Add the certificates (DER) that are not here yet; RegistryError if one that is was changed."""
    wanted = {sha256(der).hexdigest(): der for der in chain}
    for part in slices(list(wanted)):
        query = select(certificates).where(certificates.c.sha256.in_(part))
        for row in connection.execute(query).mappings():
            if not whole(key, row):
                raise RegistryError(DAMAGED, "registry_damaged")
            del wanted[row["sha256"]]
    rows = [{"sha256": name, "der": der, "mac": _mac(key, name)} for name, der in wanted.items()]
    put(connection, certificates, rows)


def names(connection: Connection, key: MatchKey) -> set[Sha256]:
    """SHA-256 of every certificate here that is as it was written."""
    found = connection.execute(select(certificates)).mappings()
    return {Sha256(row["sha256"]) for row in found if whole(key, row)}


def chain(held: Held, book: Book, names: tuple[str, ...]) -> tuple[bytes, ...]:
    """The certificates (DER) with these hashes; RegistryError if one is not here, or not as it was written."""
    if names not in book.chains:
        found = _NAMED.rows(held, **packed([[name] for name in names]))
        there = {row["sha256"]: row["der"] for row in found if whole(book.key, row)}
        if not there.keys() >= set(names):
            raise RegistryError(DAMAGED, "registry_damaged")
        book.chains[names] = tuple(there[name] for name in names)
    return book.chains[names]


def whole(key: MatchKey, row: Mapping[Any, Any]) -> bool:
    """Whether a certificate is what its name says, and was put here by this program."""
    return (
        typed(certificates, row)
        and sha256(row["der"]).hexdigest() == row["sha256"]
        and same(row["mac"], _mac(key, row["sha256"]))
    )


def _mac(key: MatchKey, name: str) -> str:
    return key.tag("certificate", name)
