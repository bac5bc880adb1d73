"""The catalogue (保留清单): the matters that an office may certify, read from data and worded for the office's kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Literal

from signsvc.models import Basis, BasisKind, Matter, Medium, Office, OfficeId, OfficeKind, Path, Slot
from signsvc.policy.names import PLACEHOLDER, plain
from signsvc.policy.strict import Section, read

# Beside these four a 司法解释 or 规章 may be quoted, but none of them founds a certificate alone (G16).
_FOUNDING = {BasisKind.LAW, BasisKind.REGULATION, BasisKind.LOCAL_REGULATION, BasisKind.STATE_COUNCIL}
_LONGEST_SLOT = 1000  # characters, as the request column
_NEAREST = 3
# The form prints one alternative, not the bracket (Annex 4 B3, B6, B9).
_EITHER = re.compile(r"社区[（(]村[）)]|居[（(]村[）)]民")
_WORDING = {OfficeKind.COMMUNITY: ("社区", "居民"), OfficeKind.VILLAGE: ("村", "村民")}


def worded(text: str, kind: OfficeKind) -> str:
    """The text with 社区（村） and 居（村）民 replaced by what the office is."""
    place, people = _WORDING[kind]
    return _EITHER.sub(lambda found: place if found[0].startswith("社区") else people, text)


def printed_basis(matter: Matter) -> str:
    """The 依据 as the form prints it: every reference with its article."""
    return "、".join(basis.title + basis.article for basis in matter.bases)


@dataclass(frozen=True)
class _Shelf:
    """What offices of one kind may certify: by id, name and alias, and by pairs of characters for the nearest."""

    by_name: Mapping[str, Matter]
    pairs: tuple[tuple[frozenset[str], Matter], ...]


@dataclass(frozen=True)
class Catalogue:
    """The approved matters of some offices. Matters come out worded for the office that asks."""

    offices: frozenset[OfficeId]
    matters: tuple[Matter, ...]  # as approved
    slot_names: frozenset[str]  # columns that a request file may have besides the fixed ones
    _shelves: Mapping[OfficeKind, _Shelf] = field(repr=False)

    def of(self, office: Office) -> tuple[Matter, ...]:
        """Every matter that the office may certify."""
        return tuple(matter for _, matter in self._shelves[office.kind].pairs if self._open(office, matter))

    def find(self, office: Office, given: str) -> Matter | None:
        """The office's matter with this id, name or alias; width, brackets and spaces do not count."""
        matter = self._shelves[office.kind].by_name.get(plain(given))
        return matter if matter and self._open(office, matter) else None

    def nearest(self, office: Office, given: str) -> tuple[Matter, ...]:
        """Up to three of the office's matters whose names share most with what was given, the nearest first."""
        asked = _pairs((given,))
        shared = [(len(asked & pairs), matter) for pairs, matter in self._shelves[office.kind].pairs]
        shared.sort(key=lambda hit: -hit[0])
        return tuple(matter for size, matter in shared if size and self._open(office, matter))[:_NEAREST]

    def _open(self, office: Office, matter: Matter) -> bool:
        # A demonstration matter has been checked by nobody: it must not leave the demonstration.
        return office.id in self.offices and (office.demo or not matter.demo)


def load_catalogue(text: str, origin: str) -> Catalogue:
    """A catalogue from the text of a TOML file; `origin` names the file in messages. Raises PolicyError."""
    root = read(text, origin)
    offices = frozenset(OfficeId(office) for office in root.texts("offices"))
    matters: list[Matter] = []
    taken: set[str] = set()
    for section in root.sections("matters"):
        matter = _matter(section)
        names = _keys(matter)
        if names & taken:
            section.fail("name", "编号、名称或别名与前面的事项重复")
        taken |= names
        matters.append(matter)
    root.finish()
    slot_names = frozenset(slot.name for matter in matters for slot in matter.slots)
    shelves = {kind: _shelf(matters, kind) for kind in OfficeKind}
    return Catalogue(offices, tuple(matters), slot_names, shelves)


def demo_text(name: Literal["offices", "catalogue"]) -> str:
    """The demonstration's data file (演示), as `init --demo` lays it down."""
    return (files(__package__) / "data" / "demo" / f"{name}.toml").read_text("utf-8")


