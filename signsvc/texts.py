"""Texts for people: written in Chinese where they arise, turned into another language where they are shown. Pure.

A plain `str` is its own key in the translations (`translations/*.po`). A text into which values are set remembers its
words and its values apart, so that both can be said again: dates are written as the language writes them, and values
that are texts are translated in their turn. To everybody else a `Text` is the Chinese string.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Self

# The words of a language for Chinese words; what it has none for, it gives back.
Words = Callable[[str], str]
DayIn = Callable[[date], str]


class Text(str):
    """`words` with `values` set into its `{braces}`; equal to, and used as, the Chinese string."""

    __slots__ = ("values", "words")
    words: str
    values: dict[str, Any]

    def __new__(cls, words: str, **values: Any) -> Self:
        made = super().__new__(cls, _set(words, values, str, chinese_date))
        made.words, made.values = words, values
        return made


def said(text: str, words: Words, day: DayIn) -> str:
    """`text` in the language that `words` and `day` speak."""
    if not isinstance(text, Text):
        return words(text) if text else text  # gettext keeps its own header under the empty text
    return _set(words(text.words), text.values, lambda value: said(value, words, day), day)


def chinese_date(day: date) -> str:
    """2027年5月20日."""
    return f"{day.year}年{day.month}月{day.day}日"


def _set(words: str, values: dict[str, Any], text: Callable[[str], str], day: DayIn) -> str:
    shown = {
        key: day(value) if isinstance(value, date) else text(value) if isinstance(value, str) else value
        for key, value in values.items()
    }
    return words.format(**shown)
