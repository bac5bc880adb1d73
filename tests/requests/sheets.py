"""Request files of every kind, made for tests, and the plainest row that is in order."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook

from signsvc.requests.columns import title_of

TODAY = date(2026, 11, 21)

PLAIN: Mapping[str, Any] = {
    "request_id": "20261121-001",
    "office": "qh-demo",
    "matter": "诉讼当事人属于本社区（村）证明",
    "addressee": "示范市中级人民法院",
    "name": "扎西·多杰",
    "id_number": "11010519491231002X",
    "valid_until": "2027-05-20",
    "verified_by": "李四",
    "verified_how": "掌握信息",
    "verified_on": "2026-11-20",
    "approved_by": "王五",
}
HEADER = [title_of(key) for key in PLAIN]
VALUES = list(PLAIN.values())


def date_cell(year: int, month: int, day: int) -> datetime:
    """What a spreadsheet gives for a day; it knows no time zones."""
    return datetime(year, month, day)  # noqa: DTZ001


def as_csv(lines: Iterable[Sequence[Any]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(lines)
    return text.getvalue().encode(encoding)


def as_xlsx(lines: Iterable[Sequence[Any]], arrange: Callable[[Workbook], None] = lambda book: None) -> bytes:
    book = Workbook()
    for line in lines:
        book.worksheets[0].append(line)
    arrange(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def with_part(workbook: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same archive with one part of it changed."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, change(data) if part.filename == name else data)
    return stream.getvalue()
