"""Which entries each number has, kept under a keyed hash, so that none of them can be taken away unnoticed.

A revocation is a row of its own. Deleting it, or letting it pass for another number's, would leave a certificate that
looks as good as new; the standing of its number, renewed with every entry, tells. It cannot tell of somebody who kept
an older standing and puts it back: that is left to the audit, which grows the whole log again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from signsvc.errors import RegistryError
from signsvc.registry.match import MatchKey, same
from signsvc.registry.records import FIRST, guard
from signsvc.registry.schema import Row, among, entries, packed, slices, standings
from signsvc.registry.writes import put, take

_JOINED = entries.outerjoin(standings, entries.c.number == standings.c.number)
# Entries beside the standing of their number, in the order of the log; which ones, the caller says.
TOLD = select(entries, standings.c.mac.label("standing")).select_from(_JOINED).order_by(entries.c.idx)
_NAMED = TOLD.where(among(entries.c.number))


def standing_mac(key: MatchKey, number: str, indexes: Sequence[int]) -> str:
    """The keyed hash of the indexes of all entries of a number, in their order."""
    return key.tag("standing", number, *indexes)


def told(connection: Connection, key: MatchKey, numbers: Sequence[str]) -> dict[str, list[Row]]:
    """Every entry of each number, in the order of the log; RegistryError if one was changed or is missing."""
    found: dict[str, list[Row]] = {}
    for part in slices(numbers):
        found |= checked(key, connection.execute(_NAMED, packed([[number] for number in part])).mappings())
    return found


def checked(key: MatchKey, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of `TOLD` by their number; RegistryError if one was changed or is missing."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(guard(row, key))
    for number, rows in found.items():
        if not holds(key, number, [row["idx"] for row in rows], rows[0]["standing"]):
            raise RegistryError(
                f"{number} 的登记不完整，已停止使用：请运行 signsvc log verify", "registry_damaged"
            )
    return found


def holds(key: MatchKey, number: str, indexes: Sequence[int], standing: object) -> bool:
    """Whether `standing`, as the table has it, stands for just these entries."""
    return isinstance(standing, str) and same(standing, standing_mac(key, number, indexes))


def renew(connection: Connection, key: MatchKey, added: Sequence[Mapping[str, Any]]) -> None:
    """Let the standings cover entries about to be written; RegistryError if one does not hold before."""
    before = told(connection, key, sorted({row["number"] for row in added if row["kind"] not in FIRST}))
    indexes = {number: [row["idx"] for row in rows] for number, rows in before.items()}
    for row in added:
        indexes.setdefault(row["number"], []).append(row["idx"])
    take(connection, standings.c.number, list(before))
    rows = [{"number": number, "mac": standing_mac(key, number, every)} for number, every in indexes.items()]
    put(connection, standings, rows)
