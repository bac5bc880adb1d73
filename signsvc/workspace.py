"""Where plaintext lies for a moment: a private folder for each running process, under the home's `tmp/`.

Whoever starts wipes what dead processes left. A folder belongs to a living process as long as that process holds
the lock on it, so two batches at once leave each other alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

LOCK = "lock"


@contextmanager
def workspace(tmp: Path) -> Iterator[Path]:
    """A fresh 0700 folder in `tmp`, gone at the end; folders whose owner is dead are wiped first."""
    tmp.mkdir(mode=0o700, parents=True, exist_ok=True)
    tmp.chmod(0o700)
    with ExitStack() as held:
        # Nobody wipes while a folder is made: between its making and its lock it would look dead.
        with _locked(tmp):
            wipe(tmp)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=tmp))
            (folder / LOCK).touch(mode=0o600)
            held.enter_context(_locked(folder / LOCK))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def wipe(tmp: Path) -> None:
    """Remove every folder in `tmp` that no living process holds."""
    for entry in tmp.iterdir():
        if not entry.is_dir() or entry.is_symlink():
            entry.unlink(missing_ok=True)
        elif not _alive(entry):
            shutil.rmtree(entry, ignore_errors=True)


def _alive(folder: Path) -> bool:
    try:
        with _locked(folder / LOCK, wait=False):
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


@contextmanager
def _locked(path: Path, wait: bool = True) -> Iterator[None]:
    """The lock on a file or folder; the system lets go of it when its holder dies."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)
