"""The service as it runs: `signsvc serve`, looked at in a real browser."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def address(issued: Home) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = issued.start("serve", "--port", str(port), "--only", "verify")
    try:
        yield wait_for(f"http://127.0.0.1:{port}", server)
    finally:
        server.terminate()
        assert server.wait(15) == 0


def wait_for(address: str, server: subprocess.Popen[str]) -> str:
    for _ in range(150):
        assert server.poll() is None, server.stderr.read() if server.stderr else ""
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):
                return address
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
