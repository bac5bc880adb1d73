from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from authority import Authority, root
from home import Home

from signsvc.certificates import describe
from signsvc.errors import KeysError
from signsvc.revocations import Force, InForce, force, revocations
from signsvc.web import create_app
from signsvc.web.server import opened
from signsvc.wiring.revoking import AGAIN_SECONDS, Revocations

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def top() -> Authority:
    return root()


@pytest.fixture(scope="module")
def issuing(top: Authority) -> Authority:
    return top.below("签发", 7)


@pytest.mark.parametrize(
    ("reach", "moment"),
    [
        (Force(NOW, NOW + DAY, None), {-1: "not_yet_valid", 0: "good", 86400: "good", 86401: "expired"}),
        (Force(NOW - DAY, NOW + DAY, NOW), {-1: "good", 0: "revoked", 1: "revoked", 86401: "revoked"}),
    ],
)
def test_a_certificate_is_judged_at_the_moment_of_sealing(reach: Force, moment: dict[int, str]) -> None:
    for seconds, expected in moment.items():
        assert reach.at(NOW + timedelta(seconds=seconds)) is InForce(expected)


def test_the_narrowest_of_the_chain_counts(issuing: Authority, top: Authority) -> None:
    chain = issuing.seal(9, begin=NOW, end=NOW + DAY)
    assert force(chain, {}) == Force(NOW, NOW + DAY, None)
    issuer = describe(issuing.der).listed
    assert issuer is not None
    assert force(chain, {issuer: NOW + DAY}) == Force(NOW, NOW + DAY, NOW + DAY)
    assert force((), {}) is None
    assert force((*chain, b"no certificate"), {}) is None


def test_lists_count_if_an_issuer_of_ours_signed_them(issuing: Authority, top: Authority) -> None:
    seal = describe(issuing.seal(9)[0]).listed
    impostor = root().below("签发", 7)  # of the same name
    given = [issuing.revokes({9: NOW}), impostor.revokes({10: NOW}), root("别家").revokes({9: NOW})]
    assert revocations(given, [top.certificate, issuing.certificate]) == {seal: NOW}
    assert revocations(given, [top.certificate]) == {}


def test_a_key_that_was_lost_earlier_counts_from_then(issuing: Authority) -> None:
    found = revocations([issuing.revokes({9: NOW}, invalid=NOW - DAY)], [issuing.certificate])
    assert list(found.values()) == [NOW - DAY]
    found = revocations([issuing.revokes({9: NOW}, invalid=NOW + DAY)], [issuing.certificate])
    assert list(found.values()) == [NOW]


def test_what_is_no_list_is_a_fault() -> None:
    with pytest.raises(ValueError, match="malformed"):
        revocations([b"no list"], [])


def test_a_new_list_counts_within_a_minute_and_what_was_known_stays(
    issuing: Authority, top: Authority, tmp_path: Path
) -> None:
    seconds = 0.0
    revoked = Revocations(tmp_path, [top.pem], [issuing.der], lambda: seconds)
    seal = describe(issuing.seal(9)[0]).listed
    (tmp_path / "issuing.crl").write_bytes(issuing.revokes({9: NOW}))
    assert revoked() == {}
    seconds = AGAIN_SECONDS
    assert revoked() == {seal: NOW}
    for broken in (b"half a list", b""):
        (tmp_path / "issuing.crl").write_bytes(broken)
        seconds += AGAIN_SECONDS
        assert revoked() == {seal: NOW}
        with pytest.raises(KeysError):
            Revocations(tmp_path, [top.pem], [issuing.der])
    (tmp_path / "issuing.crl").unlink()
    seconds += AGAIN_SECONDS
    assert revoked() == {seal: NOW}


def test_one_broken_file_keeps_no_other_from_counting(
    issuing: Authority, top: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seconds = 0.0
    (tmp_path / "issuing.crt").write_bytes(issuing.der)
    kept = top.revokes({7: NOW})
    (tmp_path / "a.crl").write_bytes(kept)
    revoked = Revocations(tmp_path, [top.pem], [issuing.der], lambda: seconds)
    assert (len(revoked()), revoked.faults()) == (1, ())
    (tmp_path / "a.crl").write_bytes(b"half a list")
    (tmp_path / "b.crt").write_bytes(b"half a certificate")
    (tmp_path / "c.crl").mkdir()
    fresh = issuing.revokes({9: NOW})
    (tmp_path / "d.crl").write_bytes(fresh)
    (tmp_path / ".draft.crl").write_bytes(b"not there yet")
    seconds = AGAIN_SECONDS
    assert describe(issuing.seal(9)[0]).listed in revoked()
    assert len(revoked()) == 2
    assert revoked.faults() == ("b.crt", "a.crl", "c.crl")
    assert revoked.files() == {"issuing.crt": issuing.der, "a.crl": kept, "d.crl": fresh}
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"pki_unreadable {name}" for name in revoked.faults()]
    for name in ("a.crl", "b.crt"):
        (tmp_path / name).unlink()
    (tmp_path / "c.crl").rmdir()
    seconds += AGAIN_SECONDS
    assert revoked.faults() == ()
    assert revoked.files() == {"issuing.crt": issuing.der, "d.crl": fresh}


def test_the_service_publishes_the_folder_as_it_is_and_tells_when_it_cannot_be_read(
    issued: Home, tmp_path: Path
) -> None:
    home = Home(Path(shutil.copytree(issued.folder, tmp_path / "own")))
    folder = home.settings.keys / "pki"
    clock = [0.0]
    with opened(home.settings) as site:
        pki = Revocations(folder, [], [], lambda: clock[0])
        client = create_app(replace(site, pki=pki)).test_client()
        name = next(file.name for file in folder.glob("*.crl"))
        certificate, listed = client.get("/pki/root.crt"), client.get(f"/pki/{name}")
        assert (certificate.data, listed.data) == (
            (folder / "root.crt").read_bytes(),
            (folder / name).read_bytes(),
        )
        assert certificate.headers["Cache-Control"] == "public, max-age=3600"
        assert listed.headers["Cache-Control"] == "public, max-age=300"
        (folder / "new.crl").write_bytes((folder / name).read_bytes())
        clock[0] += AGAIN_SECONDS
        assert client.get("/pki/new.crl").data == listed.data
        assert client.get("/readyz").status_code == 200
        (folder / "new.crl").write_bytes(b"half a list")
        clock[0] += AGAIN_SECONDS
        answer = client.get("/readyz")
        assert (answer.status_code, answer.get_json()["code"]) == (503, "pki_unreadable")
        assert client.get("/pki/new.crl").data == listed.data
        (folder / "new.crl").unlink()
        clock[0] += AGAIN_SECONDS
        assert client.get("/readyz").status_code == 200
        assert client.get("/pki/new.crl").status_code == 404


def test_only_authorities_under_a_root_of_ours_revoke(
    issuing: Authority, top: Authority, tmp_path: Path
) -> None:
    (tmp_path / "issuing.crl").write_bytes(issuing.revokes({9: NOW}))
    assert Revocations(tmp_path, [root().pem], [issuing.der])() == {}
    assert Revocations(tmp_path, [top.pem], [])() == {}
    (tmp_path / "issuing.crt").write_bytes(issuing.der)
    assert len(Revocations(tmp_path, [top.pem], [])()) == 1
