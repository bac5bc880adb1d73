"""Tools that are not ours, each asked in its own way whether a sealed file is whole."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from needs import require

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")


def faulted(files: Sequence[Path], good: Callable[[Path], bool]) -> list[str]:
    """Names of the files that `good` does not accept; all cores at once, for the work is in other processes."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [file.name for file, passed in zip(files, pool.map(good, files), strict=True) if not passed]


def poppler_accepts(file: Path) -> bool:
    """`pdfsig`: one valid signature, and it covers the whole file."""
    told = _run(require("pdfsig"), "-nocert", str(file))
    whole = "Total document signed" in told and "Not total document signed" not in told
    return whole and told.count("Signature #") == 1 and "Signature is Valid" in told


def mupdf_accepts(file: Path) -> bool:
    """`mutool sign -v`: one signature, and nothing was changed behind it."""
    told = _run(require("mutool"), "sign", "-v", str(file))
    return told.count("Verifying signature") == 1 and "The document is unchanged since signing" in told


def openssl_accepts(file: Path, root: Path) -> bool:
    """`openssl cms -verify`: the signature fits the byte range, and its certificate chains to `root`."""
    signed, container = byte_range(file.read_bytes())
    with TemporaryDirectory() as folder:
        (Path(folder) / "signed").write_bytes(signed)
        (Path(folder) / "cms").write_bytes(container)
        words = ["-inform", "DER", "-in", f"{folder}/cms", "-content", f"{folder}/signed", "-purpose", "any"]
        words += ["-CAfile", str(root), "-out", os.devnull]
        told = _run(require("openssl"), "cms", "-verify", "-binary", *words)
    return "CMS Verification successful" in told


def byte_range(pdf: bytes) -> tuple[bytes, bytes]:
    """The bytes under the only signature, and its container (DER)."""
    [found] = _BYTE_RANGE.findall(pdf)
    start, length, again, rest = map(int, found)
    hole = pdf[start + length : again]
    assert start == 0
    assert again + rest == len(pdf)
    assert (hole[:1], hole[-1:]) == (b"<", b">")
    return pdf[:length] + pdf[again:], bytes.fromhex(hole[1:-1].decode("ascii"))


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    return done.stdout + done.stderr
