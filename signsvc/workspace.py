"""The only place where plaintext lies for a moment: a private folder for each running process, under `tmp/`.

Whoever starts wipes what dead processes left. A folder belongs to a living process as long as that process holds
the lock on it, so two batches at once leave each other alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"


@contextmanager
def workspace(tmp: Path) -> Iterator[Path]:
    """A fresh 0700 folder in `tmp`, gone at the end; folders whose owner is dead are wiped first."""
    tmp.mkdir(mode=0o700, parents=True, exist_ok=True)
    tmp.chmod(0o700)
    wipe(tmp)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=tmp))
    with open(folder / LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def wipe(tmp: Path) -> None:
    """Remove every folder in `tmp` that no living process holds."""
    for entry in tmp.iterdir():
        if not entry.is_dir() or entry.is_symlink():
            entry.unlink(missing_ok=True)
        elif not _held(entry):
            shutil.rmtree(entry, ignore_errors=True)


def _held(folder: Path) -> bool:
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        # Just made by a process that has not come to its lock yet, or left by one that never will.
        return _young(folder)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def _young(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime < 10
    except FileNotFoundError:
        return True
