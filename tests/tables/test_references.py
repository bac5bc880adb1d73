"""Legal references taken out of a cell as people write it."""

from __future__ import annotations

import time

import pytest
from forms import DEMO, EXAMPLE, PLACES
from hypothesis import given
from hypothesis import strategies as st

from signsvc.models import BasisKind
from signsvc.tables.references import guess_kind, read_references
from signsvc.tables.rows import basis_line

CIVIL = "《中华人民共和国民事诉讼法》"
READING = "《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》"


def parts(cell: str) -> list[tuple[str, str, str, str]]:
    cited = read_references(cell)
    assert cited.unread == ()
    return [(basis.title, basis.number, basis.article, basis.text) for basis in cited.bases]


def test_the_forms_own_example() -> None:
    (basis,) = read_references(EXAMPLE[3]).bases
    assert (basis.kind, basis.title) == (BasisKind.REGULATION, "《农民专业合作社登记管理条例》")
    assert (basis.number, basis.article) == ("国务院令第498号", "第十五条")
    assert basis.text.startswith("农民专业合作社的成员为农民的")
    assert basis_line(basis) == EXAMPLE[3]


@pytest.mark.parametrize("place", PLACES)
def test_every_printed_basis_of_the_demonstration_is_read_back(place: str) -> None:
    for matter in DEMO[place].matters:
        found = read_references("\n".join(map(basis_line, matter.bases)))
        assert [basis_line(basis) for basis in found.bases] == [basis_line(basis) for basis in matter.bases]
        assert [basis.kind for basis in found.bases] == [basis.kind for basis in matter.bases]


@pytest.mark.parametrize("joint", ["、", "；", ";", "\n", "；\n", "，", "和", "以及", " ", ""])
def test_references_are_divided_in_many_ways(joint: str) -> None:
    assert parts(f"{CIVIL}（2023年修正）第六十一条第二款第三项{joint}{READING}第八十八条第五项") == [
        (f"{CIVIL}（2023年修正）", "", "第六十一条第二款第三项", ""),
        (READING, "", "第八十八条第五项", ""),
    ]


@pytest.mark.parametrize(
    ("written", "article"),
    [
        ("第十五条", "第十五条"),
        ("第六条第（二）项", "第六条第（二）项"),
        ("第 6 条 第 1 款", "第6条第1款"),
        ("第一条、第三条第二款和第五条", "第一条、第三条第二款和第五条"),
        ("第一百二十条之一", "第一百二十条之一"),
        ("附件2第12项", "附件2第12项"),
    ],
)
def test_articles_as_people_write_them(written: str, article: str) -> None:
    assert parts(f"《甲法》{written}甲应当证明。") == [("《甲法》", "", article, "甲应当证明。")]


@pytest.mark.parametrize(
    ("written", "title", "number"),
    [
        ("《甲条例》(国务院令第1号)", "《甲条例》", "国务院令第1号"),
        ("《甲条例》 （ 国务院令第1号 ）", "《甲条例》", "国务院令第1号"),
        ("《甲法》(2023年修正)", "《甲法》（2023年修正）", ""),
        (
            "《甲办法》（2023年7月20日国务院令第764号修订）",
            "《甲办法》（2023年7月20日国务院令第764号修订）",
            "",
        ),
        ("《甲法》（2018年修正）（主席令第16号）", "《甲法》（2018年修正）", "主席令第16号"),
        ("《关于〈甲法〉的解释》（法释〔2022〕11号）", "《关于〈甲法〉的解释》", "法释〔2022〕11号"),
        ("《关于《甲法》的解释》", "《关于《甲法》的解释》", ""),
    ],
)
def test_titles_with_versions_and_numbers(written: str, title: str, number: str) -> None:
    assert parts(f"{written}第一条") == [(title, number, "第一条", "")]


def test_texts_may_go_on_over_lines_and_cite_others() -> None:
    cell = (
        "1.《甲法》第一条 证明由\n居民委员会出具，依照《乙法》第二条办理；\n"
        "（2）《丙条例》第三条：“出具证明”；《丁法》第四条"
    )
    assert parts(cell) == [
        ("《甲法》", "", "第一条", "证明由\n居民委员会出具，依照《乙法》第二条办理；"),
        ("《丙条例》", "", "第三条", "：“出具证明”"),
        ("《丁法》", "", "第四条", ""),
    ]


