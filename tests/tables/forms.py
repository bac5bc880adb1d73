"""The two forms, the demonstration's lists, and files made as people make them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from docx import Document
from docx.document import Document as DocumentObject
from openpyxl import Workbook

from signsvc.policy import demo_text, load_catalogue, load_pack
from signsvc.policy.packs.pack import TableForm
from signsvc.tables import Table, read

PLACES = ("qinghai", "guangdong")
KINDS = ("xlsx", "docx")
DEMO = {place: load_catalogue(demo_text(f"catalogue-{place}"), place) for place in PLACES}

# The example row of Qinghai's 附件3, as printed.
EXAMPLE = (
    "示例",
    "农民身份证明",
    "农民专业合作社设立登记、成员变更登记",
    "《农民专业合作社登记管理条例》（国务院令第498号）第十五条农民专业合作社的成员为农民的，成员身份证明为农业人口户口簿；"
    "无农业人口户口簿的，成员身份证明为居民身份证和土地承包经营权证或者村民委员会（居民委员会）出具的身份证明。",
    "用于证明成员的农民身份。",
    "市场监督管理部门",
)
TITLE = "示范市拟保留基层群众性自治组织出具证明事项清单"
HEADINGS = (
    "序号",
    "证明名称",
    "涉及办理事项名称",
    "法律法规依据（需明确到具体条款内容）",
    "证明用途",
    "证明索要单位",
)
PLAIN = ("1", "居住证明", "入学登记", "《甲法》第一条", "入学", "学校")


def form_of(place: str) -> TableForm:
    form = load_pack(place).form
    assert form is not None
    return form


QINGHAI = form_of("qinghai")
Lines = Sequence[Sequence[str]]


def as_xlsx(lines: Lines, arrange: Callable[[Workbook], None] = lambda book: None) -> bytes:
    book = Workbook()
    for line in lines:
        book.worksheets[0].append(line)
    arrange(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_docx(
    title: str, *tables: Lines, arrange: Callable[[DocumentObject], None] = lambda document: None
) -> bytes:
    document = Document()
    package = document.part.package
    for key in [key for key, part in package.rels.items() if part.reltype.endswith("/thumbnail")]:
        del package.rels[key]  # python-docx's own, not a sound picture
    for line in title.split("\n"):
        document.add_paragraph(line)
    for lines in tables:
        table = document.add_table(len(lines), len(lines[0]))
        for row, line in zip(table.rows, lines, strict=True):
            for cell, text in zip(row.cells, line, strict=True):
                cell.text = text
        document.add_paragraph("备注：以上各项均已审核")
    arrange(document)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def read_xlsx(lines: Lines, arrange: Callable[[Workbook], None] = lambda book: None) -> Table:
    return read("list.xlsx", as_xlsx(lines, arrange), QINGHAI)


def read_docx(title: str, *tables: Lines) -> Table:
    return read("list.docx", as_docx(title, *tables), QINGHAI)
