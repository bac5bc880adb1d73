"""What the registry hands out of its log: tiles, bundles, checkpoints and proofs, and nothing that does not hold."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from breaking import Break, at_every_step
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from registry.samples import (
    LOG_KEY,
    NOW,
    ORIGIN,
    WITNESS,
    WITNESS_KEY,
    cosigned,
    create,
    issue,
    one_of_everything,
    reopen,
    reserve,
)

from signsvc.cosignatures import Witness, cosign, cosigned_by, witness_of
from signsvc.errors import RegistryError
from signsvc.merkle import Frontier, check_consistency, check_inclusion, leaf_hash
from signsvc.notes import Checkpoint, open_checkpoint, sign_note, split_note
from signsvc.registry import Registry, witnessed
from signsvc.tiles import WIDTH, Tile

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"o")
OTHER = witness_of("witness.example/w2", OTHER_KEY)
MANY = 300


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A log of more than one tile."""
    with closing(create(tmp_path_factory.mktemp("many"))) as registry:
        held = reserve(registry, *(f"r{n}" for n in range(MANY)))
        registry.void([(item, "conversion_failed") for item in held], NOW)
        yield registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    one_of_everything(tmp_path).close()
    with closing(reopen(tmp_path, witnesses=[WITNESS, OTHER])) as registry:
        yield registry


def checkpoint_of(registry: Registry) -> Checkpoint:
    return open_checkpoint(registry.checkpoint(), registry.verifier)


def entries_of(bundle: bytes) -> list[bytes]:
    return [bundle[place + 2 : place + 34] for place in range(0, len(bundle), 34)]


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "registry.sqlite3")) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def test_entries_tiles_and_root_are_one_tree(many: Registry) -> None:
    bundles = [many.bundle(Tile(0, 0)) or b"", many.bundle(Tile(0, 1, MANY - WIDTH)) or b""]
    hashes = [leaf_hash(entry) for bundle in bundles for entry in entries_of(bundle)]
    assert (many.tile(Tile(0, 0)) or b"") + (many.tile(Tile(0, 1, MANY - WIDTH)) or b"") == b"".join(hashes)
    whole, first = Frontier(), Frontier()
    for leaf in hashes:
        whole.append(leaf)
    for leaf in hashes[:WIDTH]:
        first.append(leaf)
    assert many.tile(Tile(1, 0, 1)) == first.root()
    assert checkpoint_of(many) == Checkpoint(ORIGIN, MANY, whole.root())
    assert many.tile(Tile(0, 1, 7)) == b"".join(hashes[WIDTH : WIDTH + 7])  # of an earlier checkpoint


@pytest.mark.parametrize(
    "tile", [Tile(0, 1), Tile(0, 1, 45), Tile(0, 2, 1), Tile(1, 0, 2), Tile(2, 0, 1), Tile(63, 0, 1)]
)
def test_beyond_the_published_log_there_is_nothing(many: Registry, tile: Tile) -> None:
    assert many.tile(tile) is None


def test_a_bundle_reaches_as_far_as_its_tile(many: Registry) -> None:
    assert len(many.bundle(Tile(0, 1, 44)) or b"") == 44 * 34
    assert many.bundle(Tile(0, 1, 45)) is None


def test_a_size_leads_to_every_later_one(many: Registry) -> None:
    last = checkpoint_of(many)
    hashes = [many.tile(Tile(0, 0)) or b"", many.tile(Tile(0, 1, 44)) or b""]
    row = b"".join(hashes)
    frontier = Frontier()
    for size in range(1, MANY):
        frontier.append(row[32 * (size - 1) : 32 * size])
        if size in (1, 2, 255, 256, 257, 299):
            check_consistency(size, MANY, many.consistency(size, MANY), frontier.root(), last.root)
    assert many.consistency(0, MANY) == []


def test_a_changed_node_and_a_changed_entry_are_not_handed_out(registry: Registry, tmp_path: Path) -> None:
    size = checkpoint_of(registry).size
    assert registry.tile(Tile(0, 0, size))
    change(tmp_path, "UPDATE nodes SET hash = x'00' WHERE level = 0 AND idx = 1")
    change(tmp_path, "UPDATE entries SET salt = zeroblob(16) WHERE idx = 1")
    for ask in (registry.tile, registry.bundle):
        with pytest.raises(RegistryError):
            ask(Tile(0, 0, size))
        assert ask(Tile(0, 0, 1))


