"""Facts about the registry itself (`meta`), each under a keyed hash."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from signsvc.errors import RegistryError
from signsvc.registry.match import MatchKey, same
from signsvc.registry.schema import meta, typed
from signsvc.registry.writes import put, take


def put_facts(connection: Connection, key: MatchKey, values: Mapping[str, str]) -> None:
    """Set facts."""
    take(connection, meta.c.key, list(values))
    rows = [
        {"key": name, "value": value, "mac": key.tag("meta", name, value)} for name, value in values.items()
    ]
    put(connection, meta, rows)


def get_fact(connection: Connection, key: MatchKey, name: str) -> str:
    """A fact; RegistryError if it is missing or was not written under this match key."""
    row = connection.execute(select(meta).where(meta.c.key == name)).mappings().one_or_none()
    if row is None or not typed(meta, row) or not same(row["mac"], key.tag("meta", name, row["value"])):
        raise RegistryError(f"登记库的 {name} 记录缺失、被改动，或与匹配密钥不符", "registry_damaged")
    return str(row["value"])
