"""refusal.docx: the notice of refusal (不予出具告知单), smaller than a certificate so that it fits a page."""

from __future__ import annotations

from datetime import datetime

from docx.enum.text import WD_ALIGN_PARAGRAPH
from layout import (
    LAST_STYLE,
    SEAL_ABOVE,
    SIGNATURE_INDENT,
    TITLE,
    TITLE_FONT,
    WIDTH,
    Style,
    finish,
    row,
    start,
)

SIZE = 12.0  # 小4号
LINE = 17.0
HEADING_FONT = "黑体"
CENTER = WD_ALIGN_PARAGRAPH.CENTER

STYLES = (
    Style("告知标题", CENTER, TITLE_FONT, TITLE, 32.0, after=2.0, keep_next=True),
    Style("告知编号", CENTER, size=SIZE, leading=LINE, keep_next=True),
    Style("告知说明", CENTER, size=SIZE, leading=LINE, after=4.0, keep_next=True),
    Style("申请人", size=SIZE, leading=LINE, keep_next=True),
    Style("告知正文", size=SIZE, leading=LINE, indent=2),
    Style("告知小标题", font=HEADING_FONT, size=SIZE, leading=LINE, before=2.0, keep_next=True),
    # Values with several lines: every line begins at the margin.
    Style("告知内容", size=SIZE, leading=LINE),
    Style("告知结语", size=SIZE, leading=LINE, before=6.0),
    # Nothing is under the office's name that its seal, if it sets one, could cover.
    Style("告知日期", CENTER, size=SIZE, leading=LINE, left=SIGNATURE_INDENT, before=SEAL_ABOVE + 4.0),
    Style("告知组织", CENTER, size=SIZE, leading=LINE, left=SIGNATURE_INDENT),
    LAST_STYLE,
)
PARAGRAPHS = (
    ("告知标题", "不予出具告知单"),
    ("告知编号", "编号：{{编号}}"),
    ("告知说明", "{{说明}}"),
    ("申请人", "{{姓名}}："),
    (
        "告知正文",
        "您申请出具“{{证明事项}}”，索要单位为{{索要单位}}。本单位依照下列规定不予出具，现告知如下：",
    ),
    ("告知小标题", "一、不予出具的原因"),
    ("告知内容", "{{不予出具的原因}}"),
    ("告知小标题", "二、依据"),
    ("告知内容", "{{依据}}"),
    ("告知小标题", "三、办事途径"),
    ("告知内容", "{{办事途径}}"),
    ("告知小标题", "四、可以怎么办"),
    ("告知内容", "{{可以怎么办}}"),
)
# Two lines of text at least, which go with date and office wherever these go.
CLOSING = (
    (
        "告知结语",
        "仍被要求提供的，可请索要单位说明要求提供该证明的法律法规依据，也可向其上级主管部门反映。"
        "本单位电话：{{电话}}",
    ),
    ("告知日期", "{{出具日期}}"),
    ("告知组织", "{{出具组织}}"),
)


def build() -> bytes:
    """The template as .docx bytes, reproducible."""
    made = datetime(2026, 11, 21)  # noqa: DTZ001 (the property has no zone)
    document = start(STYLES, "Refusal", "不予出具告知单", made)
    for style, text in PARAGRAPHS:
        document.add_paragraph(text, style=style)
    (closing,) = row(document._body, WIDTH)
    for style, text in CLOSING:
        closing.add_paragraph(text, style)
    document.add_paragraph(style=LAST_STYLE.name)
    return finish(document)
