"""The embedded converter, for machines without LibreOffice: `office2pdf-python`, a Rust core from PyPI.

A stand-in: its table rows and line spacing are not quite Word's. It runs in a child under the warden like LibreOffice,
for a hang in native code cannot be ended otherwise.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

from .fontfolder import font_environment
from .rounds import convert_in_rounds
from .trays import empty, fill, harvest
from .workshop import Outcome, Workshop

_ENGINE = Path(__file__).with_name("engine.py")


def is_available() -> bool:
    """Whether the Python package is installed."""
    return find_spec("office2pdf") is not None


class Embedded:
    """As LibreOffice, without LibreOffice: the same folder, warden, time-out in seconds a call, and offline run.

    `font_files` are the only fonts the engine sees; without any it sees those of the system.
    """

    def __init__(
        self, work: Path, timeout: float, font_files: Sequence[Path] = (), engine: Path = _ENGINE
    ) -> None:
        if not is_available():
            raise ConversionFailed("内置转换器未安装，请安装 signsvc[embedded] 或 libreoffice-writer-nogui")
        self._timeout = timeout
        self._fonts = tuple(font_files)
        self._engine = engine
        self._turn = threading.Lock()
        self._workshop = Workshop(work)

    @property
    def offline(self) -> bool:
        """Whether the engine runs without any network."""
        return self._workshop.offline

    def version(self) -> str:
        """`office2pdf-python 0.4.0`."""
        try:
            return f"office2pdf-python {version('office2pdf-python')}"
        except PackageNotFoundError as error:
            raise ConversionFailed("内置转换器未安装") from error

    def convert(self, documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
        """The PDF of each document or why there is none, in the same order."""
        with self._turn:
            return convert_in_rounds(documents, self._call)

    def close(self) -> None:
        """End everything and wipe the folder."""
        self._workshop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def _call(self, documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        folder = self._workshop.folder
        tray = fill(folder, documents)
        environment = {"HOME": str(folder), "TMPDIR": str(folder), "PATH": os.devnull, "LANG": "C.UTF-8"}
        command = [sys.executable, "-I", str(self._engine), str(tray), str(tray.with_name("out"))]
        if self._fonts:
            environment |= font_environment(folder, self._fonts, system=False)
            command.append(str(folder / "fonts"))
        outcome = self._workshop.run(command, environment, self._timeout)
        made = harvest(folder, documents)
        empty(folder)
        return made, outcome
