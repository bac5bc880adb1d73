"""What an unlisted name may yet be: a hint for a person to judge by, never a decision.

Lists leave room (原文列举以“等”结尾) and people have words of their own. A name is likely to belong to an item by the
item's words for it, by a fact that it tells, or by the characters that it shares with one of the item's names.
"""

from __future__ import annotations

from datetime import date
from functools import cache

from signsvc.policy.packs.pack import Item, Pack
from signsvc.policy.screen.names import PROOF, Pair, alike, pairs_of, squeeze

_MOST = 3


def likely(name: str, pack: Pack, today: date) -> tuple[str, ...]:
    """可能属于第17项…，请人工判断: one line for each likely item; none if the name is listed."""
    if pack.hits(pack.screen.in_title(name), today):
        return ()
    asked = _form(name)
    hinted = (item for item in _items(pack, today) if any(_known(word) in asked for word in item.hints))
    found = (*pack.hits(pack.screen.look(name).told, today), *hinted, *_alike(name, pack, today).values())
    return tuple(_told(item) for item in tuple(dict.fromkeys(found))[:_MOST])


def similar(name: str, pack: Pack, today: date) -> tuple[str, ...]:
    """Up to three printed names that share at least half of their pairs of characters with it, the likest first."""
    return tuple(_alike(name, pack, today))


def _told(item: Item) -> str:
    open_ended = "（原文列举以“等”结尾）" if item.open_ended else ""
    return f"可能属于不应出具清单第{item.number}项“{item.name}”{open_ended}，请人工判断"


def _alike(name: str, pack: Pack, today: date) -> dict[str, Item]:
    asked, close = pairs_of(_form(name)), []
    for item in _items(pack, today):
        for printed in (item.name, *item.aliases):
            pairs = _pairs(printed)
            shared = len(asked & pairs)
            if shared and shared * 2 >= min(len(asked), len(pairs)):
                close.append((shared / len(asked | pairs), printed, item))
    close.sort(key=lambda found: -found[0])
    return {printed: item for _, printed, item in close[:_MOST]}


def _items(pack: Pack, today: date) -> tuple[Item, ...]:
    return pack.hits(range(len(pack.items)), today)


def _form(text: str) -> str:
    return alike(squeeze(text, prose=False)).removesuffix(PROOF)


@cache  # of the packs' words alone
def _known(word: str) -> str:
    return _form(word)


@cache
def _pairs(printed: str) -> frozenset[Pair]:
    return pairs_of(_form(printed))
