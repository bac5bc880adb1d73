"""A request file gives the same rows whatever program wrote it, or is refused whole with the reason."""

from __future__ import annotations

import io
import random
import re
import time
import tracemalloc
import unicodedata
import zipfile
from datetime import date, datetime
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from sheets import HEADER, PLAIN, VALUES, as_csv, as_jsonl, as_xlsx, date_cell, with_part

from signsvc.errors import InputError
from signsvc.requests import workbook
from signsvc.requests.columns import HEADERS
from signsvc.requests.table import Table, read

SLOTS = ("情况说明",)
FILES = {
    "UTF-8": ("a.csv", as_csv([HEADER, VALUES])),
    "UTF-8 with BOM": ("a.CSV", as_csv([HEADER, VALUES], encoding="utf-8-sig")),
    "GB18030": ("a.csv", as_csv([HEADER, VALUES], encoding="gb18030")),
    "semicolons": ("a.csv", as_csv([HEADER, VALUES], delimiter=";")),
    "tabs": ("a.csv", as_csv([HEADER, VALUES], delimiter="\t")),
    "xlsx": ("a.xlsx", as_xlsx([HEADER, VALUES])),
    "jsonl": ("a.jsonl", as_jsonl([PLAIN])),
    "jsonl in Chinese": ("a.jsonl", as_jsonl([dict(zip(HEADER, VALUES, strict=True))])),
    "English headers": ("a.csv", as_csv([list(PLAIN), VALUES])),
    "any order": ("a.csv", as_csv([HEADER[::-1], VALUES[::-1]])),
}


