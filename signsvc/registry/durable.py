"""Files of the log, replaced as a whole: the old one or the new one, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signsvc import durable
from signsvc.errors import RegistryError


def replace_file(file: Path, text: str) -> None:
    """Let `file` hold `text` (UTF-8, no newline changed), durably; RegistryError if it cannot be written."""
    with _told():
        durable.replace_file(file, text.encode())


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process changes the files of this `folder` meanwhile; RegistryError if that cannot be had."""
    with _told(), durable.alone(folder):
        yield


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RegistryError("日志检查点无法写入：请检查磁盘空间和文件权限") from error
