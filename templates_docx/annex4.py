"""annex4.docx: the form of 附件4 (Q33), 《基层群众性自治组织证明》."""

from __future__ import annotations

from datetime import datetime

from docx.document import Document as DocumentObject
from docx.enum.text import WD_ALIGN_PARAGRAPH
from layout import (
    COPIES,
    LAST_STYLE,
    SEAL_ABOVE,
    SEAL_BELOW,
    SIGNATURE_INDENT,
    SMALL,
    TITLE,
    TITLE_FONT,
    WIDTH,
    Style,
    finish,
    row,
    start,
)

QR_MM = 23.0
QR_COLUMN = QR_MM * 72 / 25.4 + 24

STYLES = (
    Style("证明标题", WD_ALIGN_PARAGRAPH.CENTER, TITLE_FONT, TITLE, 34.0, after=4.0, keep_next=True),
    Style("证明编号", WD_ALIGN_PARAGRAPH.CENTER, after=12.0, keep_next=True),
    Style("索要单位", keep_next=True),
    Style("证明正文", indent=2),
    Style("有效期", indent=2),
    Style("出具日期", WD_ALIGN_PARAGRAPH.CENTER, left=SIGNATURE_INDENT, before=SEAL_ABOVE),
    Style("出具组织", WD_ALIGN_PARAGRAPH.CENTER, left=SIGNATURE_INDENT, after=SEAL_BELOW),
    Style("份数说明", size=COPIES, leading=24.0, indent=2, after=9.0),  # one line in this size
    Style("查验二维码", leading=None),
    Style("查验说明", size=SMALL, leading=21.0),
    LAST_STYLE,
)
PARAGRAPHS = (
    ("证明标题", "{{标题}}"),
    ("证明编号", "{{县}}{{街道}}{{社区}}证明第{{编号}}号"),
    ("索要单位", "{{索要单位}}："),
    (
        "证明正文",
        "根据我{{社区或村}}居民{{姓名}}，{{证件名称}}{{证件号码}}的需要，依据{{依据}}，"
        "经{{居或村}}民委员会调查了解，兹证明{{证明事项}}，用于办理{{证明用途}}事务。",
    ),
)
CLOSING = (
    ("有效期", "此证明有效期至{{有效期至}}。"),
    ("出具日期", "{{出具日期}}"),
    ("出具组织", "（{{出具组织}}盖章）"),
    ("份数说明", "本证明一式两份，基层群众性自治组织留存一份，居民持有一份。"),
)
VERIFICATION = (
    "查验码：{{查验码}}",
    "查验网址：{{查验网址}}",
    "扫描二维码，或在网址输入编号和查验码，核对真伪和有效期。",
)


def build() -> bytes:
    """The template as .docx bytes, reproducible."""
    published = datetime(2021, 9, 3)  # noqa: DTZ001 (the property has no zone)
    document = start(STYLES, "Annex4", "基层群众性自治组织证明", published)
    for style, text in PARAGRAPHS:
        document.add_paragraph(text, style=style)
    _closing(document)
    return finish(document)


def _closing(document: DocumentObject) -> None:
    """From the validity line on: one row that no page break divides; in it the QR code with its text beside it."""
    (closing,) = row(document._body, WIDTH)
    for style, text in CLOSING:
        closing.add_paragraph(text, style)
    picture, words = row(closing, QR_COLUMN, WIDTH - QR_COLUMN)
    picture.add_paragraph("{{二维码}}", "查验二维码")
    for line in VERIFICATION:
        words.add_paragraph(line, "查验说明")
    for owner in (closing, document):
        owner.add_paragraph(style=LAST_STYLE.name)
