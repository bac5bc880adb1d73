"""Whatever is done to a certificate that was really issued, or put in its place: `signsvc verify` never says valid."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from home import Home
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vectors.build import write
from vectors.vector import Vector
from vectors.workshop import fresh, sign
from whole.outside import byte_range
from whole.theft import Theft

from signsvc.report import Verdict
from signsvc.verify import Verifier, verify_file
from signsvc.wiring.documents import template_bytes
from signsvc.wiring.verifying import asking

ANSWER_WITHIN = 3.0  # seconds, for any file


@dataclass(frozen=True)
class Answer:
    report: dict[str, Any]
    seconds: float


@pytest.fixture(scope="module")
def home(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(Path(shutil.copytree(pristine, tmp_path_factory.mktemp("stolen") / "home")))


@pytest.fixture(scope="module")
def theft(home: Home) -> Theft:
    return Theft(home)


@pytest.fixture(scope="module")
def verifier(home: Home) -> Iterator[Verifier]:
    with asking(home.settings, None, signed=False) as (opened, _):
        yield opened


def ask(home: Home, *files: Path) -> tuple[int, list[Answer]]:
    """The command's exit code, and each answer with the time it took after the one before."""
    command = [sys.executable, "-u", "-m", "signsvc", "verify", "--json", *map(str, files)]
    with (home.folder / "stderr").open("w+") as said:
        process = subprocess.Popen(
            command, cwd=home.folder, env=home.environment, stdout=subprocess.PIPE, stderr=said, text=True
        )
        assert process.stdout is not None
        answers, last = [], 0.0
        for line in process.stdout:
            now = time.monotonic()
            answers.append(Answer(json.loads(line), now - (last or now)))
            last = now
        code = process.wait(60)
        said.seek(0)
        assert said.read() == ""
    return code, answers


def test_no_vector_is_ever_valid_and_each_is_answered_in_time(
    home: Home, theft: Theft, tmp_path: Path
) -> None:
    built = write(tmp_path, theft)
    code, answers = ask(home, *(tmp_path / f"{vector.name}.pdf" for vector in built))
    assert code == 1
    assert len(answers) == len(built) > 150
    wrong = {
        vector.name: (answer.report["verdict"], round(answer.seconds, 1))
        for vector, answer in zip(built, answers, strict=True)
        if (answer.report["verdict"] == "valid") != is_the_issued_file(vector, theft)
        or answer.report["rely"]
        or answer.seconds > ANSWER_WITHIN
    }
    assert wrong == {}
    assert sum(is_the_issued_file(vector, theft) for vector in built) == 2  # or the others prove nothing


def is_the_issued_file(vector: Vector, theft: Theft) -> bool:
    return vector.data == theft.sealed


def test_the_verdict_says_what_is_wrong(theft: Theft, verifier: Verifier) -> None:
    """A file with other bytes is altered if it bears our seal, and unknown if it was sealed behind the registry."""
    assert verify_file(verifier, theft.sealed).verdict is Verdict.VALID
    assert verify_file(verifier, theft.sealed + b"\n").verdict is Verdict.ALTERED
    assert verify_file(verifier, theft.plain).verdict is Verdict.NOT_SEALED
    behind = theft.seal(theft.ours, theft.now)
    assert verify_file(verifier, behind).verdict is Verdict.NOT_FOUND
    stranger = sign(fresh(theft.plain), theft.self_signed("冒名"))
    assert verify_file(verifier, stranger).verdict is Verdict.UNTRUSTED


def test_the_same_signed_bytes_in_another_container_are_altered(theft: Theft, verifier: Verifier) -> None:
    """The seal made anew over the same bytes, with nothing changed but the case of one hexadecimal digit."""
    _, container = byte_range(theft.sealed)
    digits = container.hex().upper().encode()
    assert digits in theft.sealed
    report = verify_file(verifier, theft.sealed.replace(digits, digits.lower()))
    assert report.verdict is Verdict.ALTERED
    assert report.certificate is None


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), mask=st.integers(1, 255))
def test_a_file_with_any_byte_flipped_is_never_valid(
    theft: Theft, verifier: Verifier, data: st.DataObject, mask: int
) -> None:
    size = len(theft.sealed)
    hole = theft.sealed.index(b"/Contents <")
    anywhere, at_the_seal, at_the_end = (0, size - 1), (hole - 400, hole + 100), (size - 200, size - 1)
    position = data.draw(st.one_of(st.integers(*span) for span in (anywhere, at_the_seal, at_the_end)))
    changed = bytearray(theft.sealed)
    changed[position] ^= mask
    assert verify_file(verifier, bytes(changed)).verdict not in (Verdict.VALID, Verdict.SEALED_ONLY)


def test_files_that_are_nothing_of_ours_get_a_verdict(home: Home, theft: Theft, tmp_path: Path) -> None:
    chance = random.Random(7)
    given_files = {
        "form.docx": (template_bytes(home.settings), "unreadable"),
        "empty.pdf": (b"", "unreadable"),
        "eleven-megabytes.pdf": (theft.sealed + bytes(11 << 20), "unreadable"),
        "picture.png": (png(), "unreadable"),
        "noise.pdf": (b"%PDF-1.7\n" + chance.randbytes(50_000), "unreadable"),
        "somebody-elses.pdf": (theft.plain, "not_sealed"),
        "words.pdf": ("证明".encode("gb18030"), "unreadable"),
    }
    for name, (content, _) in given_files.items():
        (tmp_path / name).write_bytes(content)
    code, answers = ask(home, *(tmp_path / name for name in given_files))
    assert code == 1
    assert [answer.report["verdict"] for answer in answers] == [
        verdict for _, verdict in given_files.values()
    ]
    assert all(answer.report["reasons"][0]["message"] for answer in answers)
    assert all(answer.report["certificate"] is None for answer in answers)


def png() -> bytes:
    """A picture of one dot."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def test_one_good_file_among_bad_ones_does_not_make_the_command_succeed(
    home: Home, theft: Theft, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(theft.sealed)
    bad.write_bytes(theft.sealed[:-1])
    for files, expected in (((good,), 0), ((bad, good), 1)):
        code, answers = ask(home, *files)
        assert code == expected
        assert [answer.report["verdict"] == "valid" for answer in answers] == [file is good for file in files]


def test_a_file_that_is_not_there_is_one_line(home: Home) -> None:
    for path in (home.folder / "nothing.pdf", home.folder):
        done = home.run("verify", path, expect=2)
        assert done.stderr.startswith("error: unusable_input: ")
        assert done.stderr.count(os.linesep) == 1
