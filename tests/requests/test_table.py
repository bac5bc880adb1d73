"""A request file gives the same rows whatever program wrote it, or is refused whole with the reason."""

from __future__ import annotations

import io
import tracemalloc
import unicodedata
import zipfile
from datetime import date
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from sheets import HEADER, PLAIN, VALUES, as_csv, as_jsonl, as_xlsx, date_cell, with_part

from signsvc.errors import InputError
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


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/theme/other.xml"])
def test_a_workbook_with_more_text_than_can_be_held_is_refused_unread(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the workbook takes for its strings, whatever that part is called."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(as_xlsx([HEADER, VALUES]))) as book,
        zipfile.ZipFile(made, "w") as changed,
    ):
        for part in book.namelist():
            data = book.read(part)
            if part == "[Content_Types].xml":
                named = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'
                data = data.replace(b"</Types>", named.encode())
            changed.writestr(part, data)
        changed.writestr(name, f'<sst xmlns="{MAIN}"><si><t>{"x" * 200}</t></si></sst>')
    assert len(read("rows.xlsx", made.getvalue(), ())) == 1
    monkeypatch.setattr("signsvc.requests.workbook.STRINGS_LIMIT", 100)
    with pytest.raises(InputError, match="文字过多"):
        read("rows.xlsx", made.getvalue(), ())
