"""The log in public: what is served is what was published, no more, and in the one form that others read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from flask.testing import FlaskClient
from growing import KEY as STRANGER
from growing import ORIGIN
from home import Home, read_results
from proofbundle.tlogproof import verify_tlog_proof
from werkzeug.test import TestResponse

from signsvc.errors import Busy, RegistryBusy, RegistryError, SignsvcError
from signsvc.merkle import leaf_hash
from signsvc.models import Status
from signsvc.notes import Checkpoint, Verifier, open_checkpoint, sign_note
from signsvc.proofs import canonical, leaf_data
from signsvc.registry import Registry, Stopped
from signsvc.web import create_app
from signsvc.web.log import Listing
from signsvc.web.server import opened
from signsvc.web.site import Site

WRONG = "0000-0000-0000-0000"


@dataclass(frozen=True)
class Public:
    """The service of a home, its client and its certificates."""

    site: Site
    client: FlaskClient
    rows: list[dict[str, str]]

    @property
    def key(self) -> Verifier:
        return Verifier.parse(self.client.get("/log/key").text.strip())

    @property
    def size(self) -> int:
        return open_checkpoint(self.client.get("/log/checkpoint").data, self.key).size


@pytest.fixture(scope="module")
def public(issued: Home) -> Iterator[Public]:
    with opened(issued.settings) as site:
        rows = read_results(issued.folder / "out")
        yield Public(site, create_app(site).test_client(), rows)


def asked(public: Public, number: str, code: str) -> TestResponse:
    return public.client.post("/log/proof", json={"number": number, "code": code})


def test_the_checkpoint_is_the_published_file_and_never_stale(issued: Home, public: Public) -> None:
    answer = public.client.get("/log/checkpoint")
    assert answer.data == (issued.var / "log" / "checkpoint").read_bytes()
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert open_checkpoint(answer.data, public.key).origin == "127.0.0.1:8000/log"


def test_tile_and_entries_lead_to_the_root(public: Public) -> None:
    size = public.size
    tile = public.client.get(f"/log/tile/0/000.p/{size}")
    bundle = public.client.get(f"/log/tile/entries/000.p/{size}").data
    entries = [bundle[place + 2 : place + 34] for place in range(0, len(bundle), 34)]
    assert {bundle[place : place + 2] for place in range(0, len(bundle), 34)} == {b"\x00\x20"}
    assert tile.data == b"".join(leaf_hash(entry) for entry in entries)
    assert len(entries) == size
    assert tile.content_type == "application/octet-stream"
    assert "immutable" not in tile.headers["Cache-Control"]


@pytest.mark.parametrize(
    "place",
    [
        "0/000",  # not full yet
        "0/000.p/{more}",
        "0/001.p/1",
        "1/000.p/1",
        "entries/001.p/1",
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/256",
        "0/000.p/1/",
        "0/0",
        "0/x000/000.p/1",
        "00/000.p/1",
        "64/000.p/1",
        "-1/000.p/1",
        "data/000.p/1",
        "0//000.p/1",
        "/0/000.p/1",
        "0/٠٠٠.p/1",
        "0/000.p/1%0a",
        "63/x999/x999/x999/x999/x999/x999/999",
        "0/../checkpoint",
    ],
)
def test_what_is_not_published_or_not_written_so_is_not_found(public: Public, place: str) -> None:
    assert public.client.get(f"/log/tile/0/000.p/{public.size}").status_code == 200
    answer = public.client.get(f"/log/tile/{place.format(more=public.size + 1)}")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_proof_bundle_holds_for_a_judge_of_another_make(public: Public) -> None:
    row = public.rows[0]
    answer = asked(public, row["number"], row["code"])
    bundle: dict[str, Any] = json.loads(answer.data)
    leaf = leaf_data(bytes.fromhex(bundle["salt"]), canonical(bundle["record"]))
    assert verify_tlog_proof(bundle["proof"], leaf, str(public.key), expected_origin="127.0.0.1:8000/log")[
        "ok"
    ]
    assert not verify_tlog_proof(bundle["proof"], leaf + b" ", str(public.key))["ok"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="certificate-proof.json"'


def test_the_commands_on_the_page_do_what_it_says(public: Public, tmp_path: Path) -> None:
    row = public.rows[0]
    (tmp_path / "certificate-proof.json").write_bytes(asked(public, row["number"], row["code"]).data)
    _, commands = re.findall(r"<pre[^>]*>(.*?)</pre>", public.client.get("/log").text, re.DOTALL)
    first, _, rest = unescape(commands).partition("\n")
    assert first == "pip install proofbundle"
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", rest], cwd=tmp_path, env={"PATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    manual = (Path(__file__).parents[2] / "docs" / "log.md").read_text("utf-8")
    assert rest.partition("proofbundle")[0] in manual


def test_the_form_gives_the_same_bundle(public: Public) -> None:
    row = public.rows[0]
    form = public.client.post("/log/proof", data={"number": row["number"], "code": row["code"]})
    assert form.data == asked(public, row["number"], row["code"]).data


@pytest.mark.parametrize(
    ("number", "code", "status", "said"),
    [
        ("号", WRONG, 400, "certificate number"),
        ("2026-000001", "0000-0000-0000-0001", 400, "code"),
        ("2026-000001", WRONG, 404, "No proof"),
    ],
)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_form_that_is_refused_comes_back_as_a_page(
    public: Public, number: str, code: str, status: int, said: str, language: str
) -> None:
    page = public.client.get(f"/log?lang={language}").text
    action = re.findall(r'method="post" action="([^"]*)"', page)[-1]
    typed = {"number": number, "code": code}
    answer = public.client.post(action, data=typed, headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert f'<html lang="{language}">' in answer.text
    [told] = re.findall(r'role="alert"><p>(.*?)</p>', answer.text)
    assert (said in told) is (language == "en")
    assert [f'value="{value}"' in answer.text for value in typed.values()] == [True, True]
    assert public.client.post(action, json=typed).mimetype == "application/problem+json"


def test_the_page_has_one_address(public: Public) -> None:
    for query in ("", "?lang=en"):
        answer = public.client.get(f"/log/{query}", headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.headers["Location"]) == (308, f"/log{query}")


def test_an_unknown_number_and_a_wrong_code_are_one_answer(public: Public) -> None:
    mine, other = public.rows[0], public.rows[1]
    told = [
        asked(public, mine["number"], other["code"]),
        asked(public, "qh-demo-2026-999999", mine["code"]),
        asked(public, mine["number"], WRONG),
    ]
    assert {answer.status_code for answer in told} == {404}
    assert len({answer.data for answer in told}) == 1
    assert told[0].json["code"] == "not_found"  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"number": "2026-000001", "code": "0000-0000-0000-0001"}, "malformed_code"),
        ({"number": "号", "code": WRONG}, "malformed_number"),
        ({"number": "2026-000001"}, "malformed_request"),
        ({"number": "2026-000001", "code": WRONG, "size": 3}, "malformed_request"),
    ],
)
def test_a_malformed_question_says_what_is_wrong(public: Public, body: dict[str, Any], code: str) -> None:
    answer = public.client.post("/log/proof", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, code)  # type: ignore[index]


def test_the_certificate_of_the_log_is_for_this_key(public: Public) -> None:
    leaf, *_ = x509.load_pem_x509_certificates(public.client.get("/log/key.pem").data)
    assert leaf.public_key().public_bytes_raw() == public.key.public  # type: ignore[union-attr]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_page_tells_size_root_and_key(public: Public, language: str) -> None:
    page = public.client.get(f"/log?lang={language}")
    checkpoint = public.client.get("/log/checkpoint").text.splitlines()
    assert page.status_code == 200
    assert f"<dd>{checkpoint[1]}</dd>" in page.text
    assert checkpoint[2].replace("+", "&#43;") in page.text or checkpoint[2] in page.text
    assert "127.0.0.1:8000/log" in page.text


@dataclass
class Counted:
    """The list of stopped certificates under a clock and over a log of the test's own; how often that was read."""

    listing: Listing
    clock: list[float]
    size: int = 5
    reads: int = 0
    fails: SignsvcError | None = None
    meanwhile: Callable[[], object] = lambda: None

    def signed(self) -> dict[str, Any]:
        body = self.listing.signed()[0].split(".")[1]
        return dict(json.loads(urlsafe_b64decode(body + "==")))

    def checkpoint(self) -> str:
        return sign_note(Checkpoint(ORIGIN, self.size, bytes(32)).text(), ORIGIN, STRANGER)

    def stopped(self) -> list[Stopped]:
        self.reads += 1
        self.meanwhile()
        if self.fails:
            raise self.fails
        return [Stopped("a", Status.REVOKED, "other", datetime(2026, 11, 21, 17, 30, 59, tzinfo=UTC))]


