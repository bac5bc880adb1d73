"""The shipped packs against the documents' digests, and what a pack's file must hold."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from list_digests import DIGESTS, digest, rows_of

from signsvc.errors import PolicyError
from signsvc.policy import Pack, load_pack, parse_pack

PRINTED = tomllib.loads(DIGESTS.read_text("utf-8"))
PROVINCES = ("qinghai", "guangdong")

SMALL = """
[document]
province = "elsewhere"
number = "某民发〔2022〕1号"
title = "实施意见"
valid_from = 2022-01-01
valid_to = 2022-12-31
list_title = "清单"
list_annex = "附件1"

[[rules]]
id = "outside"
place = "二"
text = "清单以外不得出具。"
codes = ["unknown_matter"]

[[items]]
number = 1
title = "婚姻状况证明（分居证明）"
name = "婚姻状况证明"
aliases = ["分居证明"]
pathway = "由民政部门核对（收养情况除外）"
exceptions = ["收养情况"]

[[items]]
number = 2
title = "健在证明"
name = "健在证明"
pathway = "信息共享"
"""


@pytest.fixture(params=PROVINCES)
def province(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_cell_is_as_printed(province: str) -> None:
    items = load_pack(province).items
    shipped = {str(number): [digest(item.title), digest(item.pathway)] for number, item in items.items()}
    assert shipped == PRINTED[province]["items"]


def test_every_quoted_rule_stands_in_the_document(province: str) -> None:
    shipped = {rule.id: digest(rule.text) for rule in load_pack(province).rules}
    assert shipped == PRINTED[province]["rules"]


def test_names_and_exceptions_are_all_that_the_cells_hold(province: str) -> None:
    for item in load_pack(province).items.values():
        bracketed = item.title.removeprefix(item.name).strip(" ()（）").removesuffix("等")
        assert "、".join(item.aliases) == bracketed
        excepted = item.pathway.rpartition("（")[2] if item.pathway.endswith("除外）") else ""
        assert "、".join(item.exceptions) == excepted.removesuffix("除外）")


def test_the_lists_have_their_lengths() -> None:
    assert [len(load_pack(province).items) for province in PROVINCES] == [20, 23]


def test_the_lists_differ_where_the_documents_do() -> None:
    qinghai, guangdong = (load_pack(province).items for province in PROVINCES)
    names = [number for number, item in qinghai.items() if item.name != guangdong[number].name]
    pathways = [number for number, item in qinghai.items() if item.pathway != guangdong[number].pathway]
    assert (names, pathways) == ([2], [5, 9, 19, 20])


def test_no_two_items_of_a_list_share_a_name(province: str) -> None:
    names = [name for item in load_pack(province).items.values() for name in item.names]
    assert len(set(names)) == len(names)


def test_every_refusal_that_rests_on_the_document_quotes_it(province: str) -> None:
    pack = load_pack(province)
    codes = {"unknown_matter", "basis_lapsed", "consultation_required"}
    codes |= {"risk_assessment_required", "transitional_case_required"}
    assert [code for code in sorted(codes) if pack.rule_for(code) is None] == []


def test_validity_of_the_two_documents() -> None:
    qinghai, guangdong = (load_pack(province) for province in PROVINCES)
    assert (qinghai.document.valid_from, qinghai.document.valid_to) == (date(2021, 9, 3), date(2026, 8, 3))
    assert guangdong.document.printed_on == date(2020, 10, 29)
    assert guangdong.document.valid_to is None
    assert [qinghai.expired(day) for day in (date(2026, 8, 3), date(2026, 8, 4))] == [False, True]
    assert not guangdong.expired(date(2099, 1, 1))


def test_a_further_province_needs_no_code() -> None:
    pack = parse_pack(SMALL, "elsewhere/pack.toml")
    assert isinstance(pack, Pack)
    assert pack.items[1].exceptions == ("收养情况",)
    assert pack.screen.in_title("分居证明") == (1,)
    assert pack.expired(date(2023, 1, 1))


@pytest.mark.parametrize("name", ["", "..", "../packs/qinghai", "henan", "qinghai/"])
def test_an_unknown_province_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match="qinghai"):
        load_pack(name)


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        ("number = 2", "number = 3", "items：序号"),
        ('name = "健在证明"', 'name = "在世证明"', r"第28行 items.name：.*找不到"),
        ('name = "健在证明"', 'name = "证明"', "至少三个汉字"),
        ('aliases = ["分居证明"]', 'aliases = ["离婚证明"]', r"第21行 items.aliases：.*找不到"),
        ('aliases = ["分居证明"]', "aliases = []", r"items.aliases：不能为空"),
        ('exceptions = ["收养情况"]', 'exceptions = ["公证情况"]', r"第23行 items.exceptions"),
        ('pathway = "信息共享"', "", r"第25行 items.pathway：缺少"),
        ('pathway = "信息共享"', 'pathway = "信息共享"\nnote = "x"', r"第30行 items.note：未知的键"),
        ('place = "二"', "place = 2", r"第13行 rules.place：应为非空文字"),
        ("valid_to = 2022-12-31", "valid_to = 2021-12-31", r"第7行 document.valid_to：早于"),
        ("valid_to = 2022-12-31", 'valid_to = "2022-12-31"', r"document.valid_to：应为日期"),
        (
            "[[rules]]",
            '[[rules]]\nid = "a"\nplace = "b"\ntext = "c"\ncodes = ["unknown_matter"]\n[[rules]]',
            "两次",
        ),
        ("number = 1", "number = true", "正整数"),
        ("[document]", "[document", "TOML.*line 2"),
        ("[document]", "more = 1\n[document]", "more：未知的键"),
    ],
)
def test_a_faulty_pack_is_refused_with_its_line(written: str, instead: str, says: str) -> None:
    assert written in SMALL
    with pytest.raises(PolicyError, match=says) as caught:
        parse_pack(SMALL.replace(written, instead, 1), "elsewhere/pack.toml")
    assert str(caught.value).startswith("elsewhere/pack.toml")


def test_the_digest_script_reads_a_table_and_a_page_layout_alike() -> None:
    table = "序号\t证明名称\t办 事 途 径\n1\t婚姻状况证明（分居证明）\t由民政部门核对\n2\t同一地址证明\t由部门证明\n"
    page = (
        "序号 证明名称 办事途径\n\n1\n\n婚姻状况证明\n\n（分居\n\n证明）\n\n由民政部\n\n门核对\n"
        " 序号 证明名称 办事途径\n2 同一地址证明 由部门证明\n（备注：略）"
    )
    assert rows_of(page) == rows_of(table)


def test_the_shipped_files_are_the_ones_that_the_digest_script_reads() -> None:
    packs = Path(__file__).parents[2] / "signsvc" / "policy" / "data" / "packs"
    assert sorted(folder.name for folder in packs.iterdir()) == sorted(PRINTED)
