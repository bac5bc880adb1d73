"""The list of stopped certificates: what a closed network learns from it, with our software and without."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from growing import KEY as STRANGER
from home import Home, read_results

from signsvc import cli
from signsvc.cosignatures import cosign, witness_of
from signsvc.identity import status_id
from signsvc.models import Status
from signsvc.notes import split_note
from signsvc.receipts import Receipts
from signsvc.report import rfc3339
from signsvc.statuses import Event
from signsvc.statuslist import KIND, ListError, entry_id, open_list, payload
from signsvc.web import create_app
from signsvc.web.server import opened
from signsvc.wiring.home import now
from signsvc.wiring.recording import change_status

Row = dict[str, str]
Asked = Callable[..., tuple[int, Any]]
SNIPPET = re.compile(r"^```\n(import hashlib.*?)^```$", re.MULTILINE | re.DOTALL)
WITNESS = witness_of("witness.example/w1", STRANGER)


@dataclass(frozen=True)
class Inside:
    """What was carried into the closed network: files, proof bundles, the list and its keys."""

    folder: Path
    rows: list[Row]
    receipts: Receipts

    @property
    def listed(self) -> dict[str, Any]:
        kept = open_list(
            (self.folder / "statuses.jws").read_bytes(), (self.folder / "jwks.json").read_bytes()
        )
        return vars(kept)

    def sign(self, content: dict[str, Any], kind: str = KIND) -> Path:
        """Another list, by the same key."""
        file = self.folder / "another.jws"
        file.write_text(self.receipts.sign(content, kind))
        return file


@pytest.fixture(scope="module")
def inside(issued: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Of the demonstration's certificates the first is revoked, the second suspended, the others are in force."""
    folder = tmp_path_factory.mktemp("inside")
    home = Home(Path(shutil.copytree(issued.folder, folder / "home")))
    rows = read_results(home.folder / "out")
    change_status(home.settings, rows[0]["number"], Event.REVOKE, "issued_in_error", None, None)
    change_status(home.settings, rows[1]["number"], Event.SUSPEND, "information_wrong", None, None)
    with opened(home.settings) as site:
        client = create_app(site).test_client()
        answer = client.get("/log/statuses")
        assert answer.content_type == "application/jose"
        (folder / "statuses.jws").write_bytes(answer.data)
        (folder / "jwks.json").write_text(json.dumps(dict(site.jwks)))
        shutil.copy(home.folder / "keys" / "root.pem", folder)
        for place, row in enumerate(rows[:3]):
            question = {"number": row["number"], "code": row["code"]}
            (folder / f"{place}.json").write_bytes(client.post("/log/proof", json=question).data)
            shutil.copy(home.folder / "out" / row["pdf"], folder / f"{place}.pdf")
        assert client.get("/log/statuses").data == answer.data  # within the minute it is the same list
        yield Inside(folder, rows, site.receipts)


@pytest.fixture
def verified(inside: Inside, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """`verify --offline` of a certificate, in a folder without home or keys: exit code, and Report or error line."""

    def run(place: int, statuses: Path | None = None, *more: str, code: str = "") -> tuple[int, Any]:
        monkeypatch.setattr(os, "environ", {})
        monkeypatch.chdir(inside.folder)
        words = ["verify", "--offline", "--json", "--root", "root.pem", "--proof", f"{place}.json", *more]
        if statuses:
            code = code or inside.rows[place]["code"]
            words += ["--statuses", str(statuses), "--keys", "jwks.json", "--code", code]
        with pytest.raises(SystemExit) as ended:
            cli.main([*words, f"{place}.pdf"])
        said = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(said.out) if said.out else said.err

    return run


def check(report: Any, name: str) -> Any:
    return next(item for item in report["checks"] if item["name"] == name)


def test_without_a_list_a_bundle_knows_only_its_day(verified: Asked) -> None:
    for place in range(3):
        code, report = verified(place)
        assert (code, report["verdict"], report["rely"]) == (0, "valid", False)
        assert check(report, "status")["code"] == "offline"


def test_what_is_on_the_list_is_stopped(verified: Asked) -> None:
    code, report = verified(0, Path("statuses.jws"))
    assert (code, report["verdict"], report["rely"]) == (1, "revoked", False)
    assert "issued_in_error" in [reason["code"] for reason in report["reasons"]]
    assert report["certificate"]["status_since"][:4] == str(now().year)
    assert verified(1, Path("statuses.jws"))[1]["verdict"] == "suspended"


def test_what_is_not_on_the_list_is_only_not_on_the_list(inside: Inside, verified: Asked) -> None:
    code, report = verified(2, Path("statuses.jws"))
    assert (code, report["verdict"], report["rely"]) == (0, "valid", False)
    status = check(report, "status")
    assert (status["result"], status["code"]) == ("skip", "not_listed")
    assert inside.listed["issued_at"].strftime("%Y-%m-%d %H:%M") in status["detail"]


def another(inside: Inside, **changes: Any) -> dict[str, Any]:
    listed = inside.listed
    whole = payload(listed["log"], listed["size"], rfc3339(listed["issued_at"]), listed["salt"], [])
    return {**whole, **changes}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"issued_at": rfc3339(now() - timedelta(days=6, hours=23))}, None),
        ({"issued_at": rfc3339(now() - timedelta(days=7, minutes=1))}, "list_outdated"),
        ({"issued_at": rfc3339(now() + timedelta(hours=1))}, "list_from_future"),
        ({"size": 1}, "list_outdated"),
    ],
)
def test_a_list_of_the_wrong_time_says_so(
    inside: Inside, verified: Asked, changes: dict[str, Any], told: str | None
) -> None:
    _, report = verified(2, inside.sign(another(inside, **changes)))
    codes = [reason["code"] for reason in report["reasons"]]
    assert ("list_outdated" in codes or "list_from_future" in codes) == (told is not None)
    assert told is None or told in codes


