"""The whole record held against itself: every entry, proof, archived file, box and number. Finds any change.

Notes (open reservations, archived files that no entry names) are what a killed batch leaves and are no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from signsvc import boxes
from signsvc.archive import Archive
from signsvc.errors import ArchiveFailed
from signsvc.registry import ISSUED, Boxed, Finding, Registry


def audit(registry: Registry, archive: Archive) -> list[Finding]:
    """Every fault and note; no fault means whole."""
    return [*registry.audit(), *_archive(registry, archive)]


def _archive(registry: Registry, archive: Archive) -> Iterator[Finding]:
    expected: set[bytes] = set()  # raw digests: a million of them are no burden
    used: set[bytes] = set()
    for item in registry.boxes():
        if item.sha256 is not None and _is_digest(item.sha256):
            expected.add(bytes.fromhex(item.sha256))
        yield from _item(archive, item, used)
    for name in archive.names():
        if not _is_digest(name):
            yield Finding("fault", "archive_foreign", "存档文件夹中有不是存档的文件")
        elif bytes.fromhex(name) not in expected:
            yield Finding("note", "archive_orphan", f"存档文件 {name[:16]}… 没有对应的登记（中断所留，无害）")


def _item(archive: Archive, item: Boxed, used: set[bytes]) -> Iterator[Finding]:
    """An entry's file, and its box: only who held the archive key can have made it, for this kind and number."""
    if item.sha256 is not None:
        try:
            archive.get(item.sha256)
        except ArchiveFailed as error:
            yield Finding("fault", "archive_changed", f"{item.number} 的存档：{error}")
    if not boxes.opens(archive, item.kind, item.number, item.box):
        yield Finding(
            "fault", "box_changed", f"{item.number} 的办理记录（{item.kind}）打不开：被改动，或不属于它"
        )
    if item.kind != ISSUED:  # a number is issued once, but may be suspended twice: not with one box
        digest = sha256(item.box).digest()
        if digest in used:
            yield Finding("fault", "box_changed", f"{item.number} 的办理记录（{item.kind}）用了两次")
        used.add(digest)


def _is_digest(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")
