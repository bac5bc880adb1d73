"""The screen: what it sees through, what it finds in a statement, and what it lets pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thousand import ADDRESSES, LONG

from signsvc.policy import load_pack
from signsvc.policy.screen.facts import Facts, is_usable
from signsvc.policy.screen.screen import Needle, Screen

NAMES = [("亲属关系证明", 1), ("婚姻状况证明", 8), ("出生证明", 9), ("死亡证明", 11), ("房产证明", 17)]
SCREEN = Screen.of(
    [*(Needle.of(name, number) for name, number in NAMES), Needle.of("表现证明", 6, ("戒毒",))],
    [
        Facts.of(1, ["亲属关系证明"], ["系/为…儿子/父女", "系…子。"], []),
        Facts.of(8, ["婚姻状况证明"], ["已婚"], []),
        Facts.of(10, [], ["健在", "现健在"], ["健在本"]),
        Facts.of(21, ["同一地址证明"], [], ["于同一地址"]),
    ],
)
PACKS = {place: load_pack(place) for place in ("qinghai", "guangdong")}
# Nothing of these is a Chinese character, and none is a stop.
NOISE = st.text(
    st.sampled_from(" \t\n　\u200b\u2060\ufe0f\u0332()（）【】《》·・•.-_/|¦'\"aZ0、…\ue000\U000e0041"),
    max_size=4,
)


def told(text: str, screen: Screen = SCREEN) -> tuple[int, ...]:
    return screen.look(text).told


def numbers(place: str, text: str) -> set[int]:
    """Numbers of the items that a statement names or tells at a place."""
    pack = PACKS[place]
    seen = pack.screen.look(text)
    return {pack.items[at].number for at in (*seen.named, *seen.told)}


# --- names ---------------------------------------------------------------------------------------------------------


@given(st.lists(NOISE, min_size=6, max_size=6))
def test_nothing_between_the_characters_hides_a_name(noise: list[str]) -> None:
    hidden = "".join(char + between for char, between in zip("亲属关系证明", noise, strict=True))
    assert SCREEN.in_prose(f"并作为{hidden}使用") == (1,)
    assert SCREEN.in_title(hidden) == (1,)


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_nothing_around_a_name_hides_it(before: str, after: str) -> None:
    assert 1 in SCREEN.in_prose(before + "亲属关系证明" + after)


@given(st.lists(st.sampled_from(["", "，", "。", "；"]), min_size=5, max_size=5))
def test_stops_between_the_characters_hide_neither_a_name_nor_its_stem(stops: list[str]) -> None:
    assert told("".join(map("".join, zip("婚姻状况", stops, strict=False)))) == (8,)
    assert SCREEN.in_prose("婚姻状，况证明") == (8,)


@pytest.mark.parametrize(
    "text",
    [
        "其出生于本村，能证明身份",
        "其子已死亡。证明人李某",
        "其母已死亡；证明如下",
        "房产证明显破损",
        "房产证明确登记",
        "其收入经单位证明",
        "",
    ],
)
def test_ordinary_sentences_hold_no_name(text: str) -> None:
    assert SCREEN.in_prose(text) == ()


def test_a_title_deed_does_not_cover_for_the_proof_itself() -> None:
    assert SCREEN.in_prose("房产证明显示其有房") == (17,)


def test_in_a_title_a_stop_hides_nothing() -> None:
    assert SCREEN.in_title("死亡，证明") == (11,)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("亲属关系", (1,)),
        ("出生", (9,)),
        ("出生地情况说明", ()),
        ("收养人婚姻状况和抚养教育能力证明", (8,)),
        ("婚姻情况证明", (8,)),
        ("婚姻状况说明", ()),
        ("证明婚姻状况", ()),
        ("诉讼当事人属于本社区（村）证明", ()),
        ("死亡证明及出生证明", (9, 11)),
        ("表现证明", (6,)),
        ("戒毒人员表现证明", (6,)),
        ("现实表现证明", ()),
        ("表现", ()),
    ],
)
def test_a_title_speaks_of_an_item(title: str, found: tuple[int, ...]) -> None:
    assert SCREEN.in_title(title) == found


# --- facts ---------------------------------------------------------------------------------------------------------


@given(st.lists(NOISE, min_size=2, max_size=2), st.text(max_size=20).map(lambda text: text + "，"))
def test_noise_does_not_hide_a_fact(noise: list[str], before: str) -> None:
    assert 8 in told(f"{before}其已{noise[0]}{noise[1]}婚")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("其系李某的儿子", (1,)),
        ("系儿子", (1,)),
        ("与其为父女", (1,)),
        ("系李某之子，住本村", (1,)),
        ("系子女众多的家庭", ()),
        ("系本村居民，与其儿子同住", ()),
        ("系本村居民与其儿子同住", ()),
        ("为照顾儿子", ()),
        ("系本社区第三网格负责的李某儿子", ()),
        ("王健在本村居住", ()),
        ("其健在", (10,)),
        ("其现健在本村", (10,)),
        ("身体康健，在本村居住", ()),
        ("两处为同一地址", (21,)),
        ("与其母居住于同一地址", ()),
    ],
)
def test_a_fact_is_told_in_one_clause_and_an_everyday_phrase_is_not(
    text: str, found: tuple[int, ...]
) -> None:
    assert told(text) == found


@pytest.mark.parametrize("fact", ["", "婚", "已婚/婚", "系…子", "系……儿子", "系…", "/已婚"])
def test_a_fact_that_would_be_found_everywhere_is_unusable(fact: str) -> None:
    assert not is_usable(fact)
    assert is_usable("系/为…儿子/子。")


TELLING = {
    "其与李某系夫妻关系，婚姻状况为已婚": 8,
    "至今未登记结婚": 8,
    "其系李某之妻": 8,
    "李某与其为父女关系": 1,
    "其系李某的儿子，居住于此": 1,
    "无犯罪记录": 5,
    "从未受过刑事处罚": 5,
    "在社区戒毒期间表现良好": 6,
    "特此出具表现证明": 6,
    "其下落不明已满两年": 7,
    "现健在": 10,
    "其父已死亡": 11,
    "患有高血压": 12,
    "系二级残疾": 13,
    "育有一子": 14,
    "其无固定工作": 15,
    "家庭经济状况困难": 17,
    "月收入2000元": 17,
    "系贫困户": 17,
    "名下有房产两套": 17,
    "拥有住房一套": 17,
    "唯一继承人为李某": 18,
    "经营场所位于本社区": 19,
    "结婚证丢了": 20,
    "家中养狗一只": 4,
    "姓名变更为李某": 3,
    "已　婚": 8,
    "離異": 8,
    "婚 姻 情 况": 8,
}


@pytest.mark.parametrize("place", PACKS)
@pytest.mark.parametrize(("text", "number"), TELLING.items())
def test_a_statement_tells_what_only_another_may_certify(place: str, text: str, number: int) -> None:
    assert number in numbers(place, text)


def test_guangdongs_own_items_are_told_in_guangdong() -> None:
    for text, number in (("张三和张叁系同一人", 22), ("两处系同一地址", 21)):
        assert numbers("guangdong", text) == {number}
        assert numbers("qinghai", text) == set()


ORDINARY = [
    *ADDRESSES,
    LONG + "特此说明",
    "自2015年3月起居住于本辖区",
    "持居留许可居住于本辖区",
    "长期居住于本村三社",
    "持有《出生医学证明》，随父居住",
    "其房产证明确记载住址在本辖区",
    "2019年9月起租住本辖区至今",
    "与其妻王健在本辖区共同居住",
    "与配偶及子女同住",
    "为照顾父亲，自2020年起居住于本辖区",
    "因工作关系随儿子居住于本辖区",
    "因女儿就读育才小学，租住于本辖区",
    "其母系本村村民，户籍在本村",
    "凭居民身份证核实",
    "经核对身份信息无误",
    "系本社区妇女干部",
    "自结婚后居住于本辖区",
    "其于1984年出生于本村",
    "因遗产继承纠纷一案起诉",
    "与父母居住于同一地址",
    "在教育有限公司上班，居住于本辖区",
    "房屋征收入户登记时居住于本辖区",
    "系残疾人联合会工作人员，居住于本辖区",
    "居住情况经走访邻居核实属实",
    "因病由其子照顾，居住于本辖区",
    "自幼由祖父母抚养，生活于本村",
    "随父亲生活于本辖区",
    "其母亲生前居住于本辖区",
    "户籍所在地为某县，现居住于本辖区",
    "户籍地址与居住地址一致",
    "其家庭成员四人均居住于本辖区",
    "系本村妇女，居住于本辖区",
    "其所住系租的房子，居住满三年",
    "系入党积极分子",
    "在本辖区租有住房一套，居住至今",
    "居住于自有住房",
    "居住在其名下房屋",
    "经部分居民证实，长期居住于本辖区",
    "在选民名单身份核对中登记为本社区居民",
    "具有职工资格，住单位宿舍",
    "与李某有财产纠纷一案",
    "租住于此是为子女上学",
    "住本楼下岗亭旁",
    "在社区康复中心工作，居住于本辖区",
    "以前科学院家属院拆迁时迁入",
]


@pytest.mark.parametrize("place", PACKS)
@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_sentences_of_residence_pass(place: str, text: str) -> None:
    assert numbers(place, text) == set()
