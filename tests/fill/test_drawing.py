"""The QR code's line: as high as the code, and known to fit it only where nothing else has a say."""

from __future__ import annotations

import pytest
from fill_cases import ANNEX4, entries, packed

from signsvc.fill import Form

BODY, STYLES = "word/document.xml", "word/styles.xml"
CODE, LEFT = (
    '<w:pPr><w:pStyle w:val="Annex49"/>',
    '<w:spacing w:before="0" w:after="0"/><w:jc w:val="left"/></w:pPr>',
)
CELL, ROW = '<w:tcW w:w="1784" w:type="dxa"/>', "<w:trPr><w:cantSplit/>"


def drawing(*changes: tuple[str, str, str]) -> str:
    """The code in its paragraph, as compiled, of a form with texts of its parts replaced."""
    parts = entries(ANNEX4.read_bytes())
    for name, old, new in changes:
        assert old in parts[name].decode()
        parts[name] = parts[name].decode().replace(old, new).encode()
    pieces = Form.load(packed(parts))._package.parts[BODY]
    xml = "".join(piece for piece in pieces if isinstance(piece, str))
    return xml[xml.rindex("<w:pPr>", 0, xml.index("<w:drawing>")) : xml.index("</w:drawing>")]


def told(words: str) -> tuple[str, str, str]:
    """The paragraph of the code says so."""
    return BODY, CODE, CODE + words


def styled(words: str) -> tuple[str, str, str]:
    """The style of the code says so, and no more of its side."""
    return STYLES, LEFT, LEFT.replace('<w:jc w:val="left"/>', words)


FITTING = {
    "as it is": (),
    "left": (told('<w:jc w:val="left"/>'),),
    "start": (told('<w:jc w:val="start"/>'),),
    "justified": (told('<w:jc w:val="both"/>'),),
    "without a word": (styled(""),),
    "of exact height": (told('<w:spacing w:line="400" w:lineRule="exact"/>'),),
}
ELSEWHERE = {
    "centred": (told('<w:jc w:val="center"/>'),),
    "at the end": (told('<w:jc w:val="end"/>'),),
    "centred by its style": (styled('<w:jc w:val="center"/>'),),
    "centred by default": (
        *(
            styled(""),
            (STYLES, "<w:pPrDefault/>", '<w:pPrDefault><w:pPr><w:jc w:val="center"/></w:pPr></w:pPrDefault>'),
        ),
    ),
    "right to left": (told("<w:bidi/>"),),
    "with a border": (told('<w:pBdr><w:top w:val="single" w:sz="4"/></w:pBdr>'),),
    "row of exact height": ((BODY, ROW, f'{ROW}<w:trHeight w:val="900" w:hRule="exact"/>'),),
    "row that is repeated": ((BODY, ROW, f"{ROW}<w:tblHeader/>"),),
    "vertical cell": ((BODY, CELL, f'{CELL}<w:textDirection w:val="tbRl"/>'),),
    "shaded cell": ((BODY, CELL, f'{CELL}<w:shd w:val="clear" w:fill="FFFF00"/>'),),
    "table with a style": ((BODY, "<w:tblPr>", '<w:tblPr><w:tblStyle w:val="TableGrid"/>'),),
}


@pytest.mark.parametrize("changes", FITTING.values(), ids=FITTING)
def test_a_code_from_the_left_fits_its_line(changes: tuple[tuple[str, str, str], ...]) -> None:
    found = drawing(*changes)
    assert '<w:snapToGrid w:val="0"/><w:spacing w:line="240" w:lineRule="auto"/>' in found
    assert 'name="fitting"' in found


@pytest.mark.parametrize("changes", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_code_where_something_else_has_a_say_does_not(changes: tuple[tuple[str, str, str], ...]) -> None:
    found = drawing(*changes)
    assert '<w:snapToGrid w:val="0"/>' in found
    assert 'name="fitting"' not in found
