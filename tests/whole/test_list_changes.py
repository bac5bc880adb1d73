"""Retained lists as their keepers use them: laid down, changed by each province's steps, issued from, audited."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from home import Home, a_row

from signsvc.cli import main
from signsvc.policy import demo_text
from signsvc.wiring.home import now

OPINIONS = {"legality": "合法性", "necessity": "必要性", "reasonableness": "合理性"}


def typed(home: Home, *words: str | Path, expect: int | None = 0) -> Result:
    """A command as it is typed, but in this process: a keeper types many."""
    done = CliRunner().invoke(main, [str(word) for word in words], env=home.environment)
    if expect is not None:
        assert done.exit_code == expect, f"{words}: {done.exit_code}\n{done.output}"
    return done


def catalogue(home: Home, *words: str | Path, expect: int | None = 0) -> Result:
    return typed(home, "catalogue", *words, expect=expect)


def told_json(home: Home, *words: str | Path) -> Any:
    return json.loads(catalogue(home, *words, "--json").stdout)


def list_file(home: Home, place: str, old: str, new: str) -> Path:
    """The demonstration's list of a place with something changed."""
    file = home.folder / "next.toml"
    text = demo_text(f"catalogue-{place}")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    return file


def propose(home: Home, place: str, old: str, new: str, *more: str) -> str:
    file = list_file(home, place, old, new)
    words = ("propose", f"demo-{place}", file, "--by", "示范市法院", "--reason", "其他原因", *more)
    return catalogue(home, *words).stdout.strip()


def step(home: Home, place: str, change: str, step: str, *more: str, expect: int = 0) -> str:
    words = ("step", f"demo-{place}", change, step, "--by", "某机关", "--text", f"{step}的意见", *more)
    done = catalogue(home, *words, expect=expect)
    return done.stderr if expect else done.stdout


def changed(home: Home, place: str, *publication: str) -> None:
    """The addressee of the first matter changed, by all steps of Qinghai."""
    change = propose(home, place, 'addressee = "人民法院"', 'addressee = "示范区人民法院"')
    step(home, place, change, "decided")
    step(home, place, change, "published", *publication)


def test_guangdong_changes_its_list_in_the_steps_of_its_document(home: Home) -> None:
    refused = catalogue(
        home,
        *("propose", "demo-guangdong", list_file(home, "guangdong", "收养登记", "办理收养登记")),
        *("--by", "示范市民政局", "--reason", "实际情况变化"),
        expect=1,
    )
    assert refused.stderr.startswith("error: change_invalid: ")
    assert "依据" in refused.stderr  # G9
    change = propose(home, "guangdong", "收养登记", "办理收养登记", "--basis", "示范法第一条")
    assert change == f"{now().year}-001"
    for opinion in OPINIONS:
        told = step(home, "guangdong", change, "decided", expect=1)
        assert told.startswith("error: step_not_allowed: ")
        assert OPINIONS[opinion] in told
        step(home, "guangdong", change, opinion)
    assert "审定" in step(home, "guangdong", change, "published", expect=1)
    step(home, "guangdong", change, "decided")
    assert "demo-guangdong/2/" in step(home, "guangdong", change, "published")
    told = told_json(home, "history", "demo-guangdong")
    [recorded] = told["changes"]
    assert [taken["step"] for taken in recorded["steps"]] == [*OPINIONS, "decided", "published"]
    assert [taken["text"] for taken in recorded["steps"][:3]] == [f"{opinion}的意见" for opinion in OPINIONS]
    assert [edition["size"] for edition in told["editions"]] == [3, 3]  # G29
    assert (recorded["state"], recorded["basis"]) == ("published", "示范法第一条")
    assert told["editions"][1]["channels"] == [
        *("“粤省事”平台", "政府门户网站", "政务服务平台", "服务场所", "政务微博", "微信公众平台"),
    ]
    [difference, *_] = told_json(home, "diff", "demo-guangdong", change)
    assert (difference["old"], difference["new"]) == ("收养登记", "办理收养登记")


def test_qinghai_decides_and_publishes(home: Home) -> None:
    change = propose(home, "qinghai", 'addressee = "人民法院"', 'addressee = "示范区人民法院"')
    assert "没有这一步" in step(home, "qinghai", change, "legality", expect=1)
    assert "审定" in step(home, "qinghai", change, "published", expect=1)
    step(home, "qinghai", change, "decided")
    step(home, "qinghai", change, "published", "--channel", "服务场所")
    [_, second] = told_json(home, "history", "demo-qinghai")["editions"]
    assert (second["channels"], second["change"]) == (["服务场所"], change)
    assert "示范区人民法院" in catalogue(home, "diff", "demo-qinghai", change).stdout