@pytest.mark.parametrize(
    "changes",
    [
        {"log": "example.org/log"},
        {"v": 2},
        {"entries": {"00": ["revoked"]}},
        {"issued_at": "2026-11-21T09:00:00"},
    ],
)
def test_another_list_is_refused(inside: Inside, verified: Asked, changes: dict[str, Any]) -> None:
    code, error = verified(2, inside.sign(another(inside, **changes)))
    assert (code, error.startswith("error: bad_statuses: ")) == (2, True)


def test_a_receipt_is_no_list(inside: Inside, verified: Asked) -> None:
    code, error = verified(2, inside.sign(another(inside), "signsvc-receipt+jws"))
    assert (code, error.startswith("error: bad_statuses: ")) == (2, True)


def test_a_list_by_another_key_or_changed_is_refused(inside: Inside) -> None:
    keys = (inside.folder / "jwks.json").read_bytes()
    signed = (inside.folder / "statuses.jws").read_text()
    head, body, signature = signed.split(".")
    for wrong in (
        Receipts(Ed25519PrivateKey.generate()).sign(another(inside), KIND),
        f"{head}.{body[:-2]}AA.{signature}",
        f"{head}.{body}.",
        "",
        "a.b.c",
    ):
        with pytest.raises(ListError):
            open_list(wrong.encode(), keys)
    with pytest.raises(ListError):
        open_list(signed.encode(), b"[]")


def test_a_list_of_many_reads_back(inside: Inside) -> None:
    salt = "0" * 32
    names = [status_id(f"qh-demo-2026-{n:06d}", "0" * 16) for n in range(5000)]
    stopped = [(name, Status.REVOKED, "other", rfc3339(now())) for name in names]
    file = inside.sign(payload("example.org/log", 9000, rfc3339(now()), salt, stopped))
    kept = open_list(file.read_bytes(), (inside.folder / "jwks.json").read_bytes())
    assert all(kept.find(name) for name in names)
    assert kept.find(status_id("qh-demo-2026-000001", "1" * 16)) is None
    assert entry_id(salt, names[0]) != entry_id("1" * 32, names[0])


def test_half_of_what_a_list_needs_is_a_mistake(inside: Inside, verified: Asked) -> None:
    code, error = verified(2, None, "--statuses", "statuses.jws")
    assert (code, error.startswith("error: usage: ")) == (2, True)
    code, error = verified(2, Path("statuses.jws"), code="0000-0000-0000-0001")
    assert (code, error.startswith("error: malformed_code: ")) == (2, True)


def test_a_bank_reads_the_list_without_our_software(inside: Inside) -> None:
    """The lines of docs/log.md, in an interpreter that cannot even see this project."""
    document = Path(__file__).parents[1] / "docs" / "log.md"
    [lines] = SNIPPET.findall(document.read_text("utf-8"))
    said = []
    for row in inside.rows[:3]:
        words = ["statuses.jws", "jwks.json", row["number"], row["code"]]
        done = subprocess.run(
            [sys.executable, "-I", "-c", lines, *words],
            cwd=inside.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(done.stdout.split()[2:4])
    assert said == [["revoked", "issued_in_error"], ["suspended", "information_wrong"], ["not", "listed"]]


def test_a_witness_that_must_have_cosigned(inside: Inside, verified: Asked) -> None:
    code, error = verified(2, None, "--witness", str(WITNESS))
    assert (code, error.startswith("error: bad_proof: ")) == (2, True)
    file = inside.folder / "2.json"
    plain = json.loads(file.read_text("utf-8"))
    note = plain["proof"].partition("\n\n")[2]
    line = cosign(split_note(note)[0], WITNESS.name, STRANGER, now())
    try:
        file.write_text(json.dumps({**plain, "proof": plain["proof"] + line}), "utf-8")
        code, report = verified(2, None, "--witness", str(WITNESS))
        assert (code, report["verdict"], check(report, "witnesses")["result"]) == (0, "valid", "pass")
        assert verified(2)[0] == 0  # a cosignature that nobody asked for is no fault
        file.write_text(json.dumps({**plain, "proof": plain["proof"] + line[:-6] + "AAA=\n"}), "utf-8")
        assert verified(2, None, "--witness", str(WITNESS))[1].startswith("error: bad_proof: ")
    finally:
        file.write_text(json.dumps(plain), "utf-8")
