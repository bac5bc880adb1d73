"""A vector: a file named for its defect, and what may be said of it."""

from __future__ import annotations

from dataclasses import dataclass

from signsvc.seal.findings import Outcome


@dataclass(frozen=True)
class Vector:
    """`pinned` is the trust it is examined under: registered seals only, or any seal under the root."""

    name: str
    data: bytes
    expected: frozenset[Outcome]
    pinned: bool = True


ALTERED = frozenset({Outcome.ALTERED})
UNTRUSTED = frozenset({Outcome.UNTRUSTED})
UNREADABLE = frozenset({Outcome.UNREADABLE})
NOT_SEALED = frozenset({Outcome.NOT_SEALED})
SEALED = frozenset({Outcome.SEALED})
# Nothing in the file can be traced to a seal of ours any more; which of the two is a matter of the reader.
NO_SEAL_LEFT = UNTRUSTED | UNREADABLE
