"""A demonstration home in a folder of its own, driven as a user drives it: through the command line."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import commands

from signsvc.config import Settings, load
from signsvc.errors import SignsvcError
from signsvc.policy.lists.changes import History
from signsvc.wiring.home import CATALOGUES
from signsvc.wiring.lists import look_at_lists

DEMO_REQUESTS = Path(__file__).parent.parent / "signsvc" / "policy" / "data" / "demo" / "requests.csv"


@dataclass(frozen=True)
class Home:
    """`folder` holds `var`, `keys` and whatever a test adds."""

    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        own = {"SIGNSVC_HOME": str(self.var), "SIGNSVC_KEYS": str(self.folder / "keys")}
        # Commands run in `folder`: they must be this tree's, whatever else is installed.
        own["PYTHONPATH"] = str(Path(__file__).parent.parent)
        plain = {key: value for key, value in os.environ.items() if not key.startswith("SIGNSVC_")}
        return {**plain, **own, **self.extra}

    @property
    def var(self) -> Path:
        return self.folder / "var"

    @property
    def settings(self) -> Settings:
        return load(self.environment, self.folder)

    @property
    def lists(self) -> Mapping[str, History | SignsvcError]:
        """Its retained lists, as the audit looks at them."""
        return look_at_lists(self.var / CATALOGUES)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """The command, running: started as a user starts it."""
        return subprocess.Popen(
            [sys.executable, "-m", "signsvc", *map(str, words)],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str | Path, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """The command, ended; its exit code must be `expect`."""
        done = commands.run([*map(str, words)], self.folder, self.environment, seconds=600)
        if expect is not None:
            assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str | Path, expect: int | None = 0) -> Any:
        """What the command prints, read as JSON."""
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    def sign(self, rows: Path, out: str = "out", expect: int | None = 0) -> list[dict[str, str]]:
        """Issue `rows`; the lines of results.csv."""
        self.run("sign", rows, "-o", self.folder / out, expect=expect)
        return read_results(self.folder / out)

    def write_rows(self, name: str, rows: Sequence[Mapping[str, str]]) -> Path:
        """A request file of these rows, UTF-8 with BOM."""
        file = self.folder / name
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with open(file, "w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
        return file


def read_results(folder: Path) -> list[dict[str, str]]:
    with open(folder / "results.csv", encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def a_row(number: int = 1, **changes: str) -> dict[str, str]:
    """A row that is issued as it stands; `changes` by key."""
    row = {
        "request_id": f"20261121-{number:04d}",
        "office": "gd-demo",
        "matter": "litigant-community",
        "addressee": "广州市越秀区人民法院",
        "name": "欧阳文",
        "id_number": id_number(number),
        "valid_until": "2036-12-31",
        "verified_by": "核实人甲",
        "verified_how": "掌握信息",
        "verified_on": "2026-11-20",
        "approved_by": "审批人乙",
    }
    return {**row, **changes}


def id_number(number: int, birth: str = "19840229") -> str:
    """A well-formed number (GB 11643) of a county that does not exist."""
    body = f"63{9900 + number // 1000:04d}{birth}{number % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]
