"""The commands as an office, a bank and an operator use them."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from home import DEMO_REQUESTS, Home, a_row, id_number, read_results


@pytest.fixture
def own(issued: Home, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(issued.folder, tmp_path / "own")))


def first(home: Home) -> dict[str, str]:
    return read_results(home.folder / "out")[0]


def test_the_demonstration_batch_is_issued_whole(issued: Home) -> None:
    rows = read_results(issued.folder / "out")
    assert len(rows) == 10
    assert {row["status"] for row in rows} == {"issued"}
    assert rows[0]["number"] == "qh-demo-2026-000001"
    assert all((issued.folder / "out" / row["pdf"]).is_file() for row in rows)
    assert (issued.folder / "out" / "results.xlsx").is_file()


def test_issuing_loads_nothing_that_other_commands_need() -> None:
    others = ["flask", "babel", "pydantic", "openpyxl", "signsvc.verify", "signsvc.tables"]
    told = f"import sys, signsvc.cli.issuing; print([name for name in {others} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_rerun_changes_nothing(own: Home) -> None:
    before = {file.name: file.read_bytes() for file in (own.folder / "out").glob("*.pdf")}
    shutil.rmtree(own.folder / "out")
    rows = own.sign(DEMO_REQUESTS)
    assert {row["status"] for row in rows} == {"unchanged"}
    assert {file.name: file.read_bytes() for file in (own.folder / "out").glob("*.pdf")} == before
    assert all(row["code"] for row in rows)


def test_other_content_under_an_issued_request_id_is_a_conflict(own: Home) -> None:
    with open(DEMO_REQUESTS, encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))[:1]
    rows[0]["姓名"] = "另一人"
    result = own.sign(own.write_rows("changed.csv", rows), "again", expect=1)[0]
    assert result["status"] == "refused"
    assert result["error"] == "request_conflict"
    assert "qh-demo-2026-000001" in result["message"]


def test_check_tells_every_fault_of_every_row_and_issues_nothing(own: Home) -> None:
    rows = [a_row(1), a_row(2, name="", id_number="123", valid_until="2020-01-01"), a_row(3, name="张?")]
    done = own.run("check", own.write_rows("rows.csv", rows), expect=1)
    for code in ("missing_field", "invalid_id_number", "validity_order", "invalid_name"):
        assert f"request_invalid:{code}" in done.stdout
    assert "第2行" not in done.stdout
    assert own.run("log", "verify").stdout.startswith("日志完整")


def test_the_bank_checks_a_file(issued: Home) -> None:
    report = issued.json("verify", issued.folder / "out" / first(issued)["pdf"])
    assert report["verdict"] == "valid"
    assert report["rely"] is False  # a demonstration seal
    assert report["certificate"]["holder"] == "王**"
    assert report["certificate"]["valid_until"] == "2036-12-31"
    assert report["seal"]["standing"] == "demo"


def test_the_bank_checks_a_number(issued: Home) -> None:
    row = first(issued)
    for number in (row["number"], "2026-000001", "幸福社区证明第2026-000001号"):
        assert issued.json("lookup", number, "--code", row["code"].lower())["verdict"] == "valid"
    later = issued.json("lookup", row["number"], "--code", row["code"], "--as-of", "2037-01-01", expect=1)
    assert later["verdict"] == "expired"
    earlier = issued.json("lookup", row["number"], "--code", row["code"], "--as-of", "2026-01-01", expect=1)
    assert earlier["verdict"] == "not_yet_valid"


def test_an_unknown_number_and_a_wrong_code_are_one_answer(issued: Home) -> None:
    rows = read_results(issued.folder / "out")
    wrong = issued.json("lookup", rows[0]["number"], "--code", rows[1]["code"], expect=1)
    unknown = issued.json("lookup", "qh-demo-2026-999999", "--code", rows[1]["code"], expect=1)
    assert (wrong["asked"]["number"], unknown["asked"]["number"]) == (
        rows[0]["number"],
        "qh-demo-2026-999999",
    )
    for report in (wrong, unknown):
        for own in ("checked_at", "receipt", "asked"):
            report.pop(own)
    assert wrong == unknown
    assert wrong["verdict"] == "not_found"


def test_a_malformed_code_is_one_line_and_exit_2(issued: Home) -> None:
    done = issued.run("lookup", first(issued)["number"], "--code", "ABC", expect=2)
    assert done.stderr.startswith("error: malformed_code: ")
    assert done.stderr.count("\n") == 1


def test_the_command_answers_as_it_does_when_it_is_forked(issued: Home) -> None:
    """The other tests fork one that is loaded already; this is how a user's starts."""
    for words in (("lookup", first(issued)["number"], "--code", "ABC"), ("log", "verify"), ("revoke", "1")):
        with issued.start(*words) as started:
            said = started.communicate(timeout=60)
        forked = issued.run(*words, expect=None)
        assert (started.returncode, *said) == (forked.returncode, forked.stdout, forked.stderr)


