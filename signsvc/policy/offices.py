"""Offices (出具组织) from their data file, and which one a row means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from signsvc.errors import Fault, RowRefused
from signsvc.models import Office, OfficeId, OfficeKind
from signsvc.policy.screen.names import plain
from signsvc.policy.toml.strict import Section, read

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER_PART = re.compile(r"\{year\}|\{serial(?::0[1-9]d)?\}|[\w〔〕-]")
_ENDINGS = {OfficeKind.COMMUNITY: "居民委员会", OfficeKind.VILLAGE: "村民委员会"}
_SOME = 20  # ids that a message tells


class Offices(Mapping[OfficeId, Office]):
    """Offices by id, in the order of their file, and looked up by what is typed in a row. Not to be changed."""

    def __init__(self, offices: Iterable[Office]) -> None:
        self._by_id = {office.id: office for office in offices}
        self._by_name = {plain(office.name): office for office in self._by_id.values()}

    def __getitem__(self, office: OfficeId) -> Office:
        return self._by_id[office]

    def __iter__(self) -> Iterator[OfficeId]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def look_up(self, typed: str) -> Office | None:
        """The office with this id, or with this full name, whatever its width, brackets and spaces."""
        return self._by_id.get(OfficeId(typed.strip())) or self._by_name.get(plain(typed))


def load_offices(text: str, origin: str) -> Offices:
    """Offices from the text of a TOML file; `origin` names the file in messages. Raises PolicyError."""
    root = read(text, origin)
    offices: list[Office] = []
    taken: set[str] = set()
    for section in root.sections("offices"):
        office = _office(section)
        names = {office.id, plain(office.name)}
        if names & taken:
            section.fail("id", "与前面的组织重复")
        taken |= names
        offices.append(office)
    root.finish()
    return Offices(offices)


def find_office(offices: Mapping[OfficeId, Office], given: str | None, only: str | None) -> Office:
    """The office of a row: `given` by id or full name in the row, or `only`, the one chosen for the whole file.

    Left out, it is the only office there is. Raises RowRefused: `unknown_office`, `request_invalid:missing_field`.
    """
    known = offices if isinstance(offices, Offices) else Offices(offices.values())
    wanted = given or only
    if wanted is None:
        if len(known) == 1:
            return next(iter(known.values()))
        raise _refused(
            "request_invalid:missing_field", "未写出具组织：请填组织编号或全称，或用 --office 指定"
        )
    office = known.look_up(wanted)
    if office is None:
        some = "、".join(islice(known, _SOME)) + ("等" if len(known) > _SOME else "")
        raise _refused("unknown_office", f"没有这个出具组织：请填组织编号（{some}）或组织全称")
    if only is not None and office != known.look_up(only):
        raise _refused("unknown_office", "行内的出具组织与为整个文件指定的组织不同：请改正其中之一")
    return office


def _refused(code: str, message: str) -> RowRefused:
    return RowRefused((Fault(code, message, "office"),))


def _office(section: Section) -> Office:
    office = Office(
        id=OfficeId(section.text("id")),
        name=section.text("name"),
        jurisdiction=section.text("jurisdiction"),
        county=section.text("county"),
        town=section.text("town"),
        community=section.text("community"),
        kind=section.choice("kind", OfficeKind),
        phone=section.text("phone"),
        demo=section.flag("demo"),
        title_prefix=section.text("title_prefix", ""),
        number_format=section.text("number_format", Office.number_format),
        seal_serial=section.text("seal_serial", ""),
        seal_image=section.text("seal_image", ""),
    )
    section.finish()
    _check(section, office)
    return office


def _check(section: Section, office: Office) -> None:
    if not _ID.fullmatch(office.id):
        section.fail("id", "只能用小写字母、数字和中间的连字符")
    if not office.name.endswith(_ENDINGS[office.kind]):
        section.fail("name", f"这类组织的全称应以{_ENDINGS[office.kind]}结尾")
    parts = _NUMBER_PART.findall(office.number_format)
    fields = [part.partition(":")[0].strip("{}") for part in parts if part.startswith("{")]
    if "".join(parts) != office.number_format or sorted(fields) != ["serial", "year"]:
        section.fail(
            "number_format", "应含 {year} 和 {serial}（可写 {serial:06d}）各一次，其余为文字、数字或 -〔〕"
        )
