"""What `signsvc template check` says about a template."""

from __future__ import annotations

import pytest
from fill_cases import ANNEX4, changed, with_body

from signsvc.errors import TemplateError
from signsvc.fill import Form, inspect
from signsvc.fill.fields import CERTIFICATE
from signsvc.models import Role


def test_the_form_has_no_finding() -> None:
    report = inspect(ANNEX4.read_bytes())
    assert report.usable
    assert report.fields == CERTIFICATE.names
    assert report.split == report.doubtful == report.refused == report.fonts_missing == ()
    assert {(font.name, font.role) for font in report.fonts} == {
        ("仿宋_GB2312", "body"),
        ("方正小标宋简体", "title"),
    }


def test_missing_unknown_and_split_fields_are_named() -> None:
    report = inspect(changed("word/document.xml", "{{姓名}}", "{{年</w:t></w:r><w:r><w:t>龄}}"))
    assert (report.missing, report.unknown, report.split) == (("姓名",), ("年龄",), ("年龄",))
    assert not report.usable


def test_font_that_stands_for_no_role_is_missing_unless_installed() -> None:
    template = with_body(
        '<w:p><w:r><w:rPr><w:rFonts w:eastAsia="某某行书"/></w:rPr><w:t>字</w:t></w:r></w:p>'
    )
    assert inspect(template).fonts_missing == ("某某行书",)
    assert inspect(template, lambda name: name == "某某行书").fonts_missing == ()


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (
            '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>',
            "域代码",
        ),
        ("<w:p><w:pPr><w:numPr/></w:pPr></w:p>", "自动编号"),
        ("<w:sdt><w:sdtContent><w:p/></w:sdtContent></w:sdt>", "内容控件"),
        (
            "<w:p><w:r><w:pict><v:textbox><w:txbxContent><w:p/></w:txbxContent></v:textbox></w:pict></w:r></w:p>",
            "文本框",
        ),
        ("<w:p><w:r><w:drawing><wp:anchor/></w:drawing></w:r></w:p>", "浮动"),
    ],
)
def test_what_the_converter_prints_otherwise_is_a_warning(xml: str, words: str) -> None:
    report = inspect(with_body(xml))
    assert report.usable
    assert any(words in finding for finding in report.doubtful)


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        ("<w:p><w:del><w:r><w:delText>旧</w:delText></w:r></w:del></w:p>", "修订"),
        ("<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>藏</w:t></w:r></w:p>", "隐藏"),
        ('<w:p><w:r><w:footnoteReference w:id="2"/></w:r></w:p>', "脚注"),
    ],
)
def test_what_cannot_be_answered_for_is_refused(xml: str, words: str) -> None:
    report = inspect(with_body(xml))
    assert not report.usable
    assert any(words in finding for finding in report.refused)


def test_paper_other_than_a4_is_refused() -> None:
    for size in ('w:w="12240" w:h="15840"', 'w:w="16838" w:h="11906"', 'w:w="210mm" w:h="297mm"'):
        letter = changed("word/document.xml", 'w:w="11906" w:h="16838"', size)
        assert any("A4" in finding for finding in inspect(letter).refused)
        with pytest.raises(TemplateError, match="A4"):
            Form.load(letter)
    unset = changed("word/document.xml", '<w:pgSz w:w="11906" w:h="16838"/>', "")
    assert any("A4" in finding for finding in inspect(unset).refused)


def test_character_of_the_template_that_no_font_has_is_named() -> None:
    template = with_body("<w:p><w:r><w:t>印ཀ{{姓名}}</w:t></w:r></w:p>")

    def missing(text: str, role: Role) -> list[str]:
        return [char for char in text if char in "ཀ姓"]

    report = inspect(template, missing=missing)
    assert report.unprintable == ("ཀ",)
    assert not report.usable


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"PK\x05\x06" + bytes(18), ANNEX4.read_bytes()[:-40]])
def test_what_is_no_docx_at_all_is_told_apart(data: bytes) -> None:
    assert not inspect(data).is_docx
    assert inspect(changed("word/document.xml", "<w:body>", "<w:body")).is_docx


def test_bytes_that_are_no_document_are_reported_not_raised() -> None:
    assert inspect(b"").unsafe
