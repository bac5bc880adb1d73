"""How often was asked: counters that all workers of a machine share, in memory of fixed size and without a server.

A count-min table (Cormode and Muthukrishnan 2005) with conservative update (Estan and Varghese 2002): a key has one
slot in each row, and its count is the smallest of them. Nothing is ever thrown out to make room, so nobody can push a
counter out by asking for many things; keys are hashed under a random key of this start (BLAKE2b), so nobody can find
keys that share a slot with another's, and no address or code can be read from the memory.

Keys that share both slots are counted together: the count is never too low, rarely too high. With `n` keys counted in
one window a row's slot is shared with probability below n/m, both slots below (n/m)²: of 10,000 clients in the same
minute (m = 2¹⁸) one in 690 finds another's count on its own, of 1,000 one in 69,000, and then only as much as the
smaller of two strangers asked. The table takes 4 MB.

Windows are aligned (a minute begins for all keys together), so a slot empties itself when its window ends, and are
kept by the monotonic clock, so setting the clock of the machine changes nothing. Where limits of different length share
a slot, the later end counts: again never too low.

One lock: lockf(2), which the kernel takes back from a worker that dies, and under it a lock among a worker's threads. A
worker killed between two writes loses its one increment. An increment takes about 8 µs.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b

from limits.storage import Storage

SLOTS = 1 << 18  # in a row; a power of two
ROWS = 2
_SLOT = struct.Struct("<II")  # end of the window in seconds of the monotonic clock, count
_MOST = (1 << 32) - 1
_PLACES = struct.Struct(f"<{ROWS}I")


class SharedCounters(Storage):
    """Counters in memory that a process shares with those it forks; made before they are. For fixed windows."""

    STORAGE_SCHEME = ["signsvc-shared"]  # noqa: RUF012 - as the base class has it
    base_exceptions = OSError

    def __init__(self, slots: int = SLOTS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._slots = slots
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._file = os.memfd_create("signsvc-counters")
        os.ftruncate(self._file, ROWS * slots * _SLOT.size)
        self._table = mmap.mmap(self._file, ROWS * slots * _SLOT.size)
        self._among_threads = threading.Lock()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The count of `key` with `amount` added, in the present window of `expiry` seconds."""
        places = self._places(key)
        with self._alone():
            now = int(self._clock())
            end = (now // expiry + 1) * expiry
            slots = [self._read(place, now) for place in places]
            count = min(min(count for _, count in slots) + amount, _MOST)
            for place, (other_end, other_count) in zip(places, slots, strict=True):
                _SLOT.pack_into(self._table, place, max(end, other_end), max(count, other_count))
            return count

    def get(self, key: str) -> int:
        now = int(self._clock())
        return min(self._read(place, now)[1] for place in self._places(key))

    def get_expiry(self, key: str) -> float:
        """When the count of `key` begins anew, in seconds since 1970: the first of its slots to do so lets it."""
        now = self._clock()
        ends = [self._read(place, int(now))[0] for place in self._places(key)]
        return time.time() + max(0.0, min(ends) - now)

    def check(self) -> bool:
        return not self._table.closed

    def reset(self) -> int | None:
        """Forget everything."""
        with self._alone():
            self._table[:] = bytes(len(self._table))
        return None

    def clear(self, key: str) -> None:
        """Forget `key`, and with it the count of whoever shares a slot; that one alone is then too low."""
        with self._alone():
            for place in self._places(key):
                _SLOT.pack_into(self._table, place, 0, 0)

    def _places(self, key: str) -> list[int]:
        """Where in the table the slots of `key` lie, in bytes."""
        digest = blake2b(
            key.encode("utf-8", "surrogatepass"), digest_size=_PLACES.size, key=self._secret
        ).digest()
        hashes = enumerate(_PLACES.unpack(digest))
        return [(row * self._slots + hashed % self._slots) * _SLOT.size for row, hashed in hashes]

    def _read(self, place: int, now: int) -> tuple[int, int]:
        """End and count of a slot; nothing, if its window is over."""
        end, count = _SLOT.unpack_from(self._table, place)
        return (end, count) if end > now else (0, 0)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes: no other thread, no other process."""
        with self._among_threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
