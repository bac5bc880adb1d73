"""The list of stopped certificates: what a closed network learns from it, with our software and without."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from growing import KEY as STRANGER
from home import Home, read_results
from proofbundle.tlogproof import verify_tlog_proof

from signsvc import cli
from signsvc.cosignatures import cosign, witness_of
from signsvc.identity import status_id
from signsvc.models import Status
from signsvc.notes import Checkpoint, split_note
from signsvc.notes import Verifier as LogKey
from signsvc.proofs import Entry, Proof, Proven, canonical, leaf_data
from signsvc.receipts import Receipts, compact, published
from signsvc.report import BEIJING, StatusEvent, history_of, rfc3339
from signsvc.statuses import Event
from signsvc.statuslist import KIND, ListError, entry_id, open_list, payload
from signsvc.verify import Bundle
from signsvc.web import create_app
from signsvc.web.server import opened
from signsvc.wiring.home import now
from signsvc.wiring.offline import Stopped, _news, _with_list
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
        file.write_text(self.receipts.sign(compact(content), kind))
        return file


@pytest.fixture(scope="module")
def inside(issued: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Of the demonstration's certificates the first is revoked, the second suspended, the others are in force.

    `0.json` is the bundle of the first from before that, `0-now.json` the one from after it.
    """
    folder = tmp_path_factory.mktemp("inside")
    home = Home(Path(shutil.copytree(issued.folder, folder / "home")))
    rows = read_results(home.folder / "out")
    with opened(home.settings) as site:
        client = create_app(site).test_client()

        def save_bundles(ending: str) -> None:
            for place, row in enumerate(rows[:3]):
                question = {"number": row["number"], "code": row["code"]}
                found = client.post("/log/proof", json=question)
                (folder / f"{place}{ending}.json").write_bytes(found.data)

        save_bundles("")
        change_status(home.settings, rows[0]["number"], Event.REVOKE, "issued_in_error", None, None)
        change_status(home.settings, rows[1]["number"], Event.SUSPEND, "information_wrong", None, None)
        save_bundles("-now")
        (folder / "log.key").write_text(client.get("/log/key").text)
        answer = client.get("/log/statuses")
        assert answer.content_type == "application/jose"
        (folder / "statuses.jws").write_bytes(answer.data)
        (folder / "jwks.json").write_text(json.dumps(dict(site.jwks)))
        shutil.copy(home.folder / "keys" / "root.pem", folder)
        for place, row in enumerate(rows[:3]):
            shutil.copy(home.folder / "out" / row["pdf"], folder / f"{place}.pdf")
        assert client.get("/log/statuses").data == answer.data  # within the minute it is the same list
        yield Inside(folder, rows, site.receipts)


