"""One more certificate costs the same however many there are: counted in statements and rows, not in time."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from registry.counting import statements
from registry.samples import code_of, create, issue

from signsvc.registry import Registry

BATCH = 256


def cost_of_one(registry: Registry, request_id: str) -> tuple[Counter[str], Counter[str]]:
    """Statements to issue one more certificate, and to find and prove it."""
    with statements(registry) as issuing:
        held = issue(registry, request_id)[0]
    registry.find(held.number, code_of(held))  # the seal, and a schema as it was, are looked at once
    with statements(registry) as proving:
        assert registry.find(held.number, code_of(held))
        assert registry.proof_bundle(held.number, code_of(held))
    return issuing, proving


def fill(registry: Registry, count: int, name: str = "fill") -> None:
    for start in range(0, count, BATCH):
        issue(registry, *(f"{name}{n}" for n in range(start, start + BATCH)))


def test_statements_and_rows_are_the_same_in_a_small_and_a_large_registry(tmp_path: Path) -> None:
    registry = create(tmp_path)
    issue(registry, *(f"small{n}" for n in range(4)))
    small = cost_of_one(registry, "one")
    fill(registry, 4 * BATCH)
    large = cost_of_one(registry, "two")
    nodes = "INSERT INTO nodes"
    assert {**small[0], nodes: 0} == {**large[0], nodes: 0}
    assert large[0][nodes] <= 12  # at most one node a level
    assert small[1] == large[1]


def test_a_chunk_needs_as_many_statements_as_a_single_certificate(tmp_path: Path) -> None:
    registry = create(tmp_path)
    issue(registry, "first")
    with statements(registry) as single:
        issue(registry, "single")
    with statements(registry) as chunk:
        issue(registry, *(f"chunk{n}" for n in range(50)))
    inserts = {name for name in chunk if name.startswith("INSERT")}
    assert {name: count for name, count in chunk.items() if name not in inserts} == {
        name: count for name, count in single.items() if name not in inserts
    }


def test_the_audit_of_more_entries_takes_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signsvc.registry.audit.PAGE", 16)
    registry = create(tmp_path)
    fill(registry, 2 * BATCH)  # enough for Python's own caches to be full
    few = _peak(registry)
    fill(registry, 2 * BATCH, "more")
    assert _peak(registry) < 1.3 * few


def _peak(registry: Registry) -> int:
    registry.audit()
    tracemalloc.start()
    try:
        assert registry.audit() == []
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
