"""Looks for a text in files, in whatever form it may have been left there."""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

_DEPTH = 4  # files within files
_MOST = 64 << 20  # bytes that a stream may grow to
_ZLIB = re.compile(rb"[\x08\x18\x28\x38\x48\x58\x68\x78][\x01\x5e\x9c\xda\x3f\x7d\xbb\xf9]")
_GZIP, _LOCAL_FILE = re.compile(rb"\x1f\x8b\x08"), re.compile(rb"PK\x03\x04")
_TORN = (zipfile.BadZipFile, NotImplementedError, OSError, ValueError)
# A filled form or a page in the clear, whatever its letters look like inside.
PLAIN_DOCUMENTS = {"a PDF": b"%PDF-1.", "a .docx": b"word/document.xml", "a Type 1 font": b"%!PS-AdobeFont"}


def forms(text: str) -> Iterator[bytes]:
    """The ways in which `text` may be written: character sets, and the escapes of what uses them."""
    for plain in {text.encode(charset) for charset in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")}:
        yield plain
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        yield b" ".join(b"%02x" % byte for byte in plain)
        yield "".join(f"\\x{byte:02x}" for byte in plain).encode()
        yield b"".join(b"\\%03o" % byte for byte in plain)  # strings of PDF and C
        yield re.sub(rb"([()\\])", rb"\\\1", plain)
        yield from _base64(plain)
    yield from (f(text).encode() for f in (quote, quote_plus))
    yield quote(text).lower().encode()
    yield "".join(f"%{byte:02X}" for byte in text.encode()).encode()
    units = text.encode("utf-16-be").hex()
    escaped = [units[start : start + 4] for start in range(0, len(units), 4)]
    yield from (
        "".join(f"\\u{unit}" for unit in found).encode() for found in (escaped, map(str.upper, escaped))
    )
    yield "".join(f"&#x{ord(char):x};" for char in text).encode()
    yield "".join(f"&#x{ord(char):X};" for char in text).encode()
    yield "".join(f"&#{ord(char)};" for char in text).encode()


def traces(folders: Iterable[Path], texts: Iterable[str]) -> list[str]:
    """Which text was found in which file or file name."""
    wanted = {form: text for text in texts for form in forms(text)}
    wanted |= {magic: name for name, magic in PLAIN_DOCUMENTS.items()}
    found = set()
    for folder in folders:
        for path in [folder, *folder.rglob("*")]:
            name = str(path.relative_to(folder.parent))
            found |= {
                f"{text} in the name {name}"
                for text in _inside(name.encode(errors="surrogateescape"), wanted)
            }
            if path.is_file() and not path.is_symlink():
                with suppress(FileNotFoundError):  # another process may still be tidying up
                    found |= {f"{text} in {name}" for text in _inside(path.read_bytes(), wanted)}
    return sorted(found)


def _inside(data: bytes, wanted: dict[bytes, str], depth: int = 0) -> set[str]:
    found = {text for form, text in wanted.items() if form in data}
    if depth < _DEPTH:
        for inner in _unpacked(data):
            found |= _inside(inner, wanted, depth + 1)
    return found


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What lies packed in `data`: members of a zip, whole or torn, and every stream of zlib or gzip."""
    with suppress(*_TORN), zipfile.ZipFile(io.BytesIO(data)) as packed:
        yield from (name.encode() for name in packed.namelist())
    for start in _LOCAL_FILE.finditer(data):
        lengths = data[start.start() + 26 : start.start() + 30]
        body = (
            start.start() + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        )
        yield from _inflated(data[body:], -zlib.MAX_WBITS)
    for start in _ZLIB.finditer(data):
        yield from _inflated(data[start.start() :], zlib.MAX_WBITS)
    for start in _GZIP.finditer(data):
        yield from _inflated(data[start.start() :], zlib.MAX_WBITS | 16)


def _inflated(data: bytes, bits: int) -> Iterator[bytes]:
    """As much as can be inflated: a torn stream counts as far as it goes."""
    engine = zlib.decompressobj(bits)
    whole = bytearray()
    with suppress(zlib.error):
        for start in range(0, len(data), 4096):
            whole += engine.decompress(data[start : start + 4096], _MOST)
            if engine.eof or len(whole) > _MOST:
                break
    if whole:
        yield bytes(whole)


def _base64(plain: bytes) -> Iterator[bytes]:
    """The part of a longer base64 text that depends on `plain` alone, for each of the three ways it may lie."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + plain)
        first = (8 * before + 5) // 6
        last = 8 * (before + len(plain)) // 6
        yield text[first:last]
        yield text[first:last].translate(bytes.maketrans(b"+/", b"-_"))
