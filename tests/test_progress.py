"""What a person sees of a batch under way, and what a pipe does not."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from home import Home, a_row


@pytest.fixture
def rows(home: Home) -> Path:
    good = [a_row(number) for number in (1, 2)]
    return home.write_rows("rows.csv", [*good, a_row(3, purpose="办理贷款")])


def signed(home: Home, rows: Path, stderr: int) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "signsvc", "sign", str(rows), "-o", "out"]
    environment = {**home.environment, "SIGNSVC_CONVERTER": "embedded"}
    return subprocess.run(
        words, cwd=home.folder, env=environment, stdout=subprocess.PIPE, stderr=stderr, check=False
    )


def test_a_terminal_shows_rows_rate_and_which_failed(home: Home, rows: Path) -> None:
    screen, terminal = pty.openpty()
    done = signed(home, rows, terminal)
    os.close(terminal)
    seen = os.read(screen, 100_000).decode()
    os.close(screen)
    assert done.returncode == 1
    assert re.search(r"出具 .*3/3 .*[0-9.]+ 份/秒", seen)
    assert re.search(r"\r\x1b\[K[^\r]*purpose_not_allowed", seen)


def test_a_pipe_is_told_only_what_failed(home: Home, rows: Path) -> None:
    done = signed(home, rows, subprocess.PIPE)
    assert len(done.stderr.decode().splitlines()) == 1
    assert b"purpose_not_allowed" in done.stderr
    assert b"\r" not in done.stderr
