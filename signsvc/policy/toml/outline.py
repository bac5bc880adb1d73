"""Where the tables and keys of a TOML text stand, so that a message can name the line to look at."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

_HEADER = re.compile(r"^[ \t]*\[{1,2}[ \t]*([A-Za-z_][\w.\-]*)[ \t]*\]", re.MULTILINE)
_BRACKET = re.compile(r"[\[\]{}]")
# What may hold anything: strings of the four kinds, and comments. A string that is a key (group 1) is left as it is.
# Possessive, and each takes what it began to the end even if that is not closed: a hostile text is read but once.
_OPAQUE = re.compile(
    r"""
    \"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}+|\Z) | '''(?:[^']|'(?!''))*+(?:'{3,5}+|\Z)
    | ("(?:[^"\\\n]|\\[^\n])*+"(?=[ \t]*+=) | '[^'\n]*+'(?=[ \t]*+=))
    | "(?:[^"\\\n]|\\[^\n])*+"?+ | '[^'\n]*+'?+ | \#[^\n]*+
    """,
    re.VERBOSE | re.DOTALL,
)
# Eight dots with nothing but names, quotes and blanks between them: a key of more than eight parts.
_TOO_DEEP = re.compile(r"(?:\.[\w\-\"' \t]*+){8}")


class Spot(NamedTuple):
    """The stretch of text that holds one table: from its header, or its brace if it is written inline."""

    begin: int
    end: int
    inline: bool = False


class Outline:
    """The text with every string and comment blanked out, and its headers."""

    def __init__(self, text: str) -> None:
        self._shape = _OPAQUE.sub(_blanked, text)
        found = [(header.start(), header[1]) for header in _HEADER.finditer(self._shape)]
        self._begins = [at for at, _ in found]
        self._names = [name for _, name in found]
        self._ends = _ends(self._begins, self._names, len(self._shape))

    @property
    def root(self) -> Spot:
        """The whole text, whose first header may be its first character."""
        return Spot(-1, len(self._shape))

    @property
    def size(self) -> int:
        """How many tables have a header."""
        return len(self._begins)

    @property
    def too_deep(self) -> int | None:
        """Line, from 1, of the first key of more than eight parts; None if there is none."""
        found = _TOO_DEEP.search(self._shape)
        return self._line(found.start()) if found else None

    def line(self, spot: Spot, dotted: str) -> int:
        """Line, from 1, of the key `dotted` of the table at `spot`; of the table itself if it has no such key."""
        at = self._key(spot, dotted)
        if at is None:
            at = next((self._begins[inner] for inner in self._named(spot, dotted)), spot.begin)
        return self._line(max(at, 0))

    def tables(self, spot: Spot, dotted: str) -> Sequence[Spot]:
        """The tables `[dotted]`, `[[dotted]]` or `dotted = {…}` inside the table at `spot`, in order."""
        # TOML lets a table's inner tables stand anywhere after it.
        return (
            [self._headed(inner) for inner in self._named(spot, dotted)]
            or list(self._braced(spot, dotted))
            or self._apart.get(dotted, [])
        )

    @cached_property
    def _apart(self) -> Mapping[str, list[Spot]]:
        """All tables with a header, by its name."""
        found: dict[str, list[Spot]] = {}
        for at, name in enumerate(self._names):
            found.setdefault(name, []).append(self._headed(at))
        return found

    def _line(self, at: int) -> int:
        return self._shape.count("\n", 0, at) + 1

    def _inside(self, spot: Spot) -> range:
        """Places of the headers inside the table."""
        return range(bisect_right(self._begins, spot.begin), bisect_left(self._begins, spot.end))

    def _named(self, spot: Spot, dotted: str) -> Iterator[int]:
        return (at for at in self._inside(spot) if self._names[at] == dotted)

    def _headed(self, at: int) -> Spot:
        return Spot(self._begins[at], self._ends[at])

    def _key(self, spot: Spot, dotted: str) -> int | None:
        named = rf'"?{re.escape(dotted.rpartition(".")[2])}"?\s*[=.]'
        inside = self._inside(spot)
        # The table's own keys stand before its first inner header.
        own_end = self._begins[inside[0]] if inside else spot.end
        pattern = re.compile(rf"[{{,]\s*{named}" if spot.inline else rf"^[ \t]*{named}", re.MULTILINE)
        found = pattern.search(self._shape, max(spot.begin, 0), own_end)
        return found.start() if found else None

    def _braced(self, spot: Spot, dotted: str) -> Iterator[Spot]:
        """Inline tables of the key's value, alone or in an array."""
        key = self._key(spot, dotted)
        if key is None:
            return
        opened: list[int] = []
        for found in _BRACKET.finditer(self._shape, self._shape.find("=", key) + 1, spot.end):
            if found[0] in "[{":
                opened.append(found.start())
                continue
            begin = opened.pop() if opened else spot.begin
            if found[0] == "}" and all(self._shape[at] == "[" for at in opened):
                yield Spot(begin, found.end(), inline=True)
            if not opened:
                return


def _blanked(found: re.Match[str]) -> str:
    text = found[0]
    if found[1]:
        return text
    return re.sub(r"[^\n]", " ", text) if "\n" in text else " " * len(text)


def _ends(begins: Sequence[int], names: Sequence[str], end: int) -> Sequence[int]:
    """Where each table ends: as far as the next header that is not of a table inside it."""
    ends = [end] * len(begins)
    around: list[int] = []
    for at, name in enumerate(names):
        while around and not name.startswith(f"{names[around[-1]]}."):
            ends[around.pop()] = begins[at]
        around.append(at)
    return ends
