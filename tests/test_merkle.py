"""The tree against RFC 6962 2.1 and known roots; proofs that hold, and fail when anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_plan,
    inclusion_plan,
    leaf_hash,
    node_hash,
    peaks,
    prove,
    root_from_inclusion,
)

# The eight leaves and roots that implementations of Certificate Transparency share as their reference tree.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {  # (index, size): proof
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {  # (old, new): proof
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
sizes = st.integers(1, 130)


def grow(leaves: Sequence[bytes]) -> tuple[Frontier, dict[Node, bytes]]:
    frontier, stored = Frontier(), {}
    for leaf in leaves:
        stored.update(frontier.append(leaf_hash(leaf)))
    return frontier, stored


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 2.1 writes it down: slow, recursive, with nothing in common with the code under test."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + defined_root(leaves[:half]) + defined_root(leaves[half:])).digest()


def data(size: int) -> list[bytes]:
    return [str(n).encode() for n in range(size)]


def test_the_reference_tree_has_its_published_roots_at_every_size() -> None:
    assert [grow(LEAVES[:size])[0].root().hex() for size in range(1, 9)] == ROOTS
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize(("place", "proof"), INCLUSION.items())
def test_published_inclusion_proofs_are_made_and_accepted(place: tuple[int, int], proof: list[str]) -> None:
    index, size = place
    _, stored = grow(LEAVES[:size])
    made = prove(inclusion_plan(index, size), stored.__getitem__)
    assert [item.hex() for item in made] == proof
    check_inclusion(index, size, leaf_hash(LEAVES[index]), made, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("place", "proof"), CONSISTENCY.items())
def test_published_consistency_proofs_are_made_and_accepted(place: tuple[int, int], proof: list[str]) -> None:
    old, new = place
    _, stored = grow(LEAVES[:new])
    made = prove(consistency_plan(old, new), stored.__getitem__)
    assert [item.hex() for item in made] == proof
    check_consistency(old, new, made, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]))


@given(size=st.integers(0, 130))
def test_roots_are_those_of_the_definition(size: int) -> None:
    frontier, stored = grow(data(size))
    assert frontier.root() == defined_root(data(size))
    assert [stored[peak] for peak in peaks(size)] == frontier.hashes


@given(size=sizes, place=st.data())
def test_every_leaf_is_proven_and_nothing_else_is(size: int, place: st.DataObject) -> None:
    index = place.draw(st.integers(0, size - 1))
    frontier, stored = grow(data(size))
    proof = prove(inclusion_plan(index, size), stored.__getitem__)
    leaf, root = leaf_hash(data(size)[index]), frontier.root()
    check_inclusion(index, size, leaf, proof, root)
    assert len(proof) <= (size - 1).bit_length()
    bent = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]] if proof else [root]
    wrong: list[tuple[int, int, bytes, list[bytes], bytes]] = [
        (index, size, leaf_hash(b"other"), proof, root),
        (index, size, leaf, bent, root),
        (index, size, leaf, [*proof, root], root),
        (index, size, leaf, proof, leaf_hash(b"other")),
        (size, size, leaf, proof, root),
        (-1, size, leaf, proof, root),
        *([(index, size, leaf, proof[:-1], root)] if proof else []),
        *([(index ^ 1, size, leaf, proof, root)] if size > 1 else []),
    ]
    for case in wrong:
        with pytest.raises(ProofError):
            check_inclusion(*case)


@given(new=sizes, place=st.data())
def test_every_beginning_is_proven_and_nothing_else_is(new: int, place: st.DataObject) -> None:
    old = place.draw(st.integers(1, new))
    frontier, stored = grow(data(new))
    old_root, root = defined_root(data(old)), frontier.root()
    proof = prove(consistency_plan(old, new), stored.__getitem__)
    check_consistency(old, new, proof, old_root, root)
    other = leaf_hash(b"other")
    wrong = [
        (old, new, [*proof, other], old_root, root),
        (old, new, proof, other, root),
        (old, new, proof, old_root, other),
        (new + 1, new, proof, old_root, root),
        (0, new, proof, old_root, root),
        *([(old, new, proof[:-1], old_root, root)] if proof else []),
        *([(old, new, [other, *proof[1:]], old_root, root)] if proof else []),
    ]
    for case in wrong:
        with pytest.raises(ProofError):
            check_consistency(*case)


@given(index=st.integers(0, 10), size=st.integers(0, 10), steps=st.integers(0, 6))
def test_a_proof_of_another_length_is_never_folded(index: int, size: int, steps: int) -> None:
    fits = 0 <= index < size and steps == len(inclusion_plan(index, size))
    try:
        root_from_inclusion(index, size, bytes(32), [bytes(32)] * steps)
    except ProofError:
        assert not fits
    else:
        assert fits


def test_a_hash_of_another_length_is_refused() -> None:
    with pytest.raises(ProofError):
        check_inclusion(0, 2, leaf_hash(b""), [b"short"], node_hash(leaf_hash(b""), b"short"))


def test_a_proof_in_a_large_tree_needs_few_nodes() -> None:
    size = 2**40 - 3
    for index in (0, 12345, size - 1):
        plan = inclusion_plan(index, size)
        assert len(plan) <= 40
        assert sum(map(len, plan)) <= 80
    assert sum(map(len, consistency_plan(12345, size))) <= 80
