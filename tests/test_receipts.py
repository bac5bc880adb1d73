"""Receipts, judged by another hand: PyJWT with the receipt and the published keys, and nothing of ours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import sysconfig
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from home import Home, read_results

from signsvc.receipts import Receipts, compact, published
from signsvc.web import create_app
from signsvc.web.server import opened

MANUAL = Path(__file__).parents[1] / "docs" / "api.md"
ANSWER = {"verdict": "valid", "rely": False, "certificate": {"holder": "欧**"}, "as_of": "2026-11-21"}
# Isolated and without site: only what is named on its path, so nothing installed for development is found.
JUDGE = """
import importlib.util, json, sys
sys.path.append(sys.argv[1])
assert importlib.util.find_spec("signsvc") is None
import jwt
receipt, keys = json.load(sys.stdin)
header = jwt.get_unverified_header(receipt)
try:
    key = jwt.PyJWKSet.from_dict(keys)[header["kid"]]
    payload = json.loads(jwt.PyJWS().decode(receipt, key, algorithms=["EdDSA"]))
except (jwt.InvalidSignatureError, KeyError) as error:
    payload = type(error).__name__
print(json.dumps([header, payload]))
"""


def judged(receipt: str, keys: Any, folder: Path) -> tuple[dict[str, str], Any]:
    """Header and payload; for a bad receipt the judge's word instead of the payload."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", JUDGE, sysconfig.get_path("purelib")],
        input=json.dumps([receipt, dict(keys)]),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    header, payload = json.loads(done.stdout)
    return header, payload


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def thumbprint(key: Ed25519PrivateKey) -> str:
    """RFC 7638, from the RFC."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    members = {"crv": "Ed25519", "kty": "OKP", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_a_stock_library_reads_it_with_the_published_key(key: Ed25519PrivateKey, tmp_path: Path) -> None:
    header, payload = judged(Receipts(key).sign(compact(ANSWER)), published([key.public_key()]), tmp_path)
    assert payload == ANSWER
    assert header == {"alg": "EdDSA", "typ": "signsvc-receipt+jws", "kid": thumbprint(key)}


def test_one_changed_word_and_it_fails(key: Ed25519PrivateKey, tmp_path: Path) -> None:
    head, _, signature = Receipts(key).sign(compact(ANSWER)).split(".")
    other = json.dumps(ANSWER | {"rely": True}, ensure_ascii=False, separators=(",", ":")).encode()
    forged = ".".join((head, base64.urlsafe_b64encode(other).rstrip(b"=").decode(), signature))
    assert judged(forged, published([key.public_key()]), tmp_path)[1] == "InvalidSignatureError"


def test_under_another_key_it_fails_even_with_our_kid(key: Ed25519PrivateKey, tmp_path: Path) -> None:
    receipt = Receipts(Ed25519PrivateKey.generate()).sign(compact(ANSWER))
    keys = published([key.public_key()])
    assert judged(receipt, keys, tmp_path)[1] == "KeyError"
    _, payload, signature = receipt.split(".")
    ours = Receipts(key).sign(compact(ANSWER)).split(".")[0]
    assert judged(f"{ours}.{payload}.{signature}", keys, tmp_path)[1] == "InvalidSignatureError"


def test_the_service_signs_all_that_it_answers(issued: Home, tmp_path: Path) -> None:
    row = read_results(issued.folder / "out")[0]
    question = {"number": row["number"], "code": row["code"], "claims": {"name": "王春梅"}}
    with opened(issued.settings) as site:
        client = create_app(site).test_client()
        answer = client.post("/api/v1/verify", json=question).json
        keys = client.get("/.well-known/jwks.json").json
    header, payload = judged(answer.pop("receipt"), keys, tmp_path)
    assert (payload, payload["claims"]) == (answer, {"name": True})
    assert header["kid"] == keys["keys"][0]["kid"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_receipt_is_over_every_byte_of_the_answer_but_its_own(issued: Home, language: str) -> None:
    row = read_results(issued.folder / "out")[0]
    number, digest = {"number": row["number"], "code": row["code"]}, {"sha256": row["sha256"]}
    pdf = (issued.folder / "out" / row["pdf"]).read_bytes()
    questions: dict[str, dict[str, Any]] = {
        "": {"json": number | {"claims": {"name": "王春梅"}}},
        "/hash": {"json": digest},
        "/file": {"data": {"file": (BytesIO(pdf), "a.pdf")}},
        "/batch": {"json": {"items": [number, digest, {}]}},
    }
    with opened(issued.settings) as site:
        client = create_app(site).test_client()
        for path, question in questions.items():
            answer = client.post(f"/api/v1/verify{path}", **question, headers={"Accept-Language": language})
            if path == "/batch":
                wholes = [whole(item["receipt"]) for item in answer.json["items"]]
                assert answer.text == f'{{"items":[{",".join(wholes)}]}}'
            else:
                assert answer.text == whole(answer.json["receipt"])


def whole(receipt: str) -> str:
    """The answer that this receipt was given with, made of what it signs."""
    payload = base64.urlsafe_b64decode(receipt.split(".")[1] + "==").decode()
    return f'{payload[:-1]},"receipt":"{receipt}"}}'


def test_the_manual_and_the_page_show_how_and_it_works(
    key: Ed25519PrivateKey, issued: Home, tmp_path: Path
) -> None:
    (block,) = re.findall(
        r"^```\n(import json, jwt.*?)^```$", MANUAL.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "receipt.txt").write_text(Receipts(key).sign(compact(ANSWER)) + "\n")
    (tmp_path / "jwks.json").write_text(json.dumps(published([key.public_key()])))
    found = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n"
    command = [sys.executable, "-I", "-S", "-c", found + block]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout == f"{ANSWER}\n"
    with opened(issued.settings) as site:
        page = unescape(create_app(site).test_client().get("/api/v1/docs").text)
    assert [line for line in block.splitlines() if line.partition("  #")[0] not in page] == []


def test_a_receipt_over_nothing_found_says_what_was_asked(issued: Home, tmp_path: Path) -> None:
    with opened(issued.settings) as site:
        client = create_app(site).test_client()
        answer = client.post("/api/v1/verify/hash", json={"sha256": "0" * 64}).json
        payload = judged(answer["receipt"], site.jwks, tmp_path)[1]
    assert (payload["verdict"], payload["asked"]) == ("not_found", {"number": None, "sha256": "0" * 64})


def test_after_a_change_of_keys_old_receipts_still_verify(pristine: Path, tmp_path: Path) -> None:
    """As the manual has it: the public key aside, a new pair in its place, by openssl."""
    own = Home(tmp_path / "own")
    own.folder.mkdir()
    for name in ("var", "keys"):
        subprocess.run(["cp", "-rp", pristine / name, own.folder / name], check=True)
    with opened(own.settings) as site:
        old = site.receipts.sign(compact(ANSWER))
    folder = own.folder / "keys"
    (folder / "receipt.pub").rename(folder / "receipt-2026.pub")
    secret = ["-aes256", "-pass", "file:passphrase", "-out", "receipt.key"]
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", *secret], cwd=folder, check=True)
    public = ["-passin", "file:passphrase", "-pubout", "-out", "receipt.pub"]
    subprocess.run(["openssl", "pkey", "-in", "receipt.key", *public], cwd=folder, check=True)
    with opened(own.settings) as site:
        new, keys = site.receipts.sign(compact(ANSWER)), site.jwks
    kids = [judged(receipt, keys, tmp_path)[0]["kid"] for receipt in (new, old)]
    assert kids == [one["kid"] for one in keys["keys"]]
    assert judged(old, keys, tmp_path)[1] == ANSWER
