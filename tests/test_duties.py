"""docs/duties.md names every duty once, and nothing in it that is not there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "duties.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in TEXT.splitlines()
    if re.match(r"\| [QG]\d", line)
]
CASES = {
    case["name"] for case in tomllib.loads((ROOT / "tests/policy/decisions.toml").read_text("utf-8"))["case"]
}


def test_every_duty_has_one_row() -> None:
    wanted = [f"Q{number}" for number in range(1, 35)] + [f"G{number}" for number in range(1, 31)]
    assert [row[0] for row in ROWS] == wanted


def test_every_row_says_how_far_it_is() -> None:
    assert [row[0] for row in ROWS if not re.match(r"Done|Partly|Not yet|Informational", row[2])] == []


def there(entry: str) -> bool:
    """Whether a file, or a test function in it (`file::function`), exists."""
    path, _, function = entry.partition("::")
    file = ROOT / path
    return file.exists() and (not function or f"def {function}(" in file.read_text("utf-8"))


def test_what_is_done_names_code_and_test_that_exist() -> None:
    for name, _, state, where, shown in ROWS:
        named = re.findall(r"`([^`]+)`", where), re.findall(r"`(tests/[^`]+)`", shown)
        assert [entry for entries in named for entry in entries if not there(entry)] == [], name
        assert not state.startswith("Done") or all(named), name


def test_every_case_named_is_in_the_table() -> None:
    named = re.findall(r'"([^"]+)"', "".join(row[4] for row in ROWS))
    assert named
    assert [case for case in named if case not in CASES] == []
