"""Refusing step by step: who gets a notice and who none, each write failed both ways, and what the log tells."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from home import Home, a_row, id_number
from openpyxl import load_workbook
from pypdf import PdfReader
from refusal_cases import BANNED, BASIS, LIST, LONG_PATHWAY, SEVERAL, SHORT, fault
from test_issue import Failing, PowerCut, requests

from signsvc import boxes
from signsvc.audit import audit
from signsvc.errors import ConversionFailed, NotFound, TextMismatch
from signsvc.issue import issue
from signsvc.models import Decision, DocxBytes, Number, PdfBytes, Refuse, Request
from signsvc.refuse import Refuser, refuse, says_no
from signsvc.registry import REFUSED
from signsvc.steps import Convert
from signsvc.wiring.documents import converting, load_fonts
from signsvc.wiring.home import CATALOGUES, now
from signsvc.wiring.issuing import issuing
from signsvc.wiring.lists import look_at_lists
from signsvc.wiring.refusing import refusing

NAME, ASKED = "欧阳文", "关于欧阳文家中情况的健在证明"


def deciding(decision: Decision) -> Any:
    return lambda request, office, day: decision


@pytest.fixture(scope="module")
def printer(pristine: Path) -> Iterator[Convert]:
    """The converter, which prints the same document once for all tests."""
    settings, printed = Home(pristine).settings, dict[DocxBytes, PdfBytes | ConversionFailed]()
    with converting(settings, load_fonts(settings)) as (convert, _):

        def once(documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
            fresh = [document for document in dict.fromkeys(documents) if document not in printed]
            printed.update(zip(fresh, convert(fresh) if fresh else (), strict=True))
            return [printed[document] for document in documents]

        yield once


@pytest.fixture
def judging(home: Home, printer: Convert) -> Iterator[Refuser]:
    """Decides as the command does."""
    with refusing(home.settings, sealed=False) as opened:
        yield replace(opened, convert=printer)


@pytest.fixture
def refuser(judging: Refuser) -> Refuser:
    """Refuses everything, as a hand-made decision of the not-to-issue list does."""
    return replace(judging, decide=deciding(BANNED))


def faults(refuser: Refuser) -> list[str]:
    lists = look_at_lists(refuser.archive.folder.parent / CATALOGUES)
    findings = audit(refuser.registry, refuser.archive, lists)
    return [finding.code for finding in findings if finding.severity == "fault"]


def asked(*numbers: int, **changes: str) -> list[Request]:
    return requests(*numbers, matter=ASKED, **changes)


def text(pdf: bytes | None) -> str:
    reader = PdfReader(io.BytesIO(pdf or b""))
    return "".join("".join(page.extract_text() for page in reader.pages).split())


def test_a_refused_request_gets_a_notice_with_everything_that_helps(refuser: Refuser) -> None:
    [outcome] = refuse(replace(refuser, decide=deciding(SEVERAL)), asked(1))
    assert outcome.status == "noticed"
    printed = text(outcome.pdf)
    for words in (
        f"{NAME}：",
        f"“{ASKED}”",
        "广州市越秀区人民法院",
        "该事项的依据未写明由基层群众性自治组织出具",
        BASIS.sentence,
        f"{LIST}第20项“政审（考察）证明（表现证明）”",
        LONG_PATHWAY,
        "12345",
        "演示文书，无法律效力",
        str(outcome.number),
    ):
        assert words in printed
    assert id_number(1) not in printed


def test_the_same_request_is_unchanged_for_ever_and_the_same_file_again(refuser: Refuser) -> None:
    [first] = refuse(refuser, asked(1))
    later = replace(refuser, clock=lambda: now() + timedelta(days=400), decide=deciding(SEVERAL))
    [again] = refuse(later, asked(1))
    assert (again.status, again.number, again.pdf) == ("unchanged", first.number, first.pdf)
    [other] = refuse(refuser, asked(1, addressee="广州市公安局"))
    assert other.status == "noticed"
    assert other.number != first.number
    assert faults(refuser) == []


def test_the_record_tells_what_was_hit_and_nothing_of_who_asked_for_what(
    refuser: Refuser, home: Home
) -> None:
    [outcome] = refuse(refuser, asked(1))
    [found] = refuser.registry.refusals([Number(str(outcome.number))]).values()
    assert (found.office, found.codes, found.listed) == ("gd-demo", ("banned_matter",), (SHORT.listed,))
    assert (found.policy, found.policy_sha256) == (BANNED.policy, BANNED.policy_sha256)
    assert (found.sha256, found.issued_on, found.sealed) == (outcome.sha256, now().date(), False)
    box = boxes.unlock(refuser.archive, REFUSED, found.number, found.box)
    assert box == {"request_id": "20261121-0001", "name": NAME, "matter": ASKED}
    with closing(sqlite3.connect(home.var / "registry.sqlite3")) as database:
        kept = "\n".join(database.iterdump())
    for personal in (NAME, ASKED, id_number(1), "20261121-0001", "广州市越秀区人民法院"):
        assert personal not in kept


def test_a_notice_is_never_taken_for_a_certificate(refuser: Refuser, home: Home) -> None:
    [outcome] = refuse(refuser, asked(1))
    registry, number = refuser.registry, str(outcome.number)
    assert registry.by_number(number) is None
    assert registry.by_sha256(str(outcome.sha256)) is None
    assert registry.find(number, "7F3KQ2M9XA4RTW1C") is None
    with pytest.raises(NotFound):
        registry.box(number)
    home.run("revoke", number, "--reason", "other", expect=1)
    home.run("copy", number, "--reason", "x", "-o", home.folder / "copy.pdf", expect=1)
    assert faults(refuser) == []


def test_a_request_with_a_notice_may_be_issued_some_day_under_its_first_number(
    refuser: Refuser, home: Home
) -> None:
    assert refuse(refuser, requests(1))[0].status == "noticed"
    with issuing(home.settings) as issuer:
        [outcome] = issue(issuer, requests(1))
    assert (outcome.status, outcome.number) == ("issued", "gd-demo-2026-000001")
    assert faults(refuser) == []
    [none] = refuse(refuser, requests(1))
    assert [item.code for item in none.faults] == ["already_issued"]
    [none] = refuse(refuser, requests(1, name="欧阳武"))
    assert [item.code for item in none.faults] == ["request_conflict"]


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted"])
@pytest.mark.parametrize(("owner", "write"), [("archive", "put"), ("registry", "record_refusals")])
def test_a_power_cut_at_a_write_ends_in_every_request_refused_once(
    refuser: Refuser, owner: str, write: str, persisted: bool
) -> None:
    cut = replace(refuser, **{owner: Failing(getattr(refuser, owner), write, persisted)})
    with pytest.raises(PowerCut):
        refuse(cut, asked(1, 2))
    assert faults(refuser) == []
    outcomes = refuse(refuser, asked(1, 2))
    recorded = write == "record_refusals" and persisted
    assert {outcome.status for outcome in outcomes} == ({"unchanged"} if recorded else {"noticed"})
    assert {outcome.status for outcome in refuse(refuser, asked(1, 2))} == {"unchanged"}
    kinds = [item.kind for item in refuser.registry.boxes()]
    assert kinds == [REFUSED, REFUSED]
    assert faults(refuser) == []


def test_two_processes_on_one_request_end_in_one_notice(refuser: Refuser) -> None:
    """The second process records while the first is still converting."""

    def overtaken(documents: Sequence[DocxBytes]) -> Any:
        [faster] = refuse(refuser, asked(1))
        assert faster.status == "noticed"
        return refuser.convert(documents)

    other_day = replace(refuser, convert=overtaken, clock=lambda: now() + timedelta(days=1))
    [slower] = refuse(other_day, asked(1))
    assert slower.status == "unchanged"
    assert slower.pdf == refuse(refuser, asked(1))[0].pdf
    assert faults(refuser) == []


MENDABLE = (
    fault("request_invalid:missing_field", BASIS, column="情况说明"),
    fault("purpose_not_allowed", BASIS, column="purpose"),
    fault("statement_not_allowed", BASIS, column="statement"),
    fault("basis_not_allowed", BASIS, column="legal_basis"),
    fault("banned_matter", SHORT, column="statement"),
    fault("banned_matter", SHORT, column="addressee"),
)
ELSEWHERE = tuple(
    fault(code, BASIS)
    for code in (
        "consultation_required",
        "risk_assessment_required",
        "transitional_case_required",
        "paper_only",
    )
)
REFUSALS = (
    fault("unknown_matter", BASIS),
    fault("banned_matter", SHORT),
    fault("basis_lapsed", BASIS, column="legal_basis"),
    fault("basis_not_allowed", BASIS),
    replace(fault("policy_expired", BASIS), column=None),
)


def test_only_what_the_policy_has_against_the_matter_is_a_refusal() -> None:
    assert [says_no(item) for item in REFUSALS] == [True] * 5
    assert not any(says_no(item) for item in (*MENDABLE, *ELSEWHERE))


def test_a_decision_that_says_no_to_the_row_alone_gets_no_notice(refuser: Refuser) -> None:
    decision = Refuse((*MENDABLE, *ELSEWHERE))
    [outcome] = refuse(replace(refuser, decide=deciding(decision)), asked(1))
    assert (outcome.status, outcome.number, outcome.pdf) == ("none", None, None)
    assert outcome.faults == decision.faults
    assert list(refuser.registry.boxes()) == []


def test_a_notice_tells_of_nothing_but_the_refusal(refuser: Refuser) -> None:
    decision = replace(BANNED, faults=(*MENDABLE, *BANNED.faults, *ELSEWHERE))
    [outcome] = refuse(replace(refuser, decide=deciding(decision)), asked(1))
    assert (outcome.status, outcome.faults) == ("noticed", BANNED.faults)
    printed = text(outcome.pdf)
    assert "banned_matter" in printed
    for item in (*MENDABLE[:-2], *ELSEWHERE):
        assert item.code not in printed


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"purpose": "申请贷款"}, "purpose_not_allowed"),
        ({"legal_basis": "《中华人民共和国刑法》"}, "basis_not_allowed"),
        ({"statement": "其健在证明属实"}, "banned_matter"),
        ({"office": "qh-demo-village", "matter": "homestead-discussion"}, "consultation_required"),
        ({}, "may_be_issued"),
    ],
)
def test_a_mistake_in_an_issuable_row_is_to_be_mended_instead(
    judging: Refuser, cells: dict[str, str], code: str
) -> None:
    [outcome] = refuse(judging, requests(1, **cells))
    assert outcome.status == "none"
    assert code in [item.code for item in outcome.faults]


# Nothing was found out, and something was, but is not sound.
BARE = ("id_number", "valid_until", "verified_by", "verified_how", "verified_on", "approved_by")
UNSOUND = {"id_number": "1", "valid_until": "x", "verified_how": "x", "issued_on": "1999-01-01"}
SENT_AWAY = (
    ({"office": "qh-demo", "matter": "健在证明"}, "banned_matter"),
    ({"matter": "好人证明", "statement": "其未婚证明属实"}, "unknown_matter"),
    ({"office": "qh-demo-village", "matter": "farmer-identity", "purpose": "x"}, "basis_lapsed"),
)


def test_whoever_is_sent_away_gets_a_notice_though_nothing_was_investigated(judging: Refuser) -> None:
    def rows(changes: dict[str, str]) -> list[Request]:
        return [
            item
            for number, (cells, _) in enumerate(SENT_AWAY, 1)
            for item in requests(number, name="王五", **changes, **cells)
        ]

    first = refuse(judging, rows(dict.fromkeys(BARE, "")))
    assert {outcome.status for outcome in first} == {"noticed"}
    assert [[item.code for item in outcome.faults] for outcome in first] == [[code] for _, code in SENT_AWAY]
    assert all("12345" in text(outcome.pdf) for outcome in first)
    for again in (refuse(judging, rows({})), refuse(judging, rows(UNSOUND))):
        assert {outcome.status for outcome in again} == {"unchanged"}
        assert [outcome.pdf for outcome in again] == [outcome.pdf for outcome in first]
    assert faults(judging) == []


def test_a_row_with_mistakes_in_what_is_printed_must_be_mended_first(refuser: Refuser) -> None:
    [outcome] = refuse(refuser, asked(1, name="", addressee="", id_number="1"))
    assert outcome.status == "none"
    assert [item.column for item in outcome.faults] == ["addressee", "name"]
    assert refuse(refuser, asked(1, office="nowhere"))[0].faults[0].code == "unknown_office"
    [unnamed] = refuse(refuser, asked(1, request_id=""))
    assert [item.column for item in unnamed.faults] == ["request_id"]


def test_a_document_that_does_not_convert_or_reads_otherwise_fails_alone(refuser: Refuser) -> None:
    def convert(documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
        return [ConversionFailed("无法转换"), *refuser.convert(documents[1:])]

    def once(pdf: PdfBytes, words: str, notice: Any) -> Any:
        read.append(notice.number)
        if len(read) == 1:
            raise TextMismatch("文字不符")
        return refuser.read_back(pdf, words, notice)

    read: list[str] = []
    outcomes = refuse(replace(refuser, convert=convert, read_back=once), asked(1, 2, 3))
    assert [outcome.status for outcome in outcomes] == ["failed", "failed", "noticed"]
    assert [outcome.faults[0].code for outcome in outcomes[:2]] == ["conversion_failed", "text_mismatch"]
    assert [item.number for item in refuser.registry.boxes()] == [outcomes[2].number]


def test_a_character_without_a_font_is_named_and_nothing_is_recorded(refuser: Refuser) -> None:
    [outcome] = refuse(refuser, asked(1, name="王\U000323af"))
    assert (outcome.status, outcome.faults[0].code) == ("none", "glyph_missing")
    assert list(refuser.registry.boxes()) == []


def test_a_sealed_notice_is_told_from_a_certificate_when_it_is_checked(
    home: Home, refuser: Refuser, printer: Convert
) -> None:
    with refusing(home.settings, sealed=True) as sealing:
        [sealed] = refuse(replace(sealing, decide=deciding(BANNED), convert=printer), asked(1))
        assert sealing.registry.refusals([Number(str(sealed.number))])[Number(str(sealed.number))].sealed
    again, bare = refuse(refuser, asked(1, 2))
    assert again.pdf == sealed.pdf
    assert again.warnings == ("原告知单已盖章，不再重做",)
    pdfs = {"sealed": sealed.pdf or b"", "bare": bare.pdf or b""}
    for name, pdf in [*pdfs.items(), *((f"{name} changed", pdf + b"\n") for name, pdf in pdfs.items())]:
        (home.folder / f"{name}.pdf").write_bytes(pdf)
    files = [f"{name}{changed}.pdf" for changed in ("", " changed") for name in pdfs]
    told = home.run("verify", *files, "--json", expect=1).stdout.splitlines()
    reports = dict(zip(files, map(json.loads, told), strict=True))
    assert [report["verdict"] for report in reports.values()] == [
        "not_found",
        "not_found",
        "altered",
        "not_sealed",
    ]
    assert not any(report["rely"] or report["certificate"] for report in reports.values())
    known = [
        file
        for file, report in reports.items()
        if "refusal_notice" in [reason["code"] for reason in report["reasons"]]
    ]
    assert known == files[:2]


@pytest.mark.parametrize("column", ["record", "private", "sha256", "closes"])
def test_a_change_to_the_entry_is_found(refuser: Refuser, home: Home, column: str) -> None:
    refuse(refuser, asked(1))
    with closing(sqlite3.connect(home.var / "registry.sqlite3")) as database, database:
        [(value,)] = database.execute(f"SELECT {column} FROM entries WHERE kind = 'refused'")
        changed = value.replace("banned_matter", "unknown_matter") if column == "record" else f"0{value}"[:-1]
        assert changed != value
        database.execute(f"UPDATE entries SET {column} = ? WHERE kind = 'refused'", [changed])
    assert "entry_changed" in faults(refuser)


def test_a_lost_or_changed_copy_of_a_notice_is_found(refuser: Refuser) -> None:
    [outcome] = refuse(refuser, asked(1))
    file = refuser.archive.folder / str(outcome.sha256)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert faults(refuser) == ["archive_changed"]
    file.unlink()
    assert faults(refuser) == ["archive_changed"]
    [failed] = refuse(refuser, asked(1))
    assert (failed.status, failed.faults[0].code) == ("failed", "archive_failed")


def test_the_command_gives_notice_of_what_may_not_be_issued_and_needs_no_sealing_key(home: Home) -> None:
    for key in (home.folder / "keys").glob("seal-*.key"):
        key.unlink()
    banned = a_row(1, office="qh-demo", matter="婚姻状况证明")
    bare = {key: banned[key] for key in ("request_id", "office", "matter", "addressee", "name")}
    rows = [bare, a_row(2), a_row(3, matter="婚姻状况证明", name="")]
    out = home.folder / "notices"
    done = home.run("refuse", home.write_rows("rows.csv", rows), "-o", out, expect=1)
    assert done.stdout.startswith("已告知 1、无告知单 2；")
    assert "may_be_issued" in done.stderr
    assert "banned_matter" not in done.stderr
    with open(out / "refusals.csv", encoding="utf-8-sig") as stream:
        lines = stream.read().splitlines()
    assert lines[0] == "request_id,status,number,pdf,sha256,warnings,error,message"
    assert [line.split(",")[1] for line in lines[1:]] == ["noticed", "none", "none"]
    [notice] = out.glob("*.pdf")
    assert lines[1].split(",")[2] == notice.stem
    assert notice.stat().st_mode & 0o777 == 0o600
    assert load_workbook(out / "refusals.xlsx").active["C1"].value == "告知单编号"
    printed = text(first := notice.read_bytes())
    assert "青民发〔2021〕103号附件2" in printed
    assert printed.count("补办（婚姻登记档案丢失、收养情况除外）") == 1  # 办事途径, told once
    again = home.run("refuse", home.write_rows("one.csv", [banned]), "-o", out)
    assert again.stdout.startswith("未变 1；")
    assert notice.read_bytes() == first
    with closing(sqlite3.connect(home.var / "registry.sqlite3")) as database:
        [(record,)] = database.execute("SELECT record FROM entries WHERE kind = 'refused'")
    assert json.loads(record)["policy"] == "青民发〔2021〕103号"
    assert json.loads(record)["edition"]
    assert home.run("refuse", home.folder / "one.csv", "-o", out, "--seal", expect=None).returncode != 0
