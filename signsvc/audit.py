"""The whole record held against itself: every entry, proof, archived file and number. Finds any change.

Notes (open reservations, archived files that no entry names) are what a killed batch leaves and are no fault.
"""

from __future__ import annotations

from collections.abc import Iterator

from signsvc.archive import Archive
from signsvc.errors import ArchiveFailed
from signsvc.issue import open_box
from signsvc.models import Number, Sha256
from signsvc.registry import Finding, Registry


def audit(registry: Registry, archive: Archive) -> list[Finding]:
    """Every fault and note; no fault means whole."""
    findings = registry.audit()
    if not any(finding.code == "registry_damaged" for finding in findings):
        findings += _archive(registry, archive)
    return findings


def _archive(registry: Registry, archive: Archive) -> Iterator[Finding]:
    expected: set[bytes] = set()  # raw digests: a million of them are no burden
    for number, sha256 in registry.files():
        expected.add(bytes.fromhex(sha256))
        yield from _file(registry, archive, number, sha256)
    for name in archive.names():
        if not _is_digest(name):
            yield Finding("fault", "archive_foreign", "存档文件夹中有不是存档的文件")
        elif bytes.fromhex(name) not in expected:
            yield Finding("note", "archive_orphan", f"存档文件 {name[:16]}… 没有对应的登记（中断所留，无害）")


def _file(registry: Registry, archive: Archive, number: Number, sha256: Sha256) -> Iterator[Finding]:
    try:
        archive.get(sha256)
    except ArchiveFailed as error:
        yield Finding("fault", "archive_changed", f"{number} 的存档：{error}")
    try:
        open_box(archive, number, registry.box(number))
    except ArchiveFailed as error:
        yield Finding("fault", "box_changed", f"{number} 的办理记录：{error}")


def _is_digest(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")
