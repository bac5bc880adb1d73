"""What goes out in a form comes back the same, and the form looks as printed to whoever else reads it."""

from __future__ import annotations

import io
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest
from docx import Document
from docx.oxml.ns import qn
from forms import DEMO, EXAMPLE, HEADINGS, KINDS, PLACES, QINGHAI, TITLE, form_of
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import require
from openpyxl import load_workbook

from signsvc.errors import InputError, PolicyError
from signsvc.models import Basis, BasisKind
from signsvc.policy import load_catalogue
from signsvc.tables import Kind, export, merge, paper, read, sheet, to_toml

READABLE = st.characters(
    codec="utf-8",
    exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"),
    exclude_characters="\ufffd",
    include_characters="\n",
)
PIECES = st.sampled_from(
    ("=1+1", "+", "-", "@", "\n", " ", "  ", "（", "(", "《〈》", "_x0041_", "#N/A", "''", "'")
)
CELL = st.lists(st.one_of(PIECES, st.text(READABLE, max_size=20)), max_size=8).map("".join)
NAME = CELL.map(lambda text: f"{text}证")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_list_comes_back_from_its_form_without_loss(place: str, kind: Kind) -> None:
    table = read(f"list.{kind}", export(DEMO[place], form_of(place), kind), form_of(place))
    proposal = merge(table, DEMO[place])
    assert (proposal.incomplete, proposal.notes) == ((), ())
    assert load_catalogue(proposal.text, "proposal") == DEMO[place]
    assert len(table.rows) == len(DEMO[place].matters)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_the_same_list_gives_the_same_bytes(place: str, kind: Kind) -> None:
    again = load_catalogue(to_toml(DEMO[place]), "again")
    assert export(again, form_of(place), kind) == export(DEMO[place], form_of(place), kind)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(NAME, CELL, CELL, CELL, CELL), min_size=1, max_size=3))
def test_any_readable_cells_come_back_as_they_are(rows: list[tuple[str, ...]]) -> None:
    printed = [(str(number), *row) for number, row in enumerate(rows, 1)]
    fields = [field for _, field in QINGHAI.columns[1:]]
    for written, name in (
        (sheet.write(QINGHAI, TITLE, printed), "list.xlsx"),
        (paper.write(QINGHAI, TITLE, printed), "list.docx"),
    ):
        table = read(name, written, QINGHAI)
        assert [tuple(row.cells[field] for field in fields) for row in table.rows] == rows
        assert table.holder == "示范市"


