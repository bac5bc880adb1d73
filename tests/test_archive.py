"""The archive: what is put comes back, nothing readable is left on disk, and every write may fail."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signsvc.archive import Archive, sm3
from signsvc.errors import ArchiveFailed
from signsvc.models import Sha256

PDF = b"%PDF-1.7 a sealed certificate of somebody" * 50
NAME = Sha256(sha256(PDF).hexdigest())
KEY = bytes(range(32))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", tmp_path / "tmp", KEY)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_comes_back_under_its_hash_and_is_alone_in_the_folder(archive: Archive) -> None:
    assert archive.put(PDF) == NAME
    assert archive.get(NAME) == PDF
    assert list(archive.names()) == [NAME]
    assert files(archive.tmp) == []


def test_nothing_of_the_file_can_be_read_on_disk(archive: Archive, tmp_path: Path) -> None:
    archive.put(PDF)
    assert all(b"certificate" not in path.read_bytes() for path in files(tmp_path))
    assert (archive.folder / NAME).stat().st_mode & 0o077 == 0


def test_putting_again_changes_nothing_and_mends_what_was_damaged(archive: Archive) -> None:
    archive.put(PDF)
    before = (archive.folder / NAME).read_bytes()
    archive.put(PDF)
    assert (archive.folder / NAME).read_bytes() == before
    (archive.folder / NAME).write_bytes(before[:-1])
    archive.put(PDF)
    assert archive.get(NAME) == PDF


def test_several_at_once_keep_their_order(archive: Archive) -> None:
    pdfs = [b"%%PDF %d" % n for n in range(5)]
    assert [archive.get(name) for name in archive.put_many(pdfs)] == pdfs


def test_two_copies_have_two_data_keys(archive: Archive) -> None:
    assert archive.lock(PDF, b"x") != archive.lock(PDF, b"x")


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(place: int, bit: int) -> None:
    archive = Archive(Path("unused"), Path("unused"), KEY)
    envelope = bytearray(archive.lock(b"plain text", b"context"))
    assert archive.unlock(bytes(envelope), b"context") == b"plain text"
    envelope[place % len(envelope)] ^= 1 << bit
    with pytest.raises(ArchiveFailed):
        archive.unlock(bytes(envelope), b"context")


@given(st.binary(max_size=100))
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    with pytest.raises(ArchiveFailed):
        Archive(Path("unused"), Path("unused"), KEY).unlock(raw, b"")


def test_another_key_or_context_opens_nothing(archive: Archive) -> None:
    envelope = archive.lock(b"plain", b"one")
    with pytest.raises(ArchiveFailed):
        archive.unlock(envelope, b"two")
    with pytest.raises(ArchiveFailed):
        Archive(archive.folder, archive.tmp, bytes(32)).unlock(envelope, b"one")


def test_a_copy_under_the_name_of_another_is_found(archive: Archive) -> None:
    other = archive.put(b"%PDF other")
    archive.put(PDF)
    os.replace(archive.folder / other, archive.folder / NAME)
    with pytest.raises(ArchiveFailed):
        archive.get(NAME)
    with pytest.raises(ArchiveFailed):
        archive.get(other)


@pytest.mark.parametrize("name", ["", "../tmp/x", NAME.upper(), NAME + "\n"])
def test_only_hashes_are_names(archive: Archive, name: str) -> None:
    with pytest.raises(ArchiveFailed):
        archive.get(Sha256(name))


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveFailed):
        Archive(tmp_path, tmp_path, b"short")


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted anyway"])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_either_way_is_made_good_by_the_next(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, step: str, persisted: bool
) -> None:
    real: Callable[..., Any] = getattr(os, step)

    def fail(*given: Any) -> None:
        if persisted:
            real(*given)
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(os, step, fail)
        with pytest.raises(ArchiveFailed):
            archive.put(PDF)
    assert list(archive.names()) in ([], [NAME])  # whole or not at all, and nothing else
    assert archive.put(PDF) == NAME
    assert archive.get(NAME) == PDF


def test_sm3_is_that_of_the_standard() -> None:
    # GB/T 32905 appendix A.1
    assert sm3(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
