"""An office with its own certificate, under a recognised issuer, with a real TSA: no demonstration at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from home import Home, a_row
from pypdf import PdfReader
from seal.tsa import Authority, authority

from signsvc import keys, policy
from signsvc.keys.envelope import to_pem


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("authority"), datetime.now(UTC).replace(microsecond=0)) as running:
        yield running


@pytest.fixture
def official(tsa: Authority, tmp_path: Path) -> Home:
    """A home made by `init` alone, to which the operator has brought offices, catalogue and a seal."""
    (tmp_path / "issuer.pem").write_bytes(tsa.certificate("root"))
    settings = {
        "SIGNSVC_BASE_URL": "https://check.example.org",
        "SIGNSVC_TSA_URL": tsa.tsa_url,
        "SIGNSVC_RECOGNISED_ISSUERS": "issuer.pem",
    }
    home = Home(tmp_path, settings)
    home.run("init")
    offices = policy.demo_text("offices").replace("demo = true", "demo = false").replace("-demo", "-one")
    (home.var / "offices.toml").write_text(offices, "utf-8")
    listed = policy.demo_text("catalogue-guangdong").replace("demo = true", "demo = false")
    adopt(home, "city", listed.replace("gd-demo", "gd-one"))
    bring_seal(home.folder / "keys", tsa, "gd-one")
    return home


def adopt(home: Home, list_id: str, text: str) -> None:
    """A retained list, laid down as its approving body would have it."""
    (home.folder / "list.toml").write_text(text, "utf-8")
    words = ("--by", "示范市人民政府", "--document", "示府〔2026〕1号")
    home.run("catalogue", "adopt", list_id, home.folder / "list.toml", *words)


def bring_seal(folder: Path, tsa: Authority, office: str) -> None:
    passphrase = keys.read_passphrase(folder / keys.PASSPHRASE_FILE)
    key = load_pem_private_key(tsa.office_key, None)
    (folder / f"seal-{office}.key").write_bytes(to_pem(key, passphrase))  # type: ignore[arg-type]
    (folder / f"seal-{office}.key").chmod(0o600)
    (folder / f"seal-{office}.pem").write_bytes(tsa.certificate("office") + tsa.certificate("issuing"))
    (folder / "root.pem").write_bytes(tsa.certificate("root"))


def test_a_recognised_seal_with_a_time_stamp_may_be_relied_on(official: Home) -> None:
    rows = official.write_rows("rows.csv", [a_row(1, office="gd-one")])
    row = official.sign(rows)[0]
    report = official.json("verify", official.folder / "out" / row["pdf"])
    assert report["verdict"] == "valid"
    assert report["rely"] is True
    assert report["seal"]["standing"] == "recognised"
    assert report["certificate"]["demo"] is False
    assert "/DSS" in PdfReader(official.folder / "out" / row["pdf"]).root_object  # B-LT


def test_without_the_setting_the_same_seal_is_self_managed(official: Home) -> None:
    rows = official.write_rows("rows.csv", [a_row(1, office="gd-one")])
    plain = Home(
        official.folder, {key: value for key, value in official.extra.items() if "RECOGNISED" not in key}
    )
    report = plain.json("verify", plain.folder / "out" / plain.sign(rows)[0]["pdf"])
    assert (report["verdict"], report["rely"]) == ("valid", False)
    assert "seal_self_managed" in {reason["code"] for reason in report["reasons"]}


def test_an_address_that_nobody_can_reach_is_refused_for_a_real_seal(official: Home) -> None:
    rows = official.write_rows("rows.csv", [a_row(1, office="gd-one")])
    for address in ("http://127.0.0.1:8000", "http://check.example.org", "https://localhost"):
        local = Home(official.folder, {**official.extra, "SIGNSVC_BASE_URL": address})
        done = local.run("sign", rows, "-o", local.folder / "out", expect=2)
        assert done.stderr.startswith("error: bad_setting: ")
    assert official.run("log", "verify").stdout.startswith("日志完整")


def test_a_time_stamp_that_cannot_be_had_fails_the_row_before_a_number_is_used(official: Home) -> None:
    rows = official.write_rows("rows.csv", [a_row(1, office="gd-one")])
    deaf = Home(official.folder, {**official.extra, "SIGNSVC_TSA_URL": "http://127.0.0.1:9/tsa"})
    row = deaf.sign(rows, expect=1)[0]
    assert (row["status"], row["error"]) == ("failed", "seal_failed")
    again = official.sign(rows)[0]
    assert (again["status"], again["number"]) == ("issued", "gd-one-2026-000001")


def test_demonstration_matters_do_not_leave_the_demonstration(official: Home) -> None:
    (official.var / "catalogue" / "city.jsonl").unlink()
    adopt(official, "other", policy.demo_text("catalogue-guangdong").replace("gd-demo", "gd-one"))
    row = official.sign(official.write_rows("rows.csv", [a_row(1, office="gd-one")]), expect=1)[0]
    assert row["error"] == "unknown_matter"
