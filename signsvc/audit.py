"""The whole record held against itself: every entry, proof, archived file, box, number and retained list (保留清单).

It finds any change to what was published. A list's journal is whole in itself, and every entry names the digest of the
edition that it was decided by: so the log vouches for the editions, and one that was cut off or put in another's place
is missed.

Notes (open reservations, archived files that no entry names) are what a killed batch leaves and are no fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

from signsvc import boxes
from signsvc.archive import Archive
from signsvc.errors import ArchiveFailed, SignsvcError
from signsvc.policy.lists.changes import Edition, History
from signsvc.registry import ISSUED, Boxed, Finding, Registry

Lists = Mapping[str, History | SignsvcError]  # each retained list, or what is wrong with its journal


def audit(registry: Registry, archive: Archive, lists: Lists) -> list[Finding]:
    """Every fault and note; no fault means whole."""
    editions: dict[str, Edition] = {}
    for found in lists.values():
        if isinstance(found, History):
            editions |= {edition.label: edition for edition in found.editions}
    return [*registry.audit(), *_journals(lists), *_entries(registry, archive, editions)]


def _journals(lists: Lists) -> Iterator[Finding]:
    for name, found in lists.items():
        if isinstance(found, SignsvcError):
            yield Finding("fault", found.code, str(found))
        elif found.unfinished:
            text = f"保留清单 {name} 的最后一条记录没有写完（中断所留），不算数，下次写入时清除"
            yield Finding("note", "event_unfinished", text)


def _entries(registry: Registry, archive: Archive, editions: Mapping[str, Edition]) -> Iterator[Finding]:
    expected: set[bytes] = set()  # raw digests: a million of them are no burden
    used: set[bytes] = set()
    for item in registry.boxes():
        if item.sha256 is not None and _is_digest(item.sha256):
            expected.add(bytes.fromhex(item.sha256))
        yield from _item(archive, item, used)
        yield from _edition(item, editions)
    for name in archive.names():
        if not _is_digest(name):
            yield Finding("fault", "archive_foreign", "存档文件夹中有不是存档的文件")
        elif bytes.fromhex(name) not in expected:
            yield Finding("note", "archive_orphan", f"存档文件 {name[:16]}… 没有对应的登记（中断所留，无害）")


def _edition(item: Boxed, editions: Mapping[str, Edition]) -> Iterator[Finding]:
    """The list that an entry names: known, with that very text, and in force on the entry's day."""
    edition = editions.get(item.edition)
    if item.edition and edition is None:
        text = f"{item.number} 所依据的保留清单 {item.edition} 不在清单记录中：记录被改动、截短或换掉"
        yield Finding("fault", "edition_missing", text)
    if edition and item.on < edition.effective.isoformat():
        text = f"{item.number} 所依据的保留清单 {item.edition} 当日尚未生效"
        yield Finding("fault", "edition_early", text)


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
