"""The screen: what it sees through, and what it lets pass."""

from __future__ import annotations

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.policy import load_pack, shipped_jurisdictions
from signsvc.policy.names import Screen, plain, squeeze

SCREEN = Screen.of(
    [("亲属关系证明", 1), ("婚姻状况证明", 8), ("出生证明", 9), ("死亡证明", 11), ("房产证明", 17)]
)
# Nothing of these is a Chinese character, and none is a stop.
NOISE = st.text(
    st.sampled_from(" \t\n　\u200b\u2060\ufe0f\u0332()（）【】《》·・•.-_/|'\"aZ0、…\ue000\U000e0041"),
    max_size=4,
)


@given(st.lists(NOISE, min_size=6, max_size=6))
def test_nothing_between_the_characters_hides_a_name(noise: list[str]) -> None:
    hidden = "".join(char + between for char, between in zip("亲属关系证明", noise, strict=True))
    assert SCREEN.in_prose(f"并作为{hidden}使用") == (1,)
    assert SCREEN.in_title(hidden) == (1,)


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_nothing_around_a_name_hides_it(before: str, after: str) -> None:
    assert 1 in SCREEN.in_prose(before + "亲属关系证明" + after)


@pytest.mark.parametrize(
    "text",
    [
        "其与被告无亲属关系，婚姻状况不详",
        "其出生于本村，能证明身份",
        "其子已死亡。证明人李某",
        "其母已死亡；证明如下",
        "房产证明显破损",
        "房产证明确登记",
        "其收入经单位证明",
        "",
    ],
)
def test_ordinary_sentences_pass(text: str) -> None:
    assert SCREEN.in_prose(text) == ()


def test_a_title_deed_does_not_cover_for_the_proof_itself() -> None:
    assert SCREEN.in_prose("房产证明显示其有房") == (17,)


def test_in_a_title_a_stop_hides_nothing() -> None:
    assert SCREEN.in_title("死亡，证明") == (11,)


@pytest.mark.parametrize(
    ("title", "numbers"),
    [
        ("亲属关系", (1,)),
        ("出生", (9,)),
        ("出生地情况说明", ()),
        ("收养人婚姻状况和抚养教育能力证明", (8,)),
        ("婚姻状况说明", ()),
        ("证明婚姻状况", ()),
        ("诉讼当事人属于本社区（村）证明", ()),
        ("死亡证明及出生证明", (9, 11)),
    ],
)
def test_a_title_speaks_of_an_item(title: str, numbers: tuple[int, ...]) -> None:
    assert SCREEN.in_title(title) == numbers


@pytest.mark.parametrize("shown", ["親屬關係證明", "亲属関系証明", "亲属关系证明"])
def test_other_forms_of_the_characters_are_the_same(shown: str) -> None:
    assert squeeze(shown, prose=False) == "亲属关系证明"


@pytest.mark.parametrize("typed", ["ＱＨ（１）", "qh(1)", " Q H 1 "])
def test_looking_up_disregards_width_case_and_brackets(typed: str) -> None:
    assert plain(typed) == "qh1"


def test_every_traditional_form_of_a_listed_character_is_known() -> None:
    """OpenCC's tables as the judge, for Taiwan, Hong Kong and Japan alike."""
    simplify = [opencc.OpenCC(config).convert for config in ("t2s", "tw2s", "hk2s")]
    from_japanese = opencc.OpenCC("jp2t").convert
    packs = [load_pack(place) for place in shipped_jurisdictions()]
    texts = [name for pack in packs for item in pack.items for name in item.names]
    texts += [
        word for pack in packs for item in pack.items for case in item.exemptions for word in case.words
    ]
    listed = set("".join(texts))
    for char in map(chr, (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))):
        simple = {convert(char) for convert in simplify} | {simplify[0](from_japanese(char))}
        if char not in listed and simple & listed:
            assert squeeze(char, prose=False) in simple, char
