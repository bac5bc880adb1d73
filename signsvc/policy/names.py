"""Names compared as people mean them: normal forms, and the screen that finds a not-to-issue name in other words.

The screen looks for names of the not-to-issue list (不应出具清单) in what a resident or clerk typed. It sees through
spaces, invisible characters, brackets, punctuation, letters or digits put between the characters, full width,
radicals, traditional forms and 的/之; it looks for whole names only, so that ordinary sentences pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

PROOF = "证明"
# A blank in a pattern: {情况说明}.
PLACEHOLDER = re.compile(r"\{(\w+)\}")
# A stem shorter than this (出生, 收入) is an everyday word and says nothing without 证明 right behind it.
_TELLING_STEM = 4

# Traditional, Japanese and radical forms of the characters in the lists' names; NFKC knows only some radicals. A test
# holds the shipped packs against OpenCC's tables.
_FORMS = (
    "親亲 屬属 關关 関关 係系 證证 証证 戶户 戸户 無无 違违 記记 錄录 録录 區区 復复 複复 員员 況况 蹤踪 離离 產产 "
    "産产 殘残 業业 檔档 財财 濟济 済济 狀状 償偿 還还 銀银 資资 車车 輛辆 權权 権权 遺遗 繼继 継继 場场 經经 経经 "
    "營营 営营 單单 単单 擾扰 貧贫 難难 請请 項项 內内 變变 変变 個个 傷伤 養养 丟丢 爲为 為为 ⺠民 ⻋车 "
    "傢家 動动 収收 國国 彔录 現现 睏困 箇个 繫系 衕同 規规 診诊 錶表 體体 齣出"
)
_VARIANTS = str.maketrans({pair[0]: pair[1] for pair in _FORMS.split()})
_CLAUSE_END = re.compile(rf"[,。;!?]\s*(?={PROOF})")
# 房产证 and 所有权证 are papers: in 房产证明确记载 the proof is not a 证明.
_PAPER_THEN_ADVERB = re.compile(rf"(?<=[产权]){PROOF}(?=确|显(?!示))")
_NOT_HAN = re.compile(r"[^|\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]|[的之]")


def plain(text: str) -> str:
    """For looking up what someone typed: letters and digits alone, one width, one case."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def squeeze(text: str, *, prose: bool) -> str:
    """The Chinese characters alone, in simplified form.

    In prose 证明 behind a stop is the verb (其父已死亡，证明如下), so the stop stays, as `|`; elsewhere nothing stays.
    """
    text = unicodedata.normalize("NFKC", text).translate(_VARIANTS).replace("|", "")
    if prose:
        text = _PAPER_THEN_ADVERB.sub("证|明", _CLAUSE_END.sub("|", text))
    return _NOT_HAN.sub("", text)


@dataclass(frozen=True)
class Screen:
    """The names of a list, ready to be looked for: (squeezed name, its stem before 证明, item number)."""

    needles: tuple[tuple[str, str, int], ...]

    @classmethod
    def of(cls, names: Iterable[tuple[str, int]]) -> Screen:
        """From every name, alias and synonym with the number of its item."""
        squeezed = ((squeeze(name, prose=False), number) for name, number in names)
        return cls(tuple((name, name.removesuffix(PROOF), number) for name, number in squeezed))

    def in_prose(self, text: str) -> tuple[int, ...]:
        """Numbers of the items whose name stands in running text."""
        text = squeeze(text, prose=True)
        return _ordered(number for name, _, number in self.needles if name in text)

    def in_title(self, title: str) -> tuple[int, ...]:
        """Numbers of the items that a matter's name speaks of: 关于某人的亲属关系证明, 亲属关系, 婚姻状况和…证明."""
        title = squeeze(title, prose=False)
        last = title.rfind(PROOF)
        return _ordered(
            number
            for name, stem, number in self.needles
            if name in title or title == stem or (len(stem) >= _TELLING_STEM and -1 < title.find(stem) < last)
        )


def _ordered(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(numbers)))
