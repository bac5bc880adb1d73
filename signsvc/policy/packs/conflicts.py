"""Retained matters that bear what a not-to-issue list bans: they are kept only with a recorded reason."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from signsvc.models import Matter
from signsvc.policy.packs.pack import Item, Pack


def borne(matter: Matter, pack: Pack, day: date) -> tuple[Item, ...]:
    """The items that the matter's id, name, aliases or purposes name, or that its own words name or assert.

    A purpose asserts nothing: 离婚诉讼 is what the court is asked, not what the office certifies.
    """
    return pack.hits(_places(matter, pack), day)


@lru_cache(maxsize=256)  # asked of the same few matters at every row; few, for it keeps their packs alive
def _places(matter: Matter, pack: Pack) -> tuple[int, ...]:
    screen = pack.screen
    found = {at for title in (matter.id, matter.name, *matter.aliases) for at in screen.in_title(title)}
    found |= {at for purpose in matter.purposes for at in screen.in_prose(purpose)}
    own = screen.look(matter.pattern)
    return tuple(sorted({*found, *own.named, *own.told}))
