"""The service as it runs: `signsvc serve`, looked at in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest
from home import Home, read_results
from needs import require

CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


# The command, where a request has two seconds instead of thirty, and the lists of what is revoked are always read anew.
HURRIED = (
    "from signsvc.web import deadline; deadline.SECONDS = 2.0; "
    "from signsvc.wiring import revoking; revoking.AGAIN_SECONDS = 0.0; "
    "from signsvc.cli import main; main()"
)


@dataclass(frozen=True)
class Running:
    """A service at work: its process, its address, what it wrote to its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    home: Home

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """Process numbers of its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in children.read_text().split()]

    def get(self, path: str, sender: str = "127.0.0.1") -> tuple[int, str]:
        """Status and body, over a connection of its own from an address of this machine."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(sender, 0))
        with closing(line):
            line.request("GET", path)
            answer = line.getresponse()
            return answer.status, answer.read().decode(errors="replace")


@pytest.fixture(scope="module")
def server(issued: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two workers over a home whose key folder has nothing that could seal, sign into the log or open the archive."""
    with serving(issued, tmp_path_factory.mktemp("server"), 2) as running:
        yield running


@pytest.fixture(scope="module")
def lonely(issued: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The same with one worker: who answers after its death has started since."""
    with serving(issued, tmp_path_factory.mktemp("lonely"), 1) as running:
        yield running


@contextmanager
def serving(issued: Home, folder: Path, workers: int) -> Iterator[Running]:
    own = Home(Path(shutil.copytree(issued.folder, folder / "home")))
    for file in (own.folder / "keys").glob("*.key"):
        if file.name not in ("match.key", "receipt.key"):
            file.unlink()
    shutil.rmtree(own.folder / "keys" / "ca")
    shutil.rmtree(own.var / "archive")
    (folder / "tmp").mkdir()
    settings = {"SIGNSVC_LIMIT_CLIENT": "20/day", "TMPDIR": str(folder / "tmp")}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (
        sys.executable,
        "-c",
        HURRIED,
        "serve",
        "--only",
        "verify",
        "--workers",
        str(workers),
        "--port",
        str(port),
    )
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, cwd=own.folder, env={**own.environment, **settings}, stderr=log)
    running = Running(process, port, folder / "log", own)
    try:
        wait_for(running)
        yield running
    finally:
        process.terminate()
        assert process.wait(15) == 0
    assert list((folder / "tmp").glob("signsvc-*")) == []


@pytest.fixture(scope="module")
def address(server: Running) -> str:
    return server.address


def wait_for(server: Running) -> None:
    for _ in range(150):
        assert server.process.poll() is None, server.log.read_text()
        try:
            with urllib.request.urlopen(f"{server.address}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the service did not start")


def browse(address: str, folder: Path, *flags: str) -> str:
    """The page as the browser has it after loading."""
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [require("chromium"), *CHROMIUM_FLAGS, profile, *flags, "--dump-dom", address]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_scanned_code_shows_the_verdict_in_a_browser(issued: Home, address: str, tmp_path: Path) -> None:
    row = read_results(issued.folder / "out")[0]
    page = browse(f"{address}/v/{row['code']}", tmp_path)
    assert "在有效期内" in page
    assert row["number"] in page


def test_the_page_is_styled_from_the_package(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "form.png"
    browse(f"{address}/verify", tmp_path, f"--screenshot={picture}", "--window-size=800,1000")
    assert picture.stat().st_size > 10_000
    with urllib.request.urlopen(f"{address}/static/style.css", timeout=5) as answer:
        assert answer.headers.get_content_type() == "text/css"


def test_a_port_in_use_is_told_in_one_line(issued: Home, address: str) -> None:
    done = issued.run("serve", "--port", address.rpartition(":")[2], expect=2)
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_workers_count_together(server: Running) -> None:
    asked = [server.get(f"/v/{'0' * 16}", sender="127.0.0.2")[0] for _ in range(24)]
    assert asked == [200] * 20 + [429] * 4
    assert counted(server, '{method="GET",route="/v/<code>",status="429"}') == 4
    assert server.get(f"/v/{'0' * 16}", sender="127.0.0.3")[0] == 200


def test_every_worker_is_ready_for_files_before_the_first_comes(server: Running) -> None:
    for worker in server.workers():
        assert Path(f"/proc/{worker}/task/{worker}/children").read_text().split()


def test_who_sends_a_byte_now_and_then_does_not_hold_a_thread_for_ever(server: Running) -> None:
    """In the head of a request and in its body; a thread that is let go closes the connection."""
    beginnings = (
        b"GET /verify HTTP/1.1\r\nX: ",
        b"POST /verify HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n",
    )
    lines = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in beginnings]
    for line, beginning in zip(lines, beginnings, strict=True):
        line.sendall(beginning)
    assert [dripped_until_closed(line) for line in lines] == [True, True]
    assert server.get("/healthz")[0] == 200


def dripped_until_closed(line: socket.socket) -> bool:
    with closing(line):
        line.settimeout(0.2)
        for _ in range(40):
            try:
                line.sendall(b"x")
                if line.recv(1024) == b"":
                    return True
            except TimeoutError:
                continue
            except OSError:
                return True
    return False


