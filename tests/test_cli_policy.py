"""`signsvc policy`, and a further province that is nothing but a folder of data."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from home import Home, a_row
from seal.brought import bring, issue
from seal.pki import NOW

from signsvc import keys
from signsvc.wiring.home import now

DOCUMENT = (Path(__file__).parents[1] / "docs" / "policy.md").read_text("utf-8")
# What the documentation tells people to write, by the name of the file.
WRITTEN = dict(re.findall(r"^cat >>? (\S+) <<'END'\n(.*?)^END$", DOCUMENT, re.MULTILINE | re.DOTALL))
SHIPPED = {
    place: (Path(__file__).parents[1] / f"signsvc/policy/data/packs/nation/{place}/pack.toml").read_text(
        "utf-8"
    )
    for place in ("guangdong", "qinghai")
}
SHILI, CITY = "var/packs/nation/shili/pack.toml", "var/packs/nation/shili/shishi/pack.toml"
NAME = "示例省示例市示例区和平街道幸福社区居民委员会"
FIXED = (
    "--verified-by",
    "甲",
    "--verified-how",
    "掌握信息",
    "--verified-on",
    "2026-11-20",
    "--approved-by",
    "乙",
)


@pytest.fixture
def bare(tmp_path: Path) -> Home:
    """A folder without a registry."""
    return Home(tmp_path)


def write(home: Home, *names: str, **changes: str) -> None:
    """The documentation's files, with `changes` of words."""
    for name in names:
        text = WRITTEN[name]
        for written, instead in changes.items():
            text = text.replace(written, instead)
        put(home.folder / name, text)


