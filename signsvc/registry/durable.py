"""Files of the log, replaced as a whole: the old one or the new one, whatever happens."""

from __future__ import annotations

import os
from pathlib import Path

from signsvc.errors import RegistryError


def replace_file(file: Path, text: str) -> None:
    """Let `file` hold `text` (UTF-8, no newline changed), durably; RegistryError if it cannot be written."""
    fresh = file.with_suffix(".new")
    try:
        with open(fresh, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise RegistryError("日志检查点无法写入：请检查磁盘空间和文件权限") from error
