"""What every command needs: the settings, and files given by name."""

from __future__ import annotations

import os
from pathlib import Path

from signsvc.config import Settings, load
from signsvc.errors import InputError, reason

FILE_LIMIT = 10 * 1024 * 1024  # bytes of a PDF or a template


def settings() -> Settings:
    return load(os.environ, Path.cwd())


def read_file(file: Path, limit: int = FILE_LIMIT) -> bytes:
    """A file of the user's; of one that is too large, one byte more than `limit`, for its reader to refuse."""
    try:
        with open(file, "rb") as stream:
            return stream.read(limit + 1)
    except OSError as error:
        raise InputError(f"读不到文件 {file}：{reason(error)}") from error


def write_file(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(f"写不进 {file}：{reason(error)}") from error
