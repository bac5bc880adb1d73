"""What the bare bytes of a sealed PDF must look like, before any parser is let near them. Pure.

A seal covers the whole file but for one hole, which holds the signature itself. PDF readers forgive much around that
(bytes after the end, several ranges, padding in the hole, ISO 32000-2 7.5.6 updates), and every such kindness is a way
to show something else under a good signature. A file of ours has exactly one form, so only that form passes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from signsvc.models import Sha256

MAX_BYTES = 10 * 1024 * 1024
_MAX_SIGNATURES_LOOKED_AT = 8
_LONGEST_SIGNATURE = 256 * 1024  # hexadecimal digits

_RANGE = re.compile(
    rb"/ByteRange\s{0,8}\[\s{0,8}(\d{1,8})\s{1,8}(\d{1,8})\s{1,8}(\d{1,8})\s{1,8}(\d{1,8})\s{0,99}\]"
)
_CONTENTS = re.compile(rb"/Contents\s{0,8}<([0-9A-Fa-f\s]{64,%d})" % _LONGEST_SIGNATURE)
_OPENING = re.compile(rb"/Contents ?\Z")
_DIGITS = re.compile(rb"(?:[0-9A-F]{2})+")  # as the only signer writes them: upper case, nothing between
_END = re.compile(rb"%%EOF\n?\Z")


class Misshapen(ValueError):
    """The file has not the one form of a file of ours; `code` says where."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class ByteRange:
    """`[0 hole_start hole_end rest]`: everything is signed but data[hole_start:hole_end]. In bytes."""

    hole_start: int
    hole_end: int
    rest: int

    def as_list(self) -> list[int]:
        """The four numbers as they stand in the file."""
        return [0, self.hole_start, self.hole_end, self.rest]

    def signed_sha256(self, data: bytes) -> Sha256:
        """SHA-256 of the signed bytes: the same for every container of the same seal."""
        digest = hashlib.sha256(memoryview(data)[: self.hole_start])
        digest.update(memoryview(data)[self.hole_end : self.hole_end + self.rest])
        return Sha256(digest.hexdigest())


def find_byte_range(data: bytes) -> ByteRange | None:
    """The first byte range that makes sense inside `data`; it need not reach the end."""
    for match in _RANGE.finditer(data):
        start, hole_start, hole_end, rest = (int(number) for number in match.groups())
        if start == 0 < hole_start < hole_end and hole_end + rest <= len(data):
            return ByteRange(hole_start, hole_end, rest)
    return None


def signature_candidates(data: bytes) -> Iterator[bytes]:
    """DER of whatever might be a signature: to tell whose seal a damaged file bears, never to accept one."""
    for count, match in enumerate(_CONTENTS.finditer(data)):
        if count == _MAX_SIGNATURES_LOOKED_AT:
            return
        digits = b"".join(match.group(1).split())
        yield bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))


def sealed_whole(data: bytes) -> tuple[ByteRange, bytes]:
    """Byte range and signature (DER) of a file in the one form; Misshapen for any other."""
    if data.count(b"startxref") != 1 or data.count(b"%%EOF") != 1 or not _END.search(data):
        raise Misshapen("several_revisions")
    byte_range = find_byte_range(data)
    if byte_range is None or data.count(b"/ByteRange") != 1:
        raise Misshapen("byte_range")
    if byte_range.hole_end + byte_range.rest != len(data):
        raise Misshapen("bytes_not_covered")
    return byte_range, _signature_in_hole(data, byte_range)


def _signature_in_hole(data: bytes, byte_range: ByteRange) -> bytes:
    """The hole is `<`, digits, `>` right after /Contents, and behind the DER there are only zeros."""
    before = data[max(0, byte_range.hole_start - 16) : byte_range.hole_start]
    hole = data[byte_range.hole_start : byte_range.hole_end]
    digits = hole[1:-1]
    framed = hole[:1] == b"<" and hole[-1:] == b">" and _OPENING.search(before)
    if not framed or not _DIGITS.fullmatch(digits):
        raise Misshapen("signature_container")
    content = bytes.fromhex(digits.decode("ascii"))
    end = der_end(content)
    if end is None or any(content[end:]):
        raise Misshapen("signature_container")
    return content[:end]


def der_end(content: bytes) -> int | None:
    """Length in bytes of the DER SEQUENCE that `content` starts with (X.690 8.1.3), None if there is none."""
    if len(content) < 2 or content[0] != 0x30:
        return None
    short, octets = content[1], content[1] & 0x7F
    if short < 0x80:
        end = 2 + short
    elif 1 <= octets <= 3 and len(content) >= 2 + octets:
        end = 2 + octets + int.from_bytes(content[2 : 2 + octets], "big")
    else:
        return None
    return end if end <= len(content) else None
