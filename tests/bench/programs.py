"""signsvc and the ordinary pipeline as whole programs on the same requests, timed from their start to their end."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, cycle, islice, zip_longest
from pathlib import Path

from bench import processes
from home import Home
from thousand import thousand

from signsvc.errors import Fault
from signsvc.fill.values import values
from signsvc.issue import issue
from signsvc.make import Made, Unmade
from signsvc.models import Draft
from signsvc.requests import row
from signsvc.requests.table import RawRow
from signsvc.wiring.home import now
from signsvc.wiring.issuing import checking

CORES = len(os.sched_getaffinity(0))
ORDINARY = "ordinary"
REFERENCE, STAND_IN = "libreoffice", "embedded"  # converters
ORDINARY_ROWS = (12, 24, 48)  # what it takes grows with the rows: so few tell it as well as more would
EARLY = 1_000  # rows after which memory must grow no more
TESTS = Path(__file__).parent.parent
FORM = TESTS.parent / "templates_docx" / "annex4.docx"
NAMED, INSTALLED = ("仿宋_GB2312", "方正小标宋简体"), "Noto Serif CJK SC"  # fonts


@dataclass(frozen=True)
class Run:
    """What one program did: `seconds` by the clock, `cpu` of all its processes together."""

    name: str
    rows: int
    seconds: float
    cpu: float
    sizes: Sequence[int]  # bytes of each file that it left
    memory: processes.Memory

    @property
    def rate(self) -> float:
        """Certificates a second."""
        return self.rows / self.seconds

    @property
    def core_ms(self) -> float:
        """Milliseconds of one core for a certificate."""
        return self.cpu / self.rows * 1000


def good_rows(ids: Iterator[int]) -> Iterator[dict[str, str]]:
    """Rows that are issued, as many as are wanted: those of the thousand over and over, each a request of its own."""
    for cells in cycle(item.cells for item in thousand() if item.code is None):
        yield {**cells, "request_id": f"bench-{next(ids)}"}


@dataclass(frozen=True)
class Programs:
    """Both, over one home."""

    home: Home
    ids: Iterator[int] = field(default_factory=count)

    def measure(self, sizes: Sequence[int]) -> Iterator[Run]:
        """Each with so many rows, in turn, so that a noisy machine is noisy for both."""
        self.ordinary(CORES)  # makes LibreOffice's profiles, which who works like this has already
        for size, few in zip_longest(sizes, ORDINARY_ROWS):
            if few:
                yield self.ordinary(few)
            if size:
                yield self.signsvc(REFERENCE, size)
            if size and size <= EARLY:  # as much as a home without LibreOffice may want
                yield self.signsvc(STAND_IN, size)

    def ordinary(self, wanted: int) -> Run:
        """The ordinary pipeline on the first rows."""
        folder = self.home.folder / ORDINARY
        folder.mkdir(exist_ok=True)
        rows, form = folder / "rows.jsonl", folder / "form.docx"
        rows.write_text("".join(map(line, self.drafts(wanted))), "utf-8")
        form.write_bytes(ordinary_form())
        words = [rows, folder, "--template", form, "--keys", self.home.settings.keys, "--workers", CORES]
        return self._run(ORDINARY, wanted, self.home, folder, "bench.ordinary", *words)

    def signsvc(self, converter: str, wanted: int) -> Run:
        """`signsvc sign` on the first rows, as a user types it."""
        home = Home(self.home.folder, {"SIGNSVC_CONVERTER": converter})
        rows, out = home.write_rows("rows.csv", self._rows(wanted)), home.folder / "out"
        return self._run(f"signsvc, {converter}", wanted, home, out, "signsvc", "sign", rows, "-o", out)

    def drafts(self, wanted: int) -> list[Draft]:
        """What signsvc would print for the first rows."""
        today, caught = now().date(), list[Draft]()

        def catch(drafts: Sequence[Draft]) -> Callable[[], Sequence[Made]]:
            caught.extend(drafts)
            return lambda: [Unmade("failed", (Fault("conversion_failed", "not wanted"),), ())] * len(drafts)

        requests = [row.parse(RawRow(2, dict(cells)), today, {}, 0) for cells in self._rows(wanted)]
        with checking(self.home.settings) as issuer:
            issue(replace(issuer, make=catch), requests)
        return caught

    def _run(self, name: str, wanted: int, home: Home, out: Path, *words: object) -> Run:
        """`python -m WORDS`, timed and watched; the files that it leaves in `out` are taken away."""
        environment = {**home.environment, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
        command = [sys.executable, "-m", *map(str, words)]
        used, begin = _children(), time.perf_counter()
        with (home.folder / "run.log").open("w") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            with processes.watched(process.pid, partial(_early, out / "results.csv")) as memory:
                process.wait()
                seconds = time.perf_counter() - begin
        sizes = [file.stat().st_size for file in out.glob("*.pdf")]
        _empty(out)
        told = f"{name}: {wanted:,} rows in {seconds:.1f} s\n"
        sys.stderr.write(
            told if process.returncode == 0 else told + Path(log.name).read_text("utf-8")[-2000:]
        )
        return Run(name, wanted, seconds, _children() - used, sizes, memory)

    def _rows(self, wanted: int) -> list[dict[str, str]]:
        return list(islice(good_rows(self.ids), wanted))


def ordinary_form() -> bytes:
    """The published form for docxtpl: its fields are Jinja's as they stand, but its fonts are not installed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(FORM) as published, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as own:
        for part in published.namelist():
            xml = published.read(part).decode("utf-8")
            for name in NAMED:
                xml = xml.replace(name, INSTALLED)
            own.writestr(part, xml)
    return stream.getvalue()


def line(draft: Draft) -> str:
    """A row for the ordinary pipeline."""
    told = {"name": draft.number, "office": draft.office.id, "qr": draft.qr_url, "values": values(draft)}
    return json.dumps(told) + "\n"


def _early(results: Path) -> bool:
    """Whether no more than the first rows are done."""
    return not results.is_file() or results.read_bytes().count(b"\n") <= EARLY


def _empty(out: Path) -> None:
    """LibreOffice's profiles stay."""
    for file in out.iterdir():
        if file.is_file():
            file.unlink()


def _children() -> float:
    """Seconds of processor time of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
