"""Certificates of a template with pictures of its own: those are shown, and the code of the certificate alone."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pypdfium2
import pytest
from docx import Document
from docx.document import Document as DocumentObject
from docx.shared import Mm
from fill_cases import ANNEX4, draft
from home import Home
from needs import require

from signsvc import fill
from signsvc.errors import ConversionFailed, TextMismatch
from signsvc.make import Maker
from signsvc.models import DocxBytes, PdfBytes
from signsvc.wiring.documents import own_pictures
from signsvc.wiring.making import Tools, making

DRAFTS = [
    draft(),
    draft(printed_number="2026-000002", qr_url="https://zm.example.gov.cn/v/8F3KQ2M9XA4RTW1C"),
    draft(
        printed_number="2026-000003",
        qr_url="https://zm.example.gov.cn/v/9F3KQ2M9XA4RTW1C",
        statement="其自出生起居住于本辖区，" * 45,
    ),
]


def logo(text: str) -> io.BytesIO:
    return io.BytesIO(fill.qr_png(text))


def with_logos(document: DocumentObject) -> None:
    """One above the text, and one at the head of every page but the first."""
    document.paragraphs[0].insert_paragraph_before().add_run().add_picture(logo("body"), Mm(10))
    section = document.sections[0]
    section.different_first_page_header_footer = True
    section.header.paragraphs[0].add_run().add_picture(logo("header"), Mm(9))


@pytest.fixture(params=["libreoffice", "embedded"])
def pictured(request: pytest.FixtureRequest, home: Home) -> Home:
    if request.param == "libreoffice":
        require("soffice")
    else:
        pytest.importorskip("office2pdf")
    document = Document(str(ANNEX4))
    with_logos(document)
    file = home.folder / "with_logos.docx"
    document.save(str(file))
    return Home(home.folder, {"SIGNSVC_CONVERTER": request.param, "SIGNSVC_TEMPLATE": str(file)})


def converted(maker: Maker, documents: list[DocxBytes]) -> list[PdfBytes]:
    pdfs = [pdf for pdf in maker.convert(documents) if isinstance(pdf, bytes)]
    assert len(pdfs) == len(documents)
    return pdfs


def test_pictures_of_the_template_are_shown_on_every_kind_of_page(pictured: Home) -> None:
    with making(Tools.load(pictured.settings)) as maker:
        documents = [maker.fill(one) for one in DRAFTS]
        pdfs = converted(maker, documents)
        for pdf, document, one in zip(pdfs, documents, DRAFTS, strict=True):
            maker.read_back(pdf, maker.text_of(document), one)
    assert [len(pypdfium2.PdfDocument(pdf)) for pdf in pdfs] == [1, 1, 2]


def test_the_code_of_another_is_refused(pictured: Home) -> None:
    tools, (own, other, _) = Tools.load(pictured.settings), DRAFTS
    wrong = tools.form.fill(fill.values(own), fill.qr_png(other.qr_url), tools.fonts.choose)
    with making(tools) as maker:
        [pdf] = converted(maker, [wrong])
        with pytest.raises(TextMismatch):
            maker.read_back(pdf, maker.text_of(wrong), own)


def test_a_sample_that_fails_is_not_tried_again(home: Home) -> None:
    asked = []

    def convert(documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
        asked.append(documents)
        return [ConversionFailed("转换超时")]

    tools = Tools.load(home.settings)
    own = own_pictures(tools.form, tools.fonts, convert)
    for _ in range(2):
        with pytest.raises(ConversionFailed, match="转换超时"):
            own()
    assert len(asked) == 1
