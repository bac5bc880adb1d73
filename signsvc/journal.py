"""Journals: files that only grow, of events one below the other, each line bound to all lines before it.

A line is one JSON object: `seq` from 1, `at` (RFC 3339, Beijing time), `prev` (the digest of the line before, of the
journal's name for the first), `data` (the event) and `digest`, the SHA-256 of the line without it. So a line that was
edited, removed, added or moved is found, also a whole journal under another's name, and everything that needs the
journal is refused. What a chain without a key cannot show is
that its last lines were cut off, or that it was written anew as a whole: for that, others must name what stood in it.

Crash story. A line is written at the end by one call; file and folder are fsynced before anybody is told. What a crash
leaves is the whole line, nothing, or a torn line without its end. A torn line is an event that never happened: readers
leave it out and say so, and the next append cuts it off.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from signsvc.durable import sync_folder
from signsvc.errors import CatalogueChanged, SettingsError, reason
from signsvc.proofs import canonical
from signsvc.report import rfc3339

NAME = re.compile(r"(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*")
LIMIT = 64 * 1024 * 1024  # bytes of a journal
LOCK_SECONDS = 10
_SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Entry:
    """One line: when it was written, and what."""

    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Journal:
    """A journal as it was read; `torn` if a crash left a broken last line, which is not among the entries."""

    entries: tuple[Entry, ...] = ()
    torn: bool = False
    size: int = 0  # bytes of whole lines
    digest: str = ""  # of the last one, or what the first is bound to


@dataclass(frozen=True)
class Journals:
    """The journals of a folder, by name, while nobody else writes; see `opened`."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """Every journal's name, in order."""
        found = (file.stem for file in self.folder.glob(f"*{_SUFFIX}"))
        return tuple(sorted(name for name in found if NAME.fullmatch(name)))

    def read(self, name: str) -> Journal:
        """The journal, empty if there is none; CatalogueChanged names the first line that is not as it was written,
        SettingsError says why it cannot be read."""
        return _read(_bytes(self.folder / f"{name}{_SUFFIX}"), name)

    def append(self, name: str, data: Mapping[str, Any], at: datetime) -> None:
        """Write one more event, durably; OSError leaves at worst a torn line. Only while opened for writing."""
        before = self.read(name)
        line = _line(len(before.entries) + 1, rfc3339(at), before.digest, data)
        file = os.open(
            self.folder / f"{name}{_SUFFIX}",
            os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW,
            0o600,
        )
        try:
            if before.torn:
                os.ftruncate(file, before.size)
            if os.write(file, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        finally:
            os.close(file)
        sync_folder(self.folder)


@contextmanager
def opened(folder: Path, *, write: bool = False) -> Iterator[Journals]:
    """The folder's journals, none of which changes meanwhile; a writer is alone. A folder that is missing is empty.

    SettingsError if the folder cannot be used, or another process holds it for longer than 10 seconds.
    """
    if not write and not os.path.lexists(folder):
        yield Journals(folder)
        return
    try:
        if write:
            folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SettingsError(f"保留清单文件夹 {folder.name} 不能使用：{reason(error)}") from error
    try:
        _hold(lock, fcntl.LOCK_EX if write else fcntl.LOCK_SH)
        yield Journals(folder)
    finally:
        os.close(lock)


def _hold(lock: int, kind: int) -> None:
    """Wait for the lock, but not for a process that was stopped while it held it."""
    patience = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > patience:
                raise SettingsError("保留清单正被另一进程占用，请稍后再试") from error
            time.sleep(0.05)


def _bytes(file: Path) -> bytes:
    """What stands in a journal; nothing if there is none. Only a regular file is a journal: reading one never waits."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SettingsError(f"保留清单记录 {file.name} 读不到：{reason(error)}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise SettingsError(f"保留清单记录 {file.name} 不是普通文件")
    with open(handle, "rb") as stream:
        found = stream.read(LIMIT + 1)
    if len(found) > LIMIT:
        raise SettingsError(f"保留清单记录 {file.name} 过大")
    return found


def _line(seq: int, at: str, prev: str, data: Mapping[str, Any]) -> bytes:
    bare = {"seq": seq, "at": at, "prev": prev, "data": data}
    digest = sha256(canonical(bare).encode()).hexdigest()
    return canonical({**bare, "digest": digest}).encode() + b"\n"


def _read(raw: bytes, name: str) -> Journal:
    *lines, tail = raw.split(b"\n")
    entries: list[Entry] = []
    digest = sha256(name.encode()).hexdigest()
    for seq, line in enumerate(lines, 1):
        entry, digest = _entry(line, seq, digest, name)
        entries.append(entry)
    if tail and not _is_torn(tail):
        raise _changed(name, len(lines) + 1)
    return Journal(tuple(entries), bool(tail), len(raw) - len(tail), digest)


def _entry(line: bytes, seq: int, prev: str, name: str) -> tuple[Entry, str]:
    """The entry and the digest of a line, which must be exactly what would be written for it."""
    try:
        found = json.loads(line)
        if _line(seq, found["at"], prev, found["data"]) != line + b"\n":
            raise _changed(name, seq)
        return Entry(datetime.fromisoformat(found["at"]), dict(found["data"])), found["digest"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _changed(name, seq) from error


def _is_torn(tail: bytes) -> bool:
    """Whether a crash may have left this: the beginning of a line. A line with something behind it was changed."""
    try:
        text = tail.decode()
        return json.JSONDecoder().raw_decode(text)[1] == len(text)
    except (ValueError, RecursionError):
        return True


def _changed(name: str, seq: int) -> CatalogueChanged:
    done = "被改动、删去、调换，或改了文件名"
    return CatalogueChanged(
        f"保留清单 {name} 的记录从第{seq}行起{done}，已停止使用：请从备份恢复，并运行 signsvc log verify"
    )
