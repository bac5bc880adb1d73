"""Files and forms that mean harm, handed to the service as it runs: no wrong verdict, no 5xx, nothing slow, large or
left behind, and others are answered meanwhile."""

from __future__ import annotations

import base64
import fcntl
import gzip
import http.client
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from home import Home
from vectors.build import vectors
from vectors.vector import Vector
from whole.theft import Theft

API, PAGE = "/api/v1/verify/file", "/verify"
WITHIN = 3.0  # seconds, for any file
AT_MOST = 1 << 30  # bytes, of all processes of the service together
MOST_BYTES = 10 * 1024 * 1024  # of a file
BOUNDARY = "----hostile"
# Everybody here has one address. Two files are examined at a time.
OPEN = {f"SIGNSVC_LIMIT_{name}": "9999999/minute" for name in ("CLIENT", "UPLOAD", "CODE")}
_RECEIPT = re.compile(r"eyJ[\w-]+\.([\w-]+)\.[\w-]+")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def verdict(self) -> str:
        """Of a Report, or of the receipt in a page; the status where nothing was judged."""
        if self.status != 200:
            return str(self.status)
        if "json" in self.headers["content-type"]:
            return str(self.json["verdict"])
        found = _RECEIPT.search(self.content.decode())
        assert found, self.content
        payload = found[1] + "=" * (-len(found[1]) % 4)
        return str(json.loads(base64.urlsafe_b64decode(payload))["verdict"])


@dataclass(frozen=True)
class Server:
    """The running service; `scratch` is the folder that it was given for temporary files."""

    home: Home
    port: int
    process: int
    scratch: Path

    def post(
        self, path: str, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}", **more: str
    ) -> Answer:
        headers = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in more.items()}}
        return self.ask("POST", path, body, headers)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}) -> Answer:
        begin = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)) as connection:
            with suppress(BrokenPipeError):  # refused before it was read: the answer is there all the same
                connection.request(method, path, body, dict(headers), encode_chunked=_chunked(headers))
            answer = connection.getresponse()
            content = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, content, time.monotonic() - begin)

    def upload(self, path: str, data: bytes) -> Answer:
        return self.post(path, form(part(data)))

    def processes(self) -> list[int]:
        """The master, its workers, their sandboxes and whatever these have forked."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # gone meanwhile
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
        found = [self.process]
        for process in found:
            found.extend(parents.get(process, ()))
        return found

    def memory(self) -> int:
        """Bytes that its processes hold now, shared pages counted once (PSS)."""
        total = 0
        for process in self.processes():
            try:
                rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            except OSError:
                continue
            total += int(rollup.partition("\nPss:")[2].split(maxsplit=1)[0]) * 1024
        return total

    def open_files(self) -> set[str]:
        """Names of all files that its processes have open, but for sockets, pipes and memory."""
        names = set()
        for process in self.processes():
            for handle in Path(f"/proc/{process}/fd").glob("*"):
                try:
                    names.add(os.readlink(handle))
                except OSError:
                    continue
        return {name for name in names if name.startswith("/") and not name.startswith("/memfd:")}

    def written(self) -> dict[str, int]:
        """Size of every file where the service could have put an upload; its metrics hold numbers only."""
        folders = (self.scratch, self.home.folder)
        files = {
            file for folder in folders for file in folder.rglob("*") if "signsvc-metrics-" not in str(file)
        }
        return {str(file): file.stat().st_size for file in files if file.is_file()}


def _chunked(headers: Mapping[str, str]) -> bool:
    return headers.get("Transfer-Encoding") == "chunked"


def part(data: bytes, name: str = "file", said: str = '; filename="a.pdf"', more: bytes = b"") -> bytes:
    """One part of a form."""
    return f'Content-Disposition: form-data; name="{name}"{said}\r\n'.encode() + more + b"\r\n" + data


def form(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    """A form of these parts."""
    line = f"--{boundary}".encode()
    return b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) + line + b"--\r\n"


@pytest.fixture(scope="module")
def home(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    copied = shutil.copytree(pristine, tmp_path_factory.mktemp("attacked") / "home")
    (copied / "scratch").mkdir()
    return Home(Path(copied), {**OPEN, "TMPDIR": str(copied / "scratch")})


@pytest.fixture(scope="module")
def theft(home: Home) -> Theft:
    return Theft(home)


@pytest.fixture(scope="module")
def hostile(theft: Theft) -> list[Vector]:
    return list(vectors(theft))


@pytest.fixture(scope="module")
def server(home: Home, theft: Theft, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """After the theft, for the service knows the seals that were registered when it began."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "signsvc", "serve", "--port", str(port), "--workers", "2"]
    said = tmp_path_factory.mktemp("said") / "stderr"
    with said.open("w") as log:
        process = subprocess.Popen(words, cwd=home.folder, env=home.environment, stdout=log, stderr=log)
    server = Server(home, port, process.pid, home.folder / "scratch")
    try:
        for _ in range(150):
            assert process.poll() is None, said.read_text()
            try:
                server.ask("GET", "/readyz")  # and so opens the registry, which makes files of its own
                break
            except OSError:
                time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        assert process.wait(15) == 0


