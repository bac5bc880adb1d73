"""Our trees, notes, proofs, tiles and witness against what others have published; `vectors/published` names whom."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from signsvc.cosignatures import Witness, cosigned_by
from signsvc.merkle import ProofError, check_consistency, check_inclusion, leaf_hash
from signsvc.notes import Checkpoint, NoteError, Verifier, open_checkpoint, open_note
from signsvc.proofs import BundleError, Proof
from signsvc.tiles import Tile
from signsvc.witness.decision import Request, decide


def published(name: str) -> Any:
    return json.loads((Path(__file__).parent / "vectors" / "published" / f"{name}.json").read_text("utf-8"))


MERKLE, ARGON, NOTES, TILES, WITNESS = map(published, ("merkle", "argon2020", "notes", "tiles", "witness"))


@pytest.mark.parametrize("case", MERKLE["consistency"], ids=lambda case: case["file"])
def test_consistency(case: dict[str, Any]) -> None:
    check(case["wantErr"], check_consistency, *numbers(case, "size1", "size2"), hashes(case), *roots(case))


@pytest.mark.parametrize("case", MERKLE["inclusion"], ids=lambda case: case["file"])
def test_inclusion(case: dict[str, Any]) -> None:
    leaf, root = b64decode(case["leafHash"]), b64decode(case["root"])
    check(case["wantErr"], check_inclusion, *numbers(case, "leafIdx", "treeSize"), leaf, hashes(case), root)


def check(refused: bool, judge: Any, *given: Any) -> None:
    if not refused:
        judge(*given)
        return
    with pytest.raises(ProofError):
        judge(*given)


def numbers(case: dict[str, Any], *names: str) -> list[int]:
    return [case[name] for name in names]


def hashes(case: dict[str, Any]) -> list[bytes]:
    return [b64decode(item) for item in case["proof"]]


def roots(case: dict[str, Any]) -> list[bytes]:
    return [b64decode(case["root1"]), b64decode(case["root2"])]


def test_a_log_of_a_milliard_certificates() -> None:
    size, root = ARGON["tree_size"], b64decode(ARGON["sha256_root_hash"])
    leaf = leaf_hash(b64decode(ARGON["leaf_input"]))
    path = [b64decode(item) for item in ARGON["audit_path"]]
    check_inclusion(ARGON["leaf_index"], size, leaf, path, root)
    steps = [b64decode(item) for item in ARGON["consistency"]]
    check_consistency(ARGON["first"], size, steps, b64decode(ARGON["first_root"]), root)
    with pytest.raises(ProofError):
        check_inclusion(ARGON["leaf_index"] + 1, size, leaf, path, root)
    with pytest.raises(ProofError):
        check_consistency(ARGON["first"] + 1, size, steps, b64decode(ARGON["first_root"]), root)


def test_notes_and_keys() -> None:
    peter = Verifier.parse(NOTES["vkey"])
    for note in NOTES["notes"]:
        assert open_note(note, [peter]).startswith("If you think cryptography")
    for note in NOTES["bad_notes"]:
        with pytest.raises(NoteError):
            open_note(note, [peter])
    for key in NOTES["bad_vkeys"]:
        with pytest.raises(NoteError):
            Verifier.parse(key)


def test_no_part_of_a_key_is_a_key() -> None:
    key = NOTES["vkey"]
    for start in range(len(key)):
        for end in range(start, len(key) + 1):
            if (start, end) != (0, len(key)):
                with pytest.raises(NoteError):
                    Verifier.parse(key[start:end])


def test_checkpoints() -> None:
    golden = NOTES["checkpoint"]
    parsed = Checkpoint.parse(golden["text"])
    assert (parsed.size, parsed.root) == (golden["size"], leaf_hash(golden["leaf"].encode()))
    assert parsed.text() == golden["text"]
    assert Checkpoint.parse(golden["text"] + "JOE\n" * 3) == parsed
    for text in NOTES["bad_checkpoints"]:
        with pytest.raises(NoteError):
            Checkpoint.parse(text)


def test_a_checkpoint_that_a_public_witness_has_cosigned() -> None:
    given = NOTES["cosigned"]
    log, witness = Verifier.parse(given["log"]), Witness.parse(given["witness"])
    assert str(witness) == given["witness"]
    assert open_checkpoint(given["note"], log).size == 1432088532
    assert cosigned_by(given["note"], [witness]) == [witness]
    changed = given["note"].replace("\n1432088532\n", "\n1432088531\n")
    with pytest.raises(NoteError):
        cosigned_by(changed, [witness])
    later = given["note"].replace("2net5wAAAABqEiEg", "2net5wAAAABqEiEh")  # its time, by one second
    with pytest.raises(NoteError):
        cosigned_by(later, [witness])


@pytest.mark.parametrize("text", NOTES["bad_proofs"])
def test_malformed_proofs(text: str) -> None:
    with pytest.raises(BundleError):
        Proof.parse(text)


@pytest.mark.parametrize(("path", "tile"), TILES["paths"].items())
def test_paths_of_tiles(path: str, tile: list[int]) -> None:
    assert Tile.parse("3", path) == Tile(3, *tile)
    assert Tile(3, *tile).path == path


@pytest.mark.parametrize("path", TILES["bad_paths"])
def test_what_is_no_path_of_a_tile(path: str) -> None:
    assert Tile.parse("3", path) is None


@pytest.mark.parametrize("size", TILES["trees"])
def test_which_tiles_a_tree_has(size: str) -> None:
    assert all(Tile(*tile).within(int(size)) for tile in TILES["trees"][size])
    assert not any(Tile(*tile).within(int(size)) for tile in TILES["beyond"][size])


@pytest.mark.parametrize("case", WITNESS["answers"])
def test_what_a_witness_answers(case: dict[str, Any]) -> None:
    log = Verifier(WITNESS["log_name"], bytes.fromhex(WITNESS["log_public"]))
    requests = [Request.parse(text.encode()) for text in WITNESS["requests"]]
    assert [request.body() for request in requests] == WITNESS["requests"]
    signed = {checkpoint.size: checkpoint for checkpoint in (item.claimed() for item in requests)}
    assert decide(log, signed.get(case["size"]), requests[case["request"]]).status == case["status"]
