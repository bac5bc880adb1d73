"""The fact itself (所证事实), asserted in running text without the name of a certificate: 其已婚, 李某与其为父女关系.

The form prints 兹证明 before the statement, so that a fact put there is certified as if it bore its name. An item's
facts are short phrases; in one of them

    /   separates words that may stand for each other
    …   is up to eight characters of one clause, but none that makes an everyday sentence of it (与, 随, 照顾, 房 …)
    。  is the end of a clause
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from signsvc.policy.screen.names import PROOF, STOP, Pair, alike, squeeze

# A name without 证明 that is shorter than this (出生, 收入) is an everyday word.
TELLING_STEM = 4
_GAP = f"[^{STOP}与和随同跟为住照顾陪护养便了妇分房屋院巷]{{0,8}}"
_NEVER = "(?!)"


# Compared by identity: a text is searched for each once.
@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of one item, ready to be looked for."""

    number: int
    pairs: frozenset[Pair]  # every mention holds one of these pairs of characters
    _in_clauses: re.Pattern[str]
    _anywhere: re.Pattern[str]

    @classmethod
    def of(cls, number: int, names: Iterable[str], facts: Iterable[str], everyday: Iterable[str]) -> Facts:
        """From an item's names and facts; `everyday` phrases hold one of them and assert nothing."""
        stems = [stem for name in names if len(stem := _form(name).removesuffix(PROOF)) >= TELLING_STEM]
        parts = [[_alternatives(part) for part in fact.split("…")] for fact in facts]
        return cls(
            number,
            frozenset(
                (word[-2], word[-1]) for word in (*stems, *(word for fact in parts for word in fact[-1]))
            ),
            _pattern((_GAP.join(map(_any, fact)) for fact in parts), everyday),
            _pattern(map(re.escape, stems), everyday),
        )

    def told(self, prose: str, clauses: str) -> bool:
        """Whether a text, as `names.spoken` has it, tells one of them."""
        return _found(self._in_clauses, clauses) or _found(self._anywhere, prose)


def is_usable(fact: str) -> bool:
    """Whether its last part has two characters or more in every wording: a single one would be found everywhere."""
    return all(len(word) > 1 for word in _alternatives(fact.split("…")[-1])) and all(
        word for part in fact.split("…") for word in _alternatives(part)
    )


def _found(pattern: re.Pattern[str], text: str) -> bool:
    return any(match[1] for match in pattern.finditer(text))


def _pattern(facts: Iterable[str], everyday: Iterable[str]) -> re.Pattern[str]:
    """Group 1 is a fact; what is everyday is passed over before it."""
    passed = [re.escape(_form(phrase)) for phrase in everyday]
    return re.compile("|".join([*passed, f"({'|'.join(facts) or _NEVER})"]))


def _alternatives(part: str) -> list[str]:
    return [STOP.join(map(_form, word.split("。"))) for word in part.split("/")]


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"


def _form(text: str) -> str:
    return alike(squeeze(text, prose=False))