def put(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def said(home: Home, *words: str | Path, expect: int = 0) -> list[str]:
    return home.run(*words, expect=expect).stdout.splitlines()


# --- show ----------------------------------------------------------------------------------------------------------


def test_show_tells_what_an_office_must_know_of_the_document(bare: Home) -> None:
    text = "\n".join(said(bare, "policy", "show", "qinghai"))
    for words in (
        "青民发〔2021〕103号《关于改进和规范基层群众性自治组织出具证明工作的实施意见》",
        "青海省公安厅",
        "已于2026年8月3日期满",
        "过渡期：停用",
        "2021-09-03 起，2026-08-03 止",
        "附件2《不应由基层群众性自治组织出具证明事项清单（第一批）》20 项",
        "目录（177项）",
        "应于2021年11月30日前报送的，未报送即已逾期",
        "政务微博",
        "“信用中国”网站",
        "提出（索要证明的行业主管部门） → 审定",
        "signsvc/policy/data/packs/nation/qinghai/pack.toml",
    ):
        assert words in text, words
    assert re.search(r"SHA-256 [0-9a-f]{64}", text)
    assert "办事途径" not in text


def test_show_without_a_place_tells_of_the_offices_places(bare: Home, home: Home) -> None:
    headers = [line for line in said(bare, "policy", "show") if line.startswith("# ")]
    assert [line.split("：")[0] for line in headers] == ["# guangdong", "# qinghai"]
    offices = home.var / "offices.toml"
    put(offices, offices.read_text("utf-8").replace('jurisdiction = "qinghai"', 'jurisdiction = "guangdong"'))
    assert [line.split("：")[0] for line in said(home, "policy", "show") if line.startswith("# ")] == [
        "# guangdong"
    ]


def test_show_lists_the_items_if_asked(bare: Home) -> None:
    lines = said(bare, "policy", "show", "guangdong", "--items")
    assert len([line for line in lines if "办事途径：" in line]) == 23
    assert "       除外：法律援助情况；但第23项另有规定" in lines


def test_show_speaks_to_machines(bare: Home) -> None:
    told: dict[str, Any] = bare.json("policy", "show", "qinghai", "--items")
    nation, qinghai = told["layers"]
    assert (nation["document"]["number"], nation["lists"]) == ("民发〔2020〕20号", [])
    assert qinghai["document"]["expired"]
    assert (qinghai["document"]["valid_to"], told["policy"]) == ("2026-08-03", "青民发〔2021〕103号")
    (listing,) = qinghai["lists"]
    assert [item["number"] for item in listing["items"]] == list(range(1, listing["size"] + 1))
    assert listing["items"][7]["exemptions"][1] == {"phrase": "收养情况", "closed_by": None}
    assert [deadline["next_due"] for deadline in qinghai["deadlines"]] == [None, None]
    assert "items" not in bare.json("policy", "show", "qinghai")["layers"][1]["lists"][0]


def test_a_recorded_successor_is_told_and_the_homes_file_named(bare: Home) -> None:
    added = WRITTEN["var/packs/nation/qinghai/pack.toml"]
    put(bare.var / "packs/nation/qinghai/pack.toml", SHIPPED["qinghai"] + added)
    text = "\n".join(said(bare, "policy", "show", "qinghai"))
    assert "由青民发〔2026〕示例号接续，有效期至2031年8月3日" in text
    assert "来源：packs/nation/qinghai/pack.toml" in text
    assert "过渡期：可逐件办理（青民发〔2026〕示例号二（五））" in text
    assert bare.json("policy", "show", "qinghai")["policy"] == "青民发〔2026〕示例号"


@pytest.mark.parametrize("place", ["../x", "henan"])
def test_show_refuses_a_place_that_there_is_not(bare: Home, place: str) -> None:
    done = bare.run("policy", "show", place, expect=2)
    assert done.stderr.startswith("error: bad_policy: ")
    assert done.stdout == ""


# --- check ---------------------------------------------------------------------------------------------------------


def test_check_finds_the_shipped_packs_right(bare: Home) -> None:
    lines = said(bare, "policy", "check")
    assert lines == [
        "ok   guangdong：国家、广东省，不应出具 23 项",
        "ok   qinghai：国家、青海省，不应出具 20 项",
    ]


def test_check_tells_the_first_fault_of_every_file(bare: Home) -> None:
    write(bare, SHILI, **{'name = "示例省"': ""})
    write(bare, CITY, **{"pathway = ": "way = "})
    put(bare.var / "packs/nation/other/pack.toml", "jurisdiction = ")
    put(bare.var / "packs/nation/latin/pack.toml", "").write_bytes(
        'jurisdiction = "latin"\nname = "广东"'.encode("gb18030")
    )
    put(bare.var / "packs/qinghai/pack.toml", "")
    put(bare.var / "packs/nation/a/b/c/pack.toml", "")
    faults = [line for line in said(bare, "policy", "check", expect=1) if line.startswith("FAIL")]
    for start in (
        "packs/nation/a/b/c/pack.toml：不会被读到",
        "packs/nation/latin/pack.toml 第2行：不是 UTF-8",
        "packs/nation/other/pack.toml 不是正确的 TOML",
        "packs/nation/shili/pack.toml 第1行 name：缺少",
        "packs/nation/shili/shishi/pack.toml 第21行 lists.items.pathway：缺少",
        "packs/qinghai/pack.toml：不会被读到",
    ):
        assert [line for line in faults if line.startswith(f"FAIL {start}")], start
    assert len(faults) == 6


def test_check_tells_loudly_where_a_homes_pack_is_weaker_than_the_packages(bare: Home) -> None:
    file = bare.var / "packs/nation/guangdong/pack.toml"
    put(file, SHIPPED["guangdong"].partition("[[lists]]")[0].replace("issuer_must_be_named = true", ""))
    lines = said(bare, "policy", "check")
    assert lines[0] == "ok   packs/nation/guangdong/pack.toml 广东省，不应出具 0 项"
    loosened = [line for line in lines if line.startswith("放宽 packs/nation/guangdong/pack.toml：")]
    assert len(loosened) == 24
    assert loosened[0].endswith("：不应出具清单第1项“亲属关系证明”没有了")
    assert lines[-1] == "注意 与自带的或上级的政策包有 24 处不同：请逐处核对有无文件依据，没有的请改回"
    shown = said(bare, "policy", "show", "guangdong")
    assert (
        "  放宽：不应出具清单第23项“公民申请法律援助需要的经济困难证明”没有了（与自带的政策包不同）" in shown
    )
    nation, guangdong = bare.json("policy", "show", "guangdong")["layers"]
    assert (nation["departures"], len(guangdong["departures"])) == ([], 24)
    assert guangdong["departures"][0]["looser"]


def test_a_city_that_leaves_out_its_provinces_steps_is_told(bare: Home) -> None:
    steps = '\n[[steps]]\nid = "{}"\nname = "提出"\nby = "部门"\n'
    city = WRITTEN[CITY].replace("shili/shishi", "guangdong/shishi")
    short = steps.format("proposed") + steps.format("published") + 'after = ["proposed"]\n'
    put(bare.var / "packs/nation/guangdong/shishi/pack.toml", city + short)
    lines = said(bare, "policy", "check")
    assert "放宽 guangdong/shishi：示例市比上级少：清单调整步骤“合法性审核意见”没有了" in lines
    assert "  放宽：示例市比上级少：清单调整步骤“审定”没有了" in said(
        bare, "policy", "show", "guangdong/shishi"
    )
    assert bare.json("policy", "show", "guangdong/shishi")["overruled"]
    assert not bare.json("policy", "show", "guangdong")["overruled"]


def test_check_of_a_copy_with_its_successor_has_nothing_to_remark(bare: Home) -> None:
    added = WRITTEN["var/packs/nation/qinghai/pack.toml"]
    put(bare.var / "packs/nation/qinghai/pack.toml", SHIPPED["qinghai"] + added)
    assert all(line.startswith("ok   ") for line in said(bare, "policy", "check"))


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("packs", "dangling"),
        ("packs/nation", "pipe"),
        ("packs/nation/qinghai", "loop"),
        ("packs/nation/qinghai", "dangling"),
        ("packs/nation/qinghai/pack.toml", "dangling"),
        ("packs/nation/qinghai/pack.toml", "pipe"),
    ],
)
def test_a_pack_that_is_there_and_cannot_be_read_is_not_passed_over(
    bare: Home, place: str, kind: str
) -> None:
    at = bare.var / place
    at.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(at)
    else:
        at.symlink_to("nowhere" if kind == "dangling" else at.name)
    assert (
        f"bad_policy: {'读不到 ' if kind == 'loop' else ''}{place}"
        in bare.run("policy", "show", "qinghai", expect=2).stderr
    )
    faults = [line for line in said(bare, "policy", "check", expect=1) if line.startswith("FAIL")]
    assert faults
    assert all(place in fault for fault in faults)


