"""Nothing in the registry can be changed without the audit telling."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from registry.samples import CHAIN, create, issue, one_of_everything, reopen
from registry.tampering import TABLES, changes, database, deletions, restore, rows, swaps

from signsvc.errors import RegistryError
from signsvc.registry import Registry


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    one_of_everything(folder).close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return tmp_path


def faults(folder: Path, opened: Registry | None = None) -> list[str]:
    """Codes of the faults found, by `opened` or by a fresh start; a registry that refuses to open is one fault."""
    try:
        registry = opened or reopen(folder)
    except RegistryError as error:
        return [error.code]
    try:
        return [item.code for item in registry.audit() if item.severity == "fault"]
    finally:
        registry.close()


def test_a_registry_that_nobody_touched_has_no_fault_and_its_reservation_is_a_note(folder: Path) -> None:
    registry = reopen(folder)
    assert [(item.severity, item.code) for item in registry.audit()] == [("note", "reservation_open")]


@pytest.mark.parametrize("table", TABLES)
def test_every_cell_of_every_row_is_guarded(folder: Path, table: str) -> None:
    # What an open registry knows of itself was checked before.
    opened = None if table == "meta" else reopen(folder)
    with database(folder) as connection:
        found = [(change, bool(faults(folder, opened))) for change in changes(connection, table)]
    assert found
    assert [change for change, told in found if not told] == []
    assert faults(folder) == []


@pytest.mark.parametrize("table", TABLES)
def test_no_row_can_be_deleted(folder: Path, table: str) -> None:
    with database(folder) as connection:
        assert [key for key in deletions(connection, table) if not faults(folder)] == []
    assert faults(folder) == []


@pytest.mark.parametrize("table", TABLES)
def test_rows_cannot_change_places(folder: Path, table: str) -> None:
    with database(folder) as connection:
        assert [pair for pair in swaps(connection, table) if not faults(folder)] == []
    assert faults(folder) == []


@pytest.mark.parametrize(
    "table",
    ["counters", "reservations", "entries", "standings", "nodes", "checkpoints", "certificates", "meta"],
)
def test_no_row_can_be_added(folder: Path, table: str) -> None:
    with database(folder) as connection:
        row = rows(connection, table)[-1]
        for name, value in row.items():
            if name in TABLES[table] or name in ("closes", "request_key", "code_hash"):
                row[name] = value + 1 if isinstance(value, int) else None if value is None else "other"
        restore(connection, table, row)
    assert faults(folder)


def test_the_shown_checkpoint_can_neither_be_changed_nor_removed_nor_put_back(
    folder: Path, whole: Path
) -> None:
    shown = folder / "log" / "checkpoint"
    note = shown.read_text()
    with database(folder) as connection:
        older = rows(connection, "checkpoints")[-2]["note"]
    for text in (note.replace("example", "exemple"), note[:-5] + "AAA=\n", "", older):
        shown.write_text(text)
        assert faults(folder)
    shown.unlink()
    assert faults(folder)


def test_an_older_database_under_a_newer_shown_checkpoint_is_found_and_nothing_more_is_signed(
    tmp_path: Path,
) -> None:
    registry = create(tmp_path)
    issue(registry, "r1")
    registry.close()
    shutil.copy(tmp_path / "registry.sqlite3", tmp_path / "backup")
    registry = reopen(tmp_path)
    issue(registry, "r2")
    registry.close()
    shutil.copy(tmp_path / "backup", tmp_path / "registry.sqlite3")
    assert "entry_missing" in faults(tmp_path)
    with pytest.raises(RegistryError) as refused:
        issue(reopen(tmp_path), "r3")
    assert refused.value.code == "registry_damaged"


def test_a_chain_certificate_is_kept_once(folder: Path) -> None:
    with database(folder) as connection:
        assert sorted(row["der"] for row in rows(connection, "certificates")) == sorted(CHAIN)


def test_a_checkpoint_taken_from_the_middle_is_missed_whatever_is_put_back(folder: Path) -> None:
    with database(folder) as connection:
        sizes = [row["size"] for row in rows(connection, "checkpoints")]
        before = rows(connection, "meta")
        issue(reopen(folder), "later")
        connection.execute("DELETE FROM checkpoints WHERE size = ?", [sizes[2]])
        for row in before:
            restore(connection, "meta", row)
    assert "checkpoint_missing" in faults(folder)


def test_bytes_that_are_no_text_are_a_change_like_any_other(folder: Path) -> None:
    with database(folder) as connection:
        connection.execute(
            "UPDATE entries SET record = CAST(x'ff' AS TEXT), number = CAST(x'ff' AS TEXT) WHERE idx = 0"
        )
        connection.execute("UPDATE counters SET office = CAST(x'ff' AS TEXT)  WHERE office = 'gd-demo'")
    assert {"entry_changed", "counter_changed"} <= set(faults(folder))


def test_pages_do_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in (1, 3, 4, 5):
        monkeypatch.setattr("signsvc.registry.audit.PAGE", page)
        assert faults(folder) == []
