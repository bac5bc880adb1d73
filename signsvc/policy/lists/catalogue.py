"""The catalogue (保留清单): the matters that an office may certify, read from data and worded for the office's kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files

from signsvc.models import Matter, Office, OfficeId, OfficeKind
from signsvc.policy.lists.matters import read_matter
from signsvc.policy.screen.names import plain
from signsvc.policy.toml.strict import read

_MOST_MATTERS = 5_000
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
    return "、".join(basis.printed for basis in matter.bases)


@dataclass(frozen=True)
class _Shelf:
    """What offices of one kind may certify: by id, name and alias, and by pairs of characters for the nearest."""

    by_name: Mapping[str, Matter]
    pairs: tuple[tuple[frozenset[str], Matter], ...]


@dataclass(frozen=True)
class Catalogue:
    """A retained list (保留清单): the approved matters of some offices, worded for the office that asks.

    `jurisdiction` is the policy pack it is drawn up under, `holder` the 市（州） or 部门 of the form's title, and
    `edition` the version of the list that this is (`list/number/digest`).
    """

    jurisdiction: str
    holder: str
    offices: frozenset[OfficeId]
    matters: tuple[Matter, ...]  # as approved
    slot_names: frozenset[str]  # columns that a request file may have besides the fixed ones
    _shelves: Mapping[OfficeKind, _Shelf] = field(repr=False)
    edition: str = ""

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
    jurisdiction, holder = root.text("jurisdiction"), root.text("holder")
    offices = frozenset(OfficeId(office) for office in root.texts("offices"))
    matters: list[Matter] = []
    taken: set[str] = set()
    for section in root.sections("matters"):
        matter = read_matter(section)
        names = _keys(matter)
        if names & taken:
            section.fail("name", "编号、名称或别名与前面的事项重复")
        taken |= names
        matters.append(matter)
    root.finish()
    if len(matters) > _MOST_MATTERS:
        root.fail("matters", f"超过{_MOST_MATTERS}项，请拆成几个清单")
    slot_names = frozenset(slot.name for matter in matters for slot in matter.slots)
    shelves = {kind: _shelf(matters, kind) for kind in OfficeKind}
    return Catalogue(jurisdiction, holder, offices, tuple(matters), slot_names, shelves)


def no_catalogue(jurisdiction: str) -> Catalogue:
    """The list of an office that has none: nothing may be certified."""
    return Catalogue(
        jurisdiction, "", frozenset(), (), frozenset(), {kind: _shelf((), kind) for kind in OfficeKind}
    )


def demo_text(name: str) -> str:
    """The demonstration's data file (演示), as `init --demo` lays it down."""
    return (files("signsvc.policy") / "data" / "demo" / f"{name}.toml").read_text("utf-8")


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
