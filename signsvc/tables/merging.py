"""Rows of a form laid over the present catalogue: a proposal, which a person completes before it is an edition.

What the form has no column for stays as it is. A cell that says what the catalogue would print changes nothing, so
that an unchanged basis keeps its kind, dates and all. Whatever could not be understood is in the proposal in a way that
does not load: it cannot be overlooked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from signsvc.errors import InputError
from signsvc.models import Basis, Matter
from signsvc.policy.lists.catalogue import Catalogue
from signsvc.policy.lists.differences import KINDS
from signsvc.policy.screen.names import plain
from signsvc.tables.references import read_references
from signsvc.tables.rows import Row, Table, lines_of, printed_cell, squeezed
from signsvc.tables.writing import document, head, values_of

# What a new matter needs besides the form's columns; the first two have no default.
_TO_WRITE = {"pattern": "证明内容的格式", "owner": "责任部门"}


@dataclass(frozen=True)
class Proposal:
    """A catalogue as the imported form would have it. It loads only once what is `incomplete` has been filled in, as
    far as a catalogue cannot do without it."""

    text: str  # TOML
    incomplete: tuple[str, ...]  # what a person must write or look up, each with its matter
    notes: tuple[str, ...]  # what changes, and what a person should confirm


@dataclass
class _Entry:
    """One matter on its way into the proposal."""

    values: dict[str, Any]
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def merge(table: Table, catalogue: Catalogue) -> Proposal:
    """The catalogue as the table would have it: rows are matched by name, whatever its width, spaces and brackets.

    Raises InputError if two rows are about the same matter.
    """
    present = _by_name(catalogue.matters)
    matched = [(row, present.get(plain(row.cells["name"]))) for row in table.rows]
    _require_single(matched)
    entries = [_changed(row, matter, table) if matter else _new(row, table) for row, matter in matched]
    kept = {matter.id for _, matter in matched if matter}
    removed = tuple(
        f"取消“{matter.name}”：表中没有这一项" for matter in catalogue.matters if matter.id not in kept
    )
    root, root_gaps, root_notes = _head(table, catalogue)
    return Proposal(
        document(root, (entry.values for entry in entries)),
        (*root_gaps, *(gap for entry in entries for gap in entry.gaps)),
        (*table.notes, *root_notes, *removed, *(note for entry in entries for note in entry.notes)),
    )


def _by_name(matters: Iterable[Matter]) -> Mapping[str, Matter]:
    return {plain(name): matter for matter in matters for name in (*matter.aliases, matter.name)}


def _require_single(matched: Iterable[tuple[Row, Matter | None]]) -> None:
    seen: dict[str, Row] = {}
    for row, matter in matched:
        key = matter.id if matter else plain(row.cells["name"])
        if key in seen:
            raise InputError(f"{row.place}与{seen[key].place}是同一事项：每项只留一行")
        seen[key] = row


def _head(table: Table, catalogue: Catalogue) -> tuple[dict[str, Any], list[str], list[str]]:
    root = {**head(catalogue), "holder": table.holder or catalogue.holder}
    words = {"holder": "哪个市（州）或部门的清单", "offices": "适用的组织"}
    gaps = [f"{key}（{told}）待补" for key, told in words.items() if not root[key]]
    changed = catalogue.holder and root["holder"] != catalogue.holder
    notes = [f"清单名义由“{catalogue.holder}”改为“{root['holder']}”"] if changed else []
    return root, gaps, notes


def _changed(row: Row, matter: Matter, table: Table) -> _Entry:
    """A matter that the catalogue has, with the official cells of its row."""
    entry = _Entry(values_of(matter))
    entry.values["bases"] = [values_of(basis) for basis in matter.bases]
    for name, cell in row.cells.items():
        if _same(cell, printed_cell(matter, name)):
            continue
        entry.notes.append(f"“{matter.name}”：{table.headings[name]}有改动")
        if name == "bases":
            _put_bases(entry, row, table, matter.bases)
        else:
            _put(entry, name, cell, row, table)
    return entry


def _new(row: Row, table: Table) -> _Entry:
    """A matter that the catalogue has not: a draft with its gaps."""
    name = _tidy_name(row.cells["name"])
    entry = _Entry(
        {
            "id": f"m-{sha256(plain(name).encode()).hexdigest()[:8]}",
            "name": name,
            "pattern": "",
            "purposes": [],
        }
    )
    entry.values |= {"addressee": "", "owner": "", "bases": []}
    entry.notes.append(f"新增“{name}”")
    for key, cell in row.cells.items():
        if key == "bases":
            _put_bases(entry, row, table, ())
        elif key != "name":
            _put(entry, key, cell, row, table)
    lacking = {**_TO_WRITE} if "handled" in row.cells else {**_TO_WRITE, "handled": "涉及办理事项名称"}
    entry.gaps += [f"“{name}”：{key}（{told}）待补" for key, told in lacking.items()]
    entry.gaps.append(f"“{name}”：办结类型（handling，限时的还有 limit_days）待确认，现按当场办结")
    return entry


def _put(entry: _Entry, name: str, cell: str, row: Row, table: Table) -> None:
    """A cell that is not the basis, as its key's value. An empty one leaves a gap."""
    lines = list(dict.fromkeys(lines_of(cell)))
    match name:
        case "purposes":
            entry.values[name] = lines
        case "name":
            entry.values[name] = _tidy_name(cell)
        case _:
            entry.values[name] = "、".join(lines)
    if not lines:
        entry.gaps.append(f"“{entry.values['name']}”：{row.place}“{table.headings[name]}”是空的")
        if name == "handled":
            del entry.values[name]


