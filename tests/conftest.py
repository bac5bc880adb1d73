"""Fixtures that every part may use."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from home import DEMO_REQUESTS, Home


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration home as `init --demo` leaves it; made once, for making RSA keys takes seconds."""
    folder = tmp_path_factory.mktemp("pristine")
    Home(folder).run("init", "--demo")
    return folder


@pytest.fixture
def home(pristine: Path, tmp_path: Path) -> Home:
    """A demonstration home of the test's own."""
    return Home(Path(shutil.copytree(pristine, tmp_path / "home")))


@pytest.fixture(scope="session")
def issued(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demonstration batch, issued into `out`. A test that changes something copies it first."""
    home = Home(Path(shutil.copytree(pristine, tmp_path_factory.mktemp("issued") / "home")))
    home.sign(DEMO_REQUESTS)
    return home
