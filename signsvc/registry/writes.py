"""Writes that are looked at again: what the database did not keep as it was given must not be told as done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, insert, select

from signsvc.errors import RegistryError
from signsvc.registry.schema import among, packed, slices

_NOT_KEPT = "登记库没有照所写的保存，本次改动已撤回：请运行 signsvc log verify"


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, each with all columns of its table; RegistryError unless every one of them is there just so."""
    if not rows:
        return
    connection.execute(insert(table), rows)
    names = [column.name for column in table.primary_key]
    given = {tuple(row[name] for name in names): dict(row) for row in rows}
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    written = select(table).where(among(*table.primary_key))
    for part in slices(list(given)):
        kept = connection.execute(written, packed(part)).mappings()
        found |= {tuple(row[name] for name in names): dict(row) for row in kept}
    if found != given:
        raise RegistryError(_NOT_KEPT, "registry_damaged")


def take(connection: Connection, column: Column[str], values: Sequence[str]) -> None:
    """Delete the rows whose `column` holds one of `values`; RegistryError if one of them stays."""
    for part in slices(values):
        connection.execute(delete(column.table).where(column.in_(part)))
        if connection.execute(select(column).where(column.in_(part)).limit(1)).first() is not None:
            raise RegistryError(_NOT_KEPT, "registry_damaged")
