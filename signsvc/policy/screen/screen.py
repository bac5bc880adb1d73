"""The screen: a not-to-issue matter found in what a resident or clerk typed, by its name or by the fact itself.

It sees through spaces, invisible characters, brackets, punctuation, letters or digits put between the characters,
full width, radicals, traditional forms and 的/之. A matter's name is looked for as a whole name; a statement also for
what it asserts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from signsvc.policy.screen.facts import TELLING_STEM, Facts
from signsvc.policy.screen.names import PROOF, STOP, Pair, alike, pairs_of, spoken, squeeze


@dataclass(frozen=True)
class Needle:
    """A name, squeezed, its stem before 证明, and the number of its item.

    With `words` the name says too little by itself (表现证明): it must be all there is, or stand with one of them.
    """

    name: str
    stem: str
    number: int
    words: tuple[str, ...] | None

    @classmethod
    def of(cls, name: str, number: int, words: tuple[str, ...] | None = None) -> Needle:
        """From a name as printed or typed."""
        squeezed = alike(squeeze(name, prose=False))
        said = None if words is None else tuple(alike(squeeze(word, prose=False)) for word in words)
        return cls(squeezed, squeezed.removesuffix(PROOF), number, said)

    def stands_in(self, text: str) -> bool:
        """Whether the whole name stands in it."""
        if self.words is None:
            return self.name in text
        return text == self.name or (self.name in text and any(word in text for word in self.words))

    def is_title(self, title: str) -> bool:
        """Whether a matter's name speaks of it: 关于某人的亲属关系证明, 亲属关系, 婚姻状况和…证明."""
        if self.words is not None or self.name in title:
            return self.stands_in(title)
        within = len(self.stem) >= TELLING_STEM and -1 < title.find(self.stem) < title.rfind(PROOF)
        return within or title == self.stem


@dataclass(frozen=True)
class Seen:
    """Numbers of the items that a text names, and of those whose fact it asserts."""

    named: tuple[int, ...]
    told: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Screen:
    """Names and facts of lists by the pairs of characters that they must hold, so that few are looked for."""

    _needles: Mapping[Pair, tuple[Needle, ...]]
    _facts: Mapping[Pair, tuple[Facts, ...]]

    @classmethod
    def of(cls, needles: Iterable[Needle], facts: Iterable[Facts] = ()) -> Screen:
        """From every name, alias and synonym, and the facts of every item."""
        by_name: dict[Pair, list[Needle]] = defaultdict(list)
        by_fact: dict[Pair, list[Facts]] = defaultdict(list)
        for needle in needles:
            by_name[needle.name[0], needle.name[1]].append(needle)
        for one in facts:
            for pair in one.pairs:
                by_fact[pair].append(one)
        return cls(
            {pair: tuple(found) for pair, found in by_name.items()},
            {pair: tuple(found) for pair, found in by_fact.items()},
        )

    def in_title(self, title: str) -> tuple[int, ...]:
        """Numbers of the items that a matter's name speaks of."""
        title = alike(squeeze(title, prose=False))
        likely = self._needles.keys() & pairs_of(title)
        return _ordered(
            needle.number for pair in likely for needle in self._needles[pair] if needle.is_title(title)
        )

    def in_prose(self, text: str) -> tuple[int, ...]:
        """Numbers of the items whose name stands in running text."""
        return self.look(text).named

    def look(self, text: str) -> Seen:
        """Everything that running text says of the items."""
        prose, clauses = spoken(text)
        # Whoever stands side by side in a clause does so without stops; only the ends of clauses are to be added.
        pairs = pairs_of(prose) | {(clause[-1], STOP) for clause in clauses.split(STOP) if clause}
        needles = (needle for pair in self._needles.keys() & pairs for needle in self._needles[pair])
        likely = {facts for pair in self._facts.keys() & pairs for facts in self._facts[pair]}
        return Seen(
            _ordered(needle.number for needle in needles if needle.stands_in(prose)),
            _ordered(facts.number for facts in likely if facts.told(prose, clauses)),
        )


def _ordered(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(numbers)))