@contextmanager
def watched(server: Server) -> Iterator[list[int]]:
    """What the service held meanwhile, looked at some forty times a second."""
    seen, over = [server.memory()], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            seen.append(server.memory())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def judged(hostile: list[Vector], answers: list[Answer], theft: Theft) -> dict[str, str]:
    """Those that were answered wrongly: valid without being the issued file or the other way round, or not at all."""
    pairs = list(zip(hostile, answers, strict=True))
    assert len(pairs) > 150
    assert sum(vector.data == theft.sealed for vector in hostile) == 2  # or the others prove nothing
    return {
        vector.name: answer.verdict
        for vector, answer in pairs
        if (answer.verdict == "valid") != (vector.data == theft.sealed)
        or answer.status != status(vector, answer)
    }


def status(vector: Vector, answer: Answer) -> int:
    """What is too large is refused, a page asks for another file where there is nothing, the rest gets a verdict."""
    if len(vector.data) > MOST_BYTES:
        return 413
    return 400 if not vector.data and "html" in answer.headers["content-type"] else 200


def test_no_hostile_file_is_valid_slow_or_large_for_the_api(
    server: Server, hostile: list[Vector], theft: Theft
) -> None:
    """One at a time: a file's limit is not that of those before it."""
    before = server.written()
    with watched(server) as memory:
        answers = [server.upload(API, vector.data) for vector in hostile]
    assert judged(hostile, answers, theft) == {}
    slow = {v.name: a.seconds for v, a in zip(hostile, answers, strict=True) if a.seconds > WITHIN}
    assert slow == {}
    assert max(memory) < AT_MOST
    assert not [answer for answer in answers if answer.status == 200 and answer.json["rely"]]
    assert server.written() == before


def test_no_hostile_file_is_valid_for_the_page(server: Server, hostile: list[Vector], theft: Theft) -> None:
    """As many at a time as are examined at a time."""
    with ThreadPoolExecutor(2) as clients:
        answers = list(clients.map(lambda vector: server.upload(PAGE, vector.data), hostile))
    assert judged(hostile, answers, theft) == {}


def test_nothing_of_a_file_is_written_while_it_arrives(server: Server) -> None:
    before = server.open_files()
    with half_sent(server, API, form(part(b"%PDF-" + bytes(4_000_000)))) as finish:
        assert server.open_files() <= before
        assert finish().verdict == "unreadable"