def test_the_death_of_a_worker_is_survived_and_nothing_is_counted_anew(server: Running) -> None:
    before = server.workers()
    for worker in before:
        os.kill(worker, signal.SIGKILL)
        wait_for(server)
    for _ in range(100):
        if len(set(server.workers()) - set(before)) == 2:
            break
        time.sleep(0.1)
    assert server.get("/readyz")[0] == 200
    assert server.get(f"/v/{'0' * 16}", sender="127.0.0.2")[0] == 429
    assert counted(server, '{method="GET",route="/v/<code>",status="429"}') == 5


@pytest.mark.parametrize("file", ["var/apikeys.toml", "keys/match.key", "var/offices.toml"])
def test_a_worker_that_starts_over_a_broken_file_answers(lonely: Running, file: str) -> None:
    row = read_results(lonely.home.folder / "out")[0]
    broken = lonely.home.folder / file
    before = broken.read_bytes() if broken.exists() else b""
    broken.write_text("key = ")
    replaced(lonely)
    assert lonely.get("/healthz")[0] == 200
    assert row["number"] in lonely.get(f"/v/{row['code']}")[1]
    broken.write_bytes(before)


def test_a_worker_that_starts_over_a_broken_list_knows_what_was_known(lonely: Running) -> None:
    row, folder = read_results(lonely.home.folder / "out")[0], lonely.home.folder / "keys" / "pki"
    published = {f"/pki/{file.name}": lonely.get(f"/pki/{file.name}") for file in folder.glob("*.crl")}
    shutil.copy(next(folder.glob("*.crl")), folder / "later.crl")
    replaced(lonely)
    published["/pki/later.crl"] = lonely.get("/pki/later.crl")
    for file in folder.glob("*.crl"):
        file.write_bytes(b"half a list")
    replaced(lonely)
    assert {path: lonely.get(path) for path in published} == published
    assert row["number"] in lonely.get(f"/v/{row['code']}")[1]
    assert lonely.get("/healthz")[0] == 200
    status, said = lonely.get("/readyz")
    assert (status, json.loads(said)["code"]) == (503, "pki_unreadable")
    for file in folder.glob("*.crl"):
        file.unlink()
    assert lonely.get("/readyz")[0] == 200


def test_a_worker_that_starts_while_the_registry_is_away_answers_when_it_is_back(
    lonely: Running, tmp_path: Path
) -> None:
    """And puts no empty one in its place."""
    path = f"/v/{read_results(lonely.home.folder / 'out')[0]['code']}"
    os.kill(lonely.process.pid, signal.SIGSTOP)  # so that nobody has the registry open while it goes
    [worker] = lonely.workers()
    os.kill(worker, signal.SIGKILL)
    for file in list(lonely.home.var.glob("registry.sqlite3*")):
        file.rename(tmp_path / file.name)
    os.kill(lonely.process.pid, signal.SIGCONT)
    wait_for(lonely)
    for asked, expected in ((path, 503), ("/readyz", 503), ("/healthz", 200)):
        assert lonely.get(asked)[0] == expected
    assert list(lonely.home.var.glob("registry.sqlite3*")) == []
    for file in tmp_path.glob("registry.sqlite3*"):
        file.rename(lonely.home.var / file.name)
    assert (lonely.get(path)[0], lonely.get("/readyz")[0]) == (200, 200)


def replaced(server: Running) -> None:
    """Its only worker has died and another has taken its place."""
    [worker] = server.workers()
    os.kill(worker, signal.SIGKILL)
    wait_for(server)


def test_what_is_under_way_is_finished_before_the_end(server: Running) -> None:
    body = b"number=gd-demo-2026-000001&code=0000000000000000"
    line = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    with line, line.makefile("rb") as answer:
        line.sendall(
            b"POST /verify HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        # Told by whoever has taken it up.
        assert answer.readline() + answer.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
        server.process.terminate()
        wait_until_told(server)
        line.sendall(body)
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
    assert server.process.wait(15) == 0


def wait_until_told(server: Running) -> None:
    """Until the workers know that this is the end: the one that has nothing to do is gone."""
    for _ in range(75):
        if len(server.workers()) == 1:
            return
        time.sleep(0.02)
    pytest.fail("the idle worker did not end")


def test_every_line_of_the_log_is_read_by_machines_and_names_nobody(issued: Home, server: Running) -> None:
    """Over everything above."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    routes = [line["route"] for line in lines if "route" in line]
    assert {"/v/<code>", "/healthz", "/verify"} <= set(routes)
    code = read_results(issued.folder / "out")[0]["code"]
    assert code not in server.log.read_text()
    assert any("SIGKILL" in line.get("event", "") or line["level"] == "error" for line in lines)


def counted(server: Running, labels: str) -> float:
    """What `/metrics` says of requests with these labels."""
    prefix = f"signsvc_requests_total{labels} "
    return sum(
        float(line.removeprefix(prefix))
        for line in server.get("/metrics")[1].splitlines()
        if line.startswith(prefix)
    )
