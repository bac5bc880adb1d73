"""What the forms and a catalogue have in common: a row of official cells, as printed.

A basis cell (法律法规依据) has one reference a line, each 《title》（number）article and then the article's text; a
purpose cell (证明用途) one purpose a line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from signsvc.errors import InputError, PolicyError
from signsvc.identity.characters import is_forbidden, point_of
from signsvc.models import Basis, Matter
from signsvc.policy.lists.catalogue import Catalogue
from signsvc.policy.packs.pack import TableForm

ROWS_LIMIT: Final = 5_000
CELL_LIMIT: Final = 20_000  # characters; Excel holds 32,767
BLANK_HOLDER: Final = "{holder}"


@dataclass(frozen=True)
class Row:
    """One matter as its row says it: cells by field, and where the row stands, for messages (第5行)."""

    place: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A retained list as read from its form. `holder` is what fills the title's blank, "" if that is unknown."""

    holder: str
    headings: Mapping[str, str]  # field to the heading of its column, for the fields that the form has
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def basis_line(basis: Basis) -> str:
    """A reference as the form wants it (需明确到具体条款内容): title, number, article, text."""
    return basis.printed + basis.text


_PRINTED: Final[Mapping[str, Callable[[Matter], str]]] = {
    "name": lambda matter: matter.name,
    "handled": lambda matter: matter.handled,
    "bases": lambda matter: "\n".join(map(basis_line, matter.bases)),
    "purposes": lambda matter: "\n".join(matter.purposes),
    "addressee": lambda matter: matter.addressee,
}
SERIAL: Final = "serial"


def printed_cell(matter: Matter, field: str) -> str:
    """What stands in a matter's cell of this field."""
    return _PRINTED[field](matter)


def printed_rows(catalogue: Catalogue, form: TableForm) -> list[tuple[str, ...]]:
    """A catalogue as the form's rows, 序号 from 1. PolicyError for a form with unknown fields, InputError for a list
    that no form could hold."""
    require_known(form)
    if len(catalogue.matters) > ROWS_LIMIT:
        raise InputError(f"清单超过{ROWS_LIMIT}项，不能导出为一张表")
    rows = []
    for serial, matter in enumerate(catalogue.matters, 1):
        row = tuple(
            str(serial) if field == SERIAL else printed_cell(matter, field) for _, field in form.columns
        )
        for (heading, _), cell in zip(form.columns, row, strict=True):
            require_length(cell, f"第{serial}项“{heading}”")
        rows.append(row)
    return rows


def printed_title(catalogue: Catalogue, form: TableForm) -> str:
    """The form's title with its blank filled; InputError if there is nothing to fill it with."""
    if BLANK_HOLDER in form.title and not catalogue.holder:
        raise InputError("清单没有 holder：请先写明是哪个市（州）或部门的清单，再导出")
    return form.title.replace(BLANK_HOLDER, catalogue.holder)


def require_known(form: TableForm) -> None:
    """PolicyError unless each column holds one field that a row can have, and one of them the name."""
    fields = [field for _, field in form.columns]
    known = {SERIAL, *_PRINTED}
    if unknown := [field for field in fields if field not in known]:
        raise PolicyError(f"{form.label}的格式中有未知的 field：{'、'.join(unknown)}")
    if len(set(fields)) != len(fields) or "name" not in fields:
        raise PolicyError(f"{form.label}的格式须有 name 一列，且 field 不能重复")


def clean_cell(raw: str, where: str) -> str:
    """A foreign cell with its line breaks as `\\n`; InputError where it is too long or holds what cannot be printed."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\v", "\n").replace("\t", " ")
    require_length(text, where)
    for place, character in enumerate(text, 1):
        if character != "\n" and is_forbidden(character):
            raise InputError(f"{where}：第{place}个字符（{point_of(character)}）看不见或不能使用，请删去重填")
    return text


def require_length(text: str, where: str) -> None:
    """InputError for a cell longer than a form's cell may be."""
    if len(text) > CELL_LIMIT:
        raise InputError(f"{where}：超过{CELL_LIMIT}个字符，请精简")


def lines_of(cell: str) -> list[str]:
    """The lines of a cell that say something."""
    return [line.strip() for line in cell.split("\n") if line.strip()]


def squeezed(text: str) -> str:
    """For comparing texts whatever their width, brackets and white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())