@pytest.mark.parametrize(
    ("cell", "unread"),
    [
        ("民事诉讼法第六十一条", ("民事诉讼法第六十一条",)),
        ("《甲法》", ("《甲法》",)),
        ("《甲法第一条", ("《甲法第一条",)),
        ("《甲法》第一条、《乙法》有关规定", ()),
        ("《甲法》第一条\n《乙法》有关规定", ("《乙法》有关规定",)),
        ("根据有关规定\n《甲法》第一条", ("根据有关规定",)),
        ("", ()),
    ],
)
def test_what_is_no_reference_is_told_as_it_stands(cell: str, unread: tuple[str, ...]) -> None:
    assert read_references(cell).unread == unread


@given(st.text(st.sampled_from("《》〈〉（）()第一条款项、；; \n甲令号附件1")))
def test_nothing_of_a_cell_is_lost(cell: str) -> None:
    cited = read_references(cell)
    kept = "".join((*(basis_line(basis) for basis in cited.bases), *cited.unread))
    assert all(kept.count(char) >= cell.count(char) for char in "甲条款项〈〉")


@pytest.mark.parametrize(
    ("title", "number", "kind"),
    [
        ("《中华人民共和国民法典》", "", BasisKind.NORMATIVE),
        ("《中华人民共和国土地管理法》", "", BasisKind.LAW),
        ("《中华人民共和国土地管理法》（2019年修正）", "", BasisKind.LAW),
        ("《中华人民共和国土地管理法实施条例》", "", BasisKind.REGULATION),
        ("《中华人民共和国城市房地产条例》", "", BasisKind.REGULATION),
        ("《市场主体登记管理条例》", "国务院令第746号", BasisKind.REGULATION),
        ("《社会救助暂行办法》", "国务院令第649号", BasisKind.REGULATION),
        ("《青海省物业管理条例》", "", BasisKind.LOCAL_REGULATION),
        ("《广州市社区治理条例》", "", BasisKind.LOCAL_REGULATION),
        ("《青海省实施〈中华人民共和国老年人权益保障法〉办法》", "", BasisKind.LOCAL_REGULATION),
        ("《国务院关于取消一批证明的决定》", "国发〔2019〕6号", BasisKind.STATE_COUNCIL),
        ("《户口登记规定》", "公安部令第1号", BasisKind.RULE),
        ("《某登记办法》", "", BasisKind.RULE),
        ("《关于规范证明的意见》", "民发〔2020〕20号", BasisKind.NORMATIVE),
        ("《关于规范证明的通知》", "", BasisKind.NORMATIVE),
        (READING, "", BasisKind.INTERPRETATION),
        ("《某解释》", "法释〔2022〕11号", BasisKind.INTERPRETATION),
    ],
)
def test_kinds_are_guessed_from_name_and_number(title: str, number: str, kind: BasisKind) -> None:
    assert guess_kind(title, number) is kind


@pytest.mark.parametrize(
    "cell",
    [
        "《" * 20_000,
        "《甲》第一条；《" * 2_500,
        "《甲》" + "（" * 19_000,
        "《甲》" + "（）" * 9_000,
        "《甲》第" + " " * 19_000,
        "《甲》附件" + " " * 19_000,
        "《甲》第一条" + " " * 19_000 + "甲",
        "《甲》第一条" + "、第一条" * 4_000,
        "1." + " " * 19_000,
        "《甲》第一条\n甲" * 2_000,
        "《甲法》第一条：" + "；《" * 9_000,
        "《甲法》第一条：" + ("；" + "《" * 99 + "》") * 190,
        "《甲法》第一条：" + "；《》" * 6_600,
        "《甲法》第一条；" * 2_000,
        "《甲法》（" + "《国务院" * 4_900 + "）第一条",
        "《甲法》" + "（国务院）" * 3_900 + "第一条",
        "《" + "甲" * 19_000 + "》第一条",
        "第一条\n" * 4_000,
    ],
)
def test_hostile_cells_take_no_time(cell: str) -> None:
    begun = time.process_time()
    read_references(cell)
    assert time.process_time() - begun < 0.2


def test_no_more_references_are_read_than_a_matter_may_have() -> None:
    many = [f"《甲法》第{number}条" for number in range(1, 53)]
    for cell in ("、".join(many), "\n".join(many)):
        cited = read_references(cell)
        assert [basis.article for basis in cited.bases] == [f"第{number}条" for number in range(1, 51)]
        assert "".join(cited.unread).replace("、", "") == "《甲法》第51条《甲法》第52条"
