"""Where the tables and keys of a TOML text stand, so that a message can name the line to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_HEADER = re.compile(r"^[ \t]*\[{1,2}[ \t]*([A-Za-z_][\w.\-]*)[ \t]*\]", re.MULTILINE)
_BRACKET = re.compile(r"[\[\]{}]")
# What may hold anything: strings of the four kinds, and comments. A string that is a key is left as it is.
_OPAQUE = re.compile(
    r'"""(?s:.*?)"""|\'\'\'(?s:.*?)\'\'\'|"(?:[^"\\\n]|\\.)*"(?![ \t]*=)|\'[^\'\n]*\'(?![ \t]*=)|#[^\n]*'
)


class Spot(NamedTuple):
    """The stretch of text that holds one table: from its header, or its brace if it is written inline."""

    begin: int
    end: int
    inline: bool = False


class Outline:
    """The text with every string and comment blanked out, and its headers."""

    def __init__(self, text: str) -> None:
        self._shape = _OPAQUE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
        self._headers = [(found.start(), found[1]) for found in _HEADER.finditer(self._shape)]

    @property
    def root(self) -> Spot:
        """The whole text, whose first header may be its first character."""
        return Spot(-1, len(self._shape))

    def line(self, spot: Spot, dotted: str) -> int:
        """Line, from 1, of the key `dotted` of the table at `spot`; of the table itself if it has no such key."""
        return self._shape.count("\n", 0, max(self._key(spot, dotted), 0)) + 1

    def tables(self, spot: Spot, dotted: str) -> list[Spot]:
        """The tables `[dotted]`, `[[dotted]]` or `dotted = {…}` inside the table at `spot`, in order."""
        headed = [self._headed(at, dotted) for at, name in self._inside(spot) if name == dotted]
        # TOML lets a table's inner tables stand anywhere after it.
        return (
            headed
            or list(self._braced(spot, dotted))
            or [self._headed(at, dotted) for at, name in self._headers if name == dotted]
        )

    def _inside(self, spot: Spot) -> list[tuple[int, str]]:
        return [(at, name) for at, name in self._headers if spot.begin < at < spot.end]

    def _headed(self, begin: int, dotted: str) -> Spot:
        """As far as the next header that is not of a table inside this one."""
        after = (at for at, name in self._headers if at > begin and not name.startswith(f"{dotted}."))
        return Spot(begin, next(after, len(self._shape)))

    def _key(self, spot: Spot, dotted: str) -> int:
        named = rf'"?{re.escape(dotted.rpartition(".")[2])}"?\s*[=.]'
        inside = self._inside(spot)
        # The table's own keys stand before its first inner header.
        own_end = inside[0][0] if inside else spot.end
        pattern = re.compile(rf"[{{,]\s*{named}" if spot.inline else rf"^[ \t]*{named}", re.MULTILINE)
        if found := pattern.search(self._shape, max(spot.begin, 0), own_end):
            return found.start()
        return next((at for at, name in inside if name == dotted), spot.begin)

    def _braced(self, spot: Spot, dotted: str) -> Iterator[Spot]:
        """Inline tables of the key's value, alone or in an array."""
        opened: list[int] = []
        for found in _BRACKET.finditer(
            self._shape, self._shape.find("=", self._key(spot, dotted)) + 1, spot.end
        ):
            if found[0] in "[{":
                opened.append(found.start())
                continue
            begin = opened.pop() if opened else spot.begin
            if found[0] == "}" and all(self._shape[at] == "[" for at in opened):
                yield Spot(begin, found.end(), inline=True)
            if not opened:
                return
