"""The form is filled in one pass, with every character's face set."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from docx import Document
from docx.document import Document as DocumentObject
from docx.oxml.ns import qn
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from fill_cases import ANNEX4, changed, draft, entries, packed, plain_face, with_body
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from signsvc.errors import RowFailed, TemplateError
from signsvc.fill import Form, qr_png, text_of, values
from signsvc.models import DocxBytes, Role

FORM = Form.load(ANNEX4.read_bytes())
VALUES = values(draft())
QR = qr_png("https://zm.example.gov.cn/v/7F3KQ2M9XA4RTW1C")
SENTENCE = (
    "根据我社区居民张三，身份证号630102199001011234的需要，依据《中华人民共和国民事诉讼法》（2023年修正）"
    "第六十一条第二款第三项，经居民委员会调查了解，兹证明其属于本社区居民，经常居住于本辖区，"
    "用于办理委托本社区推荐的公民担任诉讼代理人事务。"
)


def filled(form: Form = FORM, **changes: str) -> DocxBytes:
    return form.fill({**VALUES, **changes}, QR, plain_face)


def without_space(text: str) -> str:
    return "".join(text.split())


def body_xml(docx: bytes) -> bytes:
    return entries(docx)["word/document.xml"]


def body_of(docx: bytes) -> etree._Element:
    return etree.fromstring(body_xml(docx))


def test_form_says_what_annex_4_says() -> None:
    lines = [line for line in text_of(filled()).splitlines() if line.strip()]
    assert lines[:5] == [
        "幸福社区基层群众性自治组织证明",
        "示范区和平街道幸福社区证明第2026-000001号",
        "示范市示范区人民法院：",
        SENTENCE,
        "此证明有效期至2027年5月20日。",
    ]
    assert lines[5] == "2026年11月21日"
    assert without_space(lines[6]) == "（青海省示范市示范区和平街道幸福社区居民委员会盖章）"
    assert lines[7] == "本证明一式两份，基层群众性自治组织留存一份，居民持有一份。"
    assert lines[8:10] == ["查验码：7F3K-Q2M9-XA4R-TW1C", "查验网址：https://zm.example.gov.cn/verify"]


def test_python_docx_reads_the_same_text() -> None:
    theirs = "\n".join(paragraph.text for paragraph in paragraphs_in(Document(io.BytesIO(filled()))))
    assert without_space(theirs) == without_space(text_of(filled()))


def paragraphs_in(container: DocumentObject | _Cell) -> Iterator[Paragraph]:
    """Those of tables too, in order."""
    for item in container.iter_inner_content():
        if isinstance(item, Paragraph):
            yield item
        else:
            for cell in item.rows[0].cells:
                yield from paragraphs_in(cell)


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=40)


@settings(max_examples=60, deadline=None)
@given(name=TEXT, statement=TEXT)
def test_any_value_is_printed_as_it_is(name: str, statement: str) -> None:
    printed = text_of(filled(姓名=name, 证明事项=statement))
    expected = SENTENCE.replace("张三", name).replace(VALUES["证明事项"], statement)
    assert without_space(expected) in without_space(printed)


@pytest.mark.parametrize("value", ["{{姓名}}", "{{二维码}}", "<w:t>&amp;", "<?slot 1?>", "]]>", "\\1 {0} %s"])
def test_value_that_looks_like_a_field_or_markup_is_text(value: str) -> None:
    assert f"兹证明{value}，用于办理" in text_of(filled(证明事项=value))


@pytest.mark.parametrize("value", ["a\x00", "\x0b", "\x85", "\ufdd0face", "\ufffe", "\ud800"])
def test_unprintable_value_is_refused_without_echo(value: str) -> None:
    with pytest.raises(TemplateError) as raised:
        filled(姓名="张三" + value)
    assert "姓名" in str(raised.value)
    assert "张三" not in str(raised.value)


@pytest.mark.parametrize("given", [{k: v for k, v in VALUES.items() if k != "姓名"}, {**VALUES, "年龄": "3"}])
def test_values_must_be_exactly_the_fields(given: dict[str, str]) -> None:
    with pytest.raises(TemplateError, match=r"姓名|年龄"):
        FORM.fill(given, QR, plain_face)


def test_a_form_with_a_picture_is_not_filled_without_one() -> None:
    with pytest.raises(TemplateError, match="图片"):
        FORM.fill(VALUES, None, plain_face)


def test_every_character_has_one_chosen_face_in_all_scripts() -> None:
    def by_script(char: str, role: Role) -> str:
        return "Title:bold" if role == "title" else "Han" if ord(char) > 0x2E7F else "Latin"

    seen = set()
    docx = FORM.fill(VALUES, QR, by_script)
    handed_down = families(etree.fromstring(entries(docx)["word/styles.xml"]))
    assert handed_down == {"Han"}
    for run in body_of(docx).iter(qn("w:r")):
        text = run.findtext(qn("w:t"))
        if text is None:
            continue
        bold = run.find(f"{qn('w:rPr')}/{qn('w:b')}")
        role: Role = "title" if bold is not None and bold.get(qn("w:val")) == "1" else "body"
        found = families(run) or handed_down
        assert {by_script(char, role).removesuffix(":bold") for char in text} == found
        seen |= found
    assert seen == {"Title", "Han", "Latin"}


BOLD_STYLE = (
    '<w:style w:type="character" w:styleId="B"><w:name w:val="B"/><w:rPr><w:b/></w:rPr></w:style></w:styles>'
)
TABLE = '<w:tbl><w:tblPr><w:tblStyle w:val="T"/></w:tblPr><w:tblGrid/><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>'


@pytest.mark.parametrize(
    ("paragraph", "told"),
    [
        ("<w:p><w:r><w:t>甲{{姓名}}</w:t></w:r></w:p>", False),
        ("<w:p><w:r><w:rPr><w:b w:val='0'/></w:rPr><w:t>甲{{姓名}}</w:t></w:r></w:p>", False),
        (
            "<w:p><w:r><w:rPr><w:rStyle w:val='B'/><w:b w:val='0'/></w:rPr><w:t>甲{{姓名}}</w:t></w:r></w:p>",
            True,
        ),
        (TABLE.format("<w:p><w:r><w:t>甲{{姓名}}</w:t></w:r></w:p>"), True),
    ],
)
def test_a_face_is_told_wherever_a_style_might_hand_down_another(paragraph: str, told: bool) -> None:
    parts = entries(with_body(paragraph))
    styles = parts["word/styles.xml"].decode().replace("</w:styles>", BOLD_STYLE)
    form = Form.load(packed({**parts, "word/styles.xml": styles.encode()}))
    [run] = [run for run in body_of(filled(form)).iter(qn("w:r")) if run.findtext(qn("w:t")) == "甲张三"]
    assert bool(families(run)) is told


def families(element: etree._Element) -> set[str]:
    return {
        str(fonts.get(qn(kind)))
        for fonts in element.iter(qn("w:rFonts"))
        for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs")
    }


def test_no_font_of_the_template_and_no_theme_font_is_left() -> None:
    theme = '<w:p><w:r><w:rPr><w:rFonts w:asciiTheme="minorHAnsi" w:hint="eastAsia"/></w:rPr><w:t>印</w:t></w:r></w:p>'
    docx = FORM.fill(VALUES, QR, plain_face), Form.load(with_body(theme)).fill(VALUES, QR, plain_face)
    for name, data in [*entries(docx[0]).items(), *entries(docx[1]).items()]:
        if name.endswith(".xml"):
            for fonts in etree.fromstring(data).iter(qn("w:rFonts")):
                assert set(fonts.attrib.values()) == {"Kai"}, name


def test_own_text_of_the_template_is_known_by_role() -> None:
    bold = "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>甲{{姓名}}乙</w:t></w:r></w:p>"
    form = Form.load(with_body(bold))
    assert form.fixed_text("title") == "甲乙"
    assert set("兹证明（盖章）：") <= set(form.fixed_text("body"))
    assert not set("{}姓") & set(form.fixed_text("body"))


def test_every_form_is_filled_with_the_faces_it_is_given() -> None:
    asked: list[tuple[str, Role]] = []

    def other(char: str, role: Role) -> str:
        asked.append((char, role))
        return "Other"

    for _ in range(2):
        assert b"Other" in entries(FORM.fill(VALUES, QR, other))["word/styles.xml"]
        assert not [name for name, data in entries(filled()).items() if b"Other" in data]
    assert len(asked) == len(set(asked))  # once, whatever comes again


def test_character_without_font_stops_filling() -> None:
    def none(char: str, role: Role) -> str:
        raise RowFailed("没有", "glyph_missing")

    with pytest.raises(RowFailed):
        FORM.fill(VALUES, QR, none)


def test_same_values_give_the_same_bytes_and_others_do_not() -> None:
    assert filled() == Form.load(ANNEX4.read_bytes()).fill(VALUES, QR, plain_face)
    assert filled() != filled(姓名="李四")


def test_properties_name_the_certificate_and_nobody() -> None:
    author = changed("docProps/core.xml", "<dc:creator></dc:creator>", "<dc:creator>王五</dc:creator>")
    docx = Form.load(author).fill(VALUES, QR, plain_face)
    core = Document(io.BytesIO(docx)).core_properties
    assert (core.title, core.author, core.last_modified_by) == ("2026-000001", "", "")
    assert all("王五".encode() not in data for data in entries(docx).values())


def test_qr_code_is_the_picture_of_the_form() -> None:
    pictures = [data for name, data in entries(filled()).items() if name.endswith(".png")]
    assert pictures == [QR]
    shapes = Document(io.BytesIO(filled())).inline_shapes
    assert [(round(shape.width.mm), round(shape.height.mm)) for shape in shapes] == [(23, 23)]


def test_long_office_name_takes_two_lines() -> None:
    paragraph = next(p for p in paragraphs_in(Document(io.BytesIO(filled()))) if "盖章" in p.text)
    assert paragraph.text == "（青海省示范市示范区和平街道\n幸福社区居民委员会盖章）"


def split_like_word(*pieces: str) -> str:
    """A field as Word leaves it after editing: a run a piece, marks of the spelling check between them."""
    runs = [
        f'<w:r w:rsidR="00A{n}"><w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr><w:t>{piece}</w:t></w:r>'
        for n, piece in enumerate(pieces)
    ]
    return '<w:p><w:proofErr w:type="spellStart"/>' + '<w:proofErr w:type="spellEnd"/>'.join(runs) + "</w:p>"


@pytest.mark.parametrize(
    "pieces", [("{", "{姓名}", "}"), ("前{{", "姓", "名", "}}后{{姓", "名}}"), ("{{ 姓名", "}}")]
)
def test_field_split_over_runs_is_joined(pieces: tuple[str, ...]) -> None:
    form = Form.load(with_body(split_like_word(*pieces)))
    first = text_of(filled(form)).splitlines()[0]
    assert first == "".join(pieces).replace("{{姓名}}", "张三").replace("{{ 姓名}}", "张三")


@given(cuts=st.lists(st.integers(0, 30), max_size=8))
@settings(max_examples=30, deadline=None)
def test_text_survives_any_splitting(cuts: list[int]) -> None:
    text = "甲{{姓名}}乙{{编号}}丙{{姓名}}"
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[low:high] for low, high in pairwise(places)]
    form = Form.load(with_body(split_like_word(*pieces)))
    assert text_of(filled(form)).splitlines()[0] == "甲张三乙2026-000001丙张三"


def test_field_is_not_joined_across_a_line_break() -> None:
    broken = "<w:p><w:r><w:t>{{姓</w:t><w:br/><w:t>名}}</w:t></w:r></w:p>"
    with pytest.raises(TemplateError, match="花括号"):
        Form.load(with_body(broken))


TEXT_BOX = (
    '<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx><w:txbxContent>'
    "<w:p><w:r><w:t>盒{{姓名}}</w:t></w:r></w:p></w:txbxContent></wps:txbx></wps:wsp></w:drawing></mc:Choice>"
    "<mc:Fallback><w:pict><v:textbox><w:txbxContent><w:p><w:r><w:t>盒{{姓名}}</w:t></w:r></w:p></w:txbxContent>"
    "</v:textbox></w:pict></mc:Fallback></mc:AlternateContent><w:t>外</w:t></w:r></w:p>"
)
TABLE = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>表{{姓名}}</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"


@pytest.mark.parametrize(("xml", "text"), [(TABLE, "表张三"), (TEXT_BOX, "盒张三外")])
def test_fields_in_tables_and_text_boxes_are_filled_once(xml: str, text: str) -> None:
    printed = without_space(text_of(filled(Form.load(with_body(xml)))))
    assert printed.startswith(text + "幸福社区")


def test_fields_in_header_and_footer_are_filled_and_styled() -> None:
    document = Document(io.BytesIO(ANNEX4.read_bytes()))
    document.sections[0].header.paragraphs[0].text = "眉{{编号}}"
    document.sections[0].footer.paragraphs[0].text = "脚{{查验码}}"
    stream = io.BytesIO()
    document.save(stream)
    docx = filled(Form.load(stream.getvalue()))
    lines = text_of(docx).split()
    assert (lines[0], lines[-1]) == ("眉2026-000001", "脚7F3K-Q2M9-XA4R-TW1C")
    assert families(etree.fromstring(entries(docx)["word/styles.xml"])) == {"Kai"}
    assert "eastAsia" not in entries(docx)["word/header1.xml"].decode()  # its style hands it down


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{{姓名}}", "", "缺少字段：姓名"),
        ("{{二维码}}", "", "缺少字段：二维码"),
        ("{{姓名}}", "{{姓名}}{{年龄}}", "不认识的字段：年龄"),
        ("{{姓名}}", "{{姓名}}{{", "花括号"),
        ("{{姓名}}", "{{姓名}}｛｛编号｝｝", "花括号"),
        ("{{姓名}}", "{{姓名}}</w:t></w:r><w:ins><w:r><w:t>x</w:t></w:r></w:ins><w:r><w:t>", "修订"),
        ("{{姓名}}", "{{姓名}}</w:t><w:sym w:font='Wingdings' w:char='F0FC'/><w:t>", "符号"),
    ],
)
def test_template_that_is_not_the_form_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(TemplateError, match=words):
        Form.load(changed("word/document.xml", old, new))


def test_filling_is_quick() -> None:
    FORM.fill(VALUES, QR, plain_face)
    start = time.perf_counter()
    for _ in range(50):
        FORM.fill(VALUES, QR, plain_face)
    assert (time.perf_counter() - start) / 50 < 0.015  # about 1 ms; the rest is for a busy machine


def test_form_is_not_changed_by_filling() -> None:
    before = filled()
    FORM.fill(values(draft(office=replace(draft().office, name="甲村"), name="李四")), QR, plain_face)
    assert filled() == before
