"""Proof bundles: what one proves, and that nothing in it can be changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from signsvc.merkle import Frontier, inclusion_plan, leaf_hash, prove
from signsvc.notes import Checkpoint, sign_note, verifier_of
from signsvc.proofs import BundleError, Proof, canonical, leaf_data, open_bundle, write_bundle

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
VERIFIER = verifier_of("example.org/log", KEY)
RECORD: dict[str, Any] = {
    "v": 1,
    "number": "qh-demo-2026-000001",
    "matter": "证明",
    "demo": True,
    "list": ["a"],
}
SALT = bytes(range(16))


@pytest.fixture(scope="module")
def bundle() -> str:
    frontier, stored = Frontier(), {}
    for n in range(6):
        stored.update(
            frontier.append(leaf_hash(leaf_data(SALT, canonical({**RECORD, "n": n} if n != 4 else RECORD))))
        )
    note = sign_note(Checkpoint("example.org/log", 6, frontier.root()).text(), VERIFIER.name, KEY)
    hashes = tuple(prove(inclusion_plan(4, 6), stored.__getitem__))
    return write_bundle(RECORD, SALT, Proof(4, hashes, note))


def test_a_bundle_gives_back_its_record_and_place(bundle: str) -> None:
    record, proof, checkpoint = open_bundle(bundle, VERIFIER)
    assert (record, proof.index, checkpoint.size) == (RECORD, 4, 6)


def test_the_order_of_keys_in_a_bundle_does_not_matter(bundle: str) -> None:
    content = json.loads(bundle)
    content["record"] = dict(reversed(content["record"].items()))
    assert open_bundle(json.dumps(content, indent=2), VERIFIER)[0] == RECORD


def test_a_bundle_of_another_log_is_refused(bundle: str) -> None:
    other = verifier_of("example.org/log", Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
    with pytest.raises(BundleError):
        open_bundle(bundle, other)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("record", {**RECORD, "number": "qh-demo-2026-000002"}),
        ("record", {**RECORD, "more": 1}),
        ("record", {**RECORD, "demo": 1}),
        ("record", []),
        ("record", "\ud800"),
        ("salt", SALT.hex()[:-2]),
        ("salt", "00" * 16),
        ("salt", 5),
        ("proof", None),
        ("proof", "c2sp.org/tlog-proof@v1\n\n"),
    ],
)
def test_a_changed_bundle_is_refused(bundle: str, key: str, value: Any) -> None:
    with pytest.raises(BundleError):
        open_bundle(json.dumps({**json.loads(bundle), key: value}), VERIFIER)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", "[" * 100_000, "{}" + " " * 200_000, '{"record": NaN}']
)
def test_what_is_no_bundle_is_refused(text: str) -> None:
    with pytest.raises(BundleError):
        open_bundle(text, VERIFIER)


@given(place=st.integers(0, 10**6), other=st.characters(min_codepoint=32, max_codepoint=126))
def test_no_changed_character_of_a_proof_is_accepted(bundle: str, place: int, other: str) -> None:
    content = json.loads(bundle)
    text = content["proof"]
    place %= len(text)
    if text[place] == other:
        return
    content["proof"] = text[:place] + other + text[place + 1 :]
    with pytest.raises(BundleError):
        open_bundle(json.dumps(content), VERIFIER)


def test_the_text_form_is_read_back_with_its_extra_data() -> None:
    proof = Proof(73894, (bytes(32), bytes(range(32))), "example.org/log\n1\n…\n", b"extra")
    assert proof.text().startswith("c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 73894\nAAAA")
    assert Proof.parse(proof.text()) == proof
    single = Proof(0, (), "example.org/log\n1\n…\n")
    assert Proof.parse(single.text()) == single


def test_canonical_json_is_that_of_rfc_8785() -> None:
    assert (
        canonical({"b": 'é\u2028"\\\n\x01', "a": [True, None, 1]})
        == '{"a":[true,null,1],"b":"é\u2028\\"\\\\\\n\\u0001"}'
    )
