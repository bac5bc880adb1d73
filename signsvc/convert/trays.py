"""The folders `in` and `out` of a workshop: filled before a call, emptied after it, so that no text lies about."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from signsvc.models import DocxBytes, PdfBytes

MAX_PDF = 64 << 20  # bytes; a certificate has some 50 KB


def fill(folder: Path, documents: Mapping[str, DocxBytes]) -> Path:
    """Write the documents; returns the folder they are in."""
    empty(folder)
    tray = folder / "in"
    for path in (tray, folder / "out"):
        path.mkdir(mode=0o700)
    for name, document in documents.items():
        (tray / name).write_bytes(document)
    return tray


def harvest(folder: Path, names: Iterable[str]) -> dict[str, PdfBytes]:
    """The whole PDFs among what the program left for `names`; a killed program leaves halves."""
    made = {}
    for name in names:
        path = (folder / "out" / name).with_suffix(".pdf")
        if path.is_file() and path.stat().st_size <= MAX_PDF:
            data = path.read_bytes()
            if data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF"):
                made[path.name] = PdfBytes(data)
    return made


def empty(folder: Path) -> None:
    """Wipe both folders."""
    for name in ("in", "out"):
        shutil.rmtree(folder / name, ignore_errors=True)
