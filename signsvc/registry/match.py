"""Keyed hashes under the match key: what lets the registry recognise a request, a code or a name without keeping it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from signsvc.errors import RegistryError
from signsvc.identity.codes import ALPHABET
from signsvc.proofs import canonical

KEY_BYTES = 32
# Characters of a notice's code: a million notices of one office meet by chance with a probability of 1 in 1600.
NOTICE_LENGTH = 10


@dataclass(frozen=True)
class Mark:
    """A request as the registry knows it: HMACs of its request_id and of its content."""

    request_key: str
    content_key: str


@dataclass(frozen=True)
class MatchKey:
    """HMAC-SHA256 with one purpose to each use, parts framed by their lengths so that none runs into the next."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise RegistryError("匹配密钥应为 32 字节")

    def tag(self, purpose: str, *parts: str | bytes | int) -> str:
        """Lower-case hexadecimal HMAC of `purpose` and `parts`."""
        raw = [part if isinstance(part, bytes) else str(part).encode() for part in (purpose, *parts)]
        framed = b"".join([len(part).to_bytes(8, "big") + part for part in raw])
        return hmac.digest(self.secret, framed, sha256).hex()

    def mark(self, request_id: str, content: Mapping[str, str]) -> Mark:
        """The mark of a request; `content` is its normalised cells as given."""
        return Mark(self.tag("request", request_id), self.tag("content", canonical(content)))

    def notice_code(self, mark: Mark) -> str:
        """The code in a notice's number: the same for the same request, and nothing to who has not the key."""
        value = int(self.tag("notice", mark.request_key, mark.content_key), 16)
        return "".join(
            ALPHABET[value // len(ALPHABET) ** place % len(ALPHABET)] for place in range(NOTICE_LENGTH)
        )

    def code_hash(self, code: str) -> str:
        """What stands for a verification code (查验码, normalised: 16 characters)."""
        return self.tag("code", code)

    def commitment(self, salt: bytes, name: str, value: str) -> str:
        """What a record tells of a personal value: useless without the key, even to who holds record and salt."""
        return self.tag("commitment", salt, name, value)


def same(left: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())