@pytest.fixture
def counted(public: Public, monkeypatch: pytest.MonkeyPatch) -> Counted:
    clock = [0.0]
    made = Counted(Listing(public.site, lambda: clock[0]), clock)
    monkeypatch.setattr(Registry, "checkpoint", made.checkpoint)
    monkeypatch.setattr(Registry, "stopped", made.stopped)
    return made


def test_the_log_is_read_again_only_when_it_has_grown(counted: Counted) -> None:
    first = counted.signed()
    counted.clock[0] = 59
    assert counted.signed() == first
    counted.clock[0] = 60
    second = counted.signed()
    assert (second["salt"] != first["salt"], counted.reads) == (True, 1)
    assert list(second["entries"].values()) == [
        ["revoked", "other", "2026-11-22"]
    ]  # a day in Beijing, no more
    counted.size, counted.clock[0] = 6, 120
    assert (counted.signed()["size"], counted.reads) == (6, 2)


def test_a_failure_counts_for_its_minute(counted: Counted) -> None:
    counted.fails = RegistryError("…", "registry_outdated")
    for second in (0, 1, 59):
        counted.clock[0] = second
        with pytest.raises(RegistryError) as failed:
            counted.signed()
        assert failed.value.code == "registry_outdated"
    assert counted.reads == 1
    counted.fails, counted.clock[0] = None, 60
    assert counted.signed()["entries"]
    assert counted.reads == 2


