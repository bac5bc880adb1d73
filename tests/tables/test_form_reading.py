"""Files as offices send them are read; what is unclear, too large or hostile is refused with its place."""

from __future__ import annotations

import io
import zipfile

import pytest
from docx.document import Document as DocumentObject
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from forms import EXAMPLE, HEADINGS, PLAIN, QINGHAI, TITLE, as_docx, as_xlsx, form_of, read_docx, read_xlsx
from openpyxl import Workbook

from signsvc.errors import InputError
from signsvc.tables import Table, read

SECOND = ("2", "入户证明", "迁移", "《乙条例》第二条", "迁移", "派出所")
TYPED = (
    "序 号",
    "证明\n名称",
    "涉及办理\n事项名称",
    "法律法规依据 (需明确到具体条款内容)",
    "证明用途",
    "证明索要单位 ",
)


def names(table: Table) -> list[str]:
    return [row.cells["name"] for row in table.rows]


def with_part(office: bytes, name: str, data: bytes) -> bytes:
    stream = io.BytesIO(office)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize("headings", [HEADINGS, TYPED, tuple(reversed(HEADINGS))])
def test_headings_are_known_however_they_are_typed(headings: tuple[str, ...]) -> None:
    row = tuple(reversed(PLAIN)) if headings[0] == HEADINGS[-1] else PLAIN
    for table in (read_xlsx([["附件3"], [TITLE], headings, row]), read_docx(TITLE, [headings, row])):
        assert dict(table.rows[0].cells) == {
            "name": "居住证明",
            "handled": "入学登记",
            "bases": "《甲法》第一条",
            "purposes": "入学",
            "addressee": "学校",
        }
        assert (table.holder, table.notes) == ("示范市", ())


def test_the_example_row_is_passed_over_and_told() -> None:
    table = read_xlsx([[TITLE], HEADINGS, EXAMPLE, PLAIN])
    assert names(table) == ["居住证明"]
    assert table.notes == ("第3行是表式的示例，未读取",)


def test_a_title_may_be_broken_over_lines_or_stand_in_the_table() -> None:
    assert (
        read_docx("附件 3\n\n示范市拟保留基层群众性\n自治组织出具证明事项清单", [HEADINGS, PLAIN]).holder
        == "示范市"
    )
    assert read_docx("", [[TITLE] + [""] * 5, HEADINGS, PLAIN]).holder == "示范市"
    assert read_xlsx([["附件3\n" + TITLE], HEADINGS, PLAIN]).holder == "示范市"


def test_a_blank_or_missing_title_is_told() -> None:
    blank = read_docx("_____市（州）或_____部门拟保留基层群众性\n自治组织出具证明事项清单", [HEADINGS, PLAIN])
    assert (blank.holder, blank.notes) == ("", ("标题中的市（州）或部门没有填写",))
    missing = read_xlsx([HEADINGS, PLAIN])
    assert missing.holder == ""
    assert "没有找到标题" in missing.notes[0]


def test_several_tables_and_repeated_headings_are_one_list() -> None:
    for table in (
        read_docx(TITLE, [HEADINGS, PLAIN], [HEADINGS, SECOND]),
        read_docx(TITLE, [HEADINGS, PLAIN], [SECOND]),
        read_xlsx([[TITLE], HEADINGS, PLAIN, [], HEADINGS, SECOND]),
    ):
        assert names(table) == ["居住证明", "入户证明"]


def test_of_a_whole_document_only_its_own_annex_is_read() -> None:
    banned = [("序号", "证明名称", "办事途径"), ("1", "亲属关系证明", "公安")]
    table = read_docx(TITLE, banned, [HEADINGS, PLAIN], banned)
    assert names(table) == ["居住证明"]
    assert table.notes == ("第3个表格第1行起是另一张表，未读取",)


def test_lines_of_a_blank_form_are_no_rows() -> None:
    lines = [[TITLE], HEADINGS, PLAIN, ("2",), ("……",), ("填报人：某",)]
    table = read_xlsx(lines)
    assert names(table) == ["居住证明"]
    assert table.notes == ("第6行只有“填报人：某”，未作为事项读取",)
    with pytest.raises(InputError, match="没有证明事项"):
        read_xlsx([[TITLE], HEADINGS, ("1",), ("2",)])