def _put_bases(entry: _Entry, row: Row, table: Table, present: tuple[Basis, ...]) -> None:
    """The references of a changed or new basis cell. One that the catalogue has keeps what is known of it."""
    known = {plain(basis.printed): basis for basis in present}
    cited = read_references(row.cells["bases"])
    where = f"“{entry.values['name']}”：{row.place}“{table.headings['bases']}”"
    entry.values["bases"] = []
    for read in cited.bases:
        old = known.get(plain(read.printed))
        basis = _as_known(read, old) if old else read
        entry.values["bases"].append(values_of(basis))
        entry.gaps += [f"“{entry.values['name']}”：{gap}" for gap in _basis_gaps(basis, new=old is None)]
        if old and basis.issuer_named != old.issuer_named:
            entry.notes.append(
                f"{where}的{basis.printed}条文有改动：请核对是否仍写明由本组织出具（issuer_named）"
            )
    for line in cited.unread:
        # Without its kind and article the loader refuses it, with its line.
        entry.values["bases"].append({"title": line, "article": ""})
        entry.gaps.append(f"{where}没有读懂，应写成《名称》（文号）第几条第几款第几项：“{line}”")
    if not row.cells["bases"].strip():
        entry.gaps.append(f"{where}是空的")


def _as_known(read: Basis, old: Basis) -> Basis:
    if squeezed(read.text) == squeezed(old.text):
        return old
    return replace(old, text=read.text, issuer_named=False)


def _basis_gaps(basis: Basis, *, new: bool) -> Iterable[str]:
    if new:
        guess = f"类别按名称暂定为{KINDS[basis.kind]}（kind），请确认"
        yield f"{basis.printed}：{guess}，并确认条文是否写明由本组织出具（issuer_named）"
    if basis.valid_from is None:
        yield f"{basis.printed}：施行日期（valid_from）待补"


def _same(cell: str, printed: str) -> bool:
    """Whether two cells say the same, line by line, whatever their width and white space."""
    return list(map(squeezed, lines_of(cell))) == list(map(squeezed, lines_of(printed)))


def _tidy_name(cell: str) -> str:
    """A name in one line, its brackets full width, as the official lists mix both."""
    return "".join(lines_of(cell)).translate({ord("("): "（", ord(")"): "）"})
