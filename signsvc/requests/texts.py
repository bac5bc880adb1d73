"""The lines of request files that are text: encodings, `.csv` and `.jsonl`.

Causes are cut off the errors here: they may quote cells.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from signsvc.errors import InputError
from signsvc.identity.characters import REPLACEMENT
from signsvc.requests.columns import Cell, Line

ROWS_LIMIT: Final = 200_000
LINE_LIMIT: Final = 1024**2  # characters of one physical line
ZIP: Final = b"PK\x03\x04"
OLE: Final = b"\xd0\xcf\x11\xe0"
UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes) -> str:
    """UTF-8 or GB18030. Text that is UTF-8 but for some broken bytes is refused: read as GB18030 it would give
    other characters, and perhaps other names."""
    if data.startswith(UTF16):
        raise InputError("文件是 UTF-16 编码：请另存为“CSV UTF-8”或 .xlsx 再试")
    if data.startswith((ZIP, OLE)) or b"\0" in data:
        raise InputError("文件不是文本：如果是 Excel 文件，请把后缀改为 .xlsx")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    guess = data.decode("utf-8", errors="replace")
    foreign = len(guess) - len(guess.encode("ascii", errors="ignore"))
    if foreign > 2 * guess.count(REPLACEMENT):
        raise InputError("文件是 UTF-8 编码，但有损坏的字符：请从原表重新导出")
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        raise InputError("文件编码无法识别：请另存为“CSV UTF-8”或 .xlsx 再试") from None


def csv_lines(text: str, delimiter: str) -> Iterator[Line]:
    """Cells by the physical line on which they begin."""
    physical = (line for _, line in _numbered(text, newline=""))
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            yield number, list(cells)
            number = reader.line_num + 1
    except csv.Error:
        raise InputError(f"第{number}行起的引号不成对或单元格过长，请检查") from None


def json_lines(text: str) -> Iterator[Line]:
    """One object a line becomes one line of cells; the header, line 0, has every key of the file."""
    filled = ((number, line) for number, line in _numbered(text) if line.strip())
    objects = [(number, _json_object(number, line)) for number, line in islice(filled, ROWS_LIMIT + 1)]
    keys = list(dict.fromkeys(key for _, given in objects for key in given))
    yield 0, list(keys)
    for number, given in objects:
        yield number, [given.get(key) for key in keys]


def _numbered(text: str, newline: str = "\n") -> Iterator[tuple[int, str]]:
    """Physical lines, as io.StringIO parts them by `newline`."""
    for number, line in enumerate(io.StringIO(text, newline=newline), 1):
        if len(line) > LINE_LIMIT:
            raise InputError(f"第{number}行过长")
        yield number, line


def _json_object(number: int, line: str) -> dict[str, Cell | None]:
    try:
        given = json.loads(line, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise InputError(f"第{number}行不是完好的 JSON 对象，或其中有重复的键") from None
    if not isinstance(given, dict):
        raise InputError(f"第{number}行不是 JSON 对象：每行应为一个 {{…}}")
    for value in given.values():
        if isinstance(value, dict | list):
            raise InputError(f"第{number}行有嵌套的值：每个值应为文本、数值或 null")
    return given


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) != len(pairs):
        raise ValueError("a key twice")
    return given


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