def test_a_log_behind_what_it_has_shown_is_not_handed_out(registry: Registry, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(registry)
    longer = Checkpoint(ORIGIN, checkpoint.size + 1, checkpoint.root)
    (tmp_path / "log" / "checkpoint").write_text(sign_note(longer.text(), ORIGIN, LOG_KEY))
    with pytest.raises(RegistryError):
        registry.checkpoint()
    with pytest.raises(RegistryError):
        registry.tile(Tile(0, 0, 1))


def test_a_shown_checkpoint_of_an_earlier_day_hides_nothing(registry: Registry, tmp_path: Path) -> None:
    shown, newest = tmp_path / "log" / "checkpoint", checkpoint_of(registry)
    earlier = shown.read_text()
    issue(registry, "later")
    shown.write_text(earlier)
    assert checkpoint_of(registry).size == newest.size + 1


def test_cosignatures_are_shown_while_their_checkpoint_is_the_newest(registry: Registry) -> None:
    registry.keep_cosigned(cosigned(registry.checkpoint()))
    assert cosigned_by(registry.checkpoint(), [WITNESS]) == [WITNESS]
    kept = checkpoint_of(registry)
    registry.record_copy(issue(registry, "later")[0].number, b"box", NOW)
    assert cosigned_by(registry.checkpoint(), [WITNESS]) == []
    before, after = registry.inclusion(kept.size - 1), registry.inclusion(kept.size)
    assert cosigned_by(before.checkpoint, [WITNESS]) == [WITNESS]
    assert cosigned_by(after.checkpoint, [WITNESS]) == []
    for proof in (before, after):
        checkpoint = open_checkpoint(proof.checkpoint, registry.verifier)
        leaf = registry.tile(Tile(0, 0, proof.index + 1)) or b""
        check_inclusion(proof.index, checkpoint.size, leaf[-32:], proof.hashes, checkpoint.root)


def test_only_what_is_of_this_log_and_newer_is_kept(registry: Registry) -> None:
    mine = checkpoint_of(registry)
    registry.keep_cosigned(cosigned(registry.checkpoint()))
    for size, root, key in (
        (mine.size - 1, mine.root, LOG_KEY),  # older
        (mine.size + 1, mine.root, LOG_KEY),  # longer than the registry
        (mine.size, bytes(32), LOG_KEY),  # another tree
        (mine.size, mine.root, WITNESS_KEY),  # another key
    ):
        with pytest.raises(RegistryError):
            registry.keep_cosigned(cosigned(sign_note(Checkpoint(ORIGIN, size, root).text(), ORIGIN, key)))
    assert cosigned_by(registry.checkpoint(), [WITNESS]) == [WITNESS]


@pytest.mark.parametrize("text", ["", "nonsense", "\udcff"])
def test_a_cosigned_file_that_is_none_takes_nothing_away(
    registry: Registry, tmp_path: Path, text: str
) -> None:
    (tmp_path / "log" / "witnessed").write_text(text, "utf-8", "surrogateescape")
    assert open_checkpoint(registry.inclusion(0).checkpoint, registry.verifier) == checkpoint_of(registry)


def test_a_cosigned_log_of_another_past_is_told(registry: Registry, tmp_path: Path) -> None:
    forged = Checkpoint(ORIGIN, checkpoint_of(registry).size, bytes(32))
    (tmp_path / "log" / "witnessed").write_text(cosigned(sign_note(forged.text(), ORIGIN, LOG_KEY)))
    with pytest.raises(RegistryError):
        registry.inclusion(0)
    assert cosigned_by(registry.checkpoint(), [WITNESS]) == []


def test_of_two_who_bring_a_cosignature_at_once_neither_is_lost(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes while the first has read what is kept, and not yet replaced it."""
    note = registry.checkpoint()
    second = threading.Thread(target=registry.keep_cosigned, args=(cosigned(note, OTHER.name, OTHER_KEY),))
    real = witnessed.replace_file

    def slow(file: Path, text: str) -> None:
        if second.ident is None:
            second.start()
            second.join(0.3)  # it waits for us, or is over by then
        real(file, text)

    monkeypatch.setattr(witnessed, "replace_file", slow)
    registry.keep_cosigned(cosigned(note))
    second.join()
    assert set(cosigned_by(registry.checkpoint(), [WITNESS, OTHER])) == {WITNESS, OTHER}


def test_the_newer_of_two_cosignatures_stays_whichever_comes_last(registry: Registry) -> None:
    note = registry.checkpoint()
    text = split_note(note)[0]
    older, newer = (cosign(text, WITNESS.name, WITNESS_KEY, NOW + timedelta(days=day)) for day in (0, 1))
    for line, kept in ((older, older), (newer, newer), (older, newer)):
        assert registry.keep_cosigned(note + line) == note + kept
    assert registry.checkpoint() == note + newer


FORGED = cosign("another\n", OTHER.name, OTHER_KEY, NOW)


@pytest.mark.parametrize(
    ("pinned", "shown"), [([], []), ([WITNESS], [WITNESS]), ([OTHER], []), ([OTHER, WITNESS], [WITNESS])]
)
def test_only_cosignatures_of_pinned_witnesses_are_handed_out(
    registry: Registry, tmp_path: Path, pinned: list[Witness], shown: list[Witness]
) -> None:
    note = registry.checkpoint()
    (tmp_path / "log" / "witnessed").write_text(cosigned(note + FORGED))
    with closing(reopen(tmp_path, witnesses=pinned)) as reader:
        for given in (reader.checkpoint(), reader.inclusion(0).checkpoint):
            names = [item.name for item in split_note(given)[1]]
            assert names == [ORIGIN, *(witness.name for witness in shown)]


def test_a_forged_line_keeps_no_true_one_out(registry: Registry, tmp_path: Path) -> None:
    note = registry.checkpoint()
    (tmp_path / "log" / "witnessed").write_text(cosigned(note + FORGED))
    registry.keep_cosigned(cosigned(note, OTHER.name, OTHER_KEY))
    assert set(cosigned_by(registry.checkpoint(), [WITNESS, OTHER])) == {WITNESS, OTHER}


@at_every_step
def test_a_cosigned_checkpoint_that_cannot_be_kept(registry: Registry, tmp_path: Path, broken: Break) -> None:
    note = registry.checkpoint()
    registry.keep_cosigned(cosigned(note))
    more = cosigned(note, OTHER.name, OTHER_KEY)
    with broken.happening(), pytest.raises(RegistryError):
        registry.keep_cosigned(more)
    kept = {WITNESS, OTHER} if broken.persisted else {WITNESS}
    assert set(cosigned_by(registry.checkpoint(), [WITNESS, OTHER])) == kept
    assert {file.name for file in (tmp_path / "log").iterdir()} == {"checkpoint", "witnessed"}
    registry.keep_cosigned(more)
    assert set(cosigned_by(registry.checkpoint(), [WITNESS, OTHER])) == {WITNESS, OTHER}
