"""The retained list (保留清单) in the official forms: Qinghai's and Guangdong's 附件3, or what else a pack prescribes.

`export` fills a form, `read` takes one in, `merge` lays it over the present catalogue. Pure: bytes in, bytes out.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from signsvc.errors import InputError
from signsvc.fill.safety import unsafe_reasons
from signsvc.policy.lists.catalogue import Catalogue
from signsvc.policy.packs.pack import TableForm
from signsvc.tables import paper, paper_in, sheet
from signsvc.tables.merging import Proposal, merge
from signsvc.tables.rows import Row, Table, printed_rows, printed_title
from signsvc.tables.writing import to_toml

__all__ = ["Kind", "Proposal", "Row", "Table", "export", "merge", "read", "to_toml"]

Kind = Literal["xlsx", "docx"]


def export(catalogue: Catalogue, form: TableForm, kind: Kind) -> bytes:
    """The catalogue in the form, the same bytes for the same catalogue. Raises InputError if it is too large for the
    form or does not say whose list it is, PolicyError if the form has fields that no matter has."""
    rows, title = printed_rows(catalogue, form), printed_title(catalogue, form)
    if kind == "xlsx":
        return sheet.write(form, title, rows)
    written = paper.write(form, title, rows)
    if unsafe_reasons(written):  # what could not be taken in again must not go out
        raise InputError("清单过大，不适合导出为 .docx，请导出为 .xlsx")
    return written


def read(name: str, data: bytes, form: TableForm) -> Table:
    """The list in a foreign file called `name`, by its suffix `.xlsx` or `.docx`.

    Raises InputError, which says where, for a file that is unsafe, too large or no such file, for headings that are
    not the form's, and for rows that cannot be a matter's.
    """
    match PurePath(name).suffix.lower():
        case ".xlsx":
            return sheet.read(data, form)
        case ".docx":
            return paper_in.read(data, form)
        case _:
            raise InputError("文件类型不支持：请使用 .xlsx 或 .docx（旧式 .xls、.doc 请先另存）")
