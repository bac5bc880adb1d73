"""Names and sentences compared as people mean them: one form for each, and what a stated purpose speaks of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

Pair = tuple[str, str]
PROOF = "证明"
# A blank in a pattern: {情况说明}.
PLACEHOLDER = re.compile(r"\{(\w+)\}")
STOP = "|"  # where a clause begins or ends, in squeezed text
_SOFT = "¦"  # the same, but not before 证明 as a verb

# Traditional, Japanese and radical forms of the characters in the lists' words; NFKC knows only some radicals. A test
# holds the shipped packs against OpenCC's tables.
_FORMS = (
    "親亲 屬属 關关 関关 係系 證证 証证 戶户 戸户 無无 違违 記记 錄录 録录 區区 復复 複复 員员 況况 蹤踪 "
    "離离 產产 産产 殘残 業业 檔档 財财 濟济 済济 狀状 償偿 還还 銀银 資资 車车 輛辆 權权 権权 遺遗 繼继 "
    "継继 場场 經经 経经 營营 営营 單单 単单 擾扰 貧贫 難难 請请 項项 內内 變变 変变 個个 傷伤 養养 丟丢 "
    "爲为 為为 ⺠民 ⻋车 傢家 動动 収收 國国 彔录 現现 睏困 箇个 繫系 衕同 後后 規规 診诊 錶表 體体 齣出 來来 "
    "債债 兒儿 兩两 別别 劃划 務务 喪丧 噹当 囑嘱 婦妇 媽妈 孫孙 學学 實实 審审 寵宠 對对 崗岗 彆别 徵征 "
    "愛爱 慼戚 懷怀 捨舍 掛挂 損损 摺折 撫抚 擁拥 據据 敎教 斷断 於于 會会 査查 棄弃 機机 沒没 滿满 爺爷 "
    "獨独 異异 當当 癥症 盜盗 監监 確确 稅税 積积 穩稳 竊窃 糾纠 納纳 紛纷 結结 緣缘 緻致 罰罚 聯联 職职 "
    "處处 補补 覈核 計计 訊讯 註注 該该 誤误 護护 負负 贍赡 轄辖 轉转 辦办 迴回 過过 醫医 銷销 錯错 長长 "
    "門门 開开 閤合 險险 隻只 順顺 領领 飼饲 驗验 點点 齡龄 厤历 執执 曆历 歷历 發发 縣县 纔才 質质 購购 "
    "髮发"
    " 亂乱 傳传 儲储 協协 專专 幫帮 捲卷 掙挣 條条 歸归 灣湾 牀床 瘓痪 癱瘫 "
    "眾众 穀谷 籌筹 紀纪 約约 統统 羣群 與与 衆众 裏里 裡里 託托 誌志 認认 責责 賃赁 賠赔 遞递 陽阳 願愿"
)
_VARIANTS = str.maketrans({pair[0]: pair[1] for pair in _FORMS.split()})
# Words that a name bears as well as another: 婚姻情况证明, 身份证丢了证明.
_ALIKE = (
    ("状况", "情况"),
    ("情形", "情况"),
    ("丢失", "遗失"),
    ("丢了", "遗失"),
    ("掉了", "遗失"),
    ("户口本", "户口簿"),
)
_CLAUSE_END = re.compile(rf"[,。;!?]\s*(?={PROOF})")
_PAUSE = re.compile(r"[,。;!?:]")
# 房产证 and 所有权证 are papers: in 房产证明确记载 the proof is not a 证明.
_PAPER_THEN_ADVERB = re.compile(rf"(?<=[产权]){PROOF}(?=确|显(?!示))")
_NOT_HAN = re.compile(rf"[^{STOP}{_SOFT}\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]+")
# What denies a purpose: 不用于公证, 贷款（非收养）, 除收养外; not 不动产, 无偿, 未成年 and 非婚生.
_NOT = rf"(?:不(?!动产)|非(?!婚)|无(?!偿)|未(?!成年|婚)|没|除)[^{STOP}]{{0,4}}"


def plain(text: str) -> str:
    """For looking up what someone typed: letters and digits alone, one width, one case."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def squeeze(text: str, *, prose: bool) -> str:
    """The Chinese characters alone, in simplified form.

    In prose 证明 behind a stop is the verb (其父已死亡，证明如下), so the stop stays, as `|`; elsewhere nothing stays.
    """
    return _marked(text).replace(_SOFT, "") if prose else _characters(_simplified(text))


def spoken(text: str) -> tuple[str, str]:
    """Prose as `squeeze` has it, and clause by clause with a `|` at either end of each."""
    marked = _marked(text)
    # A stop may stand within a word: what is alike is looked for on both sides of it.
    return alike(marked.replace(_SOFT, "")), alike(f"{STOP}{marked.replace(_SOFT, STOP)}{STOP}")


def alike(squeezed: str) -> str:
    """The text with one of each set of interchangeable words."""
    for word, instead in _ALIKE:
        squeezed = squeezed.replace(word, instead)
    return squeezed


def _simplified(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    # Few texts hold any of them: looking is cheaper than translating.
    text = text if _VARIANTS.keys().isdisjoint(map(ord, text)) else text.translate(_VARIANTS)
    return text.replace(STOP, "").replace(_SOFT, "")


def _marked(text: str) -> str:
    text = _PAPER_THEN_ADVERB.sub("证|明", _CLAUSE_END.sub(STOP, _simplified(text)))
    return _characters(_PAUSE.sub(_SOFT, text))


def _characters(text: str) -> str:
    """Without what is not Chinese, and without 的 and 之, which may stand anywhere."""
    return _NOT_HAN.sub("", text).replace("的", "").replace("之", "")


def pairs_of(text: str) -> frozenset[Pair]:
    """Every two characters that stand side by side."""
    return frozenset(pairwise(text))


def stated(words: Iterable[str], purpose: str) -> bool:
    """Whether a stated purpose speaks of one of the words, and does not only deny it."""
    _, clauses = spoken(purpose)
    return any(found[1] for word in words for found in _affirmed(word).finditer(clauses))


@cache  # of the packs' words alone
def _affirmed(word: str) -> re.Pattern[str]:
    """The word, as group 1 where nothing denies it."""
    said = re.escape(alike(squeeze(word, prose=False)))
    return re.compile(rf"{_NOT}{said}|({said})(?!以外|除外|无关)")
