"""LibreOffice as converter: the reference for how a certificate looks."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

from .fontfolder import font_environment
from .ownglyphs import FontShelf, slim
from .profile import export_filter, write_profile
from .rounds import convert_in_rounds
from .trays import empty, fill, harvest
from .workshop import Outcome, Workshop

PROGRAMS = ("soffice", "libreoffice")
_QUIET = ("--headless", "--norestore", "--nolockcheck", "--nodefault", "--nologo", "--nofirststartwizard")
_SYSTEM_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))


def find_program() -> str | None:
    """Path of LibreOffice's launcher, if it is installed."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class LibreOffice:
    """One LibreOffice start for many documents, in a folder of its own below `work`, offline and under `timeout`.

    `timeout` is in seconds for one call. `font_files` are the files the text may be set in: those that are not
    installed are shown to LibreOffice, and from all of them come the glyphs that replace its own, larger subsets.
    `offline` tells whether the network could be cut off. Safe to share between threads, which then take turns; a
    forked process needs its own.
    """

    def __init__(
        self, work: Path, timeout: float, font_files: Sequence[Path] = (), program: str | None = None
    ) -> None:
        found = program or find_program()
        if found is None:
            raise ConversionFailed(
                "没有找到 LibreOffice，请安装 libreoffice-writer-nogui，或设 converter 为 embedded"
            )
        self._program = _without_search_path(Path(found))
        self._timeout = timeout
        self._own_fonts = [file for file in font_files if not _installed(file)]
        self._shelf = FontShelf(font_files)
        self._turn = threading.Lock()
        self._workshop = Workshop(work)

    @property
    def offline(self) -> bool:
        """Whether LibreOffice runs without any network."""
        return self._workshop.offline

    def version(self) -> str:
        """As LibreOffice itself tells it, such as `LibreOffice 7.4.7.2`; raises ConversionFailed."""
        try:
            done = subprocess.run(  # noqa: S603 (the converter found above)
                [self._program, "--version"],
                check=False,
                capture_output=True,
                text=True,
                timeout=20,
                env=self._environment(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConversionFailed("LibreOffice 无法启动，请检查安装") from error
        return done.stdout.partition("(")[0].rpartition(" ")[0] or done.stdout.strip()

    def convert(self, documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
        """The PDF of each document or why there is none, in the same order."""
        with self._turn:
            pdfs = convert_in_rounds(documents, self._call)
        return [pdf if isinstance(pdf, ConversionFailed) else _slimmed(pdf, self._shelf) for pdf in pdfs]

    def close(self) -> None:
        """End everything and wipe the folder."""
        self._workshop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def _call(self, documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        folder = self._workshop.folder
        profile = folder / "profile"
        if not profile.exists():
            write_profile(profile)
        tray = fill(folder, documents)
        outcome = self._workshop.run(
            self._command(tray, profile, documents), self._environment(), self._timeout
        )
        made = harvest(folder, documents)
        empty(folder)
        if outcome is not Outcome.DONE:
            # What a killed LibreOffice leaves in its profile may stop the next one.
            shutil.rmtree(profile, ignore_errors=True)
        return made, outcome

    def _command(self, tray: Path, profile: Path, documents: dict[str, DocxBytes]) -> list[str]:
        return [
            self._program,
            f"-env:UserInstallation={profile.as_uri()}",
            *_QUIET,
            "--infilter=MS Word 2007 XML",  # whatever the bytes look like, nothing else is opened
            *("--convert-to", export_filter(), "--outdir", str(tray.with_name("out"))),
            *(str(tray / name) for name in documents),
        ]

    def _environment(self) -> dict[str, str]:
        """An allow-list: nothing of ours reaches LibreOffice, and it finds no program to hand a picture to."""
        folder = self._workshop.folder
        home, temporary = folder / "home", folder / "tmp"
        for path in (home, temporary):
            path.mkdir(mode=0o700, exist_ok=True)
        environment = {
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PATH": os.devnull,
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "SAL_USE_VCLPLUGIN": "svp",
            "SAL_DISABLE_OPENCL": "1",
        }
        if self._own_fonts:
            environment |= font_environment(folder, self._own_fonts, system=True)
        return environment


def _without_search_path(launcher: Path) -> str:
    """The program that the launcher, a script in need of a search path, starts; the launcher if that is not there."""
    starter = launcher.resolve().with_name("oosplash")
    return str(starter if starter.is_file() else launcher)


def _slimmed(pdf: PdfBytes, shelf: FontShelf) -> PdfBytes | ConversionFailed:
    try:
        return slim(pdf, shelf)
    except Exception:  # noqa: BLE001 (a PDF that cannot be read may raise anything, and fails alone)
        return ConversionFailed("转换得到的 PDF 无法读取，请用 signsvc template check 检查模板")


def _installed(file: Path) -> bool:
    return any(file.resolve().is_relative_to(folder) for folder in _SYSTEM_FONTS)
