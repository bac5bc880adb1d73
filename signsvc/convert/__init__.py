"""Filled forms to PDF, by LibreOffice or the embedded stand-in, and reading the result back before it is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, Self

from signsvc.errors import ConversionFailed, SettingsError
from signsvc.models import DocxBytes, PdfBytes

from .drawn import NO_PICTURES, Pictures
from .embedded import Embedded, is_available
from .libreoffice import LibreOffice, find_program
from .readback import pictures_in, read_back

Choice = Literal["auto", "libreoffice", "embedded"]


class Converter(Protocol):
    """Turns filled forms into PDFs; a context manager that leaves neither a process nor a file behind."""

    @property
    def offline(self) -> bool:
        """Whether the conversion runs without any network; false where the kernel forbids to cut it off."""
        ...

    def version(self) -> str:
        """Name and version of the program."""
        ...

    def convert(self, documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
        """A PDF for each document or why there is none, in the same order; a bad one never spoils others."""
        ...

    def close(self) -> None:
        """End everything and wipe what was written."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *about: object) -> None: ...


def choose_converter(
    choice: Choice, work: Path, timeout: float, font_files: Sequence[Path] = ()
) -> Converter:
    """The converter asked for; `auto` is LibreOffice if it is installed, else the embedded one.

    Raises SettingsError if there is none.
    """
    if choice != "embedded" and find_program():
        return LibreOffice(work, timeout, font_files)
    if choice != "libreoffice" and is_available():
        return Embedded(work, timeout, font_files)
    raise SettingsError(
        "没有可用的转换程序：请安装 libreoffice-writer-nogui，或安装 signsvc[embedded] 后把 converter 设为 embedded"
    )


__all__ = [
    "NO_PICTURES",
    "Choice",
    "ConversionFailed",
    "Converter",
    "Pictures",
    "choose_converter",
    "pictures_in",
    "read_back",
]
