"""What stands between the public and the pages: limits, cross-site requests, headers, logs, metrics, crowding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Guard:
    """Asked by the views for what only they know: which code, which certificate, how much work.

    Every method raises TooMany (429) or Busy (503), which carry `retry_after` in seconds.
    """

    def code(self, code: str) -> None:
        """One more question about this code, right or wrong (normalised or as typed)."""

    def claims(self, number: str) -> None:
        """One more try to match names or numbers against this certificate."""

    def items(self, count: int) -> None:
        """A batch asks as much as `count` single questions."""

    @contextmanager
    def examining(self) -> Iterator[None]:
        """A place among the files that are examined at the same time."""
        yield