def _keys(matter: Matter) -> set[str]:
    return {plain(name) for name in (matter.id, matter.name, *matter.aliases)}


def _pairs(names: Iterable[str]) -> frozenset[str]:
    words = [plain(name).removesuffix("证明") for name in names]
    return frozenset(word[at : at + 2] for word in words for at in range(len(word) - 1))


def _shelf(matters: Iterable[Matter], kind: OfficeKind) -> _Shelf:
    here = [_worded_matter(matter, kind) for matter in matters if kind in matter.office_kinds]
    by_name = {key: matter for matter in here for key in _keys(matter)}
    return _Shelf(by_name, tuple((_pairs((matter.name, *matter.aliases)), matter) for matter in here))


def _worded_matter(matter: Matter, kind: OfficeKind) -> Matter:
    purposes = tuple(worded(purpose, kind) for purpose in matter.purposes)
    return replace(matter, pattern=worded(matter.pattern, kind), purposes=purposes)


def _matter(section: Section) -> Matter:
    matter = Matter(
        id=section.text("id"),
        name=section.text("name"),
        pattern=section.text("pattern"),
        purposes=section.texts("purposes"),
        addressee=section.text("addressee"),
        bases=tuple(_basis(inner) for inner in section.sections("bases")),
        aliases=section.texts("aliases", optional=True),
        handled=section.text("handled", ""),
        slots=tuple(_slot(inner) for inner in section.sections("slots", optional=True)),
        path=section.choice("path", Path, Path.ORDINARY),
        medium=section.choice("medium", Medium, Medium.ELECTRONIC),
        office_kinds=_kinds(section),
        conflict_reason=section.text("conflict_reason", ""),
        demo=section.flag("demo", False),
    )
    section.finish()
    _check(section, matter)
    return matter


def _check(section: Section, matter: Matter) -> None:
    blanks = PLACEHOLDER.findall(matter.pattern)
    defined = [slot.name for slot in matter.slots]
    if sorted(blanks) != sorted(set(defined)) or len(defined) != len(blanks):
        section.fail("pattern", "花括号中的空与 slots 应一一对应，各用一次")
    if re.search(r"[{}]", PLACEHOLDER.sub("", matter.pattern)):
        section.fail("pattern", "花括号不成对，或其中不是空的名称")
    if sum(slot.free for slot in matter.slots) > 1:
        section.fail("slots", "允许自填的空最多一个")
    if not any(basis.kind in _FOUNDING for basis in matter.bases):
        section.fail("bases", "规章、规范性文件、司法解释不能单独作为出具证明的依据")


def _kinds(section: Section) -> tuple[OfficeKind, ...]:
    given = section.texts("office_kinds", optional=True)
    if unknown := set(given) - set(OfficeKind):
        section.fail("office_kinds", f"没有这类组织：{'、'.join(sorted(unknown))}")
    return tuple(OfficeKind(kind) for kind in given) or Matter.office_kinds


def _slot(section: Section) -> Slot:
    slot = Slot(
        name=section.text("name"),
        free=section.flag("free", False),
        max_length=section.whole("max_length", Slot.max_length),
        default=section.text("default", "") or None,
    )
    section.finish()
    if not PLACEHOLDER.fullmatch(f"{{{slot.name}}}"):
        section.fail("name", "只能用文字和数字")
    if slot.max_length > _LONGEST_SLOT or len(slot.default or "") > slot.max_length:
        section.fail("max_length", f"不超过{_LONGEST_SLOT}，且不短于 default")
    return slot


def _basis(section: Section) -> Basis:
    basis = Basis(
        kind=section.choice("kind", BasisKind),
        title=section.text("title"),
        article=section.text("article"),
        valid_from=section.day("valid_from"),
        valid_to=section.day("valid_to"),
        ended_by=section.text("ended_by", ""),
        text=section.text("text", ""),
        issuer_named=section.flag("issuer_named", False),
    )
    section.finish()
    if basis.valid_from and basis.valid_to and basis.valid_from > basis.valid_to:
        section.fail("valid_to", "早于 valid_from")
    return basis
