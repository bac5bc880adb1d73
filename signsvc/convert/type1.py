"""Reads the outlines of a Type 1 program as LibreOffice writes it (Adobe Type 1 Font Format, 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil

from fontTools.misc import eexec
from fontTools.misc.psCharStrings import T1CharString

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


def charstrings(program: bytes, most: int) -> dict[str, T1CharString]:
    """Glyph name -> outline, of at most so many glyphs from all over the program; decrypting all takes a tenth of a
    second."""
    secret = re.split(rb"eexec\s", program, maxsplit=1)[1]
    private, _ = eexec.decrypt(secret, _EEXEC_KEY)
    head, _, tail = private.partition(b"/CharStrings")
    subroutines: list[T1CharString] = []
    subroutines += [_outline(secret, subroutines) for _, secret in _entries(_SUBROUTINE, head)]
    glyphs = list(_entries(_GLYPH, tail))
    return {
        name.decode("latin-1"): _outline(secret, subroutines)
        for name, secret in glyphs[:: ceil(len(glyphs) / most) or 1]
    }


def _outline(secret: bytes, subroutines: list[T1CharString]) -> T1CharString:
    return T1CharString(eexec.decrypt(secret, _CHARSTRING_KEY)[0][_RANDOM:], subrs=subroutines)


def _entries(pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and encrypted charstring of each entry; the length before it says where the next one may begin."""
    found = pattern.search(data)
    while found:
        end = found.end() + int(found[2])
        yield found[1], data[found.end() : end]
        found = pattern.search(data, end)
