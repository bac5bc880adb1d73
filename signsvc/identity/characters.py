"""Characters that may be printed, and the one form in which each is kept."""

from __future__ import annotations

import unicodedata
from typing import Final

# Radicals that look like whole characters; text copied out of a PDF is full of them. Kangxi radicals
# (康熙部首) have a compatibility mapping in Unicode, those of the supplement have none.
_SUPPLEMENT: Final = dict(
    zip(
        "⻁⻄⻅⻆⻉⻋⻑⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰⻳",
        "虎西见角贝车長长门青韦页风飞食马骨鬼鱼鸟麦黄齐齿龙龟",
        strict=True,
    )
)
_KANGXI: Final = {chr(point): unicodedata.normalize("NFKC", chr(point)) for point in range(0x2F00, 0x2FD6)}
# Variation selectors (异体选择符) ask for a glyph, not for another character: no identity record knows them.
_SELECTORS: Final = {chr(point): "" for point in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}
_FOLDED: Final = str.maketrans(_SUPPLEMENT | _KANGXI | _SELECTORS)

# Unified ideographs by block, beyond what the running Python's Unicode tables know (GB 18030-2022 level 3).
_HAN: Final = (
    (0x3007, 0x3007),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2EE5D),
    (0x30000, 0x33479),
)
# The twelve of the compatibility block that are unified ideographs all the same.
_HAN_SINGLE: Final = frozenset("﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩")
# Control, format (also bidirectional), surrogate, private, unassigned; line and paragraph separators.
_FORBIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
REPLACEMENT: Final = "\ufffd"


class TextTooLong(ValueError):
    """More characters than the field holds."""


def is_han(character: str) -> bool:
    """Whether it is a unified ideograph (汉字) of any extension, or 〇."""
    point = ord(character)
    return any(first <= point <= last for first, last in _HAN) or character in _HAN_SINGLE


def fold(text: str) -> str:
    """NFC, with radicals and compatibility ideographs as the characters they stand for, without selectors."""
    return unicodedata.normalize("NFC", text.translate(_FOLDED))


def folded_points(text: str) -> tuple[str, ...]:
    """Code points (`U+2F00`) of the ideograph-like characters of `text` that `fold` replaces or drops."""
    return tuple(
        dict.fromkeys(
            point_of(character)
            for character in text
            if ord(character) > 0x2E7F and fold(character) != character
        )
    )


def point_of(character: str) -> str:
    """`U+4DAE`: names a character without depending on a font that has it."""
    return f"U+{ord(character):04X}"


def require_length(text: str, limit: int) -> None:
    """Raises TextTooLong with both lengths, in characters (code points)."""
    if len(text) > limit:
        raise TextTooLong(f"最多{limit}个字符，现有{len(text)}个，请缩短")


def clean_text(raw: str, limit: int) -> str:
    """One line of printable text, folded and stripped, of at most `limit` characters; "" stays "".

    Raises TextTooLong, or ValueError for what cannot be printed or changes how a line reads: controls
    with line breaks and tabs, bidirectional and other invisible formats, surrogates, private-use and
    unassigned code points, U+FFFD.
    """
    text = fold(raw).strip()
    require_length(text, limit)
    for place, character in enumerate(text, 1):
        if is_forbidden(character):
            raise ValueError(
                f"第{place}个字符（{point_of(character)}）不能使用：换行、看不见的字符或丢失的字符请删去重填"
            )
    return text


def is_forbidden(character: str) -> bool:
    """Whether a character cannot stand in printed text."""
    return character == REPLACEMENT or (
        unicodedata.category(character) in _FORBIDDEN and not is_han(character)
    )