@pytest.mark.parametrize(
    ("headings", "says"),
    [
        (HEADINGS[:5], "第2行的表头与附件3不一致：缺少“证明索要单位”；应为 序号、证明名称"),
        ((*HEADINGS, "备注"), "多出“备注”"),
        ((*HEADINGS, "证明名称"), "重复“证明名称”"),
        ((*HEADINGS[:5], "索要单位"), "缺少“证明索要单位”，多出“索要单位”"),
        (("甲", "乙", "丙"), "找不到表头：附件3的列应为"),
    ],
)
def test_other_columns_are_refused_by_name(headings: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_xlsx([[TITLE], headings, PLAIN])
    with pytest.raises(InputError, match=says.replace("第2行", "第1个表格第1行")):
        read_docx(TITLE, [headings])


def test_the_other_provinces_form_is_another_form() -> None:
    with pytest.raises(InputError, match="缺少“要求出具证明的法律法规依据”“索要单位”"):
        read("list.xlsx", as_xlsx([HEADINGS, PLAIN]), form_of("guangdong"))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("1", "", "办理", "", "", ""), "第3行没有证明名称"),
        ((*PLAIN, "多余"), "第3行有内容不在任何一列之下"),
        (("1", "居住\u200b证明", "", "", "", ""), r"第3行“证明名称”：第3个字符（U\+200B）"),
        (("1", "居住_x0000_证明", "", "", "", ""), r"第3行“证明名称”：第3个字符（U\+0000）"),
        (("1", "居住证明", "办" * 20_001, "", "", ""), "第3行“涉及办理事项名称”：超过20000个字符"),
    ],
)
def test_a_row_that_is_no_matters_is_refused_with_its_place(row: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_xlsx([[TITLE], HEADINGS, row])


def test_numbers_and_breaks_of_other_programs_are_texts() -> None:
    (row,) = read_xlsx([HEADINGS, (1, "居住_x000D_\n证明", 12, "甲\r\n乙", "_x005F_x0041_", "丙\t丁")]).rows
    assert list(row.cells.values()) == ["居住\n证明", "12", "甲\n乙", "_x0041_", "丙 丁"]


def test_a_foreign_formula_gives_only_what_it_showed() -> None:
    def computed(book: Workbook) -> None:
        book.worksheets[0]["E3"] = '=HYPERLINK("http://example.org")'

    (row,) = read_xlsx([[TITLE], HEADINGS, PLAIN], computed).rows
    assert row.cells["purposes"] == ""


def test_other_sheets_are_told() -> None:
    assert read_xlsx([HEADINGS, PLAIN], lambda book: book.create_sheet()).notes[0].startswith("只读取第一个")


def test_too_many_rows_are_refused() -> None:
    many = [(str(n), f"第{n}号证明", "", "", "", "") for n in range(5_001)]
    assert len(read_xlsx([HEADINGS, *many[:5_000]]).rows) == 5_000
    with pytest.raises(InputError, match="超过5000项"):
        read_xlsx([HEADINGS, *many])


def _merge_down(document: DocumentObject) -> None:
    table = document.tables[0]
    table.cell(1, 1).merge(table.cell(2, 1))


def _merge_across(document: DocumentObject) -> None:
    table = document.tables[0]
    table.cell(2, 1).merge(table.cell(2, 2))


def _nest(document: DocumentObject) -> None:
    document.tables[0].cell(1, 3).add_table(1, 1)


def _track(document: DocumentObject) -> None:
    document.tables[0].cell(1, 3).paragraphs[0]._p.append(
        parse_xml(f'<w:ins {nsdecls("w")} w:id="1" w:author="a"><w:r><w:t>甲</w:t></w:r></w:ins>')
    )


def _hide(document: DocumentObject) -> None:
    document.tables[0].cell(1, 3).paragraphs[0].runs[0].font.hidden = True


@pytest.mark.parametrize(
    ("arrange", "says"),
    [
        (_merge_down, "第1个表格第3行没有证明名称"),
        (_merge_across, "第1个表格第3行"),
        (_nest, "第1个表格第2行的单元格里还有表格"),
        (_track, "修订痕迹"),
        (_hide, "隐藏文字"),
    ],
)
def test_a_document_that_could_be_read_in_two_ways_is_refused(arrange: object, says: str) -> None:
    assert callable(arrange)
    rows = [HEADINGS, PLAIN, ("2", "", "", "", "", "") if arrange is _merge_down else SECOND]
    if arrange is _merge_down:
        rows[2] = ("2", "", "迁移", "", "", "")
    with pytest.raises(InputError, match=says):
        read("list.docx", as_docx(TITLE, rows, arrange=arrange), QINGHAI)


def test_content_controls_breaks_and_tabs_are_text() -> None:
    def wrap(document: DocumentObject) -> None:
        paragraph = document.tables[0].cell(1, 1).paragraphs[0]
        paragraph.add_run().add_break()
        paragraph.add_run("甲\t乙")
        control = parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtContent/></w:sdt>")
        paragraph._p.addprevious(control)
        control[0].append(paragraph._p)

    table = read("list.docx", as_docx(TITLE, [HEADINGS, PLAIN], arrange=wrap), QINGHAI)
    assert names(table) == ["居住证明\n甲 乙"]


GOOD = {"xlsx": as_xlsx([HEADINGS, PLAIN]), "docx": as_docx(TITLE, [HEADINGS, PLAIN])}
ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>'


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: b"PK\x03\x04",
        lambda data: data[: len(data) // 2],
        lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        lambda data: data + bytes(10 * 2**20),
        lambda data: with_part(data, "a.xml", bytes(30 * 2**20)),
        lambda data: with_part(data, "a.xml", ENTITY),
    ],
    ids=["empty", "stub", "cut", "encrypted", "large", "bomb", "entity"],
)
def test_hostile_files_are_refused(kind: str, spoil: object) -> None:
    assert callable(spoil)
    assert read(f"list.{kind}", GOOD[kind], QINGHAI).rows
    with pytest.raises(InputError):
        read(f"list.{kind}", spoil(GOOD[kind]), QINGHAI)


def test_the_kind_of_a_file_is_its_suffix() -> None:
    assert read("LIST.XLSX", GOOD["xlsx"], QINGHAI).rows
    for name in ("list.docx", "list.xls", "list"):
        with pytest.raises(InputError):
            read(name, GOOD["xlsx"], QINGHAI)