def test_a_folder_in_place_of_a_pack_is_no_pack(bare: Home) -> None:
    (bare.var / "packs/nation/qinghai/pack.toml").mkdir(parents=True)
    lines = said(bare, "policy", "check", expect=1)
    assert lines[0] == "FAIL packs/nation/qinghai/pack.toml 应为普通文件：请改正或移走"


def test_check_follows_links_to_folders_and_comes_to_an_end(bare: Home) -> None:
    put(bare.folder / "elsewhere/pack.toml", SHIPPED["qinghai"].replace('name = "青海省"', ""))
    (bare.var / "packs/nation").mkdir(parents=True)
    (bare.var / "packs/nation/qinghai").symlink_to(bare.folder / "elsewhere")
    (bare.folder / "elsewhere/round").symlink_to(bare.folder / "elsewhere")
    lines = said(bare, "policy", "check", expect=1)
    assert lines[0].startswith("FAIL packs/nation/qinghai/pack.toml 第")
    assert any("packs/nation/qinghai/round/pack.toml" in line for line in lines)
    assert len(lines) < 10


def test_check_finds_what_is_wrong_only_with_the_layers_together(bare: Home) -> None:
    write(bare, SHILI, **{', "paper_only"': ""})
    lines = said(bare, "policy", "check", expect=1)
    assert lines[0].startswith("ok   packs/nation/shili/pack.toml")
    assert [line for line in lines if line.startswith("FAIL")] == [
        "FAIL packs/nation/shili/pack.toml 第1行 rules：没有 codes 含这些代码的原文：paper_only"
    ]


def test_check_of_a_nation_of_ones_own_looks_at_every_province(bare: Home) -> None:
    put(bare.var / "packs/nation/pack.toml", 'jurisdiction = "nation"\nname = "国家"\n')
    lines = said(bare, "policy", "check", expect=1)
    assert len(lines) == 1
    assert lines[0].startswith("FAIL packs/nation/pack.toml 第1行 document")


