"""Fixtures that every part may use."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from home import DEMO_REQUESTS, Home

TESTS = Path(__file__).parent
# Whoever runs files side by side starts with what takes longest, so that nobody waits for one of these at the end.
LONGEST = (
    "whole/test_thousand.py",
    "test_readme.py",
    "whole/test_kill.py",
    "test_issue.py",
    "whole/test_search.py",
    "test_cli.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    turns = {TESTS / name: turn for turn, name in enumerate(LONGEST)}
    items.sort(key=lambda item: turns.get(item.path, len(turns)))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A worker's own copy of the folder that `make` fills: in a run the first makes it, the others wait for it."""
    run = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent
    folder, whole = run / f"{name}-made", run / f"{name}-made.whole"
    with open(run / f"{name}-made.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            whole.touch()
    return Path(shutil.copytree(folder, factory.mktemp(name) / "home"))


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration home as `init --demo` leaves it; made once, for making RSA keys takes seconds."""

    def make(folder: Path) -> None:
        folder.mkdir()
        Home(folder).run("init", "--demo")

    return made_once(tmp_path_factory, "pristine", make)


@pytest.fixture
def home(pristine: Path, tmp_path: Path) -> Home:
    """A demonstration home of the test's own."""
    return Home(Path(shutil.copytree(pristine, tmp_path / "home")))


@pytest.fixture(scope="session")
def issued(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demonstration batch, issued into `out`. A test that changes something copies it first."""

    def make(folder: Path) -> None:
        Home(Path(shutil.copytree(pristine, folder))).sign(DEMO_REQUESTS)

    return Home(made_once(tmp_path_factory, "issued", make))