def test_an_opinion_against_it_and_a_withdrawal_leave_the_list_as_it_is(home: Home) -> None:
    first = propose(home, "guangdong", "收养登记", "办理收养登记", "--basis", "某法")
    second = propose(home, "guangdong", "人民法院", "示范区人民法院", "--basis", "某法")
    assert "已有不同意" in step(home, "guangdong", first, "necessity", "--disagree")
    step(home, "guangdong", first, "legality")
    assert "必要性审核意见为不同意" in step(home, "guangdong", first, "decided", expect=1)
    assert "未获同意" in step(home, "guangdong", first, "reasonableness")
    catalogue(home, "withdraw", "demo-guangdong", second, "--by", "示范市法院", "--text", "另行研究")
    told = told_json(home, "history", "demo-guangdong")
    assert [change["state"] for change in told["changes"]] == ["rejected", "withdrawn"]
    assert len(told["editions"]) == 1
    assert "未获同意，不能再办" in step(home, "guangdong", first, "decided", expect=1)
    shown = catalogue(home, "history", "demo-guangdong").stdout
    assert "不同意：necessity的意见" in shown


def test_a_certificate_keeps_the_edition_of_its_day_and_the_audit_holds_it_to_that(home: Home) -> None:
    rows = [a_row(1, office="qh-demo"), a_row(2, office="qh-demo")]
    before = home.sign(home.write_rows("one.csv", rows[:1]), "one")[0]
    changed(home, "qinghai")
    after = home.sign(home.write_rows("two.csv", rows[1:]), "two")[0]
    labels = [edition["label"] for edition in told_json(home, "history", "demo-qinghai")["editions"]]
    for row, label in ((before, labels[0]), (after, labels[1])):
        shown = home.json("lookup", row["number"], "--code", row["code"])["certificate"]
        assert shown["edition"] == label
        assert len(shown["policy_sha256"].split("+")) == 2  # nation and province
    assert typed(home, "log", "verify").stdout.startswith("日志完整")

    file = home.var / "catalogue" / "demo-qinghai.jsonl"
    whole = file.read_bytes()
    tampered = {
        "edited": (whole.replace("示范区人民法院".encode(), "示范县人民法院".encode()), "catalogue_changed"),
        "cut off": (b"".join(whole.splitlines(keepends=True)[:-1]), "edition_missing"),
        "half": (whole[:-20], "edition_missing"),
        "of another home": (another_journal(home), "edition_missing"),
    }
    for what, (bytes_of, code) in tampered.items():
        file.write_bytes(bytes_of)
        told = typed(home, "log", "verify", expect=1).stdout
        assert f"fault: {code}: " in told, what
        assert told.splitlines()[-1] == "日志不完整：见上"
    file.unlink()
    assert "fault: edition_missing: " in typed(home, "log", "verify", expect=1).stdout
    file.write_bytes(whole)
    assert typed(home, "log", "verify").stdout.startswith("日志完整")


def another_journal(home: Home) -> bytes:
    """A journal that is whole in itself, with as many editions, and tells of other lists."""
    other = Home(Path(shutil.copytree(home.folder, home.folder.parent / "other")))
    (other.var / "catalogue" / "demo-qinghai.jsonl").unlink()
    text = demo_text("catalogue-qinghai").replace("人民法院", "法院")
    (other.folder / "first.toml").write_text(text, "utf-8")
    words = ("--by", "某机关", "--document", "某号", "--effective", "2024-01-01")
    catalogue(other, "adopt", "demo-qinghai", other.folder / "first.toml", *words)
    changed(other, "qinghai")
    return (other.var / "catalogue" / "demo-qinghai.jsonl").read_bytes()


def in_days(days: int) -> str:
    return (now().date() + timedelta(days=days)).isoformat()


