"""What every part of the registry works with: the open database, its keys and where its log is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine

from signsvc.cosignatures import Witness
from signsvc.errors import RegistryError
from signsvc.notes import Verifier
from signsvc.registry import database
from signsvc.registry.database import Held
from signsvc.registry.match import MatchKey
from signsvc.registry.proven import Proven


@dataclass(frozen=True)
class Boxes:
    """What only who holds the archive key can do: `opens(kind, number, box)` tells whether a box was locked for this
    event (see `box_context`), `empty(kind, number)` locks one with nothing in it, for a number that is voided."""

    opens: Callable[[str, str, bytes], bool]
    empty: Callable[[str, str], bytes]


@dataclass(frozen=True)
class Book:
    """An open registry. Without `log_key` it can be read and audited, but not written; without `boxes` entries are
    signed whatever box they hold. Of cosignatures only those by `witnesses` count. `form` is what the database's schema
    was when it was made.

    Two things are remembered between answers, and whoever changes them in the database later changes none: `chains`,
    the certificates of seals (DER) by their SHA-256, a name that fits no other bytes; and what is `proven` to lie under
    the newest checkpoint.
    """

    engine: Engine
    key: MatchKey
    log_folder: Path
    verifier: Verifier
    form: str
    log_key: Ed25519PrivateKey | None = field(repr=False)
    boxes: Boxes | None = None
    witnesses: tuple[Witness, ...] = ()
    chains: dict[tuple[str, ...], tuple[bytes, ...]] = field(default_factory=dict, repr=False, compare=False)
    proven: Proven = field(default_factory=Proven, repr=False, compare=False)

    @cached_property
    def shown(self) -> Path:
        """The published checkpoint: what witnesses and auditors read."""
        return self.log_folder / "checkpoint"

    @property
    def witnessed(self) -> Path:
        """The checkpoint that was cosigned last, where any was."""
        return self.log_folder / "witnessed"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads; RegistryError if the schema was changed."""
        with database.reading(self.engine) as connection:
            self._check_form(database.form_for_reading(connection))
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Held]:
        """The same, for queries that are prepared."""
        with database.looking(self.engine) as held:
            self._check_form(database.form_for_reading(held))
            yield held

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer overlaps; RegistryError if the schema was changed."""
        with database.writing(self.engine) as connection:
            self._check_form(database.form(connection))
            yield connection

    def empty_box(self, kind: str, number: str) -> bytes:
        """A box for an event that has nothing to keep: it says that who recorded it held the archive key."""
        return self.boxes.empty(kind, number) if self.boxes else b""

    def _check_form(self, now: str) -> None:
        if now != self.form:
            raise RegistryError(
                "登记库中有不属于本程序的表、视图、索引或触发器，已停止使用：请运行 signsvc log verify",
                "registry_damaged",
            )