@pytest.fixture
def verified(inside: Inside, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """`verify --offline` of a certificate, in a folder without home or keys: exit code, and Report or error line."""

    def run(
        place: int, statuses: Path | None = None, *more: str, code: str = "", proof: str = ""
    ) -> tuple[int, Any]:
        monkeypatch.setattr(os, "environ", {})
        monkeypatch.chdir(inside.folder)
        proof = proof or f"{place}.json"
        words = ["verify", "--offline", "--json", "--root", "root.pem", "--proof", proof, *more]
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


def test_a_bundle_that_was_fetched_later_tells_what_became_of_it(verified: Asked) -> None:
    code, report = verified(0, proof="0-now.json")
    assert (code, report["verdict"], report["rely"]) == (1, "revoked", False)
    assert {"code": "issued_in_error", "message": "撤销原因：误发"} in report["reasons"]
    assert "not_reached" not in [reason["code"] for reason in report["reasons"]]
    assert verified(1, proof="1-now.json")[1]["verdict"] == "suspended"
    code, report = verified(2, proof="2-now.json")
    assert (code, report["verdict"], check(report, "status")["code"]) == (0, "valid", "offline")


def test_what_came_later_is_proven_to_others_too(inside: Inside) -> None:
    """Each entry by itself, with a library that is not ours."""
    bundle = json.loads((inside.folder / "0-now.json").read_text("utf-8"))
    key = (inside.folder / "log.key").read_text().strip()
    [revoked] = bundle["later"]
    for entry in (bundle, revoked):
        leaf = leaf_data(bytes.fromhex(entry["salt"]), canonical(entry["record"]))
        assert verify_tlog_proof(entry["proof"], leaf, key)["ok"]
        assert not verify_tlog_proof(entry["proof"], leaf + b" ", key)["ok"]


def test_what_is_cut_off_a_bundle_only_the_list_or_the_registry_tells(
    inside: Inside, verified: Asked
) -> None:
    whole = json.loads((inside.folder / "0-now.json").read_text("utf-8"))
    (inside.folder / "cut.json").write_text(json.dumps({**whole, "later": []}), "utf-8")
    code, report = verified(0, proof="cut.json")
    assert (code, report["verdict"], report["rely"]) == (0, "valid", False)
    assert check(report, "status")["result"] == "skip"
    assert verified(0, Path("statuses.jws"), proof="cut.json")[1]["verdict"] == "revoked"


@pytest.mark.parametrize("later", [None, "revoked", [{}], "twice", "of another", "issued"])
def test_a_bundle_with_something_else_in_later_proves_nothing(
    inside: Inside, verified: Asked, later: Any
) -> None:
    whole = json.loads((inside.folder / "0-now.json").read_text("utf-8"))
    other = json.loads((inside.folder / "1-now.json").read_text("utf-8"))
    found = {
        "twice": whole["later"] * 2,
        "of another": other["later"],
        "issued": [{key: other[key] for key in ("record", "salt", "proof")}],
    }
    changed = {**whole, "later": found.get(later, later) if isinstance(later, str) else later}
    (inside.folder / "changed.json").write_text(json.dumps(changed), "utf-8")
    code, error = verified(0, proof="changed.json")
    assert (code, error.startswith("error: bad_proof: ")) == (2, True)


@pytest.mark.parametrize(
    ("last", "listed", "outdated", "news"),
    [
        ((Status.ISSUED, 20), (Status.SUSPENDED, 21), False, True),
        ((Status.ISSUED, 20), (Status.SUSPENDED, 20), True, True),  # days only: it may have been later
        ((Status.ISSUED, 20), (Status.SUSPENDED, 19), True, False),  # resumed since the list was made
        ((Status.ISSUED, 20), (Status.SUSPENDED, 19), False, True),  # whatever its clock said
        ((Status.SUSPENDED, 20), (Status.REVOKED, 21), False, True),
        ((Status.REVOKED, 20), (Status.SUSPENDED, 21), False, False),  # is for good
        ((Status.SUPERSEDED, 20), (Status.SUPERSEDED, 20), False, False),  # the bundle names by which
    ],
)
def test_of_bundle_and_list_the_later_word_counts(
    last: tuple[Status, int], listed: tuple[Status, int], outdated: bool, news: bool
) -> None:
    told, event = (
        StatusEvent(status, datetime(2026, 11, day, 12, tzinfo=BEIJING)) for status, day in (last, listed)
    )
    assert _news(event, told, outdated) == ((event,) if news else ())


def test_a_log_without_a_certificate_is_known_by_its_key(inside: Inside, verified: Asked) -> None:
    whole = json.loads((inside.folder / "2.json").read_text("utf-8"))
    (inside.folder / "plain.json").write_text(json.dumps({**whole, "log_chain": []}), "utf-8")
    key = (inside.folder / "log.key").read_text()
    code, error = verified(2, proof="plain.json")
    assert (code, error.startswith("error: bad_proof: "), "--log-key" in error) == (2, True, True)
    code, report = verified(2, None, "--log-key", key, proof="plain.json")
    assert (code, report["verdict"]) == (0, "valid")
    # Who pins a key is not talked out of it by a certificate.
    stranger = str(LogKey(inside.listed["log"], STRANGER.public_key().public_bytes_raw()))
    for file in ("plain.json", "2.json"):
        code, error = verified(2, None, "--log-key", stranger, proof=file)
        assert (code, error.startswith("error: bad_proof: ")) == (2, True)
    code, error = verified(2, None, "--log-key", key[:-8], proof="plain.json")
    assert (code, error.startswith("error: bad_log_key: ")) == (2, True)


def test_offline_a_seal_is_said_to_be_checked_as_far_as_it_was(verified: Asked) -> None:
    seal = check(verified(2)[1], "seal_certificate")
    assert (seal["result"], seal["code"]) == ("skip", "seal_not_checked")
    assert seal["detail"] == "离线：未核对签章证书是否已被撤销"


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


def another(
    inside: Inside, stopped: Sequence[tuple[str, Status, str, date]] = (), **changes: Any
) -> dict[str, Any]:
    listed = inside.listed
    whole = payload(listed["log"], listed["size"], rfc3339(listed["issued_at"]), listed["salt"], stopped)
    return {**whole, **changes}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"issued_at": rfc3339(now() - timedelta(days=6, hours=23))}, None),
        ({"issued_at": rfc3339(now() - timedelta(days=7, minutes=1))}, "list_outdated"),
        ({"issued_at": rfc3339(now() + timedelta(minutes=4))}, None),
        ({"size": 1}, "list_outdated"),
    ],
)
def test_a_list_of_the_wrong_time_says_so(
    inside: Inside, verified: Asked, changes: dict[str, Any], told: str | None
) -> None:
    _, report = verified(2, inside.sign(another(inside, **changes)))
    codes = [reason["code"] for reason in report["reasons"]]
    assert ("list_outdated" in codes) == (told is not None)


def test_a_clock_that_is_behind_keeps_nothing_on_the_list_from_counting(
    inside: Inside, verified: Asked
) -> None:
    row = inside.rows[2]
    name = status_id(row["number"], row["code"].replace("-", ""))
    tomorrow = now().astimezone(BEIJING).date() + timedelta(days=1)
    listed = another(inside, stopped=[(name, Status.REVOKED, "other", tomorrow)])
    code, report = verified(2, inside.sign(listed))
    assert (code, report["verdict"]) == (1, "revoked")


