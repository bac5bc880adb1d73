"""The parts of a workbook, no more of each at a time than fits into memory.

What counts is how a part is read, not what the file calls it: openpyxl takes most parts whole, so there is a limit to
what it may take; sheets and strings are read here, and of each row nothing is kept behind its end.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sized
from typing import IO, Final
from xml.etree.ElementTree import Element, iterparse

from openpyxl.xml.constants import SHEET_MAIN_NS

from signsvc.errors import InputError

WHOLE_LIMIT: Final = (
    8 * 1024**2
)  # bytes of the parts that are taken whole, together: styles, names, relations
# Weight of one row with what stands before it: its bytes, and so many more for each tag, which is more in memory.
# Numbers in all 16,384 columns of a sheet weigh 4 MB.
ROW_LIMIT: Final = 8 * 1024**2
TAG: Final = 50
NAMES_LIMIT: Final = (
    1_000  # names of elements and attributes in one part, and namespaces; the parser keeps them all
)
SHEET_ROWS: Final = tuple(f"{{{SHEET_MAIN_NS}}}{name}" for name in ("worksheet", "sheetData", "row"))
STRINGS: Final = tuple(f"{{{SHEET_MAIN_NS}}}{name}" for name in ("sst", "si"))


class WholeParts:
    """As much of a ZipFile as openpyxl uses for the parts that it takes whole."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = WHOLE_LIMIT

    def read(self, name: str) -> bytes:
        """The part of that name; KeyError if there is none, InputError if it is one too many."""
        self._left -= self._archive.getinfo(name).file_size
        if self._left < 0:
            raise InputError("文件的样式、名称等过于庞大，请把数据复制到新建的工作簿再试")
        return self._archive.read(name)


def units(stream: IO[bytes], path: tuple[str, ...]) -> Iterator[Element]:
    """Each element of a part that stands at exactly `path`, whole until the next one is asked for. The part was
    looked at before: it declares no document type, so there are no entities.

    The XML is read to the end of what holds these elements, the zip to the end of the part. Raises InputError for
    what is too heavy, and whatever broken XML or a broken zip may cause.
    """
    weighed = _Weighed(stream)
    above: list[Element] = []
    names: set[object] = set()
    for event, item in iterparse(weighed, ("start", "end", "start-ns")):  # noqa: S314 see above
        if event == "start":
            above.append(item)
            names.add(item.tag)
            names.update(item.attrib)
        elif event == "start-ns":
            names.add(item)
        elif len(above) == len(path) and tuple(each.tag for each in above) == path:
            yield above.pop()
            above[-1].clear()
            weighed.release()
            _require_few(names)
        elif above.pop().tag == path[-2] and len(above) == len(path) - 2:
            break
    weighed.drain()


class _Weighed:
    """A stream that weighs what the parser keeps of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._weight = 0

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._weight += len(block) + TAG * block.count(b"<")
        if self._weight > ROW_LIMIT:
            raise InputError("文件中有一行过于庞大，请把数据复制到新建的工作簿再试")
        return block

    def release(self) -> None:
        """Nothing that was read so far is kept any longer, but for what the parser has read ahead: some kilobytes."""
        self._weight = 0

    def drain(self) -> None:
        """To the end of the part, where its checksum is compared."""
        while self._stream.read(2**16):
            pass


def _require_few(names: Sized) -> None:
    if len(names) > NAMES_LIMIT:
        raise InputError("文件结构异常，请把数据复制到新建的工作簿再试")
