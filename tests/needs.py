"""What a test needs of the machine: a missing program skips the test by name, and under CI=true fails it."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def require(program: str) -> str:
    """Path of `program`, or a named skip; under CI=true its absence is a failure, for CI skips nothing."""
    path = shutil.which(program)
    if path:
        return path
    absent(program)


def absent(what: str) -> NoReturn:
    """End a test whose needs are not met here."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed; `make setup` installs it")
    pytest.skip(f"needs {what}")