def refusal(name: str, data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(name, data, SLOTS)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_gives_the_same_row(kind: str) -> None:
    table = read(*FILES[kind], SLOTS)
    assert [dict(row.cells) for row in table] == [PLAIN]
    assert len(table) == 1
    assert table.unknown_columns == ()
    assert table.warnings == ()


@pytest.mark.parametrize(
    ("key", "header"), [(key, name) for key, names in HEADERS.items() for name in (key, *names)]
)
def test_every_header_is_known_however_it_is_dressed(key: str, header: str) -> None:
    for dressed in (header, f" {header.upper()}＊", f"{header}（必填）", "\n".join(header)):
        columns = dict.fromkeys(("request_id", key), "")
        head = [dressed if column == key else "申请编号" for column in columns]
        assert read("a.csv", as_csv([head, ["x"] * len(head)]), ()).columns == tuple(columns)


def test_slots_are_columns_of_their_own_name_and_others_are_reported() -> None:
    table = read(
        "a.csv", as_csv([["申请编号", "备注", "情况说明", "\u202e电话"], ["1", "x", "经常居住", "y"]]), SLOTS
    )
    assert [dict(row.cells) for row in table] == [{"request_id": "1", "情况说明": "经常居住"}]
    assert table.unknown_columns == ("备注", "电话")


def test_rows_keep_the_line_where_they_stand_and_blank_ones_are_passed_over() -> None:
    lines = [["和平街道 申请表"], [], HEADER, VALUES, ["", " "], ["2", "两行\n说明"], VALUES]
    assert [row.line for row in read("a.csv", as_csv(lines), ())] == [4, 6, 8]
    assert [row.line for row in read("a.xlsx", as_xlsx(lines), ())] == [4, 6, 7]
    assert [row.line for row in read("a.jsonl", as_jsonl([PLAIN]) + b"\n\n" + as_jsonl([PLAIN]), ())] == [
        1,
        3,
    ]


def test_a_spreadsheet_keeps_its_numbers_and_days_apart_from_text() -> None:
    typed = [20260121, 1.1010519491231e16, 46000.5, date_cell(2027, 5, 20), date(2027, 5, 21), True]
    head = ["申请编号", "身份证号", "关系", "有效期至", "出具日期", "监护人同意"]
    (row,) = read("a.xlsx", as_xlsx([head, typed]), ())
    assert list(row.cells.values()) == [
        20260121,
        1.1010519491231e16,
        46000.5,
        date_cell(2027, 5, 20),
        date_cell(2027, 5, 21),
        True,
    ]
    assert row.request_id == "20260121"


def test_the_first_visible_sheet_is_read_and_others_are_mentioned() -> None:
    def arrange(book: Workbook) -> None:
        book.create_sheet("隐藏", 0).append(["申请编号"])
        book.worksheets[0].sheet_state = "hidden"
        book.active = 1
        book.create_sheet("其他").append(["申请编号"])

    table = read("a.xlsx", as_xlsx([HEADER, VALUES], arrange), ())
    assert [dict(row.cells) for row in table] == [PLAIN]
    assert "工作表" in table.warnings[0]


def test_a_table_can_be_walked_twice() -> None:
    table = read("a.csv", as_csv([HEADER, VALUES, VALUES]), ())
    assert list(table) == list(table)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"", "空"),
        ("a.csv", b" \r\n", "空"),
        ("a.csv", as_csv([HEADER]), "没有数据行"),
        ("a.csv", as_csv([["姓名"], ["张三"]]), "申请编号"),
        ("a.csv", as_csv([[*HEADER, "姓名"], [*VALUES, "x"]]), "姓名"),
        ("a.csv", as_csv([["身份证号", "证件号码", "申请编号"], ["1", "2", "3"]]), "两次"),
        ("a.csv", as_csv([HEADER, [*VALUES, "多出"]]), "第2行第12列"),
        ("a.csv", as_csv([["申请编号", "", "姓名"], ["1", "x", "y"]]), "第2行第2列"),
        ("a.csv", '申请编号,姓名\n1,"张三\n2,李四\n'.encode(), "引号"),
        ("a.csv", ("申请编号\n" + "x" * 200_000).encode(), "过长"),
        ("a.csv", as_csv([HEADER, VALUES], encoding="utf-16"), "UTF-16"),
        ("a.csv", as_csv([HEADER, VALUES])[:-4] + b"\xff\r\n", "损坏"),
        ("a.csv", as_csv([HEADER, VALUES]).replace("扎".encode(), "扎".encode()[:2]), "损坏"),
        ("a.csv", b"request_id\n\xff\xff\xff\xff", "编码"),
        ("a.csv", b"request_id\n\0", "不是文本"),
        ("a.csv", as_xlsx([HEADER, VALUES]), ".xlsx"),
        ("a.csv", b"request_id\n1\n" + b"\n" * (64 * 1024**2), "MB"),
        ("a.csv", as_csv([["申请编号", *map(str, range(200))], ["1"]]), "列数"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "密码"),
        ("a.xlsx", b"request_id\n1\n", "完好"),
        ("a.xlsx", as_xlsx([HEADER, VALUES])[:-300], "完好"),
        ("a.xls", b"\xd0\xcf\x11\xe0", ".xlsx"),
        ("a.txt", b"request_id\n1\n", ".csv"),
        ("csv", b"request_id\n1\n", ".csv"),
        ("a.jsonl", b'{"request_id": "1"}\n{"request_id": ', "第2行"),
        ("a.jsonl", b'[{"request_id": "1"}]', "第1行"),
        ("a.jsonl", b'{"request_id": {"a": 1}}', "嵌套"),
        ("a.jsonl", b'{"request_id": "1", "request_id": "2"}', "重复"),
        ("a.jsonl", b'{"request_id": NaN}', "第1行"),
        ("a.jsonl", b'{"request_id": ' + b"[" * 100_000, "第1行"),
        ("a.jsonl", as_jsonl([{"request_id": "1", "姓名": "张三", "name": "张三"}]), "姓名"),
    ],
)
def test_an_unusable_file_is_refused_with_its_reason(name: str, data: bytes, reason: str) -> None:
    assert reason in refusal(name, data)


def test_a_broken_file_is_refused_before_its_first_row_is_used() -> None:
    good = as_csv(chain([["申请编号", "姓名"]], repeat(["1", "张三"], 1_000)))
    refusal("a.csv", good + b'2,"')


