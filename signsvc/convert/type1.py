"""Reads the outlines of a Type 1 program as LibreOffice writes it (Adobe Type 1 Font Format, 6 and 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

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


def charstrings(program: bytes) -> dict[str, T1CharString]:
    """Glyph name -> outline. Slow: some 50 ms for a hundred glyphs."""
    secret = re.split(rb"eexec\s", program, maxsplit=1)[1]
    private, _ = eexec.decrypt(secret, _EEXEC_KEY)
    head, _, tail = private.partition(b"/CharStrings")
    subroutines: list[T1CharString] = []
    subroutines += [T1CharString(code, subrs=subroutines) for _, code in _entries(_SUBROUTINE, head)]
    return {
        name.decode("latin-1"): T1CharString(code, subrs=subroutines) for name, code in _entries(_GLYPH, tail)
    }


def _entries(pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and decrypted charstring of each entry; the length before it says where the next one may begin."""
    found = pattern.search(data)
    while found:
        end = found.end() + int(found[2])
        yield found[1], eexec.decrypt(data[found.end() : end], _CHARSTRING_KEY)[0][_RANDOM:]
        found = pattern.search(data, end)
