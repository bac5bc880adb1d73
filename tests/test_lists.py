"""The home's lists: which holds for an office on a day, and what must never be written or used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from home import a_row

from signsvc import journal, policy
from signsvc.cli.listed import overview
from signsvc.cli.listing import overview_parts
from signsvc.config import Settings
from signsvc.errors import (
    CatalogueChanged,
    ChangeRefused,
    InputError,
    PolicyError,
    RowFailed,
    SignsvcError,
)
from signsvc.models import Issue, Office, OfficeId, Refuse
from signsvc.policy import demo_text, load_offices
from signsvc.policy.lists.changes import History
from signsvc.policy.lists.events import Adopted, Event, Taken, encode
from signsvc.report import BEIJING
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.wiring.lists import Packs, load_lists, look_at_lists, proposal, record
from signsvc.wiring.rules import Rules

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=BEIJING)
TODAY = NOW.date()
OFFICES = load_offices(demo_text("offices"), "offices.toml")
SINCE = date(2024, 1, 1)


def adoption(place: str, text: str | None = None, effective: date = SINCE) -> Adopted:
    return Adopted(text or demo_text(f"catalogue-{place}"), "示府〔2026〕1号", "示范市人民政府", effective)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "offices.toml").write_text(demo_text("offices"), "utf-8")
    for place in ("qinghai", "guangdong"):
        write(tmp_path, f"demo-{place}", adoption(place))
    return tmp_path


def write(
    home: Path,
    list_id: str,
    event: Event | Callable[[History], Event],
    packs: Packs = policy.load_pack,
    offices: Mapping[OfficeId, Office] = OFFICES,
) -> History:
    return record(home / "catalogue", list_id, event, packs, offices, NOW)


def change(
    home: Path,
    text: str,
    effective: date = TODAY,
    list_id: str = "demo-qinghai",
    packs: Packs = policy.load_pack,
    offices: Mapping[OfficeId, Office] = OFFICES,
) -> History:
    """A list changed, step by step."""

    def next_of(event: Event | Callable[[History], Event]) -> History:
        return write(home, list_id, event, packs, offices)

    proposed = next_of(
        lambda history: proposal(history, text, "其他原因", "某局", "某法第一条", "", packs, NOW)
    )
    made = list(proposed.changes.values())[-1]
    for step in made.proposal.steps[1:-1]:
        next_of(Taken(made.id, step.id, "某机关", "同意"))
    return next_of(Taken(made.id, "published", "某机关", "某号", True, effective))


def without_first(place: str) -> str:
    """The demonstration's list with its first matter taken out."""
    head, _, *rest = demo_text(f"catalogue-{place}").split("[[matters]]")
    return "[[matters]]".join((head, *rest))


def rules(home: Path) -> Rules:
    return Rules.load(Settings(home=home))


def office(name: str) -> Office:
    return OFFICES[OfficeId(name)]


def decided(home: Path, office_id: str, day: date) -> Issue | Refuse:
    raw = RawRow(1, a_row(1, office=office_id))
    return rules(home).decision(row.parse(raw, day, {}, 0), office(office_id), day)


def test_each_office_issues_from_its_own_list(home: Path) -> None:
    for name, list_id in (("qh-demo", "demo-qinghai"), ("gd-demo", "demo-guangdong")):
        issue = decided(home, name, TODAY)
        assert isinstance(issue, Issue)
        assert issue.edition == load_lists(home / "catalogue").history(list_id).newest.label
        assert issue.edition.startswith(f"{list_id}/1/")


def test_without_a_list_nothing_is_issued(tmp_path: Path) -> None:
    (tmp_path / "offices.toml").write_text(demo_text("offices"), "utf-8")
    refused = decided(tmp_path, "qh-demo", TODAY)
    assert isinstance(refused, Refuse)
    assert [fault.code for fault in refused.faults] == ["unknown_matter"]