def test_a_changed_file_is_never_valid(own: Home) -> None:
    file = own.folder / "out" / first(own)["pdf"]
    file.write_bytes(file.read_bytes() + b"\n")
    assert own.json("verify", file, expect=1)["verdict"] == "altered"


def test_offline_a_good_seal_is_sealed_only(issued: Home) -> None:
    file = issued.folder / "out" / first(issued)["pdf"]
    root = issued.folder / "keys" / "root.pem"
    assert issued.json("verify", file, "--offline", "--root", root, expect=1)["verdict"] == "sealed_only"


def test_offline_a_proof_bundle_stands_for_the_registry(own: Home) -> None:
    row, other, *_ = read_results(own.folder / "out")
    proof, file = own.folder / "proof.json", own.folder / "out" / row["pdf"]
    own.run("lookup", row["number"], "--code", row["code"], "--save-proof", proof)
    (own.folder / "root.pem").write_bytes((own.folder / "keys" / "root.pem").read_bytes())
    shutil.rmtree(own.folder / "keys")  # a bank has the root and the bundle, nothing else
    shutil.rmtree(own.var)
    offline = ("--offline", "--root", own.folder / "root.pem", "--proof", proof)
    report = own.json("verify", file, *offline)
    assert report["verdict"] == "valid"
    assert report["certificate"]["number"] == row["number"]
    assert {"status": "skip"}.items() <= {
        check["name"]: check["result"] for check in report["checks"]
    }.items()
    assert own.json("verify", own.folder / "out" / other["pdf"], *offline, expect=1)["verdict"] == "not_found"
    bundle = json.loads(proof.read_text("utf-8"))
    bundle["record"]["valid_until"] = "2099-12-31"
    proof.write_text(json.dumps(bundle), "utf-8")
    assert own.run("verify", file, *offline, expect=2).stderr.startswith("error: bad_proof: ")


def test_a_bundle_of_another_service_proves_nothing(own: Home, home: Home) -> None:
    foreign = Home(
        home.folder, {"SIGNSVC_HOME": str(home.folder / "v2"), "SIGNSVC_KEYS": str(home.folder / "k2")}
    )
    foreign.run("init", "--demo")
    row = first(own)
    own.run("lookup", row["number"], "--code", row["code"], "--save-proof", own.folder / "proof.json")
    words = ("--offline", "--root", home.folder / "k2" / "root.pem", "--proof", own.folder / "proof.json")
    done = own.run("verify", own.folder / "out" / row["pdf"], *words, expect=2)
    assert done.stderr.startswith("error: bad_proof: ")


def test_status_commands_show_in_the_answer_and_in_the_log(own: Home) -> None:
    row = first(own)
    look = ("lookup", row["number"], "--code", row["code"])
    own.run("suspend", row["number"], "--reason", "other", "--note", "电话核实中")
    assert own.json(*look, expect=1)["verdict"] == "suspended"
    own.run("resume", row["number"])
    assert own.json(*look)["verdict"] == "valid"
    own.run("revoke", row["number"], "--reason", "issued_in_error")
    revoked = own.json(*look, expect=1)
    assert revoked["verdict"] == "revoked"
    assert {"code": "issued_in_error", "message": "撤销原因：误发"} in revoked["reasons"]
    assert own.json("verify", own.folder / "out" / row["pdf"], expect=1)["verdict"] == "revoked"
    again = own.run("revoke", row["number"], "--reason", "other", expect=1)
    assert again.stderr.startswith("error: status_not_allowed: ")
    own.run("log", "verify")


