"""B-LT: seal, time stamp and revocation material in one revision, against a real TSA, OCSP responder and CRLs."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from needs import require
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko_certvalidator.errors import (
    InsufficientRevinfoError,
    PathBuildingError,
    PathValidationError,
    RevokedError,
)
from pypdf import PdfReader
from seal.pki import PLACE, TITLE, document, picture
from seal.tsa import Authority, authority

from signsvc import keys
from signsvc.errors import SealFailed
from signsvc.keys.envelope import to_pem
from signsvc.models import OfficeId, Standing
from signsvc.seal.sign import Sealed, Sealer

NOW = datetime.now(UTC).replace(microsecond=0)
OWN = OfficeId("own")


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("authority"), NOW) as running:
        yield running


def bring(folder: Path, pki: Authority) -> keys.KeyRing:
    """Keys as an office brings them: its own certificate under somebody else's CA."""
    keys.make(folder, [], "https://example.org", NOW)
    passphrase = keys.read_passphrase(folder / keys.PASSPHRASE_FILE)
    key = load_pem_private_key(pki.office_key, None)
    (folder / "seal-own.key").write_bytes(to_pem(key, passphrase))  # type: ignore[arg-type]
    (folder / "seal-own.key").chmod(0o600)
    (folder / "seal-own.pem").write_bytes(pki.certificate("office") + pki.certificate("issuing"))
    (folder / "root.pem").write_bytes(pki.certificate("root"))
    return keys.load(folder, passphrase, {keys.Role.SEAL}, [pki.certificate("root")])


def sealer(ring: keys.KeyRing, url: str) -> Sealer:
    return Sealer(ring.seal(OWN), picture(), lambda: datetime.now(UTC), url, roots=ring.roots)


@pytest.fixture(scope="module")
def ring(tsa: Authority, tmp_path_factory: pytest.TempPathFactory) -> keys.KeyRing:
    return bring(tmp_path_factory.mktemp("home") / "keys", tsa)


@pytest.fixture(scope="module")
def sealed(tsa: Authority, ring: keys.KeyRing) -> Sealed:
    return sealer(ring, tsa.tsa_url).seal(document(), PLACE, TITLE)


def test_an_offices_own_certificate_is_recognised_under_its_issuer(ring: keys.KeyRing) -> None:
    assert ring.seal(OWN).standing is Standing.RECOGNISED


def test_it_is_b_lt_and_still_one_revision(sealed: Sealed) -> None:
    assert sealed.level == "B-LT"
    assert sealed.pdf.count(b"startxref") == sealed.pdf.count(b"%%EOF") == 1


def test_it_carries_a_stamp_certificates_and_revocation_answers_without_vri(sealed: Sealed) -> None:
    store = PdfReader(BytesIO(sealed.pdf)).root_object["/DSS"]
    assert len(store["/Certs"]) >= 3
    assert len(store["/OCSPs"]) >= 1
    assert len(store["/CRLs"]) >= 1
    assert "/VRI" not in store
    unsigned = PdfFileReader(BytesIO(sealed.pdf)).embedded_signatures[0].signer_info["unsigned_attrs"]
    assert [item["type"].native for item in unsigned] == ["signature_time_stamp_token"]


def test_tools_that_are_not_ours_call_it_whole(sealed: Sealed, tmp_path: Path) -> None:
    file = tmp_path / "sealed.pdf"
    file.write_bytes(sealed.pdf)
    found = subprocess.run(
        [require("pdfsig"), "-nocert", file], capture_output=True, text=True, check=True
    ).stdout
    assert "Signature is Valid" in found
    assert "Total document signed" in found
    found = subprocess.run(
        [require("mutool"), "sign", "-v", file], capture_output=True, text=True, check=True
    ).stdout
    assert "unchanged since signing" in found


def test_it_stays_small(sealed: Sealed) -> None:
    assert len(sealed.pdf) - len(document()) < 35_000


def test_one_sealer_seals_again_and_again(tsa: Authority, ring: keys.KeyRing) -> None:
    one = sealer(ring, tsa.tsa_url)
    assert len({one.seal(document(), PLACE, f"n-{number}").signed_sha256 for number in range(3)}) == 3


def test_without_an_answer_of_the_tsa_nothing_is_sealed(ring: keys.KeyRing) -> None:
    with pytest.raises(SealFailed, match="时间戳"):
        sealer(ring, "http://127.0.0.1:9/tsa").seal(document(), PLACE, TITLE)


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """The address of a service that gives `answer` of the request's body for a time stamp."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Not into the test's output."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("nonsense", [b"", b"hello", b"\x30\x80" * 1000])
def test_nonsense_for_a_time_stamp_is_refused(ring: keys.KeyRing, nonsense: bytes) -> None:
    with answering(lambda _: nonsense) as url, pytest.raises(SealFailed):
        sealer(ring, url).seal(document(), PLACE, TITLE)


def test_a_stamp_with_a_false_signature_is_refused(tsa: Authority, ring: keys.KeyRing) -> None:
    def forged(request: bytes) -> bytes:
        at = urlsplit(tsa.tsa_url)
        connection = HTTPConnection(str(at.hostname), at.port, timeout=10)
        connection.request("POST", at.path, request, {"Content-Type": "application/timestamp-query"})
        genuine = connection.getresponse().read()
        connection.close()
        return genuine[:-1] + bytes([genuine[-1] ^ 1])

    with answering(forged) as url, pytest.raises(SealFailed, match="未能通过核对"):
        sealer(ring, url).seal(document(), PLACE, TITLE)


def test_a_tsa_under_a_strange_root_is_refused(ring: keys.KeyRing, tmp_path: Path) -> None:
    with authority(tmp_path, NOW) as stranger, pytest.raises(SealFailed) as refusal:
        sealer(ring, stranger.tsa_url).seal(document(), PLACE, TITLE)
    assert isinstance(refusal.value.__cause__, PathBuildingError | PathValidationError)


def test_a_revoked_certificate_seals_nothing(tmp_path: Path) -> None:
    (tmp_path / "authority").mkdir()
    with authority(tmp_path / "authority", NOW, revoked=True) as pki, pytest.raises(SealFailed) as refusal:
        sealer(bring(tmp_path / "keys", pki), pki.tsa_url).seal(document(), PLACE, TITLE)
    assert isinstance(refusal.value.__cause__, RevokedError)


def test_without_revocation_answers_nothing_is_sealed(tmp_path: Path) -> None:
    """The authority's server is gone, another one still stamps."""
    for name in ("gone", "stamping"):
        (tmp_path / name).mkdir()
    with authority(tmp_path / "gone", NOW) as pki:
        ring = bring(tmp_path / "keys", pki)
    with authority(tmp_path / "stamping", NOW) as other:
        roots = (*ring.roots, other.certificate("root"))
        one = Sealer(ring.seal(OWN), picture(), lambda: datetime.now(UTC), other.tsa_url, roots=roots)
        with pytest.raises(SealFailed) as refusal:
            one.seal(document(), PLACE, TITLE)
    assert isinstance(refusal.value.__cause__, InsufficientRevinfoError)
