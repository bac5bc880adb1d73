"""What a batch leaves in its folder: the files, `results.csv` as it goes, `results.xlsx` at the end.

They hold personal data and codes: what is made here is for its owner only, and no link is followed.
The folder is locked while a batch writes into it; a second batch into the same folder waits, finds its requests
issued, and leaves the same files.
"""

from __future__ import annotations

import csv
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from xlsxwriter import Workbook

from signsvc.models import Outcome

UNFINISHED = ".signsvc-unfinished"  # the folder in which files are written before they get their names
COLUMNS = {
    "request_id": "申请编号",
    "status": "结果",
    "number": "证明编号",
    "code": "查验码",
    "pdf": "文件",
    "sha256": "文件摘要",
    "valid_until": "有效期至",
    "warnings": "提示",
    "error": "错误代码",
    "message": "说明",
}
STATUS_NAMES = {
    "issued": "已出具",
    "noticed": "已告知",
    "unchanged": "未变",
    "refused": "不予出具",
    "none": "无告知单",
    "failed": "失败",
}
# What a spreadsheet would run as a formula, or read as a new cell.
RUNNABLE = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Layout:
    """The list of one kind of batch: its files' name, and the columns with their Chinese headers."""

    name: str
    columns: Mapping[str, str]

    @property
    def csv(self) -> str:
        return f"{self.name}.csv"

    @property
    def xlsx(self) -> str:
        return f"{self.name}.xlsx"


RESULTS = Layout("results", COLUMNS)
_NOTICED = {key: title for key, title in COLUMNS.items() if key not in ("code", "valid_until")}
REFUSALS = Layout("refusals", {**_NOTICED, "number": "告知单编号"})


class Results:
    """The result files of one batch; rows come in the order of the input."""

    def __init__(self, folder: Path, stream: TextIO, layout: Layout = RESULTS) -> None:
        self.folder = folder
        self._stream = stream
        self._columns = tuple(layout.columns)
        self._csv = csv.writer(stream)
        self._csv.writerow(self._columns)
        self._stream.flush()

    def add(self, outcome: Outcome) -> None:
        """One row, and its file if there is one. The file is complete before its name appears."""
        name = self.store(f"{outcome.number}.pdf", outcome.pdf) if outcome.pdf else ""
        row = {
            "request_id": outcome.request_id,
            "status": outcome.status,
            "number": outcome.number or "",
            "code": outcome.code or "",
            "pdf": name,
            "sha256": outcome.sha256 or "",
            "valid_until": outcome.valid_until.isoformat() if outcome.valid_until else "",
            "warnings": "；".join(outcome.warnings),
            "error": ";".join(fault.code for fault in outcome.faults),
            "message": _message(outcome),
        }
        self._csv.writerow([neutral(row[key]) for key in self._columns])
        self._stream.flush()

    def store(self, name: str, data: bytes) -> str:
        """Write a file whole or not at all, and leave a file that already is the same alone."""
        target = self.folder / name
        if not target.is_file() or target.read_bytes() != data:
            part = self.folder / UNFINISHED / name
            with open(part, "xb", opener=_private) as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(target)
        return name


def _message(outcome: Outcome) -> str:
    """Every fault, and what can be done instead."""
    ways = [f"可以怎么办：{'；'.join(outcome.ways)}"] if outcome.ways else []
    return "；".join((*(fault.message for fault in outcome.faults), *ways))


@contextmanager
def results(folder: Path, layout: Layout = RESULTS) -> Iterator[Results]:
    """The results of one batch in `folder`, made if missing and locked while open. OSError if it cannot be used."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with _unfinished(folder):
            for old in (layout.csv, layout.xlsx):
                (folder / old).unlink(missing_ok=True)
            with open(folder / layout.csv, "x", encoding="utf-8-sig", newline="", opener=_private) as stream:
                try:
                    yield Results(folder, stream, layout)
                finally:
                    stream.flush()
                    _write_spreadsheet(folder, layout)
    finally:
        os.close(handle)


@contextmanager
def _unfinished(folder: Path) -> Iterator[None]:
    """An empty folder for what is being written; however the batch ends, nothing of it stays. What a killed one left is
    wiped first, and whatever else bears this name: nothing but its own name is ever touched."""
    work = folder / UNFINISHED
    if work.is_dir() and not work.is_symlink():
        shutil.rmtree(work)
    else:
        work.unlink(missing_ok=True)
    work.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(work)


def summary(counts: Mapping[str, int]) -> str:
    """How many ended in which status, in words."""
    return "、".join(f"{name} {counts[key]}" for key, name in STATUS_NAMES.items() if counts[key])


def _write_spreadsheet(folder: Path, layout: Layout) -> None:
    """The .xlsx from the .csv, with Chinese headers and statuses; row by row, for a batch may be long."""
    work = folder / UNFINISHED
    part = work / layout.xlsx
    with (
        open(folder / layout.csv, encoding="utf-8-sig", newline="") as stream,
        open(part, "xb", opener=_private) as made,
        Workbook(made, {"constant_memory": True, "tmpdir": str(work)}) as book,
    ):
        sheet = book.add_worksheet("结果")
        for line, cells in enumerate(_translated(csv.reader(stream), layout)):
            for column, cell in enumerate(cells):
                sheet.write_string(line, column, cell)
    part.replace(folder / layout.xlsx)


def _translated(rows: Iterator[list[str]], layout: Layout) -> Iterator[Iterable[str]]:
    status = next(rows).index("status")
    yield layout.columns.values()
    for row in rows:
        yield (STATUS_NAMES[cell] if place == status else cell for place, cell in enumerate(row))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def neutral(cell: str) -> str:
    """The cell as text that a spreadsheet will show and never run."""
    return f"'{cell}" if cell.startswith(RUNNABLE) else cell
