"""How often may be asked, by whom and about what (flood and guessing), each limit over all workers together.

Limits count what was asked, refused or not, in windows of a second, a minute, an hour or a day. What is counted is an
address, an API key, a code or a number; it is hashed on its way into the counters and written nowhere else.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from signsvc.config import Settings
from signsvc.errors import TooMany
from signsvc.texts import Text
from signsvc.web.guard.askers import Asker

# Pages without an answer, the published log and certificates: cheap, and fetched by many in a row.
LIGHT = RateLimitItemPerMinute(3000)
_FILES = 10  # an examined file costs an API key as much as so many questions


@dataclass(frozen=True)
class Limits:
    """The settings `limit_*`, read."""

    client: RateLimitItem
    batch: RateLimitItem
    upload: RateLimitItem
    code: RateLimitItem
    claims: RateLimitItem
    misses: RateLimitItem

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(
            parse(settings.limit_client),
            parse(settings.limit_batch),
            parse(settings.limit_upload),
            parse(settings.limit_code),
            parse(settings.limit_claims),
            parse(settings.limit_misses),
        )


class Limiter:
    """Counts, and raises TooMany (429); `refused` is told which limit it was."""

    def __init__(self, limits: Limits, storage: Storage, refused: Callable[[str], None]) -> None:
        self._limits = limits
        self._strategy = FixedWindowRateLimiter(storage)
        self._refused = refused

    def page(self, asker: Asker) -> None:
        """One request that asks nothing of the registry."""
        self._hit("light", LIGHT, asker.name)

    def question(self, asker: Asker) -> None:
        """One request that does."""
        self._hit("client", self._of_key(asker) or self._limits.client, asker.name)

    def items(self, asker: Asker, count: int) -> None:
        """A batch of `count`; of one that is larger than any window allows, the message says so."""
        if asker.key:
            self._hit("client", self._of_key(asker) or self._limits.client, asker.name, count)
        else:
            self._hit("batch", self._limits.batch, asker.name, count)

    def file(self, asker: Asker) -> None:
        """A file to examine."""
        self._hit("upload", self._files(asker), asker.name)

    def has_files_left(self, asker: Asker) -> None:
        """TooMany if not even one more file would be examined: said before its bytes are read."""
        limit = self._files(asker)
        if not self._strategy.test(limit, "upload", asker.name):
            self._refuse("upload", limit, asker.name)

    def code(self, code: str) -> None:
        self._hit("code", self._limits.code, code)

    def claims(self, number: str) -> None:
        """One more try, if there were not too many misses: what is left of an identity number by someone's place and
        date of birth are some 500, and the hour's limit alone would let them be tried in a day."""
        if not self._strategy.test(self._limits.misses, "misses", number):
            self._refuse("misses", self._limits.misses, number)
        self._hit("claims", self._limits.claims, number)

    def missed(self, number: str) -> None:
        """A try that did not match. Never refused: it has been answered."""
        self._strategy.hit(self._limits.misses, "misses", number)

    def _of_key(self, asker: Asker) -> RateLimitItem | None:
        return RateLimitItemPerMinute(asker.key.per_minute) if asker.key else None

    def _files(self, asker: Asker) -> RateLimitItem:
        if asker.key:
            return RateLimitItemPerMinute(max(1, asker.key.per_minute // _FILES))
        return self._limits.upload

    def _hit(self, name: str, limit: RateLimitItem, who: str, cost: int = 1) -> None:
        if cost > limit.amount:
            self._refused(name)
            raise TooMany(
                Text("这一批超过限额（{most}份），请分成小批", most=limit.amount), limit.get_expiry()
            )
        if not self._strategy.hit(limit, name, who, cost=cost):
            self._refuse(name, limit, who)

    def _refuse(self, name: str, limit: RateLimitItem, who: str) -> None:
        self._refused(name)
        reset = self._strategy.get_window_stats(limit, name, who).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        raise TooMany(Text("查询过于频繁，请在{wait}后再试", wait=in_words(seconds)), seconds)


def in_words(seconds: int) -> Text:
    """How long to wait, as people count it."""
    if seconds <= 120:
        return Text("{seconds}秒", seconds=seconds)
    if seconds <= 120 * 60:
        return Text("{minutes}分钟", minutes=math.ceil(seconds / 60))
    return Text("{hours}小时", hours=math.ceil(seconds / 3600))
