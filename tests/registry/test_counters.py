"""No number is given out twice, whatever a writer without keys does to the counters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection

import pytest
from registry.samples import DAY, MATCH_KEY, NOW, certificate, claim, commit, create, issue, reserve, url_in
from registry.tampering import database, kept, put_back, restore

from signsvc.errors import RegistryError
from signsvc.models import OfficeId
from signsvc.registry import Lost, Registry, Reservation, counters
from signsvc.registry import database as opened
from signsvc.registry.match import MatchKey

FIRST = "qh-demo-2026-000001"
VILLAGE = OfficeId("gd-demo")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return create(tmp_path)


def refused(registry: Registry, request_id: str = "later") -> None:
    with pytest.raises(RegistryError) as error:
        reserve(registry, request_id)
    assert error.value.code == "registry_damaged"


def faults(registry: Registry) -> set[str]:
    return {item.code for item in registry.audit() if item.severity == "fault"}


CHANGES: dict[str, Callable[[Connection], object]] = {
    "gone": lambda db: db.execute("DELETE FROM counters WHERE office = 'qh-demo'"),
    "gone, with the number's traces": lambda db: db.executescript(
        f"""DELETE FROM counters WHERE office = 'qh-demo'; DELETE FROM entries WHERE number = '{FIRST}';
        DELETE FROM standings WHERE number = '{FIRST}'"""
    ),
    "smaller": lambda db: db.execute("UPDATE counters SET last = 0 WHERE office = 'qh-demo'"),
    "greater": lambda db: db.execute("UPDATE counters SET last = last + 1 WHERE office = 'qh-demo'"),
    "another's": lambda db: db.execute("UPDATE counters SET office = 'zz' WHERE office = 'gd-demo'"),
    "one more": lambda db: db.execute("INSERT INTO counters VALUES ('zz', 2026, 7)"),
    "bytes": lambda db: db.execute("UPDATE counters SET last = x'ff' WHERE office = 'gd-demo'"),
    "without their fact": lambda db: db.execute("DELETE FROM meta WHERE key = 'numbers'"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_is_numbered_by_counters_that_were_changed(
    registry: Registry, tmp_path: Path, what: str
) -> None:
    issue(registry, "a", "b")
    registry.reserve([claim(registry, "v", VILLAGE)], NOW)
    with database(tmp_path) as connection:
        CHANGES[what](connection)
    refused(registry)
    assert faults(registry) & {"counter_changed", "fact_changed"}


@pytest.mark.parametrize("hidden", [False, True], ids=["", "with the numbers' traces"])
def test_numbers_of_an_earlier_day_put_back_with_their_fact_are_refused(
    registry: Registry, tmp_path: Path, hidden: bool
) -> None:
    issue(registry, "a")
    before = kept(tmp_path)
    later = issue(registry, "b", "c")[0].number
    fact = [row for row in before["meta"] if row["key"] == "numbers"]
    with database(tmp_path) as connection:
        restore(connection, "meta", *fact)
        if hidden:
            connection.execute("DELETE FROM entries WHERE number = ?", [later])
            connection.execute("DELETE FROM standings WHERE number = ?", [later])
    put_back(tmp_path, {table: before[table] for table in ("counters", "reservations")})
    refused(registry)
    assert "counter_changed" in faults(registry)


def test_a_reservation_that_was_used_up_is_not_used_again(registry: Registry, tmp_path: Path) -> None:
    held = reserve(registry, "a", "b")
    before = kept(tmp_path)
    commit(registry, held)
    put_back(tmp_path, {"reservations": before["reservations"]})
    with database(tmp_path) as connection:
        connection.execute("DELETE FROM entries WHERE idx = 0")
        connection.execute("DELETE FROM standings WHERE number = ?", [held[0].number])
    refused(registry, "a")
    with pytest.raises(RegistryError):
        registry.commit([certificate(held[0], "again")], NOW)


def test_numbers_of_the_same_moment_are_issued_once_all_the_same(registry: Registry, tmp_path: Path) -> None:
    """While no entry was added the fact of an earlier moment still holds: the first request loses its number."""
    before = kept(tmp_path)
    lost = reserve(registry, "a")[0]
    between = kept(tmp_path)
    put_back(tmp_path, before)
    won = issue(registry, "b")[0]
    assert won.number == lost.number
    assert registry.commit([certificate(lost)], NOW) == [Lost(None)]
    put_back(tmp_path, between)
    with pytest.raises(RegistryError):
        registry.commit([certificate(lost)], NOW)


@pytest.mark.parametrize("left", ["entries", "standings"])
def test_a_number_of_which_a_trace_is_left_is_not_given_out_even_by_forged_counters(
    registry: Registry, tmp_path: Path, left: str
) -> None:
    """By a thief of the match key."""
    issue(registry, "a", "b")
    gone = {"entries": "standings", "standings": "entries"}[left]
    with opened.writing(opened.connect(url_in(tmp_path))) as connection:
        connection.exec_driver_sql(f"DELETE FROM {gone} WHERE number = '{FIRST}'")
        connection.exec_driver_sql("UPDATE counters SET last = 0")
        counters.renew(connection, MatchKey(MATCH_KEY), 2)
    refused(registry)


def test_every_office_and_year_counts_for_itself_from_one(registry: Registry) -> None:
    for turn in range(3):
        for office in ("qh-demo", "gd-demo"):
            wish = claim(registry, f"{turn}{office}", OfficeId(office), DAY.replace(year=2026 + turn % 2))
            [held] = registry.reserve([wish], NOW)
            assert isinstance(held, Reservation)
            assert held.serial == 1 + turn // 2