SHEET, BOOK, STYLES = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("part", [SHEET, BOOK, STYLES, "[Content_Types].xml"])
def test_a_workbook_with_entities_is_refused(part: str) -> None:
    data = with_part(as_xlsx([HEADER, VALUES]), part, lambda xml: ENTITIES + xml.split(b"?>", 1)[-1])
    assert "完好" in refusal("a.xlsx", data)


@pytest.mark.parametrize("part", [SHEET, BOOK, STYLES, "[Content_Types].xml", "xl/_rels/workbook.xml.rels"])
def test_a_workbook_with_a_broken_part_is_refused(part: str) -> None:
    assert "完好" in refusal(
        "a.xlsx", with_part(as_xlsx([HEADER, VALUES]), part, lambda xml: xml[: len(xml) // 2])
    )


def test_a_zip_bomb_is_refused_unopened() -> None:
    bomb = with_part(as_xlsx([HEADER, VALUES]), STYLES, lambda xml: xml + b" " * 50_000_000)
    tracemalloc.start()
    assert "压缩比" in refusal("a.xlsx", bomb)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_row_number_out_of_this_world_costs_no_time() -> None:
    far = with_part(
        as_xlsx([HEADER, VALUES]), SHEET, lambda xml: xml.replace(b'<row r="2"', b'<row r="999999999"')
    )
    assert "没有数据行" in refusal("a.xlsx", far)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 5_000), byte=st.integers(1, 255))
def test_a_workbook_with_any_changed_byte_is_read_or_refused(place: int, byte: int) -> None:
    data = bytearray(FILES["xlsx"][1])
    data[place % len(data)] ^= byte
    try:
        read("a.xlsx", bytes(data), SLOTS)
    except InputError:
        return


@given(
    data=st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: ("申请编号,姓名\n" + text).encode(errors="replace"))
)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.xlsx"])
def test_any_bytes_are_a_table_or_refused(name: str, data: bytes) -> None:
    try:
        table = read(name, data, SLOTS)
    except InputError:
        return
    assert isinstance(table, Table)
    shown = "".join(row.request_id for row in table)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co"}


def test_rows_cost_little_memory() -> None:
    text = (
        ",".join(HEADER)
        + "\n"
        + "".join(f"{number:06d},{','.join(VALUES[1:])}\n" for number in range(30_000))
    )
    tracemalloc.start()
    table = read(str(Path("folder.d") / "a.csv"), text.encode(), SLOTS)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table) == 30_000
    assert kept < 12_000_000


RELATIONS = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def with_strings(workbook: bytes, strings: str, name: str = "xl/sharedStrings.xml") -> bytes:
    """A workbook without shared strings, with these."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'.encode()
    stream = io.BytesIO(
        with_part(workbook, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", named))
    )
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(name, f'<sst xmlns="{MAIN}">{strings}</sst>')
    return stream.getvalue()


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/theme/other.xml"])
def test_a_workbook_with_more_text_than_can_be_held_is_refused_unread(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the workbook takes for its strings, whatever that part is called."""
    data = with_strings(FILES["xlsx"][1], f"<si><t>{'x' * 200}</t></si>", name)
    assert len(read("rows.xlsx", data, ())) == 1
    monkeypatch.setattr("signsvc.requests.workbook.STRINGS_LIMIT", 100)
    with pytest.raises(InputError, match="文字过多"):
        read("rows.xlsx", data, ())


PART_OF_ROWS = b"</sheetData>"


def with_rows(xml: str) -> bytes:
    """An ordinary sheet with `xml` behind its rows."""
    return with_part(
        FILES["xlsx"][1], SHEET, lambda sheet: sheet.replace(PART_OF_ROWS, xml.encode() + PART_OF_ROWS)
    )