def test_while_the_registry_is_only_busy_the_list_before_is_given_as_long_as_it_lasts(
    counted: Counted,
) -> None:
    first = counted.signed()
    counted.size, counted.fails = 6, RegistryBusy("…")
    for second in (60, 61, 599):
        counted.clock[0] = second
        assert counted.signed() == first
    counted.clock[0] = 600
    for _ in range(2):
        with pytest.raises(RegistryBusy):
            counted.signed()
    assert counted.reads == 5
    counted.fails, counted.clock[0] = None, 660
    assert counted.signed()["size"] == 6


def test_whoever_asks_while_the_list_is_made_waits_for_nobody(counted: Counted) -> None:
    """The others ask from within the reading of the log, which is so held up until they are answered."""
    others: list[dict[str, Any]] = []

    def busy() -> None:
        with pytest.raises(Busy) as refused:
            counted.signed()
        assert refused.value.retry_after > 0

    counted.meanwhile = busy  # there is no list yet
    first = counted.signed()
    counted.size, counted.clock[0], counted.meanwhile = 6, 599, lambda: others.append(counted.signed())
    assert counted.signed() not in others
    assert others == [first]
    counted.size, counted.clock[0], counted.meanwhile = 7, 599 + 600, busy  # the list is too old by now
    assert counted.signed()["size"] == 7
    assert counted.reads == 3


def test_nothing_public_tells_a_number_or_a_code(public: Public) -> None:
    size = public.size
    paths = ("", "/checkpoint", "/statuses", f"/tile/0/000.p/{size}", f"/tile/entries/000.p/{size}")
    said = b"".join(public.client.get(f"/log{path}").data for path in paths)
    for row in public.rows:
        assert row["number"].encode() not in said
        assert row["code"].encode() not in said
