"""Words compared as people mean them, and the purposes that they state."""

from __future__ import annotations

import opencc
import pytest

from signsvc.policy import load_pack, shipped_jurisdictions
from signsvc.policy.screen.names import alike, plain, squeeze, stated


@pytest.mark.parametrize("shown", ["親屬關係證明", "亲属関系証明", "亲属关系证明"])
def test_other_forms_of_the_characters_are_the_same(shown: str) -> None:
    assert squeeze(shown, prose=False) == "亲属关系证明"


@pytest.mark.parametrize("typed", ["ＱＨ（１）", "qh(1)", " Q H 1 "])
def test_looking_up_disregards_width_case_and_brackets(typed: str) -> None:
    assert plain(typed) == "qh1"


@pytest.mark.parametrize(
    ("one", "other"), [("婚姻情况", "婚姻状况"), ("身份证丢了", "身份证遗失"), ("户口本", "户口簿")]
)
def test_interchangeable_words_are_the_same(one: str, other: str) -> None:
    assert alike(one) == alike(other)


@pytest.mark.parametrize(
    ("purpose", "meant"),
    [
        ("办理公证", True),
        ("公 證", True),
        ("不动产公证", True),
        ("未成年人公证", True),
        ("不用于入学，用于公证", True),
        ("不用于公证，用于入学", False),
        ("贷款（非公证）", False),
        ("不是为了公证", False),
        ("没有公证", False),
        ("无公证", False),
        ("除公证外", False),
        ("公证以外的事务", False),
        ("入学", False),
    ],
)
def test_a_purpose_that_is_denied_is_not_stated(purpose: str, meant: bool) -> None:
    assert stated(("公证",), purpose) is meant


def test_a_word_that_begins_with_a_denial_is_none() -> None:
    assert stated(("不动产登记",), "办理不动产登记")
    assert not stated(("不动产登记",), "并非不动产登记")


def test_every_traditional_form_of_a_listed_character_is_known() -> None:
    """OpenCC's tables as the judge, for Taiwan, Hong Kong and Japan alike."""
    simplify = [opencc.OpenCC(config).convert for config in ("t2s", "tw2s", "hk2s")]
    from_japanese = opencc.OpenCC("jp2t").convert
    packs = [load_pack(place) for place in shipped_jurisdictions()]
    items = [item for pack in packs for item in pack.items]
    texts = [word for item in items for word in (*item.names, *item.facts, *item.everyday, *item.hints)]
    texts += [word for item in items for words in item.only_with.values() for word in words]
    texts += [word for item in items for case in item.exemptions for word in case.words]
    listed = set("".join(texts))
    for char in map(chr, (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))):
        simple = {convert(char) for convert in simplify} | {simplify[0](from_japanese(char))}
        if char not in listed and simple & listed:
            assert squeeze(char, prose=False) in simple, char
