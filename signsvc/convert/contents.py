"""What a content stream uses: the fonts with the codes shown in them, and whatever else it names.

It reads what LibreOffice writes and nothing more, and that without any state: a font is chosen right before the text
that is shown in it. All else is refused: another operator or number of operands, a literal string, an inline image,
a pattern, marked content but that which gives a text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field


class Unreadable(ValueError):
    """A PDF that is not written as LibreOffice writes it."""


@dataclass
class Uses:
    """Codes (one byte each) by the name of their font, and the names under each other kind of resource."""

    codes: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    names: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    retold: bool = False  # some of it has another text (ActualText) than ToUnicode gives its glyphs


XOBJECT = "/XObject"
_KINDS = {b"Do": XOBJECT, b"gs": "/ExtGState", b"sh": "/Shading"}
# Operators that neither show text nor choose a font, by the number of their operands (ISO 32000-2, annex A): all, and
# those that may stand between a font and the text shown in it.
_PLAIN = {
    0: "q Q BT ET T* h S s f f* F B B* b b* n W W* EMC",
    1: "Tc Tw Tz TL Ts Tr w g G J j M i",
    2: "Td TD m l",
    3: "rg RG",
    4: "re k K v y",
    6: "Tm cm c",
}
_BETWEEN = {0: "T*", 1: "Tc Tw Tz TL Ts Tr w g G", 2: "Td TD", 3: "rg RG", 4: "k K", 6: "Tm"}
_SPACE = rb"[\t\n\r ]"
_NUMBER = rb"[+-]?(?:\d++\.?\d*+|\.\d++)(?![0-9.+-])"
_HEX = rb"<(?:[0-9A-Fa-f]{2})*+>"
_NAME = rb"/[A-Za-z0-9]++"
_END = rb"(?=[\t\n\r <\[/]|\Z)%b*+" % _SPACE  # after an operator


def _any_of(operators: Mapping[int, str], count: int = 0) -> bytes:
    """One operator with its operands, of which `count` were read."""
    names = map(re.escape, operators.get(count, "").encode("ascii").split())
    ways = [rb"(?:%b)%b" % (rb"|".join(names), _END)] if count in operators else []
    if count < max(operators):
        ways.append(rb"%b%b++(?:%b)" % (_NUMBER, _SPACE, _any_of(operators, count + 1)))
    return rb"|".join(ways)


_DASHES = rb"\[%b*+(?:%b%b*+)*+\]%b*+%b%b++d%b" % (_SPACE, _NUMBER, _SPACE, _SPACE, _NUMBER, _SPACE, _END)
_SHOW = rb"(?:%b%b*+Tj|\[(?:%b|%b|%b)*+\]%b*+TJ)%b" % (_HEX, _SPACE, _HEX, _NUMBER, _SPACE, _SPACE, _END)
_STEP = re.compile(
    rb"(?:%b|%b)*+(?:" % (_any_of(_PLAIN), _DASHES)
    + rb"(?P<font>%b)%b++%b%b++Tf%b" % (_NAME, _SPACE, _NUMBER, _SPACE, _END)
    + rb"(?P<shown>(?:%b|%b)*+)" % (_SHOW, _any_of(_BETWEEN))
    + rb"|(?P<retold>/Span<</ActualText%b>>%b*+BDC%b)" % (_HEX, _SPACE, _END)
    + rb"|(?P<named>%b)%b++(?P<by>Do|gs|sh)%b|\Z)" % (_NAME, _SPACE, _END)
)
_CODES = re.compile(rb"<([0-9A-Fa-f]*)>")


def read_uses(content: bytes) -> Uses:
    """Raises Unreadable for anything but what is told above."""
    uses = Uses()
    at = len(content) - len(content.lstrip(b"\t\n\r "))
    while at < len(content):
        step = _STEP.match(content, at)
        if step is None:
            raise Unreadable("content that LibreOffice does not write")
        at = step.end()
        if step["font"]:
            codes = b"".join(_CODES.findall(step["shown"])).decode("ascii")
            uses.codes[step["font"].decode("ascii")].update(bytes.fromhex(codes))
        elif step["retold"]:
            uses.retold = True
        elif step["by"]:
            uses.names[_KINDS[step["by"]]].add(step["named"].decode("ascii"))
    return uses
