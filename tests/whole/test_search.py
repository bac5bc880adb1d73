"""Nothing that identifies a resident, nor who worked on the case, lies in the home: after a batch, or after a kill."""

from __future__ import annotations

import gzip
import json
import os
import signal
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from home import Home, a_row, id_number, read_results
from whole.batches import Batch, wait_for_wiping
from whole.traces import traces

NAME, STATEMENT, REQUEST = "司寇瑱翀", "寄居于梧桐巷丙字", "ZQXW-7731"
VERIFIER, APPROVER, GUARDIAN = "闾丘乙午", "濮阳丁未", "澹台己酉"
GROWN, CHILD = "19840229", "20190909"
NUMBERS = tuple(f"639900{birth}" for birth in (GROWN, CHILD))
# Each stands in every row of its kind, and is long enough not to turn up by chance.
PERSONAL = (NAME, STATEMENT, VERIFIER, APPROVER, GUARDIAN, *NUMBERS, GROWN, "1984-02-29", CHILD, "2019-09-09")
SECRETS = (*PERSONAL, REQUEST)


def request(number: int, **changes: str) -> dict[str, str]:
    row = a_row(
        number,
        request_id=f"{REQUEST}-{number:04d}",
        name=f"{NAME}{chr(0x4E00 + number)}",
        id_number=id_number(number, GROWN),
        statement=f"{STATEMENT}{number}号",
        verified_by=f"{VERIFIER}{number}",
        approved_by=f"{APPROVER}{number}",
    )
    return {**row, **changes}


GOOD = [request(number) for number in range(1, 7)]
BAD = [
    request(21, name=f"{NAME}?"),
    request(22, id_number=f"{NUMBERS[0]}0000"),
    request(23, approved_by=f"{VERIFIER}23"),
    request(24, id_number=id_number(24, CHILD), guardian=GUARDIAN),
    request(25, purpose=f"{STATEMENT}25号"),
    request(26, matter=f"{NAME}亲属关系证明"),
    request(27, name=f"{NAME}\U000323af"),
    request(28, valid_until=GROWN),
]
WARD = request(
    7,
    id_number=id_number(7, CHILD),
    guardian=GUARDIAN,
    guardian_relation="父亲",
    guardian_consent="同意",
)


@pytest.fixture
def private(home: Home) -> Home:
    """A home whose processes have no other place for temporary files than one that we search too."""
    (home.folder / "elsewhere").mkdir()
    return Home(home.folder, {"TMPDIR": str(home.folder / "elsewhere")})


def left(home: Home, *more: str) -> list[str]:
    return traces([home.var, home.folder / "elsewhere"], (*SECRETS, *more))


def test_a_batch_leaves_no_trace_of_anybody(private: Home) -> None:
    batch = Batch(private, private.write_rows("rows.csv", [*GOOD, WARD, *BAD]))
    ended = batch.wait()
    assert ended.code == 1
    results = read_results(batch.out)
    assert [row["status"] for row in results] == ["issued"] * 7 + ["refused"] * len(BAD)
    assert left(private, *(row["code"] for row in results if row["code"])) == []
    number, code = results[0]["number"], results[0]["code"]
    private.run("suspend", number, "--reason", "other", "--note", f"{VERIFIER}电话核实")
    private.run("copy", number, "--reason", f"{NAME}本人补领", "-o", private.folder / "copy.pdf")
    private.run("verify", private.folder / "copy.pdf", expect=1)
    private.run("lookup", number, "--code", code, expect=1)
    private.run("log", "verify")
    assert left(private, *(row["code"] for row in results if row["code"])) == []


def test_what_a_batch_says_tells_nothing_personal(private: Home) -> None:
    rows = private.write_rows("rows.csv", [*GOOD[:1], *BAD])
    batch = Batch(private, rows)
    ended = batch.wait()
    foreseen = private.run("check", rows, expect=1)
    said = (ended.out, ended.err, foreseen.stdout, foreseen.stderr)
    assert ended.err.count(REQUEST) >= len(BAD)
    assert [text for text in PERSONAL for words in said if text in words] == []
    for name in ("results.csv", "results.xlsx"):
        (private.folder / "elsewhere" / name).write_bytes((batch.out / name).read_bytes())
    assert traces([private.folder / "elsewhere"], PERSONAL) == []


@pytest.mark.parametrize(
    ("moment", "group"),
    [
        (Batch.filling, False),
        (Batch.filling, True),
        (Batch.converting, False),
        (Batch.converting, True),
        (Batch.archiving, True),
        (Batch.committing, False),
        (Batch.delivering, True),
    ],
)
def test_a_killed_batch_leaves_no_trace_of_anybody(
    private: Home, moment: Callable[[Batch], bool], group: bool
) -> None:
    batch = Batch(private, private.write_rows("rows.csv", GOOD))
    assert batch.send(signal.SIGKILL, moment, group=group)
    batch.wait()
    wait_for_wiping(private)
    assert left(private) == []


def test_where_nobody_is_left_to_wipe_the_next_start_does(private: Home) -> None:
    """Batch and converter end in one instant, as by a power cut. What they leave shows that we can find it."""
    batch = Batch(private, private.write_rows("rows.csv", GOOD))
    assert batch.send(signal.SIGSTOP, Batch.filling)
    family = [batch.pid, *descendants(batch.pid)]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
    batch.wait()
    found = left(private)
    assert any(text.startswith(NAME) for text in found)
    assert any(text.startswith("a .docx") for text in found)
    private.run("log", "verify")
    assert left(private) == []
    assert {row["status"] for row in private.sign(private.folder / "rows.csv")} == {"issued"}
    assert left(private) == []


def descendants(pid: int) -> Iterator[int]:
    """Every process below this one."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from descendants(int(child))


def zipped(data: bytes) -> bytes:
    with zipfile.ZipFile(file := BytesIO(), "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner.bin", data)
    return file.getvalue()


HIDING: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-16": lambda text: text.encode("utf-16-be"),
    "gb18030": lambda text: text.encode("gb18030"),
    "hexadecimal": lambda text: b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">",
    "base64": lambda text: b64encode(b"ab" + text.encode() + b"c"),
    "address": lambda text: quote(text).encode(),
    "json": lambda text: json.dumps({"a": text}).encode(),
    "octal": lambda text: (
        b"(\\376\\377" + b"".join(b"\\%03o" % byte for byte in text.encode("utf-16-be")) + b")"
    ),
    "deflated": lambda text: b"stream\n" + zlib.compress(b"x" * 99 + text.encode()) + b"\nendstream",
    "zipped": lambda text: b"junk" + zipped(text.encode("utf-16-le")) + b"junk",
    "torn zip": lambda text: zipped(text.encode() + os.urandom(9000))[:5000],
    "zip in gzip": lambda text: gzip.compress(zipped(b64encode(text.encode()))),
}


@pytest.mark.parametrize("way", HIDING)
def test_the_search_finds_what_is_hidden(tmp_path: Path, way: str) -> None:
    for text in (NAME, NUMBERS[0]):
        (tmp_path / "file").write_bytes(os.urandom(100) + HIDING[way](text) + os.urandom(100))
        assert traces([tmp_path], [text])


def test_the_search_finds_a_name_in_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.tmp").touch()
    assert traces([tmp_path], [NAME])