def test_check_knows_the_places_of_the_offices(home: Home) -> None:
    offices = home.var / "offices.toml"
    put(
        offices,
        offices.read_text("utf-8").replace('jurisdiction = "qinghai"', 'jurisdiction = "qinghai/xining"', 1),
    )
    (fault,) = (line for line in said(home, "policy", "check", expect=1) if line.startswith("FAIL"))
    assert "缺少 packs/nation/qinghai/xining/pack.toml" in fault
    put(offices, "[[offices]]\n")
    (fault,) = (line for line in said(home, "policy", "check", expect=1) if line.startswith("FAIL"))
    assert fault.startswith("FAIL offices.toml 第1行 offices.id")


def test_a_draft_is_checked_where_it_lies(bare: Home) -> None:
    draft = bare.folder / "draft"
    put(draft / "nation/shili/pack.toml", WRITTEN[SHILI])
    put(draft / "nation/shili/shishi/pack.toml", WRITTEN[CITY].replace("number = 1", "number = 0"))
    assert len(said(bare, "policy", "check", "draft", expect=1)) == 3
    lines = said(bare, "policy", "check", "draft/nation/shili/shishi", expect=1)
    assert lines == ["FAIL draft/nation/shili/shishi/pack.toml 第22行 lists.items.number：应为正整数"]
    assert not bare.var.exists()
    (bare.folder / "empty").mkdir()
    assert "empty 中没有 pack.toml" in bare.run("policy", "check", "empty", expect=2).stderr
    assert bare.run("policy", "check", "nowhere", expect=2).stderr.startswith("error: usage")


def test_an_oversized_file_is_refused_without_being_read(bare: Home) -> None:
    file = put(bare.var / "packs/nation/shili/pack.toml", "")
    with open(file, "ab") as stream:
        stream.truncate(2**31)
    (line, *_) = said(bare, "policy", "check", expect=1)
    assert line == "FAIL packs/nation/shili/pack.toml 第1行：文件过大"


# --- a further province --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shili(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A registry in the documentation's province, with a seal of its own."""
    home = Home(tmp_path_factory.mktemp("shili"), {"SIGNSVC_BASE_URL": "https://zm.shili.example.gov.cn"})
    home.run("init")
    write(home, SHILI, CITY, "var/offices.toml", "list.toml")
    adopt(home, "shili", "list.toml")
    days = ((now() - NOW).days - 1, (now() - NOW).days + 100)
    root = issue("root", ca=True, days=days)
    leaf = issue("office", root, days=days, holder=NAME)
    folder = home.folder / "keys"
    bring(folder, keys.read_passphrase(folder / keys.PASSPHRASE_FILE), leaf, roots=[root], office="xf")
    return home


def adopt(home: Home, name: str, file: str) -> None:
    home.run("catalogue", "adopt", name, file, "--by", "示例市人民政府", "--document", "示府〔2026〕2号")


def test_an_office_of_a_further_province_issues_and_refuses_by_its_own_document(shili: Home) -> None:
    rows = [
        a_row(1, office="xf", matter="诉讼当事人属于本社区证明"),
        a_row(2, office="xf", matter="缴费票据遗失证明"),
        a_row(3, office="xf", matter="健在证明"),
    ]
    results = shili.sign(shili.write_rows("rows.csv", rows), expect=1)
    assert [row["status"] for row in results] == ["issued", "refused", "refused"]
    assert [row["error"] for row in results[1:]] == ["banned_matter", "unknown_matter"]
    assert "示民发〔2026〕1号附件1《示例省不应出具证明事项清单》第2项" in results[1]["message"]
    assert "办事途径：由收费单位凭存根核对并补开" in results[1]["message"]
    assert (
        "示民发〔2026〕1号三：“除附件2所列事项外，基层群众性自治组织不出具其他证明。”"
        in results[2]["message"]
    )
    assert not results[0]["warnings"]


def test_doctor_knows_the_further_province(shili: Home) -> None:
    lines = said(shili, "doctor")
    assert "ok   政策文件：示民发〔2026〕1号在有效期内，有效期至2031年2月28日" in lines
    assert [line for line in lines if line.startswith("ok   保留清单：shili/1/") and line.endswith("共 1 项")]