def cells_by_hand(workbook: bytes) -> list[list[str]]:
    """The sheet's texts by the standard library alone; there must be nothing but texts."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        page = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 our own
    assert not list(page.iter(space + "f"))
    rows = []
    for row in page.iter(space + "row"):
        filled = [cell for cell in row if len(cell)]
        assert {cell.get("t") for cell in filled} == {"inlineStr"}
        rows.append(["".join(text.text or "" for text in cell.iter(space + "t")) for cell in filled])
    return rows


def test_the_workbook_is_the_form_to_another_reader() -> None:
    label, title, headings, *rows = cells_by_hand(export(DEMO["qinghai"], QINGHAI, "xlsx"))
    assert (label, title, tuple(headings)) == (["附件3"], [TITLE], HEADINGS)
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert tuple(rows[-1][1:]) == EXAMPLE[1:]


def test_guangdongs_form_has_its_own_columns_and_no_blank() -> None:
    _, title, headings, first, *_ = cells_by_hand(export(DEMO["guangdong"], form_of("guangdong"), "xlsx"))
    assert title == ["基层群众性自治组织出具证明事项清单"]
    assert headings == ["序号", "证明名称", "要求出具证明的法律法规依据", "索要单位", "证明用途"]
    assert first[3:] == ["人民法院", "委托本社区（村）推荐的公民担任诉讼代理人"]
    assert first[2].split("\n") == [
        "《中华人民共和国民事诉讼法》（2023年修正）第六十一条第二款第三项当事人所在社区、单位以及有关社会团体推荐的公民",
        "《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》第八十八条第五项当事人属于该社区、单位的证明材料",
    ]


def test_what_looks_like_a_formula_stays_text() -> None:
    written = sheet.write(QINGHAI, TITLE, [("1", "=1+1", "+甲", "-甲", "@甲", "甲=")])
    cells = load_workbook(io.BytesIO(written)).worksheets[0][4]
    assert [cell.value for cell in cells[1:]] == ["=1+1", "+甲", "-甲", "@甲", "甲="]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [bool(cell.quotePrefix) for cell in cells] == [False, True, True, True, True, False]


def test_the_document_is_laid_out_as_the_form() -> None:
    document = Document(io.BytesIO(export(DEMO["qinghai"], QINGHAI, "docx")))
    label, _, title, *_ = document.paragraphs
    assert (label.text, label.runs[0].font.name, label.runs[0].font.size.pt) == ("附件3", "黑体", 16)
    assert (title.text, title.runs[0].font.name, title.runs[0].font.size.pt) == (TITLE, "方正小标宋简体", 22)
    (table,) = document.tables
    assert tuple(cell.text for cell in table.rows[0].cells) == HEADINGS
    assert tuple(cell.text for cell in table.rows[4].cells) == ("4", *EXAMPLE[1:])
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert len(table._tbl.tblPr.find(qn("w:tblBorders"))) == 6


@pytest.mark.parametrize(("place", "size"), [("qinghai", (297, 210)), ("guangdong", (210, 297))])
def test_the_page_is_a4_and_lies_where_the_columns_need_it(place: str, size: tuple[int, int]) -> None:
    section = Document(io.BytesIO(export(DEMO[place], form_of(place), "docx"))).sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == size
    book = load_workbook(io.BytesIO(export(DEMO[place], form_of(place), "xlsx")))
    assert book.worksheets[0].page_setup.orientation == ("landscape" if size[0] > size[1] else "portrait")
    assert book.worksheets[0].print_title_rows == "$3:$3"


def test_a_printed_page_repeats_the_headings_and_loses_nothing(tmp_path: Path) -> None:
    matter = DEMO["qinghai"].matters[3]
    long = replace(matter.bases[0], text="甲乙丙丁戊己庚辛壬癸" * 150)  # more than a page
    many = [replace(matter, id=f"m{n}", name=f"第{n}号证明") for n in range(12)]
    many[5] = replace(many[5], bases=(long,))
    (tmp_path / "list.docx").write_bytes(
        export(replace(DEMO["qinghai"], matters=tuple(many)), QINGHAI, "docx")
    )
    command = [require("soffice"), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    command += ["--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "list.docx")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with pypdfium2.PdfDocument(tmp_path / "list.pdf") as pdf:
        pages = ["".join(page.get_textpage().get_text_range().split()) for page in pdf]
    assert len(pages) > 3
    assert pages[0].startswith("附件3" + TITLE)
    assert all("序号证明名称" in page and "证明索要单位" in page for page in pages)
    assert sum(page.count("癸") for page in pages) == 150
    assert all(f"第{n}号证明" in "".join(pages) for n in range(12))


def test_a_list_of_nobody_fills_no_title() -> None:
    with pytest.raises(InputError, match="holder"):
        export(replace(DEMO["qinghai"], holder=""), QINGHAI, "docx")


def test_what_no_form_holds_is_not_written() -> None:
    endless = Basis(BasisKind.LAW, "《甲法》", "第一条", text="文" * 20_001)
    matter = replace(DEMO["qinghai"].matters[0], bases=(endless,))
    with pytest.raises(InputError, match=r"第1项“法律法规依据.*超过20000个字符"):
        export(replace(DEMO["qinghai"], matters=(matter,)), QINGHAI, "xlsx")


def test_a_document_too_large_to_be_read_again_is_not_written() -> None:
    matter = replace(DEMO["qinghai"].matters[0], handled="甲" * 9_000)
    big = replace(DEMO["qinghai"], matters=(matter,) * 200)
    assert len(read("list.xlsx", export(big, QINGHAI, "xlsx"), QINGHAI).rows) == 200
    with pytest.raises(InputError, match=r"请导出为 \.xlsx"):
        export(big, QINGHAI, "docx")


def test_a_form_with_unknown_fields_is_the_packs_fault() -> None:
    strange = replace(QINGHAI, columns=(*QINGHAI.columns, ("电话", "phone")))
    with pytest.raises(PolicyError, match="phone"):
        export(DEMO["qinghai"], strange, "xlsx")
    twice = replace(QINGHAI, columns=(*QINGHAI.columns, ("名称", "name")))
    with pytest.raises(PolicyError, match="不能重复"):
        export(DEMO["qinghai"], twice, "xlsx")
