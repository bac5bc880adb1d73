"""Boxes (办理记录): what stands behind an entry of the log and only the office may read again, encrypted.

A box opens only with the archive key, and only for the event and the number that it was locked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from signsvc.archive import Archive
from signsvc.errors import ArchiveFailed
from signsvc.models import Draft, Notice, Request
from signsvc.registry import box_context


def lock(archive: Archive, kind: str, number: str, contents: Mapping[str, Any]) -> bytes:
    """The box of an entry of `kind` for `number`."""
    return archive.lock(json.dumps(contents, ensure_ascii=False).encode(), box_context(kind, number))


def unlock(archive: Archive, kind: str, number: str, box: bytes) -> dict[str, Any]:
    """Its contents; ArchiveFailed if it was locked for something else, or changed."""
    contents: dict[str, Any] = json.loads(archive.unlock(box, box_context(kind, number)))
    return contents


def empty(archive: Archive, kind: str, number: str) -> bytes:
    """The box of an event that has nothing to keep: it says that the archive key was there."""
    return lock(archive, kind, number, {})


def opens(archive: Archive, kind: str, number: str, box: bytes) -> bool:
    """Whether a box was locked for this event: only who holds the archive key can have done it."""
    try:
        archive.unlock(box, box_context(kind, number))
    except ArchiveFailed:
        return False
    return True


def of_certificate(draft: Draft, request: Request) -> dict[str, Any]:
    """What is kept of an issue: the code, who verified and approved (Q17), the guardian's consent."""
    return {
        "code": draft.code,
        "request_id": request.request_id,
        "verified_by": request.verified_by,
        "verified_how": request.verified_how,
        "verified_on": request.verified_on.isoformat(),
        "approved_by": request.approved_by,
        "guardian": request.guardian,
        "guardian_relation": request.guardian_relation,
        "guardian_consent": request.guardian_consent,
    }


def of_notice(notice: Notice, request: Request) -> dict[str, Any]:
    """What is kept of a notice of refusal beside its file: by what and for whom it can be found again."""
    return {"request_id": request.request_id, "name": notice.name, "matter": notice.matter}
