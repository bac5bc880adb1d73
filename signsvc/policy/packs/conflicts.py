"""Retained matters that bear what a not-to-issue list bans: they are kept only with a recorded reason."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from signsvc.models import Matter
from signsvc.policy.packs.pack import Item, Pack


def borne(matter: Matter, pack: Pack, day: date) -> tuple[Item, ...]:
    """The items that the matter's id, name or aliases name, or that its own words or purposes name or assert."""
    return pack.hits(_places(matter, pack), day)


@lru_cache(maxsize=4096)  # asked of the same few matters at every row
def _places(matter: Matter, pack: Pack) -> tuple[int, ...]:
    screen = pack.screen
    found = {at for title in (matter.id, matter.name, *matter.aliases) for at in screen.in_title(title)}
    for text in (matter.pattern, *matter.purposes):
        seen = screen.look(text)
        found |= {*seen.named, *seen.told}
    return tuple(sorted(found))
