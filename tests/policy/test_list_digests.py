"""The shipped packs are what the documents print, cell by cell, by the digests taken from the documents' texts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import date

import pytest
from list_digests import (
    DAMAGED,
    DIGESTS,
    HOLDER,
    digest,
    form_of,
    list_of,
    pack_of,
    passages_of,
    rows_of,
    standing,
)

from signsvc.policy import demo_text, load_catalogue, load_pack, shipped_jurisdictions
from signsvc.policy.packs.pack import CODES, EXPIRED, Layer

PRINTED = tomllib.loads(DIGESTS.read_text("utf-8"))
PROVINCES = ("guangdong", "qinghai")


@pytest.fixture(params=PROVINCES)
def province(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def layer(province: str) -> Layer:
    return load_pack(province).nearest


def digests(texts: Iterable[str]) -> list[str]:
    return [digest(text) for text in texts]


# --- as printed ----------------------------------------------------------------------------------------------------


def test_every_cell_of_the_list_is_as_printed(province: str, layer: Layer) -> None:
    shipped = {str(item.number): digests((item.title, item.pathway)) for item in layer.items}
    assert shipped == PRINTED[province]["items"]


def test_the_list_is_called_as_printed(province: str, layer: Layer) -> None:
    assert {(item.listing.annex, item.listing.title) for item in layer.items} == {
        (layer.items[0].listing.annex, layer.items[0].listing.title)
    }
    listing = layer.items[0].listing
    assert digests((listing.annex, listing.title)) == PRINTED[province]["tables"]["list"]


def test_the_form_of_the_retained_list_is_as_printed(province: str, layer: Layer) -> None:
    form = layer.form
    assert form is not None
    title = form.title.replace("{holder}", HOLDER[province])
    headings = [heading for heading, _ in form.columns]
    assert digests((form.label, title, *headings)) == PRINTED[province]["tables"]["form"]


def test_the_example_row_is_in_the_demonstration_list_word_for_word() -> None:
    catalogue = load_catalogue(demo_text("catalogue-qinghai"), "x")
    (matter,) = (matter for matter in catalogue.matters if matter.id == "farmer-identity")
    (basis,), (purpose,) = matter.bases, matter.purposes
    cells = (matter.name, matter.handled, basis.printed + basis.text, purpose, matter.addressee)
    assert digests(cells) == PRINTED["qinghai"]["tables"]["example"]


def test_every_quoted_rule_stands_in_the_document(province: str, layer: Layer) -> None:
    assert {rule.id: digest(rule.text) for rule in layer.rules} == PRINTED[province]["rules"]


@pytest.mark.parametrize("folders", [(), ("qinghai",), ("guangdong",)])
def test_what_else_a_pack_says_stands_in_the_document_but_for_the_damaged(folders: tuple[str, ...]) -> None:
    claims = dict(passages_of(pack_of(*folders)))
    found = PRINTED[folders[0] if folders else "nation"]["passages"]
    assert {key: digest(text) for key, text in claims.items() if text not in DAMAGED} == found


def test_the_dates_are_those_of_the_passages() -> None:
    qinghai, guangdong = (load_pack(place).nearest for place in ("qinghai", "guangdong"))
    (validity,) = (rule.text for rule in qinghai.rules if EXPIRED in rule.codes)
    assert days(validity) == [qinghai.document.valid_from, qinghai.document.valid_to]
    assert (guangdong.document.valid_from, guangdong.document.valid_to) == (None, None)
    assert [deadline.on for deadline in qinghai.deadlines] == [date(2021, 11, 30), date(2021, 12, 31)]
    assert ["2021年11月底" in qinghai.deadlines[0].text, "2021年12月底" in qinghai.deadlines[1].text] == [
        True
    ] * 2
    assert ["2020年11月底" in guangdong.deadlines[0].text, "每年12月25日" in guangdong.deadlines[1].text] == [
        True
    ] * 2
    assert [(deadline.on, deadline.yearly) for deadline in guangdong.deadlines] == [
        (date(2020, 11, 30), ""),
        (None, "12-25"),
    ]


def days(text: str) -> list[date]:
    return [date(int(y), int(m), int(d)) for y, m, d in re.findall(r"(\d+)年(\d+)月(\d+)日", text)]


def test_the_issuers_restored_are_the_ones_lost() -> None:
    said = {place: set(load_pack(place).document.issuers) for place in PROVINCES}
    assert said["qinghai"] & DAMAGED == {"青海省公安厅", "青海省司法厅"}
    assert said["guangdong"] & DAMAGED == {"广东省公安厅"}
    assert [len(said[place]) for place in PROVINCES] == [7, 6]


def test_names_and_exemptions_are_all_that_the_cells_hold(layer: Layer) -> None:
    for item in layer.items:
        bracketed = item.title.removeprefix(item.name).strip(" ()（）")
        assert item.open_ended == bracketed.endswith("等")
        assert "、".join(item.aliases) == bracketed.removesuffix("等")
        excepted = item.pathway.rpartition("（")[2] if item.pathway.endswith("除外）") else ""
        phrases = "、".join(case.phrase for case in item.exemptions)
        assert phrases == excepted.removesuffix("除外）")


def test_exempted_are_the_five_that_the_documents_except(layer: Layer) -> None:
    assert [item.number for item in layer.items if item.exemptions] == [1, 8, 14, 16, 17]


def test_the_lists_have_their_lengths() -> None:
    assert {place: len(load_pack(place).items) for place in PROVINCES} == {"guangdong": 23, "qinghai": 20}


def test_the_lists_differ_where_the_documents_do_and_nowhere_else() -> None:
    guangdong, qinghai = (load_pack(place).items for place in PROVINCES)
    pairs = list(zip(qinghai, guangdong, strict=False))
    assert [mine.number for mine, other in pairs if mine.name != other.name] == [2]
    words = {
        mine.number: (mine.pathway, other.pathway) for mine, other in pairs if mine.pathway != other.pathway
    }
    changed = {
        5: [("司法行政等部门", "司法行政部门")],
        9: [("居民身份证件、", "居民身份证、")],
        19: [("", ADDED_BY_GUANGDONG)],
        20: [("居民身份证件", "居民身份证"), ("《出生医学证明》《居民", "《出生医学证明》、《居民")],
    }
    assert words.keys() == changed.keys()
    for number, (mine, other) in words.items():
        assert reworded(mine, changed[number]) == other
    assert [item.name for item in guangdong[20:]] == [
        "同一地址证明",
        "同属一人证明",
        "公民申请法律援助需要的经济困难证明",
    ]
    assert (qinghai[1].name, guangdong[1].name) == ("居民身份证件信息证明", "居民身份信息证明")


def reworded(text: str, changes: list[tuple[str, str]]) -> str:
    for written, instead in changes:
        text = text.replace(written, instead, 1) if written else text + instead
    return text


ADDED_BY_GUANGDONG = (
    "；未取得房屋产权证明的，由当地人民政府或者其派出机构、各类经济功能区管委会等部门、单位出具相关证明"
)


def test_brackets_apart_the_titles_of_the_common_items_are_the_same() -> None:
    guangdong, qinghai = (load_pack(place).items for place in PROVINCES)
    plain = str.maketrans({"(": "（", ")": "）", " ": None})
    pairs = zip(qinghai, guangdong, strict=False)
    assert [mine.number for mine, other in pairs if mine.title.translate(plain) != other.title] == [2]


def test_only_guangdong_closes_the_exemption_for_legal_aid_again() -> None:
    guangdong, qinghai = (load_pack(place) for place in PROVINCES)
    found = []
    for pack in (guangdong, qinghai):
        item = pack.items[16]
        closing = pack.closing(item, item.exemptions[0])
        found.append(closing and closing.number)
    assert found == [23, None]


def test_every_code_is_quoted_where_the_documents_have_a_passage(province: str) -> None:
    pack = load_pack(province)
    silent = [code for code in CODES if not pack.opens(code)]
    assert silent == ([EXPIRED] if province == "guangdong" else [])


# --- the script ----------------------------------------------------------------------------------------------------


def test_the_digest_script_reads_a_table_and_a_page_layout_alike() -> None:
    table = (
        "附件 2\n\n清单(第\n一批)\n\n序号\t证明名称\t办 事 途 径\n"
        "1\t婚姻状况证明（分居证明）\t由民政部门核对\n2\t同一地址证明\t由部门证明\n"
        "附件 3\n\n某清单\n序号\t证明名称\t依据 (条款)\n示例\t甲证明\t《乙法》\n"
    )
    page = (
        "附件 2\n\n清单（第一批）\n序号 证明名称 办事途径\n\n"
        "1\n\n婚姻状况证明\n\n（分居\n\n证明）\n\n由民政部\n\n门核对\n"
        " 序号 证明名称 办事途径\n2 同一地址证明 由部门证明\n（备注：略）\n"
        " 附件 3\n\n某清单\n\n序号 证明名称 依据（条款）\n"
    )
    assert rows_of(page) == rows_of(table)
    assert list_of(page) == list_of(table) == ("附件2", "清单（第一批）")
    assert (
        form_of(page)[:3] == form_of(table)[:3] == ("附件3", "某清单", ("序号", "证明名称", "依据（条款）"))
    )
    assert form_of(table).example == ("甲证明", "《乙法》")


def test_a_passage_that_is_not_in_the_document_stops_the_script() -> None:
    assert list(standing([("a", "原文"), ("b", "广东省公安厅")], "有原文")) == [("a", "原文")]
    with pytest.raises(SystemExit, match="c does not stand"):
        list(standing([("c", "不在其中")], "有原文"))


def test_the_shipped_folders_are_the_ones_that_the_digests_are_of() -> None:
    assert sorted(shipped_jurisdictions()) == sorted(PRINTED.keys() - {"nation"}) == list(PROVINCES)
