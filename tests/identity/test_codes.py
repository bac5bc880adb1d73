"""Verification codes survive how people copy them, and catch how people miscopy them."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.identity import group_code, new_code, normalise_code, normalise_number

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def from_values(values: list[int]) -> str:
    """The code that chance gives when it gives these values."""
    supply = iter(values)
    return new_code(lambda size: next(supply) % size)


codes = st.lists(st.integers(0, 30), min_size=15, max_size=15).map(from_values)
MISREAD = {"0": "O", "1": "I", "5": "S", "2": "Z"}


def refused(raw: str) -> bool:
    try:
        normalise_code(raw)
    except ValueError:
        return True
    return False


def test_a_known_code() -> None:
    # 1·3^1 = 3 and 30·3^14 = 30·10 ≡ 21 modulo 31: with them the check is 31 − 24 = 7.
    assert from_values([0, 1] + [0] * 12 + [30]) == "0" + "1" + "0" * 12 + "Y" + "7"


@given(codes)
def test_a_code_survives_groups_case_width_and_misread_characters(code: str) -> None:
    grouped = group_code(code)
    assert [len(part) for part in grouped.split("-")] == [4, 4, 4, 4]
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code.lower())
    misread = "".join(MISREAD.get(character, character) for character in code)
    for typed in (
        code,
        grouped,
        f" {grouped.lower()} ",
        grouped.replace("-", "—"),
        grouped.replace("-", "　"),
        f"查验码：{grouped}",
        f"查验码 {grouped}",
        f"【{grouped}】",
        f"（查验码：{grouped}）",
        wide,
        misread,
    ):
        assert normalise_code(typed) == code


@given(codes, st.integers(0, 15), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_caught(code: str, place: int, other: str) -> None:
    wrong = code[:place] + other + code[place + 1 :]
    assert refused(wrong) is (wrong != code)


@given(codes, st.integers(0, 15), st.integers(0, 15))
def test_any_swap_is_caught_but_first_with_last(code: str, one: int, two: int) -> None:
    characters = list(code)
    characters[one], characters[two] = characters[two], characters[one]
    wrong = "".join(characters)
    assert refused(wrong) is (wrong != code and {one, two} != {0, 15})


@pytest.mark.parametrize(
    "raw", ["", "0", "0" * 15, "0" * 17, "V" + "0" * 15, "Ω" + "0" * 15, "证" * 16, "0" * 15 + "1"]
)
def test_malformed_codes_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="查验码"):
        normalise_code(raw)


def test_codes_come_from_the_whole_alphabet_and_do_not_repeat() -> None:
    made = {new_code(secrets.randbelow) for _ in range(500)}
    assert len(made) == 500
    assert set("".join(made)) == set(ALPHABET)


@given(st.text(max_size=30))
def test_any_text_is_a_code_or_a_value_error(raw: str) -> None:
    if not refused(raw):
        assert normalise_code(normalise_code(raw)) == normalise_code(raw)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("2026-000001", "2026-000001"),
        (" ２０２６－０００００１ ", "2026-000001"),
        ("2026—000001", "2026-000001"),
        ("qh-demo-2026-000001", "qh-demo-2026-000001"),
        ("证明第2026-000001号", "2026-000001"),
        ("第 2026-000001 号", "2026-000001"),
        ("示范区和平街道幸福社区证明第2026-000001号", "2026-000001"),
        ("第二社区证明第2026-000001号，", "2026-000001"),
        ("〔2026〕12", "〔2026〕12"),
        ("社区证〔2026〕12号", "社区证〔2026〕12号"),
        ("QH-DEMO-2026-000003", "QH-DEMO-2026-000003"),
    ],
)
def test_a_number_is_read_however_it_was_pasted(raw: str, number: str) -> None:
    assert normalise_number(raw) == number
    assert normalise_number(number) == number


numbers = st.from_regex(r"([a-z0-9]{1,8}-){0,2}(19|20)[0-9]{2}-[0-9]{1,8}", fullmatch=True)
LABELS = ["", "编号：", "编号:", "证明编号：", " 证明编号 ： ", "证明第", "第"]


@given(
    numbers,
    st.sampled_from(LABELS),
    st.sampled_from(["", "()", "（）", "[]", "【】", "“”", "《》"]),
    st.booleans(),
)
def test_what_is_pasted_around_a_number_is_left_aside(
    number: str, label: str, brackets: str, inside: bool
) -> None:
    first, last = brackets[:1], brackets[1:]
    ending = "号" if label.endswith("第") else ""
    pasted = f"{first}{label}{number}{ending}{last}" if inside else f"{label}{first}{number}{last}{ending}"
    assert normalise_number(pasted) == number
    assert normalise_number(f" {pasted}\n") == number


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_value_error(raw: str) -> None:
    try:
        number = normalise_number(raw)
    except ValueError:
        return
    assert normalise_number(number) == number


@pytest.mark.parametrize(
    "raw", ["", "  ", "第号", "编号：", "【】", "编号:编号:1", "2026\u202e1", "a;b", "证明第" * 10_000]
)
def test_what_holds_no_number_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="编号"):
        normalise_number(raw)