@contextmanager
def half_sent(server: Server, path: str, body: bytes) -> Iterator[Callable[[], Answer]]:
    """A request of which half has arrived; call what this gives to send the rest and have the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as line:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        line.sendall(f"{head}Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode())
        line.sendall(body[: len(body) // 2])

        def finish() -> Answer:
            line.sendall(body[len(body) // 2 :])
            answer = http.client.HTTPResponse(line)
            answer.begin()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read(), 0.0)

        # Unread bytes in our own queue would mean that it has not arrived.
        while struct.unpack("i", fcntl.ioctl(line, termios.TIOCOUTQ, bytes(4)))[0]:
            time.sleep(0.01)
        yield finish


def test_who_sends_slowly_keeps_nobody_waiting(server: Server, theft: Theft) -> None:
    """More slow files than are examined at a time: they take a place when they are here, not before."""
    body = form(part(theft.sealed))
    with ExitStack() as slow:
        finish = [slow.enter_context(half_sent(server, path, body)) for path in (API, PAGE, API)]
        assert server.upload(API, theft.sealed).verdict == "valid"
        assert server.upload(PAGE, theft.plain).verdict == "not_sealed"
        assert look_up(server, theft).status == 200
        assert [one().verdict for one in finish] == ["valid"] * 3


def look_up(server: Server, theft: Theft) -> Answer:
    """A question that has nothing to do with files."""
    question = {"number": theft.issued.number, "code": theft.issued.code}
    return server.post("/api/v1/verify", json.dumps(question).encode(), "application/json")


def test_a_crowd_is_told_to_come_back_and_lookups_go_on(
    server: Server, hostile: list[Vector], theft: Theft
) -> None:
    [slowest] = [vector.data for vector in hostile if vector.name == "bomb-field-tree-explosion"]
    with ThreadPoolExecutor(20) as crowd:
        coming = [crowd.submit(server.upload, API, slowest) for _ in range(20)]
        assert {look_up(server, theft).status for _ in range(20)} == {200}
        answers = [one.result() for one in coming]
    busy = [answer for answer in answers if answer.status == 503]
    assert busy
    assert all(int(answer.headers["retry-after"]) > 0 and answer.json["code"] for answer in busy)
    assert {answer.verdict for answer in answers} == {"503", "unreadable"}
    assert server.upload(API, theft.sealed).verdict == "valid"


PDF = b"%PDF-1.7\n"
# Form, headers, and what each may be answered.
FORMS: dict[str, tuple[bytes, dict[str, str], set[int]]] = {
    "eleven megabytes": (form(part(bytes(11 << 20))), {}, {413}),
    "a hundred thousand parts": (form(*[part(b"x", f"f{n}") for n in range(100_000)]), {}, {413}),
    "fifty fields": (form(part(PDF), *[part(b"x", f"f{n}", "") for n in range(50)]), {}, {413}),
    "a field of a megabyte": (form(part(bytes(1 << 20), "number", "")), {}, {413}),
    "a part without end": (form(part(PDF))[: -len(BOUNDARY) - 4], {}, {400}),
    "a part's headers of a megabyte": (
        form(part(PDF, more=b"X: " + b"a" * (1 << 20) + b"\r\n")),
        {},
        {400, 413},
    ),
    "a hundred thousand headers": (form(part(PDF, more=b"X: y\r\n" * 100_000)), {}, {400, 413}),
    "a part without a name": (f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(), {}, {400}),
    "headers in no encoding": (form(part(PDF, more=b"X: \xff\xfe\r\n")), {}, {400}),
    "another boundary": (form(part(PDF), boundary="other"), {}, {400}),
    "no boundary": (form(part(PDF)), {"Content-Type": "multipart/form-data"}, {400}),
    "an endless boundary": (
        form(part(PDF), boundary="b" * 3000),
        {"Content-Type": f"multipart/form-data; boundary={'b' * 3000}"},
        {200, 400},
    ),
    "a boundary of regular expressions": (
        form(part(PDF), boundary="(a+)+$"),
        {"Content-Type": 'multipart/form-data; boundary="(a+)+$"'},
        {200, 400},
    ),
    "nothing at all": (b"", {}, {400}),
    "no file": (form(), {}, {400}),
    "two files": (form(part(PDF), part(PDF)), {}, {400}),
    "two files by two names": (form(part(PDF), part(PDF, "other")), {}, {200, 400}),
    "an empty file": (form(part(b"")), {}, {200, 400}),
    "a file without a name of its own": (form(part(PDF, said="")), {}, {400}),
    "a file by another name": (form(part(PDF, "datei")), {}, {400}),
    "a compressed form": (gzip.compress(form(part(PDF))), {"Content-Encoding": "gzip"}, {400, 415}),
    "a compressed bomb": (
        gzip.compress(form(part(bytes(16 << 20))), 1),
        {"Content-Encoding": "gzip"},
        {400, 413, 415},
    ),
    "a path for a name": (form(part(PDF, said='; filename="../../../../tmp/x.pdf"')), {}, {200}),
    "a path under the home": (form(part(PDF, said='; filename="/keys/seal-gd-demo.key"')), {}, {200}),
    "a name of markup": (form(part(PDF, said='; filename="<script>alert(1)</script>.pdf"')), {}, {200}),
    "a name of control characters": (form(part(PDF, said='; filename="a\x00\x1b[2J.pdf"')), {}, {200, 400}),
    "a name of a hundred thousand": (
        form(part(PDF, said=f'; filename="{"a" * 60_000}"')),
        {},
        {200, 400, 413},
    ),
    "a part in base64": (form(part(b"JVBERi0=", more=b"Content-Transfer-Encoding: base64\r\n")), {}, {200}),
    "a part in UTF-7": (form(part(PDF, more=b"Content-Type: text/plain; charset=utf-7\r\n")), {}, {200}),
    "a file of another type": (PDF, {"Content-Type": "application/pdf"}, {400, 415}),
    "a bad length": (form(part(PDF)), {"Content-Length": "-1"}, {400}),
}


@pytest.mark.parametrize("path", [API, PAGE])
@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_means_harm_is_refused_as_the_sender_s_fault(
    server: Server, name: str, path: str
) -> None:
    body, headers, expected = FORMS[name]
    before = server.written()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with watched(server) as memory:
        answer = server.ask("POST", path, body, {**kind, **headers})
    assert answer.status in expected, answer.content
    assert answer.verdict != "valid"
    assert answer.seconds < WITHIN
    assert max(memory) < AT_MOST
    assert server.written() == before
    assert b"<script>alert" not in answer.content


@pytest.mark.parametrize("path", [API, PAGE])
def test_a_form_of_unknown_length_ends_at_the_same_limit(server: Server, path: str) -> None:
    def pieces(count: int) -> Iterator[bytes]:
        yield form(part(b"%PDF-")).removesuffix(f"\r\n--{BOUNDARY}--\r\n".encode())
        for _ in range(count):
            yield bytes(1 << 20)
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Transfer-Encoding": "chunked"}
    assert server.ask("POST", path, pieces(2), headers).verdict == "unreadable"
    with watched(server) as memory:
        assert server.ask("POST", path, pieces(300), headers).status == 413
    assert max(memory) < AT_MOST