def test_a_certificate_is_superseded_by_another_of_its_office(own: Home) -> None:
    old, new, *_ = read_results(own.folder / "out")
    own.run("supersede", old["number"], "--by", new["number"])
    report = own.json("lookup", old["number"], "--code", old["code"], expect=1)
    assert report["verdict"] == "superseded"
    assert report["certificate"]["superseded_by"] == new["number"]


def test_the_retained_copy_is_the_same_bytes(own: Home) -> None:
    row = first(own)
    own.run("copy", row["number"], "--reason", "法院要求补交", "-o", own.folder / "copy.pdf")
    assert (own.folder / "copy.pdf").read_bytes() == (own.folder / "out" / row["pdf"]).read_bytes()
    own.run("log", "verify")


def test_an_existing_registry_is_never_made_anew(own: Home) -> None:
    assert own.run("init", "--demo", expect=2).stderr.startswith("error: registry_error: ")
    shutil.rmtree(own.var)
    done = own.run("init", "--demo", expect=2)
    assert done.stderr.startswith("error: ")
    assert not (own.var / "registry.sqlite3").exists()


def test_every_other_command_refuses_a_missing_registry(home: Home) -> None:
    (home.var / "registry.sqlite3").unlink()
    for words in (
        ("sign", DEMO_REQUESTS),
        ("check", DEMO_REQUESTS),
        ("lookup", "qh-demo-2026-000001", "--code", "0"),
        ("log", "verify"),
        ("revoke", "qh-demo-2026-000001", "--reason", "other"),
    ):
        assert home.run(*words, expect=2).stderr.startswith("error: registry_error: ")
    assert not (home.var / "registry.sqlite3").exists()


def test_an_unusable_file_is_exit_2(home: Home) -> None:
    for name, data in {
        "none.csv": None,
        "empty.csv": b"",
        "rows.pdf": b"%PDF-1.7",
        "rows.xlsx": b"PK\x03\x04",
    }.items():
        if data is not None:
            (home.folder / name).write_bytes(data)
        done = home.run("sign", home.folder / name, expect=2)
        assert done.stderr.startswith("error: unusable_input: "), done.stderr
        assert "Traceback" not in done.stderr


def test_a_mistake_is_one_line_with_its_code_and_no_traceback(issued: Home, tmp_path: Path) -> None:
    own = Home(Path(shutil.copytree(issued.folder, tmp_path / "own")))
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("x", "utf-8")
    folder.mkdir()
    row = first(own)
    pdf = own.folder / "out" / row["pdf"]
    for words in (
        ("sign", DEMO_REQUESTS, "-o", file),
        ("sign", DEMO_REQUESTS, "-o", file / "below"),
        ("sign", folder),
        ("verify", folder),
        ("verify", tmp_path / "missing.pdf"),
        ("verify", pdf, "--proof", file),
        ("verify", pdf, "--offline", "--root", file),
        ("verify", pdf, "--offline", "--root", folder),
        ("verify", pdf, "--offline", "--proof", file),
        ("copy", row["number"], "--reason", "x", "-o", folder),
        ("copy", "qh-demo-2026-999999", "--reason", "x", "-o", file),
        ("revoke", row["number"]),
        ("revoke", row["number"], "--reason", "whim"),
        ("supersede", row["number"], "--by", row["number"]),
        ("lookup", row["number"]),
        ("lookup", "\x01", "--code", row["code"]),
        ("lookup", row["number"], "--code", row["code"], "--as-of", "yesterday"),
        ("template", "check", file),
        ("nonsense",),
    ):
        done = own.run(*words, expect=None)
        assert done.returncode in (1, 2), words
        assert done.stderr.startswith("error: "), (words, done.stderr)
        assert done.stderr.count("\n") == 1, (words, done.stderr)
    own.run("log", "verify")