def test_a_new_edition_is_issued_from_on_its_first_day_and_not_before(home: Path) -> None:
    tomorrow = TODAY + timedelta(days=1)
    history = change(home, without_first("qinghai"), tomorrow)
    before, after = decided(home, "qh-demo", TODAY), decided(home, "qh-demo", tomorrow)
    assert isinstance(before, Issue)
    assert before.edition == history.edition(1).label
    assert isinstance(after, Refuse)
    assert after.faults[0].code == "unknown_matter"


def test_one_process_follows_the_day(home: Path) -> None:
    """A batch over midnight, a server over weeks: the lists are read once, the edition is chosen by the day."""
    tomorrow = TODAY + timedelta(days=1)
    change(home, without_first("qinghai"), tomorrow)
    local, of = rules(home), office("qh-demo")
    editions = [local.catalogue(of, day).edition.split("/")[1] for day in (TODAY, tomorrow, TODAY)]
    assert editions == ["1", "2", "1"]


def test_a_lapsed_basis_stops_a_matter_though_its_list_stands(home: Path) -> None:
    raw = RawRow(1, a_row(1, office="qh-demo-village", matter="farmer-identity"))
    request = row.parse(raw, TODAY, {}, 0)
    refused = rules(home).decision(request, office("qh-demo-village"), TODAY)
    assert isinstance(refused, Refuse)
    assert "basis_lapsed" in {fault.code for fault in refused.faults}


def test_an_office_has_one_list(home: Path) -> None:
    with pytest.raises(PolicyError, match="qh-demo"):
        write(home, "second", adoption("qinghai"))
    assert "second" not in load_lists(home / "catalogue").histories


def test_an_office_is_not_promised_to_two_lists_in_the_future_either(home: Path) -> None:
    with pytest.raises(PolicyError, match="qh-demo"):
        write(home, "second", adoption("qinghai", effective=TODAY + timedelta(days=300)))


def test_a_list_of_another_place_is_not_taken(tmp_path: Path) -> None:
    wrong = demo_text("catalogue-guangdong").replace('"gd-demo"', '"qh-demo"')
    with pytest.raises(PolicyError, match="辖区"):
        write(tmp_path, "a-list", adoption("guangdong", wrong))


def move(home: Path, old: str, new: str) -> dict[OfficeId, Office]:
    """The offices of one place put into another."""
    text = demo_text("offices").replace(f'jurisdiction = "{old}"', f'jurisdiction = "{new}"')
    (home / "offices.toml").write_text(text, "utf-8")
    return load_offices(text, "offices.toml")


def test_an_office_that_moved_out_of_its_lists_place_stops_and_the_others_go_on(home: Path) -> None:
    moved = move(home, "guangdong", "qinghai")[OfficeId("gd-demo")]
    local = rules(home)
    with pytest.raises(RowFailed, match=r"gd-demo 的辖区 qinghai 不在保留清单 demo-guangdong") as stopped:
        local.decision(row.parse(RawRow(1, a_row(1)), TODAY, {}, 0), moved, TODAY)
    assert stopped.value.code == "bad_policy"
    assert "propose demo-guangdong" in str(stopped.value)
    with pytest.raises(PolicyError):
        local.catalogue(moved)
    assert "情况说明" in local.slot_names
    assert isinstance(decided(home, "qh-demo", TODAY), Issue)


def test_a_fault_of_one_list_keeps_nobody_from_changing_another(home: Path) -> None:
    move(home, "guangdong", "qinghai")
    assert change(home, without_first("qinghai")).newest.number == 2


def test_a_list_that_the_rules_of_today_do_not_let_pass_stops_its_own_offices_only(home: Path) -> None:
    gone = adoption("guangdong", demo_text("catalogue-guangdong").replace('kind = "law"', 'kind = "decree"'))
    with journal.opened(home / "catalogue", write=True) as journals:
        (home / "catalogue" / "demo-guangdong.jsonl").unlink()
        journals.append("demo-guangdong", encode(gone), NOW)
    with pytest.raises(RowFailed, match=r"demo-guangdong 第1版 第\d+行"):
        decided(home, "gd-demo", TODAY)
    assert isinstance(decided(home, "qh-demo", TODAY), Issue)
    mended = demo_text("catalogue-guangdong")
    change(home, mended, list_id="demo-guangdong")
    assert isinstance(decided(home, "gd-demo", TODAY), Issue)


