"""Certificates of seals: believed only where they are what their name says and were put there with the match key."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from registry.samples import CHAIN, create, issue, known
from registry.tampering import database, rows

from signsvc.errors import RegistryError
from signsvc.models import Sha256
from signsvc.registry import Registry

NAMES = [Sha256(sha256(der).hexdigest()) for der in CHAIN]
FOREIGN = b"DER of a stranger's certificate"


def first(registry: Registry) -> str:
    return next(registry.boxes()).number


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = create(tmp_path)
    issue(opened, "a")
    yield opened
    opened.close()


def test_what_a_seal_was_made_with_is_told_and_pinned(registry: Registry) -> None:
    assert registry.seal_certificates() == set(NAMES)
    assert known(registry, first(registry)).chain == CHAIN


@pytest.mark.parametrize("der", [FOREIGN, "text", None], ids=["another", "text", "gone"])
def test_another_certificate_under_the_name_is_neither_told_nor_pinned(
    registry: Registry, tmp_path: Path, der: bytes | str | None
) -> None:
    with database(tmp_path) as connection:
        if der is None:
            connection.execute("DELETE FROM certificates WHERE sha256 = ?", [NAMES[0]])
        else:
            connection.execute("UPDATE certificates SET der = ? WHERE sha256 = ?", [der, NAMES[0]])
    with pytest.raises(RegistryError, match="印章证书缺失或被改动"):
        known(registry, first(registry))
    assert registry.seal_certificates() == {NAMES[1]}
    if der is not None:
        with pytest.raises(RegistryError) as refused:
            issue(registry, "b")
        assert refused.value.code == "registry_damaged"


def test_a_certificate_that_was_read_once_answers_on(registry: Registry, tmp_path: Path) -> None:
    before = known(registry, first(registry))
    with database(tmp_path) as connection:
        connection.execute("UPDATE certificates SET der = ?", [FOREIGN])
    assert known(registry, first(registry)) == before
    assert "certificate_changed" in {item.code for item in registry.audit()}


@pytest.mark.parametrize("der", [b"", FOREIGN, "text"], ids=["empty", "its own", "text"])
def test_a_certificate_that_somebody_put_in_is_not_pinned(
    registry: Registry, tmp_path: Path, der: bytes | str
) -> None:
    name = sha256(FOREIGN).hexdigest()
    with database(tmp_path) as connection:
        mac = rows(connection, "certificates")[0]["mac"]
        connection.execute("INSERT INTO certificates VALUES (?, ?, ?)", [name, der, mac])
    assert registry.seal_certificates() == set(NAMES)
    assert {item.code for item in registry.audit()} == {"certificate_changed"}
