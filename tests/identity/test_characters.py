"""Names keep their characters, get one form, and say aloud when something was changed or lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.identity import TextTooLong, clean_text, mask_name, normalise_name


@pytest.mark.parametrize(
    "name",
    [
        "扎西·多杰",
        "加仓·晋美南杰",
        "䶮𬭎㛃𠅤",
        "〇一",
        "﨑",
        "𰻝\U000323af\U00033479",
        "张",
        "José Ñúñez",
        "O'Brien Mary-Jane",
        "Əli",
    ],
)
def test_a_name_in_normal_form_is_left_alone(name: str) -> None:
    assert normalise_name(name) == (name, ())


@pytest.mark.parametrize(
    ("raw", "name"),
    [(f"扎西{dot}多杰", "扎西·多杰") for dot in "\u2022\u30fb\uff65\u2027\u002e\uff0e\u22c5"]
    + [
        ("扎西 · 多杰", "扎西·多杰"),
        ("⼀⻢", "一马"),
        ("\uf900", "豈"),
        ("\U0002f800", "丽"),
        ("葛\U000e0100城", "葛城"),
        ("张　三", "张三"),
    ],
)
def test_what_is_changed_is_told(raw: str, name: str) -> None:
    changed, warnings = normalise_name(raw)
    assert changed == name
    assert len(warnings) == 1
    assert normalise_name(name) == (name, ())


def test_full_width_letters_and_decomposed_accents_are_the_same_name() -> None:
    assert normalise_name(" ＪＯＨＮ　Ｄｏｅ ")[0] == "JOHN Doe"
    assert normalise_name(unicodedata.normalize("NFD", "José")) == ("José", ())


@pytest.mark.parametrize("lost", ["?", "？", "□", "\ufffd", "\ue863", "\U000f0000"])
def test_a_lost_character_is_refused_with_the_likely_cause(lost: str) -> None:
    with pytest.raises(ValueError, match="CSV"):
        normalise_name(f"张{lost}")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "  ",
        "·多杰",
        "扎西·",
        "扎西··多杰",
        "张 三丰",
        "张-三",
        "张三1",
        "张*",
        "张\n三",
        "张\u200b三",
        "བཀྲ་ཤིས",
        "Ivan.",
        "-",
        "ª",
        "Ⅷ",
    ],
)
def test_what_no_name_has_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="姓名"):
        normalise_name(raw)


def test_fifty_characters_are_a_name_and_one_more_are_not() -> None:
    assert normalise_name("𠅤" * 50)[0] == "𠅤" * 50
    with pytest.raises(TextTooLong, match="51"):
        normalise_name("𠅤" * 51)


def test_the_mask_shows_one_character_and_no_length() -> None:
    assert mask_name("扎西·多杰") == "扎**"
    assert mask_name("𠅤") == "𠅤**"


@given(
    st.text(alphabet=st.sampled_from("张⻢一\uf900·.• -'Aé́\ufe00〇?𠅤"), max_size=12) | st.text(max_size=60)
)
def test_a_normal_form_is_its_own_normal_form(raw: str) -> None:
    try:
        name, _ = normalise_name(raw)
    except ValueError:
        return
    assert normalise_name(name) == (name, ())


@pytest.mark.parametrize(
    "bad",
    [
        "a\nb",
        "a\tb",
        "a\u202eb",
        "a\u200bb",
        "a\u2028b",
        f"a{chr(0xD800)}b",
        "a\ue000b",
        "a\ufffdb",
        "a\uffffb",
    ],
)
def test_text_that_cannot_be_printed_as_it_reads_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="第2个字符"):
        clean_text(bad, 100)


def test_text_is_stripped_folded_and_otherwise_kept() -> None:
    assert (
        clean_text(" 其属于⼀本社区（村）\u3000居民，𲎯？\n", 100) == "其属于一本社区（村）\u3000居民，𲎯？"
    )
    assert clean_text("   ", 1) == ""


def test_text_is_measured_after_folding() -> None:
    assert clean_text(" ab ", 2) == "ab"
    with pytest.raises(TextTooLong, match="最多2个字符，现有3个"):
        clean_text("abc", 2)


@given(st.text(max_size=50))
def test_clean_text_is_clean_already(raw: str) -> None:
    try:
        text = clean_text(raw, 100)
    except ValueError:
        return
    assert clean_text(text, 100) == text
