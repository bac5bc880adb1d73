"""Many certificates in one conversion: the pages of each are those it has alone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pypdfium2
import pytest
from convert_forms import ALLOWED, BODY, FONTS, form, read_whole
from docx import Document
from docx.document import Document as DocumentObject
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from fill_cases import ANNEX4, AUTONOMOUS, VILLAGE, draft, entries, packed
from needs import require

from signsvc.convert.drawn import Pictures
from signsvc.convert.libreoffice import LibreOffice
from signsvc.convert.marks import find_parts
from signsvc.convert.merged import Joined, join
from signsvc.convert.place import Letter
from signsvc.convert.readback import read_back
from signsvc.errors import ConversionFailed
from signsvc.fill import Form
from signsvc.fill.text import text_of
from signsvc.fill.values import printed_date, qr_png, signature, values
from signsvc.models import BOLD, DocxBytes, Draft, PdfBytes, Role

DRAFTS = [
    draft(name="张三", printed_number="2026-000001", code="7F3KQ2M9XA4RTW1C"),
    draft(name="李四", printed_number="2026-000002", code="8F3KQ2M9XA4RTW1C", office=VILLAGE),
    draft(name="加仓·晋美南杰", printed_number="2026-000003", code="9F3KQ2M9XA4RTW1C", office=AUTONOMOUS),
    draft(name="王𬭎䶮", printed_number="2026-000004", code="AF3KQ2M9XA4RTW1C"),
    draft(name="赵𠅤", printed_number="2026-000005", code="BF3KQ2M9XA4RTW1C", statement="租住于本辖区" * 70),
    draft(name="孙<w:t>&amp;", printed_number="2026-000006", code="CF3KQ2M9XA4RTW1C"),
    draft(name='r:embed="rId1"', printed_number="2026-000007", code="DF3KQ2M9XA4RTW1C"),
    draft(name="part0003", printed_number="2026-000008", code="EF3KQ2M9XA4RTW1C", office=VILLAGE),
    *(draft(name="周" + "文" * extra, printed_number=f"2026-00001{extra}") for extra in range(4)),
]
LONG = 4  # the one with two pages
# A font in a PDF of LibreOffice holds 255 glyphs. A line that goes on in the next font is set down again there, on a
# grid of 0.1 points, so letters beyond the first 255 of a file lose what rounding had added up to before them.
GRID = 0.15  # points
SCALE = 2.5  # pixels a point: 180 dpi


@dataclass(frozen=True)
class Both:
    """The same forms converted each in a file of its own, and together."""

    alone: list[PdfBytes]
    together: list[PdfBytes]


def filled(form: Form, drafts: list[Draft]) -> list[DocxBytes]:
    def face(char: str, role: Role) -> str:
        return BODY + BOLD if role == "title" else BODY

    return [form.fill(values(item), code_of(item), face) for item in drafts]


def code_of(item: Draft) -> bytes:
    return qr_png(f"https://zm.example.gov.cn/v/{item.code}")


def changed_form(change: Callable[[DocumentObject], object]) -> Form:
    document, out = Document(io.BytesIO(ANNEX4.read_bytes())), io.BytesIO()
    change(document)
    document.save(out)
    return Form.load(out.getvalue())


def with_margins(document: DocumentObject) -> None:
    """A header with a picture, another on the first page, a footer."""
    section = document.sections[0]
    section.header.paragraphs[0].add_run("眉").add_picture(io.BytesIO(qr_png("logo")), Mm(9))
    section.footer.paragraphs[0].text = "脚"
    section.different_first_page_header_footer = True
    section.first_page_header.paragraphs[0].text = "首页眉"


def with_header(document: DocumentObject) -> None:
    """A header on every page, and a first paragraph and a last one that need room."""
    document.sections[0].header.paragraphs[0].text = "眉"
    first, last = document.paragraphs[0].paragraph_format, document.add_paragraph("末")
    first.space_before = last.paragraph_format.space_after = Pt(60)
    last.paragraph_format.keep_with_next = True


def with_more(document: DocumentObject) -> None:
    """Margins, and what might add or take away a line or page where one certificate ends and the next begins."""
    with_margins(document)
    first, last = document.paragraphs[0].paragraph_format, document.add_paragraph("末")
    first.space_before, first.page_break_before = Pt(9), True
    last.paragraph_format.space_after, last.paragraph_format.keep_with_next = Pt(90), True
    document.element.body.sectPr.insert(0, parse_xml(f'<w:type {nsdecls("w")} w:val="continuous"/>'))
    for edge in ("Start", "End"):
        last._p.append(parse_xml(f'<w:bookmark{edge} {nsdecls("w")} w:id="1" w:name="part0001"/>'))


def code_to(alignment: WD_ALIGN_PARAGRAPH) -> Callable[[DocumentObject], None]:
    """The QR code, on a line of exact height, stands elsewhere in its cell."""

    def change(document: DocumentObject) -> None:
        layout = document.styles["查验二维码"].paragraph_format
        layout.alignment, layout.line_spacing = alignment, Pt(20)

    return change


def code_beside(document: DocumentObject) -> None:
    """The QR code stands in a line of text."""
    document.add_paragraph("验{{二维码}}码")


def on_a_grid(document: DocumentObject) -> None:
    """As Chinese Word has it: lines on a grid."""
    grid = f'<w:docGrid {nsdecls("w")} w:type="lines" w:linePitch="312"/>'
    document.element.body.sectPr.append(parse_xml(grid))
    document.styles["查验二维码"].paragraph_format.left_indent = Mm(3)


def code_paragraph(document: DocumentObject) -> Any:
    return next(
        item for item in document.element.body.iter(qn("w:p")) if "二维码" in "".join(item.itertext())
    )


def code_in_a_row(properties: str) -> Callable[[DocumentObject], None]:
    """The row of the QR code has these properties."""

    def change(document: DocumentObject) -> None:
        row = next(code_paragraph(document).iterancestors(qn("w:tr")))
        row.find(qn("w:trPr")).append(parse_xml(properties.replace("/>", f" {nsdecls('w')}/>")))

    return change


def with_borders(document: DocumentObject) -> None:
    """First and last paragraph have the same border, which LibreOffice would draw as one."""
    last = document.add_paragraph("末", document.paragraphs[0].style)
    for paragraph in (document.paragraphs[0], last):
        border = f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="12" w:space="4" w:color="FF0000"/></w:pBdr>'
        paragraph._p.get_or_add_pPr().insert_element_before(parse_xml(border), "w:spacing", "w:jc")


def with_floating(document: DocumentObject) -> None:
    """A picture of the template floats where the QR code stands."""
    run = document.paragraphs[0].add_run()
    run.add_picture(io.BytesIO(qr_png("logo")), Mm(30))
    inline = run._r.find(f".//{qn('wp:inline')}")
    anchor = parse_xml(ANCHOR.format(ns=nsdecls("wp", "a", "pic", "r")))
    for child in list(inline):
        if child.tag in (qn("wp:docPr"), qn("a:graphic")):
            anchor.append(child)
    inline.getparent().replace(inline, anchor)


ANCHOR = (
    '<wp:anchor {ns} distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="1" behindDoc="1" locked="0"'
    ' layoutInCell="1" allowOverlap="1"><wp:simplePos x="0" y="0"/><wp:positionH relativeFrom="page"><wp:posOffset>'
    '1008000</wp:posOffset></wp:positionH><wp:positionV relativeFrom="page"><wp:posOffset>8200000</wp:posOffset>'
    '</wp:positionV><wp:extent cx="1080000" cy="1080000"/><wp:wrapNone/></wp:anchor>'
)
FORMS = {
    "plain": Form.load(ANNEX4.read_bytes()),
    "header": changed_form(with_header),
    "more": changed_form(with_more),
    "grid": changed_form(on_a_grid),
    "justified": changed_form(code_to(WD_ALIGN_PARAGRAPH.JUSTIFY)),
    "centred": changed_form(code_to(WD_ALIGN_PARAGRAPH.CENTER)),
    "beside": changed_form(code_beside),
    "repeated": changed_form(code_in_a_row("<w:tblHeader/>")),
    "cut off": changed_form(code_in_a_row('<w:trHeight w:val="900" w:hRule="exact"/>')),
    "borders": changed_form(with_borders),
    "floating": changed_form(with_floating),
}
LEFT_OUT = ("plain", "header", "more", "grid", "justified")  # forms whose codes LibreOffice need not set


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibreOffice]:
    require("soffice")
    with LibreOffice(tmp_path_factory.mktemp("apart"), 120, FONTS, together=1) as converter:
        yield converter


@pytest.fixture(scope="module", params=FORMS)
def both(request: pytest.FixtureRequest, office: LibreOffice, apart: LibreOffice) -> Both:
    documents = filled(FORMS[request.param], DRAFTS)
    assert len(join_all(documents).pictures) == (len(DRAFTS) if request.param in LEFT_OUT else 0)
    sections = entries(join_all(documents).docx)["word/document.xml"].count(b"<w:sectPr")
    assert sections == (len(DRAFTS) if request.param in ("more", "borders") else 1)
    return Both(made(apart, documents), made(office, documents))


def join_all(documents: list[DocxBytes]) -> Joined:
    joined = join(documents)
    assert joined
    return joined


def made(office: LibreOffice, documents: list[DocxBytes]) -> list[PdfBytes]:
    results = office.convert(documents)
    assert not [result for result in results if isinstance(result, ConversionFailed)]
    return results  # type: ignore[return-value]


def pixels(pdf: PdfBytes) -> list[bytes]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [bytes(page.render(scale=SCALE, grayscale=True).buffer) for page in document]


def distance(one: Letter, other: Letter) -> float:
    sides = ("left", "bottom", "right", "top")
    return max(abs(getattr(one, side) - getattr(other, side)) for side in sides)


def test_every_page_is_the_same_to_the_pixel(both: Both) -> None:
    for alone, together in zip(both.alone, both.together, strict=True):
        assert read_whole(alone) == read_whole(together)
        assert pixels(alone) == pixels(together)
    counts = [len(pixels(pdf)) for pdf in both.together]
    assert counts[LONG] == 2


def test_beyond_one_font_letters_stay_within_a_grid(office: LibreOffice, apart: LibreOffice) -> None:
    many = "".join(chr(0x4E00 + 31 * step) for step in range(300))
    drafts = [replace(DRAFTS[0], statement=many), *DRAFTS[1:3]]
    documents = filled(FORMS["plain"], drafts)
    for alone, together in zip(made(apart, documents), made(office, documents), strict=True):
        one, other = read_whole(alone), read_whole(together)
        assert (one.text, one.sizes) == (other.text, other.sizes)
        assert [item.page for item in one.anchor] == [item.page for item in other.anchor]
        assert max(map(distance, one.anchor, other.anchor)) < GRID


def test_each_reads_back_with_no_glyph_but_its_own(office: LibreOffice) -> None:
    all_read_back(office, DRAFTS)


def test_characters_that_share_a_glyph_are_not_mixed_up(office: LibreOffice) -> None:
    all_read_back(office, [replace(DRAFTS[0], name=f"王{char}") for char in "～〜瑨𤨁"])


def all_read_back(office: LibreOffice, drafts: list[Draft]) -> None:
    documents = filled(FORMS["plain"], drafts)
    assert join(documents)
    for item, document, pdf in zip(drafts, documents, made(office, documents), strict=True):
        anchor = (printed_date(item.issued_on), f"（{signature(item.office)}盖章）")
        read_back(pdf, text_of(document), ALLOWED, anchor, Pictures(code_of(item)))


def test_what_breaks_a_file_of_many_fails_alone(office: LibreOffice) -> None:
    documents = filled(FORMS["plain"], [replace(DRAFTS[0], name=f"王{number}") for number in range(40)])
    documents[17] = altered(documents[17], "此证明", "此<证明")
    assert join(documents)
    results = office.convert(documents)
    assert [at for at, result in enumerate(results) if isinstance(result, ConversionFailed)] == [17]
    for number in (0, 16, 18, 39):
        assert f"王{number}，" in read_whole(results[number]).text  # type: ignore[arg-type]


def altered(document: DocxBytes, old: str, new: str) -> DocxBytes:
    parts = entries(document)
    xml = parts["word/document.xml"].decode()
    assert old in xml
    return DocxBytes(packed({**parts, "word/document.xml": xml.replace(old, new, 1).encode()}))


def counted(document: DocumentObject) -> None:
    field = f'<w:fldSimple {nsdecls("w")} w:instr="PAGE"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
    document.sections[0].footer.paragraphs[0]._p.append(parse_xml(field))


def numbered(document: DocumentObject) -> None:
    document.sections[0].header.paragraphs[0].text = "{{编号}}"


def coded(document: DocumentObject) -> None:
    document.sections[0].footer.paragraphs[0].text = "{{二维码}}"


def automatic(document: DocumentObject) -> None:
    spacing = document.paragraphs[0].style.paragraph_format._element.pPr.find(qn("w:spacing"))
    spacing.set(qn("w:beforeAutospacing"), "1")


def table_first(document: DocumentObject) -> None:
    document.element.body.insert(0, document.add_table(1, 1)._tbl)


def two_sections(document: DocumentObject) -> None:
    document.add_section()


@pytest.mark.parametrize("change", [counted, numbered, coded, automatic, table_first, two_sections])
def test_forms_whose_pages_would_change_are_not_joined(change: Callable[[DocumentObject], object]) -> None:
    assert join(filled(changed_form(change), DRAFTS[:2])) is None


def test_forms_of_two_templates_are_not_joined() -> None:
    one, other = filled(FORMS["plain"], DRAFTS[:1]), filled(FORMS["more"], DRAFTS[1:2])
    assert join(one + other) is None
    assert join([*one, DocxBytes(b"no document")]) is None
    assert join([*one, form()]) is None


def test_nobodys_title_is_kept() -> None:
    joined = join(filled(FORMS["plain"], DRAFTS))
    assert joined
    assert "2026-00000" not in entries(joined.docx)["docProps/core.xml"].decode()


def test_parts_are_not_guessed(office: LibreOffice) -> None:
    (pdf,) = made(office, filled(FORMS["plain"], DRAFTS[:1]))
    assert find_parts(pdf, 1, False) == []  # it tells of no part
    assert find_parts(b"%PDF-1.7 broken", 2, False) == []


@pytest.mark.parametrize("name", ["plain", "beside"])
def test_a_picture_of_the_template_is_never_taken_for_a_residents_own(name: str) -> None:
    """The names that the joined pictures get are the template's already: one QR code would stand in every form."""
    alone = filled(FORMS[name], [draft(code=sign * 16) for sign in "AB"])
    joined = join_all(alone).docx
    own = "word/media/part0001image1.png"
    assert own in entries(joined)
    assert join([packed({**entries(document), own: b"a picture"}) for document in alone]) is None
    for old, new in (
        ("</Relationships>", "</Relationships><!-- </Relationships> -->"),
        ('Id="rId3"', own_id(joined)),
    ):
        changed = [altered_relations(document, old, new) for document in alone]
        assert join(changed) is None


def own_id(joined: DocxBytes) -> str:
    """The id of the first form's own picture, as it stands among the relations."""
    relations = entries(joined)["word/_rels/document.xml.rels"].decode()
    return next(found for found in re.findall(r'Id="[^"]*"', relations) if "part0001" in found)


def altered_relations(document: DocxBytes, old: str, new: str) -> DocxBytes:
    found = entries(document)
    name = "word/_rels/document.xml.rels"
    assert old in found[name].decode()
    return packed({**found, name: found[name].decode().replace(old, new).encode()})