def test_an_edition_of_tomorrow_is_not_issued_from_today(home: Home) -> None:
    tomorrow = in_days(1)
    changed(home, "qinghai", "--effective", tomorrow)
    shown = told_json(home, "show", "demo-qinghai")
    later = told_json(home, "show", "demo-qinghai", "--on", tomorrow)
    assert (shown["edition"], later["edition"]) == (1, 2)
    assert [later["matters"][0]["addressee"], later["effective"]] == ["示范区人民法院", tomorrow]
    [line] = [line for line in told_json(home, "list") if line["list"] == "demo-qinghai"]
    assert (line["editions"], line["in_force"]["edition"]) == (2, 1)
    assert [edition["edition"] for edition in line["coming"]] == [2]


def test_a_publication_for_a_wrong_day_is_set_right_by_the_next(home: Home) -> None:
    change = propose(home, "qinghai", 'addressee = "人民法院"', 'addressee = "示范区人民法院"')
    step(home, "qinghai", change, "decided")
    assert "一年内" in step(home, "qinghai", change, "published", "--effective", "2099-01-01", expect=1)
    step(home, "qinghai", change, "published", "--effective", in_days(300))
    back = propose(home, "qinghai", 'addressee = "人民法院"', 'addressee = "人民法院"')
    assert "不是今天现行的一版" in catalogue(home, "diff", "demo-qinghai", back).stderr
    step(home, "qinghai", back, "decided")
    assert "第2版尚未生效，由这一版取代" in step(home, "qinghai", back, "published")
    shown = catalogue(home, "history", "demo-qinghai").stdout.splitlines()[1]
    assert "未生效即由第3版取代" in shown
    assert [
        edition["overtaken_by"] for edition in told_json(home, "history", "demo-qinghai")["editions"]
    ] == [
        *(None, 3, None),
    ]
    assert told_json(home, "show", "demo-qinghai", "--on", in_days(300))["edition"] == 3


def test_a_change_that_another_overtook_goes_no_further_and_is_marked(home: Home) -> None:
    late = propose(home, "qinghai", 'addressee = "人民法院"', 'addressee = "示范县人民法院"')
    change = propose(home, "qinghai", 'addressee = "人民法院"', 'addressee = "示范区人民法院"')
    step(home, "qinghai", change, "decided")
    assert f"已过时、须按新版重新提出的调整申请：{late}" in step(home, "qinghai", change, "published")
    for each in ("decided", "published"):
        assert step(home, "qinghai", late, each, expect=1).startswith("error: change_outdated: ")
    assert f"已过时的调整 {late}" in catalogue(home, "list").stdout
    assert f"调整申请 {late}（改第1版）：已过时" in catalogue(home, "history", "demo-qinghai").stdout
    catalogue(home, "withdraw", "demo-qinghai", late, "--by", "示范市法院", "--text", "重新提出")
    [line] = [line for line in told_json(home, "list") if line["list"] == "demo-qinghai"]
    assert (line["open"], line["outdated"]) == ([], [])


def test_a_proposal_that_changes_nothing_is_refused(home: Home) -> None:
    file = list_file(home, "qinghai", "[[matters]]", "# 只加了注释\n[[matters]]")
    words = ("propose", "demo-qinghai", file, "--by", "示范市法院", "--reason", "其他原因")
    told = catalogue(home, *words, expect=1).stderr
    assert told.startswith("error: change_invalid: 内容没有变")
    assert told_json(home, "history", "demo-qinghai")["changes"] == []


def test_the_rows_of_an_office_out_of_its_lists_place_fail_and_the_others_go_on(home: Home) -> None:
    offices = home.var / "offices.toml"
    text = offices.read_text("utf-8")
    offices.write_text(text.replace('jurisdiction = "guangdong"', 'jurisdiction = "qinghai"'), "utf-8")
    rows = home.write_rows("rows.csv", [a_row(1), a_row(2, office="qh-demo")])
    told = typed(home, "check", rows, expect=1).stdout.splitlines()
    assert "bad_policy：gd-demo 的辖区 qinghai" in told[0]
    assert told[1:] == ["共 2 行，1 行有问题"]
    assert "FAIL 保留清单：gd-demo" in typed(home, "doctor", expect=1).stdout


def test_a_matter_whose_law_ended_is_shown_as_suspended(home: Home) -> None:
    shown = catalogue(home, "show", "demo-guangdong").stdout
    assert "停办：《农民专业合作社登记管理条例》" in shown
    of = {
        matter["id"]: matter["suspended"] for matter in told_json(home, "show", "demo-guangdong")["matters"]
    }
    assert of["litigant-community"] == []
    assert "第五十五条废止" in of["farmer-identity"][0]
    early = told_json(home, "show", "demo-guangdong", "--on", "2024-01-01")["matters"][0]
    assert early["suspended"] == []