def noise(count: int) -> str:
    """Letters that hardly shrink."""
    return random.Random(count).randbytes(count // 2).hex()


def test_a_row_as_wide_as_a_sheet_can_be_is_read() -> None:
    cells = "".join(f'<c r="{get_column_letter(number + 1)}9" s="0"/>' for number in range(1, 16_384))
    row = f'<row r="9"><c r="A9" t="inlineStr"><is><t>9</t></is></c>{cells}</row>'
    assert [raw.line for raw in read("a.xlsx", with_rows(row), ())] == [2, 9]


EXCEL_SHEET = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="%(main)s" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac"
 xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac"><dimension ref="A1:B%(rows)d"/><sheetViews>
<sheetView workbookViewId="0"/></sheetViews><sheetFormatPr defaultRowHeight="14" x14ac:dyDescent="0.3"/><cols>
<col min="1" max="2" width="20" customWidth="1"/></cols><sheetData>%(data)s</sheetData><mergeCells count="%(rows)d">
%(merged)s</mergeCells><hyperlinks>%(links)s</hyperlinks><extLst><ext uri="{0}"/></extLst></worksheet>"""


def test_a_large_sheet_with_all_that_excel_writes_around_its_rows_is_read() -> None:
    rows = range(1, 8_001)
    row = (
        '<row r="%d" spans="1:2" ht="20.25" customHeight="1" x14ac:dyDescent="0.3">'
        '<c r="A%d" s="0" t="s"><v>%d</v></c><c r="B%d"/></row>'
    )
    link = f'<hyperlink ref="A%d" {RELATIONS} r:id="rId%d" display="{"x" * 200}"/>'
    sheet = EXCEL_SHEET % {
        "main": MAIN,
        "rows": len(rows),
        "data": "".join(row % (number, number, number - 1, number) for number in rows),
        "merged": "".join(f'<mergeCell ref="A{number}:B{number}"/>' for number in rows),
        "links": "".join(link % (number, number) for number in rows),
    }
    strings = "<si><t>申请编号</t></si>" + "".join(f"<si><t>{number}</t></si>" for number in rows)
    data = with_strings(with_part(FILES["xlsx"][1], SHEET, lambda _: sheet.encode()), strings)
    assert [row.request_id for row in read("a.xlsx", data, ())] == [str(number) for number in rows[:-1]]


HEAVY = {
    "one cell over and over": "<row>" + '<c r="A9"><v>1</v></c>' * 40_000 + "</row>",
    "blank cells": "<row>" + "<c/>" * 160_000 + "</row>",
    "one text": f'<row><c t="str"><v>{noise(9_000_000)}</v></c></row>',
    "nothing known": "<x/>" * 160_000,
    "elements in each other": "<row>" + "<x>" * 90_000 + "</x>" * 90_000 + "</row>",
    "rows where none belong": "<x>" + "<row/>" * 160_000 + "</x>",
    "rows in a row": "<row>" + "<row/>" * 160_000 + "</row>",
    "a sheet in a sheet": "<sheetData>" + "<row/>" * 160_000 + "</sheetData>",
}


@pytest.mark.parametrize("kind", HEAVY)
def test_a_sheet_that_memory_might_not_hold_is_refused_without_holding_it(kind: str) -> None:
    data = with_rows(HEAVY[kind])
    tracemalloc.start()
    assert "过于庞大" in refusal("a.xlsx", data)
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("row", ["<x%d/>", '<c x%d=""/>', '<c xmlns:x%d="urn:x"/>', '<c xmlns="urn:%d"/>'])
def test_a_sheet_of_ever_new_names_is_refused(row: str) -> None:
    data = with_rows("".join(f"<row>{row % number}</row>" for number in range(2_000)))
    assert "结构异常" in refusal("a.xlsx", data)


def test_of_many_rows_only_what_is_wanted_is_held() -> None:
    blank = '<row ht="20" customHeight="1"><c s="0"/><c s="0"/><c s="0"/><c s="0"/></row>'
    data = with_rows("".join(f"{blank}<!-- {number} -->" for number in range(20_000)))
    tracemalloc.start()
    assert len(read("a.xlsx", data, ())) == 1
    assert tracemalloc.get_traced_memory()[1] < 6_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("part", [STYLES, BOOK, "xl/_rels/workbook.xml.rels"])
def test_parts_that_are_read_whole_have_a_limit_together(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = with_part(
        FILES["xlsx"][1], part, lambda xml: xml.replace(b"?>", b"?><!-- " + noise(200_000).encode() + b" -->", 1)
        if xml.startswith(b"<?xml")
        else b"<!-- " + noise(200_000).encode() + b" -->" + xml,
    )  # fmt: skip
    assert len(read("a.xlsx", data, ())) == 1
    monkeypatch.setattr("signsvc.requests.parts.WHOLE_LIMIT", 200_000)
    assert "样式、名称" in refusal("a.xlsx", data)


def test_a_styles_part_of_eight_megabytes_is_refused_before_it_is_parsed() -> None:
    fonts = "".join(f'<font><name val="{noise(60)}{number}"/></font>' for number in range(90_000)).encode()
    data = with_part(
        FILES["xlsx"][1], STYLES, lambda xml: xml.replace(b"</fonts>", fonts + noise(2_000_000).encode() + b"</fonts>")
    )  # fmt: skip
    began = time.process_time()
    assert "样式、名称" in refusal("a.xlsx", data)
    assert time.process_time() - began < 1


def test_a_directory_of_parts_beyond_all_measure_is_refused() -> None:
    names = "".join(
        f'<Override PartName="/{noise(60)}{number}" ContentType="x/y"/>' for number in range(12_000)
    )
    data = with_part(
        FILES["xlsx"][1],
        "[Content_Types].xml",
        lambda xml: xml.replace(b"</Types>", names.encode() + b"</Types>"),
    )
    assert "目录过大" in refusal("a.xlsx", data)


def test_a_sheet_that_is_named_many_times_is_read_once() -> None:
    data = with_rows("<row/>" * 20_000)
    data = with_part(data, SHEET, lambda xml: re.sub(rb"<dimension [^>]*>", b"", xml))
    again = "".join(f'<sheet name="{number}" sheetId="{number + 2}" r:id="rId1"/>' for number in range(500))
    data = with_part(data, BOOK, lambda xml: re.sub(rb"(<sheet [^>]*/>)", rb"\1" + again.encode(), xml))
    data = with_part(
        data, BOOK, lambda xml: xml.replace(b"<workbook ", f"<workbook {RELATIONS} ".encode(), 1)
    )
    began = time.process_time()
    assert len(read("a.xlsx", data, ())) == 1
    assert time.process_time() - began < 2


@pytest.mark.parametrize("number", ["1", "2", "0", "-1"])
def test_rows_that_stand_twice_or_backwards_are_refused(number: str) -> None:
    row = f'<row r="{number}"><c t="inlineStr"><is><t>x</t></is></c></row>'
    assert "完好" in refusal("a.xlsx", with_rows(row))


def test_a_text_with_formats_is_read_without_its_pronunciation() -> None:
    runs = "<r><t>扎西</t></r><r><rPr><b/></rPr><t>·多杰</t></r>"
    data = with_rows('<row r="9"><c r="A9" t="s"><v>1</v></c><c r="B9" t="s"><v>0</v></c></row>')
    data = with_strings(data, f"<si><t>9</t></si><si>{runs}<rPh sb='0' eb='2'><t>zhaxi</t></rPh></si>")
    _, row = read("a.xlsx", data, ())
    assert list(row.cells.values()) == ["扎西·多杰", "9"]


def test_strings_that_memory_might_not_hold_are_refused_without_holding_them() -> None:
    data = with_strings(FILES["xlsx"][1], "<x/>" * 160_000)
    tracemalloc.start()
    assert "过于庞大" in refusal("a.xlsx", data)
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()


CELLS = (
    st.none()
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=9)
    | st.integers(-(10**12), 10**12)
    | st.floats(-1e9, 1e9)
    | st.booleans()
    | st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=6), max_size=6))
def test_a_workbook_is_read_as_openpyxl_reads_it(rows: list[list[object]]) -> None:
    data = as_xlsx([HEADER, *rows])
    book = load_workbook(io.BytesIO(data), data_only=True)
    given = [tuple(cell for cell in row if cell is not None) for row in book.worksheets[0].values]
    lines, _ = workbook.lines(data)
    assert [tuple(cell for cell in row if cell is not None) for _, row in lines] == [
        row for row in given if row
    ]