CITY = """jurisdiction = "guangdong/zhuhai"
name = "珠海市"

[document]
number = "珠示〔2026〕1号"
title = "示例清单"
issuers = ["示例局"]

[[rules]]
id = "banned"
place = "一"
text = "列入本清单的，不得要求出具证明。"
codes = ["banned_matter"]

[[lists]]
id = "city"
title = "示例清单（第一批）"
annex = "附件"

[[lists.items]]
number = 1
title = "转学证明"
name = "转学证明"
pathway = "由教育部门办理"
"""


def test_a_citys_pack_is_laid_over_an_office_that_has_its_provinces_list(home: Path) -> None:
    pack = home / "packs" / "nation" / "guangdong" / "zhuhai" / "pack.toml"
    pack.parent.mkdir(parents=True)
    pack.write_text(CITY, "utf-8")
    offices = move(home, "guangdong", "guangdong/zhuhai")
    local, office_of = rules(home), offices[OfficeId("gd-demo")]
    for matter, expected in (("litigant-community", Issue), ("转学证明", Refuse)):
        request = row.parse(RawRow(1, a_row(1, matter=matter)), TODAY, {}, 0)
        decision = local.decision(request, office_of, TODAY)
        assert isinstance(decision, expected)
    assert isinstance(decision, Refuse)
    [fault] = decision.faults
    assert fault.ground
    assert (fault.code, fault.ground.document) == ("banned_matter", "珠示〔2026〕1号")
    moved = demo_text("catalogue-guangdong").replace('= "guangdong"', '= "guangdong/zhuhai"')
    history = change(home, moved, list_id="demo-guangdong", packs=local.pack, offices=offices)
    assert history.newest.jurisdiction == "guangdong/zhuhai"
    assert rules(home).catalogue(office_of).edition == history.newest.label


def test_a_list_goes_over_to_no_city_whose_pack_is_not_there(home: Path) -> None:
    moved = demo_text("catalogue-guangdong").replace('= "guangdong"', '= "guangdong/zhuhai"')
    with pytest.raises(PolicyError, match=r"packs/nation/guangdong/zhuhai/pack\.toml"):
        change(home, moved, list_id="demo-guangdong")


def test_a_list_does_not_go_over_to_a_city_before_its_offices(home: Path) -> None:
    """Its steps are taken and the last one is refused: nobody is left without a list."""
    pack = home / "packs" / "nation" / "guangdong" / "zhuhai" / "pack.toml"
    pack.parent.mkdir(parents=True)
    pack.write_text(CITY, "utf-8")
    moved = demo_text("catalogue-guangdong").replace('= "guangdong"', '= "guangdong/zhuhai"')
    with pytest.raises(PolicyError, match=r"offices\.toml"):
        change(home, moved, list_id="demo-guangdong", packs=rules(home).pack)
    assert isinstance(decided(home, "gd-demo", TODAY), Issue)


@pytest.mark.parametrize("name", ["", "Demo", "../demo", "demo_1", "-demo", "a" + "/b", "清单"])
def test_a_list_is_named_in_plain_letters(home: Path, name: str) -> None:
    with pytest.raises(InputError):
        write(home, name, adoption("qinghai"))


def test_what_is_refused_leaves_no_line(home: Path) -> None:
    before = (home / "catalogue" / "demo-qinghai.jsonl").read_bytes()
    with pytest.raises(ChangeRefused):
        write(home, "demo-qinghai", adoption("qinghai"))
    with pytest.raises(ChangeRefused):
        write(home, "demo-qinghai", Taken("2026-001", "published", "某", "某号", True, TODAY))
    assert (home / "catalogue" / "demo-qinghai.jsonl").read_bytes() == before


