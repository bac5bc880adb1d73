"""What a content stream uses, and what is refused because it is not known for certain."""

from __future__ import annotations

import pytest

from signsvc.convert.contents import Unreadable, read_uses

PAGE = b"""0.1 w
q 0 0.028 595.275 841.861 re
W* n
[3 1.5] 0 d
q 0 0 0 rg
BT
2 Tr 135.6 709.789 Td /F1 22 Tf<0102ff>Tj
ET
Q
q 0.9 g BT
1 0 0 1 358 -.5 Tm /F2 16 Tf[<0E>2<0F>-1.5<0e0E>]TJ 12 0 Td <10>Tj
/F1 9 Tf<03>Tj
ET
Q
q 65.2 0 0 65.2 88.45 162.789 cm /EGS5 gs
/Im4 Do Q
Q
"""


def test_codes_are_told_by_font_and_names_by_kind() -> None:
    uses = read_uses(PAGE)
    assert uses.codes == {"/F1": {1, 2, 3, 255}, "/F2": {14, 15, 16}}
    assert uses.names == {"/XObject": {"/Im4"}, "/ExtGState": {"/EGS5"}}


def test_text_beside_that_of_the_glyphs_is_noticed() -> None:
    uses = read_uses(b"BT\n/Span<</ActualText<FEFF4E00>>>\nBDC\n1 0 0 1 9 9 Tm\n/F1 9 Tf<07>Tj\nEMC\nET\n")
    assert (uses.codes, uses.retold) == ({"/F1": {7}}, True)
    assert not read_uses(PAGE).retold


@pytest.mark.parametrize("content", [b"", b" \n", b"0.1 w", PAGE.rstrip(), b"\n" + PAGE])
def test_what_surrounds_operators_does_not_matter(content: bytes) -> None:
    assert read_uses(content).codes.keys() in ({"/F1", "/F2"}, set())


@pytest.mark.parametrize(
    "content",
    [
        b"BT <01> Tj ET",  # no font
        b"BT /F1 9 Tf ET BT <01> Tj ET",  # one from another place
        b"q /F1 9 Tf Q BT <01> Tj ET",
        b"BT /F1 9 Tf q <01> Tj Q ET",
        b"BT /F1 9 Tf (a) Tj ET",
        b"BT /F1 9 Tf [<01> (a)] TJ ET",
        b"BT /F1 9 Tf <01> ' ET",
        b'BT /F1 9 Tf 1 1 <01> " ET',
        b"BT /F1 9 Tf <010> Tj ET",  # half a byte
        b"BT /F1 9 Tf <01 02> Tj ET",
        b"BT /F#31 9 Tf <01> Tj ET",
        b"BT /F1 Tf <01> Tj ET",
        b"BT /F1 9 Tf <01> Tjq ET",
        b"BI /W 1 /H 1 ID x EI",
        b"/Pattern cs /P1 scn",
        b"/Span<</ActualText(a)>>BDC EMC",
        b"/Span<</ActualText<FEFF4E00>/E<00>>>BDC EMC",
        b"/F1 9 Tf/Span<</ActualText<FEFF4E00>>>BDC<01>Tj EMC",
        b"/Artifact BMC",
        b"% a note\nq",
        b"1 2 3 m",
        b"1 m",
        b"1.2.3 w",
        b"1 2",
        b"q\x00Q",
        b"q\x0bQ",
        b"unknown",
        b"/Im1 Do/Im2 do",
    ],
)
def test_the_unknown_is_refused_wherever_it_stands(content: bytes) -> None:
    for before, after in ((b"", b""), (PAGE, b""), (b"q ", b"\n" + PAGE)):
        with pytest.raises(Unreadable):
            read_uses(before + content + after)