def test_the_last_day_there_is_can_be_asked_for(issued: Home) -> None:
    row = first(issued)
    look = ("lookup", row["number"], "--code", row["code"], "--as-of", "9999-12-31")
    assert issued.json(*look, expect=1)["verdict"] == "expired"


def test_a_number_that_is_out_of_range_is_told_the_range(issued: Home) -> None:
    for port in ("80000", "0", "x"):
        done = issued.run("serve", "--port", port, expect=2)
        assert done.stderr == "error: usage: --port 写得不对：应为 1 至 65535 的整数\n"


def test_lookup_says_for_which_day_it_answers(issued: Home) -> None:
    row = first(issued)
    look = ("lookup", row["number"], "--code", row["code"])
    today = issued.run(*look)
    other = issued.run(*look, "--as-of", "2036-12-31")
    assert "按2036年12月31日的情况回答，不是今天" in other.stdout
    assert "不是今天" not in today.stdout


def test_settings_that_lead_nowhere_are_told(home: Home) -> None:
    for key, value in {
        "SIGNSVC_RECOGNISED_ISSUERS": "/nowhere.pem",
        "SIGNSVC_TEMPLATE": "/nowhere.docx",
        "SIGNSVC_DATABASE_URL": "foo://bar",
        "SIGNSVC_FONT_BODY": "No Such Font",
        "SIGNSVC_FONT_FILES": "/nowhere.ttf",
        "SIGNSVC_ARCHIVE_URL": "s3://bucket",
    }.items():
        done = Home(home.folder, {key: value}).run("check", DEMO_REQUESTS, expect=2)
        assert done.stderr.startswith("error: "), (key, done.stderr)
        assert done.stderr.count("\n") == 1, (key, done.stderr)


def test_init_for_a_folder_that_cannot_be_made_costs_no_keys(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("in the way", "utf-8")
    assert Home(tmp_path).run("init", "--demo", expect=2).stderr.startswith("error: ")
    assert not (tmp_path / "keys").exists()


def test_a_check_writes_nothing(own: Home) -> None:
    def state() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in own.var.rglob("*") if path.is_file()}

    before = state()
    own.run("check", DEMO_REQUESTS)
    assert state().keys() == before.keys()
    assert state()[own.var / "log" / "checkpoint"] == before[own.var / "log" / "checkpoint"]


def test_an_unknown_setting_is_refused(home: Home) -> None:
    odd = Home(home.folder, {"SIGNSVC_CONVERTOR": "auto"})
    assert odd.run("doctor", expect=2).stderr.startswith("error: bad_setting: ")


def test_doctor_finds_a_demonstration_home_fit(home: Home) -> None:
    done = home.run("doctor")
    assert "FAIL" not in done.stdout
    assert "演示印章" in done.stdout


def test_options_fill_a_column_for_the_whole_file(home: Home) -> None:
    row = a_row(1)
    for key in ("office", "verified_by", "verified_how", "verified_on", "approved_by"):
        row.pop(key)
    rows = home.write_rows("rows.csv", [row])
    words = ("--office", "qh-demo", "--verified-by", "甲", "--verified-how", "掌握信息")
    words += ("--verified-on", "2026-11-20", "--approved-by", "乙")
    home.run("sign", rows, "-o", home.folder / "out", *words)
    assert read_results(home.folder / "out")[0]["number"] == "qh-demo-2026-000001"


def test_no_identity_number_reaches_the_terminal(home: Home) -> None:
    number = id_number(1)
    rows = [{**a_row(1, request_id=number, id_number=number[:-1] + "!"), number: "x"}]
    for words in (("check",), ("sign", "-o", home.folder / "out")):
        done = home.run(words[0], home.write_rows("rows.csv", rows), *words[1:], expect=1)
        assert "request_invalid:invalid_id_number" in done.stdout + done.stderr
        assert number[:15] not in done.stdout + done.stderr


def test_cells_that_a_spreadsheet_would_run_are_neutralised(home: Home) -> None:
    rows = home.write_rows("rows.csv", [a_row(1, request_id="=1+1", name="")])
    assert home.sign(rows, expect=1)[0]["request_id"] == "'=1+1"
