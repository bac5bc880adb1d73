"""What the documents tell people to type is typed here, in order, in a fresh copy of the project.

Blocks fenced as `sh` are run; those fenced as `console` need a network, root or a file of the reader's own. A command
that ends in `# exit N` must end with N, every other one with 0; `make serve` runs on beside the rest.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import pytest
from needs import require

from signsvc.config import Settings
from signsvc.errors import RowFailed
from signsvc.report import BEIJING, Verdict
from signsvc.requests.columns import HEADERS
from signsvc.seal.findings import DETAILS

# Together in one worker: what is typed later builds on what was typed before.
PROJECT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "docs/architecture.md",
    "docs/requests.md",
    "docs/policy.md",
    "docs/refusals.md",
    "docs/catalogue.md",
    "docs/verification.md",
    "docs/template.md",
    "docs/duties.md",
    "docs/matters.md",
    "docs/tables.md",
    "docs/api.md",
    "docs/log.md",
    "docs/operating.md",
    "docs/performance.md",
    "docs/benchmarks.md",
)
TYPED = (
    "docs/catalogue.md",
    "docs/policy.md",
    "docs/refusals.md",
    "docs/verification.md",
    "docs/template.md",
)
LEFT_BEHIND = (".git", ".venv", "var", "out", "tests", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info")
NOT_OURS = ("SIGNSVC_", "MAKE", "PYTHONDONTWRITEBYTECODE")  # settings that a newcomer's terminal has not
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"^(.+?) +# exit (\d)$", re.MULTILINE)
LINK = re.compile(r"(?:\]\(|src=\")([^)\"#\s]+)")


def read(document: str) -> str:
    return (PROJECT / document).read_text("utf-8")


def script(document: str) -> str:
    """The document's blocks as one script; the year in the examples' numbers is this one."""
    blocks = "\n".join(FENCE.findall(read(document))).replace("\\\n", "")
    typed = EXPECTED.sub(r"set +e; \1; ended=$?; set -e; test $ended -eq \2", blocks)
    served = typed.replace(
        "make serve\n",
        "make serve &\nuntil (exec 3<>/dev/tcp/127.0.0.1/$PORT) 2>/dev/null; do sleep 0.2; done\n",
    )
    return served.replace("-2026-00", f"-{datetime.now(BEIJING).year}-00").replace(
        " 2026-00", f" {datetime.now(BEIJING).year}-00"
    )


@dataclass(frozen=True)
class Terminal:
    """A newcomer's terminal in a copy of the project."""

    folder: Path
    port: int

    def type(self, document: str) -> tuple[int, str]:
        """Exit code and words of everything that `document` says, in one shell that stops at the first surprise."""
        paths = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        plain = {key: value for key, value in os.environ.items() if not key.startswith(NOT_OURS)}
        said = self.folder.parent / "said.txt"  # a pipe would stay open as long as the server runs
        with open(said, "wb") as words:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-x", "-c", script(document)],
                cwd=self.folder,
                env={**plain, "SETUP": "no", "PORT": str(self.port), "PATH": paths},
                stdout=words,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=600,
            )
        return done.returncode, said.read_text("utf-8", "replace")[-3000:]


def installed(folder: Path) -> None:
    """This interpreter's environment under the name that make looks for, so that nothing is fetched."""
    venv = folder / ".venv"
    venv.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != ".installed":
            (venv / part.name).symlink_to(part)
    (venv / ".installed").touch()


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("newcomer") / "signsvc"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    for secret in (folder / "keys").iterdir():
        if secret.name != "README.md":
            shutil.rmtree(secret) if secret.is_dir() else secret.unlink()
    installed(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield Terminal(folder, port)
    for process in servers(folder):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)


def servers(folder: Path) -> list[int]:
    """Processes still at work in the copy: the server that `make serve` left running."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def followed(terminal: Terminal) -> Terminal:
    """The terminal after everything in the README was typed into it."""
    for program in ("make", "bash", "openssl"):
        require(program)
    code, words = terminal.type("README.md")
    assert code == 0, words
    return terminal


def test_the_commands_of_the_readme_do_what_it_says(followed: Terminal) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{followed.port}/verify", timeout=10) as page:
        assert "查验证明" in page.read().decode()
    results = (followed.folder / "answers" / "results.csv").read_text("utf-8-sig")
    assert [line.split(",")[1] for line in results.splitlines()[1:]] == ["issued", "refused", "refused"]


@pytest.mark.parametrize("document", TYPED)
def test_the_commands_of_the_other_documents_do_what_they_say(followed: Terminal, document: str) -> None:
    require("pdfsig")
    code, words = followed.type(document)
    assert code == 0, words


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_block_is_left_out_by_its_fence(document: str) -> None:
    kinds = re.findall(r"^ *```(.*)$", read(document), re.MULTILINE)[::2]
    assert set(kinds) <= {"sh", "console", "toml", "nginx", "text", ""}
    assert kinds.count("sh") == len(FENCE.findall(read(document)))
    assert "sh" not in kinds or document in ("README.md", *TYPED)


@pytest.mark.parametrize("document", [*DOCUMENTS, "CHANGELOG.md", "keys/README.md"])
def test_every_link_inside_the_project_leads_somewhere(document: str) -> None:
    links = [link for link in LINK.findall(read(document)) if "://" not in link]
    assert [link for link in links if not (PROJECT / document).parent.joinpath(link).exists()] == []


def test_every_setting_is_in_the_table_with_its_default() -> None:
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|", read("README.md"), re.MULTILINE)
    table = {key: default for keys, default in rows for key in re.findall(r"`(\w+)`", keys)}
    assert {setting.name for setting in fields(Settings)} <= set(table)
    plain = [setting for setting in fields(Settings) if isinstance(setting.default, str | Path)]
    assert [setting.name for setting in plain if f"`{setting.default}`" not in table[setting.name]] == []


def test_every_column_of_a_request_is_explained_under_all_its_headers() -> None:
    text = read("docs/requests.md")
    missing = [name for key, headers in HEADERS.items() for name in (key, *headers) if name not in text]
    assert missing == []


def test_every_way_a_row_can_fail_is_explained() -> None:
    text = read("docs/requests.md")
    assert [kind.code for kind in RowFailed.__subclasses__() if f"`{kind.code}`" not in text] == []


def test_every_verdict_and_every_failed_check_is_explained() -> None:
    text = read("docs/verification.md")
    codes = [verdict.value for verdict in Verdict] + [code for code in DETAILS if code != "ok"]
    assert [code for code in codes if f"`{code}`" not in text] == []


def test_the_picture_is_small_enough_for_a_first_screen() -> None:
    assert (PROJECT / "docs" / "certificate.png").stat().st_size <= 150_000
