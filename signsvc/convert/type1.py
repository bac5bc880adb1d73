"""Reads the outlines of a Type 1 program as LibreOffice writes it (Adobe Type 1 Font Format, 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fontTools.misc.psCharStrings import T1CharString

_FACTOR, _SUMMAND = 52845, 22719
_EEXEC_KEY, _CHARSTRING_KEY, _RANDOM = (
    55665,
    4330,
    4,
)  # keys of both encryptions, bytes of noise before the text
_CODE = re.compile(rb"dup\s+(\d+)\s*/(\S+)\s+put")
_SUBROUTINE = re.compile(rb"dup (\d+) (\d+) RD ")
_GLYPH = re.compile(rb"/(\S+) (\d+) RD ")


def encoding(program: bytes) -> dict[int, str]:
    """Code -> glyph name, from the clear part."""
    clear = program.partition(b"eexec")[0]
    return {int(code): name.decode("latin-1") for code, name in _CODE.findall(clear)}


def charstrings(program: bytes) -> dict[str, T1CharString]:
    """Glyph name -> outline."""
    private = _decrypted(re.split(rb"eexec\s", program, maxsplit=1)[1], _EEXEC_KEY)
    head, _, tail = private.partition(b"/CharStrings")
    subroutines: list[T1CharString] = []
    subroutines += [_outline(secret, subroutines) for _, secret in _entries(_SUBROUTINE, head)]
    return {name.decode("latin-1"): _outline(secret, subroutines) for name, secret in _entries(_GLYPH, tail)}


def _outline(secret: bytes, subroutines: list[T1CharString]) -> T1CharString:
    return T1CharString(_decrypted(secret, _CHARSTRING_KEY)[_RANDOM:], subrs=subroutines)


def _decrypted(secret: bytes, key: int) -> bytes:
    """Both encryptions (7.1): fontTools' own calls two functions for each byte and takes five times as long."""
    plain = bytearray(len(secret))
    for at, cipher in enumerate(secret):
        plain[at] = cipher ^ key >> 8
        key = (cipher + key) * _FACTOR + _SUMMAND & 0xFFFF
    return bytes(plain)


def _entries(pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and encrypted charstring of each entry; the length before it says where the next one may begin."""
    found = pattern.search(data)
    while found:
        end = found.end() + int(found[2])
        yield found[1], data[found.end() : end]
        found = pattern.search(data, end)
