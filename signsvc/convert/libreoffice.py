"""LibreOffice as converter: the reference for how a certificate looks."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

from .fontfolder import font_environment
from .marks import find_parts
from .merged import Joined, join
from .ownglyphs import FontShelf
from .profile import export_filter, write_profile
from .rounds import Joining, convert_in_rounds
from .split import slim, split
from .trays import empty, fill, harvest
from .workshop import Outcome, Workshop

PROGRAMS = ("soffice", "libreoffice")
TOGETHER = 100  # documents a file: every page looks at every picture in its file, so more cost more each
_QUIET = ("--headless", "--norestore", "--nolockcheck", "--nodefault", "--nologo", "--nofirststartwizard")
_UP_WITHIN, _LOOK, _STARTS = 20.0, 0.01, 2  # seconds for all starts together, seconds, times
_WITHOUT = 50  # calls that do not wait for one to stand by after it did not come up
TOO_LARGE = 600 << 20  # bytes in memory of a LibreOffice that stands by: a new one takes its place
RETIRES = (
    20_000  # documents after which another takes its place: each thousand leaves more than a megabyte behind
)
# It allocates and frees small pieces without end: kept at hand for its threads, they take a twelfth less time.
_ALLOCATOR = "glibc.malloc.tcache_count=20000"
_SYSTEM_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))


def find_program() -> str | None:
    """Path of LibreOffice's launcher, if it is installed."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class LibreOffice:
    """One LibreOffice start for many documents, in a folder of its own below `work`, offline and under `timeout`.

    `timeout` is in seconds for one call. Up to `together` documents of one template are converted as one file.
    `font_files` are the files the text may be set in: those that are not installed are shown to LibreOffice, and from
    all of them come the glyphs that replace its own, larger subsets. `offline` tells whether the network could be cut
    off. Safe to share between threads, which then take turns; a forked process needs its own.
    """

    def __init__(
        self,
        work: Path,
        timeout: float,
        font_files: Sequence[Path] = (),
        program: str | None = None,
        together: int = TOGETHER,
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
        self._joining = Joining(together, join, self._divide)
        self._turn = threading.Lock()
        self._workshop = Workshop(work)
        self._served = 0  # documents, by the one that stands by
        self._without = 0  # calls still to be made without one that stands by

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
            converted = convert_in_rounds(documents, self._call, self._joining)
            self._served += len(documents)
            return converted

    def close(self) -> None:
        """End everything and wipe the folder."""
        self._workshop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def _call(self, documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        stood_by = self._stand_by()
        folder, profile = self._workshop.folder, self._profile()
        tray = fill(folder, documents)
        outcome = self._workshop.run(
            self._command(tray, profile, documents), self._environment(), self._timeout
        )
        if stood_by and not self._workshop.kept and outcome is Outcome.DONE:
            outcome = Outcome.CRASHED
        made = harvest(folder, documents)
        empty(folder)
        if outcome is not Outcome.DONE:
            # What a killed LibreOffice leaves in its profile may stop the next one.
            self._workshop.keep((), {})
            shutil.rmtree(profile, ignore_errors=True)
        return made, outcome

    def _profile(self) -> Path:
        """LibreOffice's settings, made where they are not there yet."""
        profile = self._workshop.folder / "profile"
        if not profile.exists():
            write_profile(profile)
        return profile

    def _stand_by(self) -> bool:
        """Whether a LibreOffice stands by: calls find it by its profile, hand it their files and need no start.

        It has an empty document open, for without one it ends with the first call. It is started without its launcher,
        whose child would outlive a warden that is killed. Where it does not come up, each call starts one of its own,
        and only every so many of them wait for it again.
        """
        if 0 < self._workshop.kept < TOO_LARGE and self._served < RETIRES:
            return True
        self._served = 0
        if self._without:
            self._without -= 1
            return False
        until = time.monotonic() + min(self._timeout, _UP_WITHIN)
        # With a profile that it has just completed it ends, for its launcher to start it again.
        up = any(self._came_up(until) for _ in range(_STARTS))
        self._without = 0 if up else _WITHOUT
        return up

    def _came_up(self, until: float) -> bool:
        """Whether it has its document open by then, on the monotonic clock; nothing is left of it if not."""
        folder = self._workshop.folder / "ready"
        folder.mkdir(mode=0o700, exist_ok=True)
        document, opened = folder / "ready.txt", folder / ".~lock.ready.txt#"
        document.touch()
        opened.unlink(missing_ok=True)
        words = [_without_launcher(self._program), _installation(self._profile()), *_QUIET, str(document)]
        self._workshop.keep(words, self._environment())
        while not opened.exists():
            if time.monotonic() > until or not self._workshop.look():
                self._workshop.keep((), {})
                return False
            time.sleep(_LOOK)
        return True

    def _divide(self, pdf: PdfBytes, joined: Joined) -> Sequence[PdfBytes | ConversionFailed]:
        """The PDF of each of the joined forms, with its own glyphs only; nothing if they cannot be told apart."""
        if joined.parts == 1:
            return [slim(pdf, self._shelf)]
        parts = find_parts(pdf, joined.parts, bool(joined.pictures))
        return split(pdf, parts, joined.pictures, self._shelf)

    def _command(self, tray: Path, profile: Path, documents: dict[str, DocxBytes]) -> list[str]:
        return [
            self._program,
            _installation(profile),
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
            "GLIBC_TUNABLES": _ALLOCATOR,
        }
        if self._own_fonts:
            environment |= font_environment(folder, self._own_fonts, system=True)
        return environment


def _installation(profile: Path) -> str:
    return f"-env:UserInstallation={profile.as_uri()}"


def _without_launcher(program: str) -> str:
    """The program itself; the launcher if it is not beside it."""
    itself = Path(program).with_name("soffice.bin")
    return str(itself if itself.is_file() else program)


def _without_search_path(launcher: Path) -> str:
    """The program that the launcher, a script in need of a search path, starts; the launcher if that is not there."""
    starter = launcher.resolve().with_name("oosplash")
    return str(starter if starter.is_file() else launcher)


def _installed(file: Path) -> bool:
    return any(file.resolve().is_relative_to(folder) for folder in _SYSTEM_FONTS)