def test_a_code_of_another_certificate_is_refused(inside: Inside, verified: Asked) -> None:
    """It is on no list, so that whoever is stopped could bring it instead of his own."""
    code, error = verified(0, Path("statuses.jws"), code=inside.rows[2]["code"])
    assert (code, error.startswith("error: wrong_code: ")) == (2, True)


def test_a_record_of_earlier_says_nothing_of_its_code(inside: Inside) -> None:
    proven = json.loads((inside.folder / "0.json").read_text("utf-8"))
    record = {key: value for key, value in proven["record"].items() if key != "status_digest"}
    place = Proven(Entry(record, b"", Proof(0, (), "")), (), Checkpoint(inside.listed["log"], 9, bytes(32)))
    bundle = Bundle(record, 0, history_of(record, ()), 9)
    given = [
        Stopped(inside.folder / "statuses.jws", inside.folder / "jwks.json", row["code"])
        for row in inside.rows
    ]
    found = _with_list(bundle, given[0], place)
    assert [event.status for event in found.history] == [Status.ISSUED, Status.REVOKED]
    missed = _with_list(bundle, given[2], place)
    assert (missed.history, missed.listed_at) == (bundle.history, None)
    assert "code_not_bound" in [check.code for check in missed.checks]


def test_it_says_by_whose_key_the_list_is(inside: Inside, verified: Asked) -> None:
    """A key set that calls its key by the name of ours is told by what the key is."""
    genuine = json.loads((inside.folder / "jwks.json").read_text())["keys"][0]
    told = check(verified(2, Path("statuses.jws"))[1], "statuses_key")
    assert (told["result"], told["code"], genuine["kid"] in told["detail"]) == (
        "skip",
        "key_not_pinned",
        True,
    )
    forger = Receipts(STRANGER)
    forged = dict(published([STRANGER.public_key()])["keys"][0])
    named = {"keys": [{**forged, "kid": "x"}]}
    head = urlsafe_b64encode(json.dumps({"alg": "EdDSA", "typ": KIND, "kid": "x"}).encode()).rstrip(b"=")
    body = forger.sign(compact(another(inside)), KIND).split(".")[1].encode()
    signature = urlsafe_b64encode(STRANGER.sign(head + b"." + body)).rstrip(b"=")
    signed = b".".join((head, body, signature))
    assert open_list(signed, json.dumps(named).encode()).signed_by == forged["kid"]


@pytest.mark.parametrize(
    "changes",
    [
        {"log": "example.org/log"},
        {"v": 2},
        {"entries": {"00": ["revoked"]}},
        {"issued_at": "2026-11-21T09:00:00"},
        {"issued_at": rfc3339(now() + timedelta(hours=1))},
        {"size": "9"},
        {"salt": None},
        {"entries": {"00": ["revoked", 1, "2026-11-21"]}},
        {"entries": {"00": ["revoked", "other", "today"]}},
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
        Receipts(Ed25519PrivateKey.generate()).sign(compact(another(inside)), KIND),
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
    stopped = [(name, Status.REVOKED, "other", now().date()) for name in names]
    file = inside.sign(payload("example.org/log", 9000, rfc3339(now()), salt, stopped))
    kept = open_list(file.read_bytes(), (inside.folder / "jwks.json").read_bytes())
    assert all(kept.find(name) for name in names)
    assert kept.find(status_id("qh-demo-2026-000001", "1" * 16)) is None
    assert entry_id(salt, names[0]) != entry_id("1" * 32, names[0])


def test_half_of_what_a_list_needs_is_a_mistake(inside: Inside, verified: Asked) -> None:
    code, error = verified(2, None, "--statuses", "statuses.jws")
    assert (code, error.startswith("error: usage: ")) == (2, True)
    code, error = verified(2, Path("statuses.jws"), code="0000-0000-0000-0001")  # a wrong check character
    assert (code, error.startswith("error: malformed_code: ")) == (2, True)


def test_a_bank_reads_the_list_without_our_software(inside: Inside) -> None:
    """The lines of docs/log.md, in an interpreter that cannot even see this project."""
    document = Path(__file__).parents[1] / "docs" / "log.md"
    [lines] = SNIPPET.findall(document.read_text("utf-8"))
    said = []
    for place, row in enumerate(inside.rows[:3]):
        said.append(read_by_others(inside, lines, place, row["code"]).stdout.split()[2:4])
    assert said == [["revoked", "issued_in_error"], ["suspended", "information_wrong"], ["not", "listed"]]
    refused = read_by_others(inside, lines, 0, inside.rows[2]["code"])
    assert (refused.returncode, refused.stdout) == (1, "")


def read_by_others(inside: Inside, lines: str, place: int, code: str) -> subprocess.CompletedProcess[str]:
    words = ["statuses.jws", "jwks.json", f"{place}.json", code]
    return subprocess.run(
        [sys.executable, "-I", "-c", lines, *words],
        cwd=inside.folder,
        capture_output=True,
        text=True,
        check=False,
    )


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
