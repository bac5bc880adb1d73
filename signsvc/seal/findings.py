"""What an examination is given and what it gives back: trust, outcome, checks. No PDF is opened here.

Kept apart from the examination so that whoever only sends files to the sandbox need not load a PDF library.
The JSON form is what crosses the border from the child that parsed a hostile file. No word of the child's own gets
into an answer that we sign: it says how many steps passed and the code of the one that failed, and names and words are
looked up on this side. Digests and times have one form; nothing else is taken.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from signsvc.models import Sha256
from signsvc.report import Check

# Head of what goes to the child: length of the trust (JSON) and of the file, in bytes; both follow.
REQUEST = struct.Struct(">II")
STEPS = ("file", "signer", "whole", "container", "document", "seal")
_HEX = frozenset("0123456789abcdef")
_LONGEST_TIME = 40  # characters


# What a check's code means, for the person who holds the file.
DETAILS = {
    "ok": "通过",
    "not_reached": "未检查：前面的检查没有通过",
    "too_large": "文件超过 10 MB，或读取所需的资源超出限制；请使用出具时的原文件",
    "too_slow": "文件在规定时间内无法检查完毕；请使用出具时的原文件",
    "too_deep": "文件结构嵌套过深，无法检查；请使用出具时的原文件",
    "crashed": "文件使检查程序中止；请使用出具时的原文件",
    "not_pdf": "不是 PDF 文件；请使用出具时的原文件",
    "malformed": "文件结构有误，无法按规定格式读取；请使用出具时的原文件",
    "not_sealed": "文件没有电子签章；打印、扫描或另存的副本不带签章，请使用出具时的原文件",
    "not_ours": "签章不是由登记的出具单位证书加盖；请联系出具单位",
    "several_revisions": "盖章之后文件被追加或修改过",
    "byte_range": "签章的覆盖范围被改动",
    "bytes_not_covered": "文件中有签章未覆盖的内容",
    "signature_container": "签章数据的存放处被改动",
    "signature_encoding": "签章数据的编码被改动",
    "certificate_not_named": "签章没有绑定其证书",
    "encrypted": "文件被加密，不是出具时的文件",
    "form_changed": "文件中的签章域或表单与出具时不同",
    "not_certified": "签章不是禁止更改的认证签章",
    "coverage": "签章没有覆盖整个文件",
    "digest": "文件内容与盖章时不一致",
    "signature": "签章值无效",
    "timestamp_missing": "盖章时的时间戳已被去除",
    "timestamp_invalid": "时间戳与签章不符",
    "timestamp_untrusted": "时间戳不是由认可的机构签发；请联系出具单位",
    "certificate_chain": "盖章时证书不在有效期内，或证书链无效；请联系出具单位",
    "extra_certificates": "签章数据中夹带了其他证书",
}


class Outcome(StrEnum):
    """What the file says of itself, before any registry is asked; in the order in which they apply."""

    UNREADABLE = "unreadable"  # no PDF, damaged, or too much for the limits
    NOT_SEALED = "not_sealed"  # a PDF without any electronic signature
    UNTRUSTED = "untrusted"  # signed by somebody else, or under a certificate that may not seal
    ALTERED = "altered"  # bears a seal certificate of ours, but is not what was sealed
    SEALED = "sealed"  # whole and under a seal certificate of ours


@dataclass(frozen=True)
class Trust:
    """Whose seals count.

    `roots` (PEM) are the accepted root certificates. `pins`, if given, are the SHA-256 of every seal certificate ever
    registered: then only those count (online). Without them a certificate must itself be one for signing documents.
    `timestamp_roots` (PEM) vouch for time stamps: one by anybody else is `untrusted`. Without any, time stamps are
    left aside, and the sealing time is the one that the seal claims.
    """

    roots: tuple[bytes, ...]
    pins: frozenset[Sha256] | None = None
    timestamp_roots: tuple[bytes, ...] = ()

    def to_json(self) -> bytes:
        """UTF-8 JSON, for the child."""
        pins = None if self.pins is None else sorted(self.pins)
        roots, stamps = ([pem.decode() for pem in found] for found in (self.roots, self.timestamp_roots))
        return json.dumps({"roots": roots, "pins": pins, "timestamp_roots": stamps}).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Trust:
        """Reads `to_json` back; the sender is the parent process, which is believed."""
        fields: dict[str, Any] = json.loads(data)
        return cls(
            roots=tuple(pem.encode() for pem in fields["roots"]),
            pins=None if fields["pins"] is None else frozenset(fields["pins"]),
            timestamp_roots=tuple(pem.encode() for pem in fields["timestamp_roots"]),
        )


@dataclass(frozen=True)
class Examination:
    """The judgement on one file.

    `signed_sha256` is the SHA-256 of the bytes inside the byte range (ISO 32000-2 12.8.1), given whenever that range
    makes sense, also when bytes were added behind it. `sealed_at` is the time stamp's time if `timestamped`, else the
    time the seal claims. Whose seal it is says the registry, never the file.
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    signed_sha256: Sha256 | None = None
    seal_certificate: Sha256 | None = None  # of the signing certificate's DER, whoever's it is
    sealed_at: datetime | None = None
    timestamped: bool = False

    @property
    def code(self) -> str:
        """The code of the check that failed; `ok` when none did."""
        return next((check.code for check in self.checks if check.result == "fail"), "ok")

    def to_json(self) -> bytes:
        """UTF-8 JSON, times as ISO 8601 with their offset."""
        fields = {key: value for key, value in vars(self).items() if key != "checks"}
        fields["passed"], fields["code"] = sum(check.result == "pass" for check in self.checks), self.code
        fields["sealed_at"] = self.sealed_at.isoformat() if self.sealed_at else None
        return json.dumps(fields).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Examination:
        """Reads `to_json` back from a sender that may lie; ValueError for what no examination says."""
        try:
            return cls._from_fields(json.loads(data))
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError("not an examination") from error

    @classmethod
    def _from_fields(cls, fields: Mapping[str, Any]) -> Examination:
        outcome, passed, code = Outcome(fields["outcome"]), fields["passed"], fields["code"]
        if (outcome is Outcome.SEALED) != (passed == len(STEPS)):
            raise ValueError("a seal is good when every step has passed, and only then")
        return cls(
            outcome=outcome,
            checks=steps(passed, code),
            signed_sha256=_digest(fields["signed_sha256"]),
            seal_certificate=_digest(fields["seal_certificate"]),
            sealed_at=_time(fields["sealed_at"]),
            timestamped=fields["timestamped"] is True,
        )


def steps(passed: int, code: str) -> tuple[Check, ...]:
    """The checks of an examination: so many passed, the next failed with `code` (`ok`: none did), the rest was not
    reached. ValueError for what cannot be."""
    if passed not in range(len(STEPS) + 1) or (passed == len(STEPS)) != (code == "ok"):
        raise ValueError("not so many steps")
    if code not in DETAILS or code == "not_reached":
        raise ValueError("not a code")
    failing, rest = STEPS[passed : passed + 1], STEPS[passed + 1 :]
    return (
        *(Check(step, "pass", "ok", DETAILS["ok"]) for step in STEPS[:passed]),
        *(Check(step, "fail", code, DETAILS[code]) for step in failing),
        *(Check(step, "skip", "not_reached", DETAILS["not_reached"]) for step in rest),
    )


def refused(code: str) -> Examination:
    """An examination that could not be finished: the file counts as unreadable."""
    return Examination(Outcome.UNREADABLE, steps(0, code))


def _digest(value: object) -> Sha256 | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != 64 or not _HEX.issuperset(value):
        raise ValueError("not a digest")
    return Sha256(value)


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        raise ValueError("not a time")
    return datetime.fromisoformat(value)
