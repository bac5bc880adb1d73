"""Small files that are replaced as a whole, and one process at a time: the old content or the new, whatever happens."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_file(file: Path, data: bytes, mode: int = 0o666) -> None:
    """Let `file` hold `data`, durably; `mode` is narrowed by the umask.

    OSError if that cannot be made sure of. Then the file is the old one, or the new one that a crash may still undo;
    doing it again makes it good. Nothing half-written stays.
    """
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Let the names in `folder` last; OSError if that cannot be made sure of."""
    with _opened(folder) as handle:
        os.fsync(handle)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else who asks for it, thread or process, is at work on what `folder` holds meanwhile."""
    with _opened(folder) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)
