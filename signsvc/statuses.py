"""What may happen to an issued certificate, and the public list of reasons (撤销、暂停、恢复、换发). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from signsvc.models import Status

# Keys are what commands, log and interfaces carry; the Chinese is what people read.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "information_wrong": "信息有误",
        "holder_request": "本人申请",
        "issued_in_error": "误发",
        "circumstances_changed": "情况变化",
        "superseded": "换发",
        "other": "其他",
    }
)

STATUS_NAMES: Mapping[Status, str] = MappingProxyType(
    {
        Status.ISSUED: "有效",
        Status.SUSPENDED: "已暂停",
        Status.REVOKED: "已撤销",
        Status.SUPERSEDED: "已换发",
    }
)


class Event(StrEnum):
    """A change of status; its value names its kind of entry in the log."""

    SUSPEND = "suspended"  # 暂停
    RESUME = "resumed"  # 恢复
    REVOKE = "revoked"  # 撤销
    SUPERSEDE = "superseded"  # 换发


_AFTER: Mapping[tuple[Status, Event], Status] = {
    (Status.ISSUED, Event.SUSPEND): Status.SUSPENDED,
    (Status.ISSUED, Event.REVOKE): Status.REVOKED,
    (Status.ISSUED, Event.SUPERSEDE): Status.SUPERSEDED,
    (Status.SUSPENDED, Event.RESUME): Status.ISSUED,
    (Status.SUSPENDED, Event.REVOKE): Status.REVOKED,
    (Status.SUSPENDED, Event.SUPERSEDE): Status.SUPERSEDED,
}


def after(status: Status, event: Event) -> Status | None:
    """The status that `event` leads to; None where it is not allowed. Revoked and superseded are final."""
    return _AFTER.get((status, event))