def test_a_list_whose_journal_was_changed_stops_everything_that_needs_lists(home: Path) -> None:
    file = home / "catalogue" / "demo-qinghai.jsonl"
    file.write_bytes(file.read_bytes().replace("人民法院".encode(), "人民银行".encode(), 1))
    for needing in (
        lambda: Rules.load(Settings(home=home)),
        lambda: write(home, "new", adoption("guangdong")),
    ):
        with pytest.raises(CatalogueChanged, match="demo-qinghai"):
            needing()
    looked = look_at_lists(home / "catalogue")
    assert isinstance(looked["demo-qinghai"], SignsvcError)
    assert isinstance(looked["demo-guangdong"], History)


def test_a_journal_written_anew_without_the_steps_is_not_believed(home: Path) -> None:
    """Every digest is right; the story is not."""
    change(home, without_first("qinghai"))
    file = home / "catalogue" / "demo-qinghai.jsonl"
    with journal.opened(home / "catalogue") as journals:
        told = journals.read("demo-qinghai").entries
    file.unlink()
    with journal.opened(home / "catalogue", write=True) as forged:
        for entry in (entry for entry in told if entry.data.get("step") != "decided"):
            forged.append("demo-qinghai", entry.data, entry.at)
    with pytest.raises(CatalogueChanged, match="审定"):
        load_lists(home / "catalogue")


def test_an_event_that_nobody_knows_is_not_passed_over(home: Path) -> None:
    with journal.opened(home / "catalogue", write=True) as journals:
        journals.append("demo-qinghai", {**encode(adoption("qinghai")), "event": "abolished"}, NOW)
    with pytest.raises(CatalogueChanged):
        load_lists(home / "catalogue")


def test_a_crash_is_told_and_the_list_goes_on(home: Path) -> None:
    file = home / "catalogue" / "demo-qinghai.jsonl"
    file.write_bytes(file.read_bytes() + b'{"at":"2026-11-2')
    assert load_lists(home / "catalogue").history("demo-qinghai").unfinished
    assert isinstance(decided(home, "qh-demo", TODAY), Issue)
    assert not change(home, without_first("qinghai")).unfinished


def test_a_list_that_is_not_there_is_named_with_those_that_are(home: Path) -> None:
    with pytest.raises(InputError, match="demo-guangdong"):
        load_lists(home / "catalogue").history("somewhere")


def test_a_proposal_is_made_of_the_newest_edition_and_the_steps_of_its_place(home: Path) -> None:
    history = change(home, without_first("qinghai"))
    made = proposal(history, "文本", "其他原因", "某局", "", "", policy.load_pack, NOW)
    assert (made.base, made.change) == (2, "2026-002")
    assert made.steps == policy.load_pack("qinghai").steps


def test_what_is_dated_back_must_have_been_issuable_then(home: Path) -> None:
    """The list that is in force today began today: what bears an earlier date was on no list."""
    head, first, *rest = demo_text("catalogue-qinghai").split("[[matters]]")
    another = first.replace("litigant-community", "another").replace("诉讼当事人", "某当事人")
    change(home, "[[matters]]".join((head, first, another, *rest)))
    raw = RawRow(1, a_row(1, office="qh-demo", matter="another"))
    asked, local = row.parse(raw, TODAY, {}, 30), rules(home)
    dated = replace(asked, issued_on=TODAY - timedelta(days=1))
    assert isinstance(local.decision(asked, office("qh-demo"), TODAY), Issue)
    refused = local.decision(dated, office("qh-demo"), TODAY)
    assert isinstance(refused, Refuse)
    assert refused.faults[0].message.startswith("按出具日期")


def test_a_list_whose_adoption_a_crash_cut_off_is_told_beside_the_others(home: Path) -> None:
    (home / "catalogue" / "torn.jsonl").write_bytes(b'{"at":"2026-11-2')
    told = [overview(history, TODAY) for history in load_lists(home / "catalogue").histories.values()]
    assert {one["list"]: one["editions"] for one in told} == {
        "demo-guangdong": 1,
        "demo-qinghai": 1,
        "torn": 0,
    }
    assert next(overview_parts(next(one for one in told if one["list"] == "torn"))) == "torn：尚未录入"
