"""Names (姓名): Han, Latin letters and the separator `·` U+00B7 (民委发〔2016〕33号), in one form."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from signsvc.identity.characters import (
    REPLACEMENT,
    fold,
    folded_points,
    is_han,
    point_of,
    require_length,
)

NAME_LIMIT: Final = 50
SEPARATOR: Final = "\u00b7"

_DOTS: Final = frozenset("\u2022\u2024\u2027\u2219\u22c5\u2e31\u30fb\uff65.\uff0e")
_DOTTED: Final = re.compile(rf" *[{re.escape(''.join(sorted(_DOTS)))}{SEPARATOR}] *")
_BLANKS: Final = re.compile("[ \u00a0\u3000]+")
_PLAIN: Final = str.maketrans("\u2019\u02bc\uff07\u2010\u2011\uff0d", "'''---") | {
    point: point - 0xFEE0 for point in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
# What programs write where they had no character: a rare one was lost on the way, and nobody may guess it.
_LOST: Final = frozenset(f"?？□▯〓{REPLACEMENT}")
# H Han, L Latin. Space, hyphen and apostrophe stand only between Latin letters, a separator between any two.
_SHAPE: Final = re.compile(r"(?:[HL]|(?<=[HL])·(?=[HL])|(?<=L)-(?=L))+")
_LATIN_LAST: Final = 0x1EFF


def normalise_name(raw: str) -> tuple[str, tuple[str, ...]]:
    """The name in normal form, and what was changed about it for the person to see.

    Raises TextTooLong beyond 50 characters, otherwise ValueError: nothing there, a character that no name
    has, a character that was lost (`?`, `□`, U+FFFD, private use), or separators out of place.
    """
    warnings = []
    if points := "、".join(folded_points(raw)):
        warnings.append(f"姓名中的部首、兼容汉字或异体选择符已改为规范汉字（{points}）")
    text = _BLANKS.sub(" ", fold(raw.translate(_PLAIN)).strip())
    dotted = _DOTTED.sub(SEPARATOR, text)
    if dotted != text:
        warnings.append("姓名中的间隔号已统一为“·”（U+00B7），前后空格已去掉")
    name = _joined(dotted)
    if name != dotted:
        warnings.append("姓名两字之间的空格已去掉")
    _require_name(name)
    return name, tuple(warnings)


def mask_name(name: str) -> str:
    """`扎**`: the first character, and no hint of the length. It need not be a surname."""
    return name[:1] + "**"


def _joined(name: str) -> str:
    """Two single characters set apart to look wide (张　三) belong together; another space is a question."""
    parts = name.split(" ")
    apart = len(parts) == 2 and all(len(part) == 1 and is_han(part) for part in parts)
    return "".join(parts) if apart else name


def _require_name(name: str) -> None:
    if not name:
        raise ValueError("姓名为空")
    require_length(name, NAME_LIMIT)
    if "证明" in name.replace(SEPARATOR, ""):
        raise ValueError("姓名中有“证明”二字：姓名栏只填姓名")
    shape = "".join(_kind_of(character, place) for place, character in enumerate(name, 1))
    if not _SHAPE.fullmatch(shape):
        raise ValueError("姓名中的间隔号、空格或连字符位置不对：“·”须在两字之间，空格只用于拉丁字母之间")


def _kind_of(character: str, place: int) -> str:
    """H, L, `·` or `-` (any joint of Latin parts); ValueError for the rest."""
    if character in _LOST or unicodedata.category(character) == "Co":
        raise ValueError(
            f"姓名第{place}个字符（{point_of(character)}）不是汉字：生僻字可能在另存为 CSV 时丢失，"
            "请用 .xlsx 或 UTF-8 编码的 CSV 重新填写"
        )
    if is_han(character):
        return "H"
    if character == SEPARATOR:
        return SEPARATOR
    if character in " -'":
        return "-"
    if (
        ord(character) <= _LATIN_LAST
        and character.isalpha()
        and unicodedata.name(character, "").startswith("LATIN")
    ):
        return "L"
    raise ValueError(
        f"姓名第{place}个字符（{point_of(character)}）不能使用：姓名只用汉字、拉丁字母和间隔号“·”"
    )
