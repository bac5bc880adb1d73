"""What every part of the registry works with: the open database, its keys and where its log is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, delete, insert, select

from signsvc.errors import RegistryError
from signsvc.notes import Verifier
from signsvc.registry.match import MatchKey, same
from signsvc.registry.schema import meta, typed

Opens = Callable[[str, str, bytes], bool]


@dataclass(frozen=True)
class Book:
    """An open registry. Without `log_key` it can be read and audited, but not written.

    `opens(kind, number, box)` tells whether a box was locked for this event; only who holds the archive key can say.
    """

    engine: Engine
    key: MatchKey
    log_folder: Path
    verifier: Verifier
    log_key: Ed25519PrivateKey | None = field(repr=False)
    opens: Opens | None = None

    @property
    def shown(self) -> Path:
        """The published checkpoint: what witnesses and auditors read."""
        return self.log_folder / "checkpoint"


def put_meta(connection: Connection, key: MatchKey, values: Mapping[str, str]) -> None:
    """Set facts about the registry itself."""
    connection.execute(delete(meta).where(meta.c.key.in_(values)))
    rows = [
        {"key": name, "value": value, "mac": key.tag("meta", name, value)} for name, value in values.items()
    ]
    connection.execute(insert(meta), rows)


def get_meta(connection: Connection, key: MatchKey, name: str) -> str:
    """A fact about the registry; RegistryError if it is missing or was not written under this match key."""
    row = connection.execute(select(meta).where(meta.c.key == name)).mappings().one_or_none()
    if row is None or not typed(meta, row) or not same(row["mac"], key.tag("meta", name, row["value"])):
        raise RegistryError(f"登记库的 {name} 记录缺失、被改动，或与匹配密钥不符", "registry_damaged")
    return str(row["value"])
