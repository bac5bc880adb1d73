"""Fixtures for judging sealed files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from vectors.workshop import Workshop

from signsvc.seal.sandbox import Sandbox


@pytest.fixture(scope="session")
def shop() -> Workshop:
    """An authority, a sealed file, and an attacker's tools."""
    return Workshop()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with the limits of the service."""
    with Sandbox() as started:
        yield started
