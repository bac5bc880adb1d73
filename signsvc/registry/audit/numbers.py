"""Every serial from 1 to the counter is issued, voided or openly reserved, and none twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from signsvc.registry import counters
from signsvc.registry.audit.findings import Findings
from signsvc.registry.counters import Place
from signsvc.registry.match import MatchKey
from signsvc.registry.numbers import reservation_holds
from signsvc.registry.schema import entries, reservations, slices, typed


class NumberCheck:
    """Follows the serials of each office and year as entries go by.

    Holds only what is out of order: the next serial that has not been met, and those met ahead of it.
    """

    def __init__(self, connection: Connection, key: MatchKey, findings: Findings) -> None:
        self.connection, self.key, self.findings = connection, key, findings
        self.next: dict[Place, int] = defaultdict(lambda: 1)
        self.ahead: dict[Place, set[int]] = defaultdict(set)

    def begin(self) -> None:
        """The open reservations: notes, unless their rows were changed or their requests were issued long ago."""
        held = []
        for row in self.connection.execute(select(reservations)).mappings():
            name = f"{row['office']}-{row['printed']}"
            if not reservation_holds(self.key, row):
                self.findings.fault("reservation_changed", f"预留编号 {name} 被改动")
            else:
                self.findings.note(
                    "reservation_open", f"编号 {name} 已预留，尚未使用（{row['reserved_at']}）"
                )
            if typed(reservations, row):
                held.append(row)
                self._meet((row["office"], row["year"]), row["serial"])
        for part in slices([row["request_key"] for row in held]):
            query = select(entries.c.number).where(entries.c.request_key.in_(part))
            for number in self.connection.execute(query).scalars():
                self.findings.fault("reservation_changed", f"{number} 的申请已经出具，却另有预留编号")

    def meet(self, record: Mapping[str, Any]) -> None:
        """An entry that uses up a number."""
        self._meet((record["office"], record["year"]), record["serial"])

    def finish(self, size: int, recorded: str | None) -> None:
        """The counters against the serials that were met; counters and reservations against what was `recorded`.

        `size` is that of the log.
        """
        rows = counters.stored(self.connection)
        if recorded != counters.fact(self.connection, size):
            self.findings.fault(
                "counter_changed", "编号的总账与登记不符：有计数或预留编号被删除、添加、改动或换回"
            )
        counted = {(office, year): last for office, year, last in rows if _sound(office, year, last)}
        for place in sorted({*counted, *self.next, *self.ahead}):
            self._compare(place, counted.get(place, 0))

    def _meet(self, place: Place, serial: int) -> None:
        if serial < self.next[place] or serial in self.ahead[place]:
            self.findings.fault("number_twice", f"{place[0]} {place[1]} 年第 {serial} 号出现两次")
            return
        ahead = self.ahead[place]
        ahead.add(serial)
        while self.next[place] in ahead:
            ahead.discard(self.next[place])
            self.next[place] += 1

    def _compare(self, place: Place, last: int) -> None:
        office, year = place
        top = max(self.ahead[place], default=self.next[place] - 1)
        if top > last:
            self.findings.fault("counter_changed", f"{office} {year} 年的编号计数缺失或小于已用编号")
        serial, gaps = self.next[place], 0
        while serial <= max(top, last) and gaps < 100:
            if serial not in self.ahead[place]:
                self.findings.fault(
                    "number_missing", f"{office} {year} 年第 {serial} 号既未出具、作废，也未预留"
                )
                gaps += 1
            serial += 1


def _sound(office: object, year: object, last: object) -> bool:
    return isinstance(office, str) and isinstance(year, int) and isinstance(last, int)
