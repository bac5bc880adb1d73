"""docs/benchmarks.md: for every part what it last printed, and on what machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from signsvc.convert.libreoffice import find_program
from signsvc.wiring.home import now

DOCS = Path(__file__).parents[2] / "docs"
FILE = "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`; [performance.md](performance.md) tells what the figures mean. Ratios come first, for only they
are the same on another machine. Each section is one run, in which whatever it compares took turns.

![Certificates a second over rows in the file](benchmarks.svg)
"""


def write(folder: Path, order: Sequence[str], printed: Mapping[str, str]) -> None:
    """What some parts printed takes the place of what they had printed before; sections stand in `order`."""
    file = folder / FILE
    kept = file.read_text("utf-8").split("\n## ")[1:] if file.exists() else []
    sections = {section.partition("\n")[0]: section.strip() for section in kept}
    for part, text in printed.items():
        sections[part] = f"{part}\n\n{machine()}.\n\n```text\n{text.strip()}\n```"
    parts = [f"## {sections[part]}\n" for part in order if part in sections]
    file.write_text("\n".join([HEAD, *parts]), "utf-8")


def machine() -> str:
    """Day, processor, and the versions of what the figures depend on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    told = [
        now().date().isoformat(),
        f"{len(os.sched_getaffinity(0))} cores of {model[1] if model else platform.machine()}",
        f"{gigabytes:.0f} GB",
        f"Python {platform.python_version()}",
        _libreoffice(),
        f"pyHanko {version('pyhanko')}",
        f"signsvc {version('signsvc')}",
    ]
    return ", ".join(told)


def _libreoffice() -> str:
    program = find_program()
    if program is None:
        return "no LibreOffice"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(told.split()[:2])
