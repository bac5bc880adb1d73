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
from signsvc.proofs import BundleError, Entry, Proof, canonical, leaf_data, open_bundle, write_bundle

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


# What the log of these tests holds; the issue is at 4, what became of it at 6 and 7.
RECORDS = [
    *({**RECORD, "number": f"another-{n}"} for n in range(4)),
    RECORD,
    {**RECORD, "number": "another-5"},
    *({"v": 1, "number": RECORD["number"], "kind": kind} for kind in ("suspended", "revoked")),
]


def entry(place: int, size: int = 8) -> Entry:
    """An entry as the log of `size` leaves proves it."""
    frontier, stored = Frontier(), {}
    for record in RECORDS[:size]:
        stored.update(frontier.append(leaf_hash(leaf_data(SALT, canonical(record)))))
    note = sign_note(Checkpoint("example.org/log", size, frontier.root()).text(), VERIFIER.name, KEY)
    hashes = tuple(prove(inclusion_plan(place, size), stored.__getitem__))
    return Entry(RECORDS[place], SALT, Proof(place, hashes, note))


@pytest.fixture(scope="module")
def bundle() -> str:
    return write_bundle(entry(4))


def test_a_bundle_gives_back_its_record_and_place(bundle: str) -> None:
    proven = open_bundle(bundle, VERIFIER)
    assert (proven.issue.record, proven.issue.proof.index, proven.checkpoint.size) == (RECORD, 4, 8)
    assert (proven.later, proven.newest) == ((), 4)


def test_a_bundle_tells_what_came_later() -> None:
    proven = open_bundle(write_bundle(entry(4), [entry(6), entry(7)]), VERIFIER)
    assert [later.record["kind"] for later in proven.later] == ["suspended", "revoked"]
    assert proven.newest == 7


def test_a_bundle_of_before_there_was_more_tells_nothing_later(bundle: str) -> None:
    content = json.loads(bundle)
    del content["later"]
    assert open_bundle(json.dumps(content), VERIFIER).later == ()


@pytest.mark.parametrize(
    "later",
    [
        [entry(7), entry(6)],  # in another order than the log's
        [entry(6), entry(6)],
        [entry(5)],  # of another number
        [entry(3)],
        [entry(6, 7)],  # under another checkpoint
        [Entry(RECORDS[6], SALT, entry(7).proof)],  # what is not at that place
        [Entry({**RECORDS[6], "kind": "resumed"}, SALT, entry(6).proof)],
    ],
)
def test_what_did_not_come_later_in_this_log_is_refused(later: list[Entry]) -> None:
    with pytest.raises(BundleError):
        open_bundle(write_bundle(entry(4), later), VERIFIER)


def test_the_order_of_keys_in_a_bundle_does_not_matter(bundle: str) -> None:
    content = json.loads(bundle)
    content["record"] = dict(reversed(content["record"].items()))
    assert open_bundle(json.dumps(content, indent=2), VERIFIER).issue.record == RECORD


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
        *(
            ("later", value)
            for value in (None, 5, "later", "", {}, {"a": 1}, [None], [[]], [{}], [{"record": {}}])
        ),
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
