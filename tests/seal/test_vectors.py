"""Every attack that we know of against a sealed file, and nobody but the honest file passes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from needs import require
from vectors.build import honest, write
from vectors.container import find, hole, stamped
from vectors.vector import SEALED, Vector
from vectors.workshop import Workshop, pem

from signsvc.seal.sandbox import Sandbox

ANSWER_WITHIN = 3.0  # seconds, for any file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def built(shop: Workshop, folder: Path) -> list[Vector]:
    return write(folder, shop)


def test_every_vector_is_judged_as_expected_and_in_time(
    shop: Workshop, built: list[Vector], sandbox: Sandbox
) -> None:
    wrong = {}
    for vector in built:
        started = time.monotonic()
        found = sandbox.examine(vector.data, shop.pinned if vector.pinned else shop.trust)
        seconds = time.monotonic() - started
        if found.outcome not in vector.expected or seconds > ANSWER_WITHIN:
            wrong[vector.name] = (found.outcome.value, found.code, round(seconds, 1))
    assert wrong == {}


def test_only_honest_vectors_may_be_sealed(built: list[Vector]) -> None:
    assert all(vector.name.startswith("honest") == (vector.expected == SEALED) for vector in built)


def test_every_attack_has_a_name_of_its_own_and_changes_something(
    shop: Workshop, built: list[Vector]
) -> None:
    good = {vector.data for vector in honest(shop)} | {shop.sealed}
    assert len({vector.name for vector in built}) == len(built)
    assert [vector.name for vector in built if vector.expected != SEALED and vector.data in good] == []


def test_the_table_beside_the_files_names_each_of_them(folder: Path, built: list[Vector]) -> None:
    rows = (folder / "expected.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert sorted(row.split(",")[0] for row in rows) == sorted(path.name for path in folder.glob("*.pdf"))


@pytest.mark.parametrize("name", ["honest", "honest-padded", "honest-timestamped"])
def test_poppler_calls_the_honest_files_whole(folder: Path, built: list[Vector], name: str) -> None:
    report = run(require("pdfsig"), "-nocert", str(folder / f"{name}.pdf"))
    assert "Signature is Valid" in report
    assert "Total document signed" in report


def test_poppler_does_not_call_an_appended_revision_whole(folder: Path, built: list[Vector]) -> None:
    report = run(require("pdfsig"), "-nocert", str(folder / "revision-info-title.pdf"))
    assert "Not total document signed" in report


@pytest.mark.parametrize("name", ["honest", "honest-padded"])
def test_mupdf_finds_the_honest_files_unchanged(folder: Path, built: list[Vector], name: str) -> None:
    report = run(require("mutool"), "sign", "-v", str(folder / f"{name}.pdf"))
    assert "unchanged since signing" in report


def test_openssl_verifies_signature_and_chain(shop: Workshop, tmp_path: Path) -> None:
    found = find(shop.sealed)
    signed = shop.sealed[: found.hole_start] + shop.sealed[found.hole_end :]
    (tmp_path / "signed").write_bytes(signed)
    (tmp_path / "cms").write_bytes(bytes.fromhex(hole(shop.sealed).decode()))
    (tmp_path / "root").write_bytes(pem(shop.root.certificate))
    arguments = ["-inform", "DER", "-in", "cms", "-content", "signed", "-CAfile", "root", "-purpose", "any"]
    command = [require("openssl"), "cms", "-verify", "-binary", *arguments, "-out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def test_a_stamped_seal_is_reported_with_the_time_stamps_time(shop: Workshop, sandbox: Sandbox) -> None:
    found = sandbox.examine(stamped(shop), shop.pinned)
    assert found.timestamped
    assert found.sealed_at == shop.now