def test_a_changed_journal_stops_issuing_and_says_where(home: Home) -> None:
    file = home.var / "catalogue" / "demo-guangdong.jsonl"
    file.write_bytes(file.read_bytes().replace(b"2024-01-01", b"2020-01-01", 1))
    rows = home.write_rows("rows.csv", [a_row(1)])
    for command in (("sign", rows, "-o", home.folder / "out"), ("check", rows), ("catalogue", "list")):
        told = typed(home, *command, expect=2).stderr
        assert told.startswith("error: catalogue_changed: ")
        assert "demo-guangdong" in told
        assert "第1行" in told
    assert "catalogue_changed" in typed(home, "doctor", expect=1).stdout


def test_a_crash_is_told_until_the_next_line_is_written(home: Home) -> None:
    file = home.var / "catalogue" / "demo-qinghai.jsonl"
    file.write_bytes(file.read_bytes() + b'{"at":')
    assert "没有写完" in catalogue(home, "list").stderr
    told = typed(home, "log", "verify").stdout
    assert "note: event_unfinished: " in told
    assert told.endswith("日志完整\n")
    change = propose(home, "qinghai", "人民法院", "示范区人民法院")
    assert change.endswith("-001")
    assert catalogue(home, "list").stderr == ""


def test_a_table_goes_out_is_edited_and_comes_back_as_a_draft(home: Home) -> None:
    for kind in ("xlsx", "docx"):
        table, draft = home.folder / f"list.{kind}", home.folder / f"{kind}.toml"
        catalogue(home, "export", "demo-qinghai", table)
        catalogue(home, "import", "demo-qinghai", table, "-o", draft)
        told = catalogue(home, "check", draft).stdout
        assert "可以使用" in told
        assert "复核：“农民身份证明”" in told  # its law ended
    broken = list_file(home, "qinghai", 'kind = "law"', 'kind = "rule"')
    assert "next.toml" in catalogue(home, "check", broken, expect=2).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("catalogue", "show", "demo-qinghai", "--edition", "2"),
        ("catalogue", "diff", "demo-qinghai", "2026-009"),
        ("catalogue", "adopt", "demo-qinghai", "FILE", "--by", "某", "--document", "某号"),
        ("catalogue", "show", "nowhere"),
        ("catalogue", "adopt", "new", "FILE", "--by", " ", "--document", "某号"),
        ("catalogue", "export", "demo-qinghai", "list.pdf"),
        ("catalogue", "adopt", "new", "nowhere.toml", "--by", "某", "--document", "某号"),
        ("catalogue", "import", "demo-qinghai", "nowhere.xlsx", "-o", "draft.toml"),
        ("catalogue", "export", "demo-qinghai", "nowhere/list.xlsx"),
        ("catalogue", "show", "demo-qinghai", "--on", "明天"),
        ("catalogue", "show", "demo-qinghai", "--edition", "一"),
        ("catalogue", "show", "demo-qinghai", "--edition", "1", "--on", "2026-01-01"),
        ("catalogue", "show", "demo-qinghai", "demo-guangdong"),
        ("catalogue", "show", "demo-qinghai", "--version"),
        ("catalogue", "show", "demo-qinghai", "--on"),
        ("catalogue", "adopt", "new", "FILE"),
        ("catalogue", "step", "demo-qinghai"),
        ("catalogue", "repeal"),
    ],
)
def test_what_cannot_be_done_is_one_line_of_reason_in_chinese(home: Home, words: tuple[str, ...]) -> None:
    file = list_file(home, "qinghai", "人民法院", "示范区人民法院")
    done = typed(home, *(str(file) if word == "FILE" else word for word in words), expect=None)
    assert done.exit_code in (1, 2)
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    message = done.stderr.split(": ", 2)[2]
    assert re.search(r"[\u4e00-\u9fff]", message)
    told = re.sub(r"(?:signsvc|main) [a-z ]+", "", message)  # a command to type is no sentence of click's
    assert not re.search(r"[A-Za-z]+'? [A-Za-z]+", told)


def test_the_journal_is_lines_of_json_in_beijing_time(home: Home) -> None:
    [line] = (home.var / "catalogue" / "demo-qinghai.jsonl").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert told["data"]["event"] == "adopted"
    assert told["data"]["text"] == demo_text("catalogue-qinghai")
    assert told["at"].endswith("+08:00")
