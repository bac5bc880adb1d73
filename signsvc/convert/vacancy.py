"""The place of a picture in a form's XML, kept without the picture."""

from __future__ import annotations

import re

from signsvc.fill.drawing import FITTING

from .marks import bookmark, place

# A paragraph with a picture in the line of text and nothing beside it, whose line filling made to fit it: the name of
# the drawing says that it begins where an empty line does, over nothing and under nothing.
_PICTURED = re.compile(
    r"(<w:p(?: [^<>]*)?><w:pPr>(?:(?!</?w:p[ >]|</w:pPr>).)*)</w:pPr>"
    rf'<w:r><w:drawing><wp:inline[^<>]*><wp:extent cx="\d+" cy="(\d+)"/><wp:docPr id="\d+" name="{FITTING}" '
    r"(?:(?!<w:|</wp:inline>).)*</wp:inline>"
    r"</w:drawing></w:r></w:p>",
    re.DOTALL,
)
_SINGLE, _EXACT = 'w:line="240" w:lineRule="auto"', 'w:line="{twips}" w:lineRule="exact"'
_EMU_IN_TWIP = 635


def is_fitting(body: str, key: str) -> bool:
    """Whether the picture of this relation, and no other, stands alone in a paragraph whose line fits it."""
    found, uses = list(_PICTURED.finditer(body)), re.findall(rf'<[^<>]*"{re.escape(key)}"', body)
    if len(found) != 1 or len(uses) != 1 or f'r:embed="{key}"' not in found[0][0]:
        return False
    return found[0][1].count(_SINGLE) == 1


def vacated(content: str, part: int) -> str:
    """With a mark where the picture stands, and without the picture but in the first form."""
    return _PICTURED.sub(lambda found: _vacated(found, part), content)


def _vacated(found: re.Match[str], part: int) -> str:
    mark, properties = bookmark(place(part), 2 * part), f"{found[1]}</w:pPr>"
    if part == 0:
        return found[0].replace(properties, properties + mark, 1)
    twips = round(int(found[2]) / _EMU_IN_TWIP)
    return f"{properties.replace(_SINGLE, _EXACT.format(twips=twips))}{mark}</w:p>"
