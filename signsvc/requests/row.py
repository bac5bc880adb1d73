"""One row to one Request with every fault it has. Whether it may be issued is decided elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from signsvc.identity import birth_date, check_id_number, own_kind
from signsvc.identity.documents import LOST_DIGITS
from signsvc.models import IdType, Request
from signsvc.requests.cells import Cells
from signsvc.requests.columns import HEADERS, REQUEST_ID_LIMIT, Cell, RawRow

UNIT_LIMIT: Final = 100  # characters: a unit, an office, a matter, a purpose
PERSON_LIMIT: Final = 50
TEXT_LIMIT: Final = 1_000
CONSENT_AGE: Final = 14  # years; under it a guardian has to consent (个人信息保护法 art. 31)
HOW: Final = ("掌握信息", "调查核实")

# The card itself says 港澳台; the number tells for which of the two it stands.
_EITHER_PERMIT: Final = "港澳台居民居住证"
_ID_TYPES: Final = {str(kind): kind for kind in IdType} | {
    "身份证": IdType.IDENTITY_CARD,
    "外国人永久居留证": IdType.FOREIGN_RESIDENT,
    "户口本": IdType.HOUSEHOLD_REGISTER,
}
_CONSENTS: Final = frozenset({"是", "同意", "已同意", "yes", "y", "true", "1", "√", "✓", "✔"})
# Between several people in one cell.
_AND: Final = re.compile(r"[、,，;；/]")


class _Holder(NamedTuple):
    name: str
    id_type: IdType
    id_number: str
    born: date | None


class _Guardian(NamedTuple):
    name: str | None
    relation: str | None
    consent: str | None


class _Days(NamedTuple):
    issued_on: date | None
    valid_until: date | None
    verified_on: date | None


class _Staff(NamedTuple):
    verified_by: str
    verified_how: str
    approved_by: str


def parse(raw: RawRow, today: date, fixed: Mapping[str, str], backdating_days: int) -> Request:
    """The Request of a row. `today` is the day in Beijing; `fixed` fills a column for the whole file, wherever the
    row leaves it blank, as if it stood there; 出具日期 may lie up to `backdating_days` back.

    Every fault of the row is in `faults`, whose messages repeat no number, name or text. A faulty row still has its
    `request_id` and `content`: it may have been issued before, when its dates were right.
    """
    cells = Cells(raw.cells, fixed)
    request_id = _request_id(cells)
    matter = cells.text("matter", UNIT_LIMIT, required="missing_field")
    addressee = cells.text("addressee", UNIT_LIMIT, required="missing_field")
    holder = _holder(cells, today)
    days = _days(cells, today, backdating_days)
    guardian = _guardian(cells, holder, days.issued_on or today)
    staff = _staff(cells)
    office = cells.text("office", UNIT_LIMIT)
    statement = cells.text("statement", TEXT_LIMIT)
    legal_basis = cells.text("legal_basis", TEXT_LIMIT)
    purpose = cells.text("purpose", UNIT_LIMIT)
    slots = {key: cells.text(key, TEXT_LIMIT) for key in cells if key not in HEADERS}
    return Request(
        request_id=request_id,
        office=office or None,
        matter=matter,
        addressee=addressee,
        name=holder.name,
        id_type=holder.id_type,
        id_number=holder.id_number,
        valid_until=days.valid_until or today,
        verified_by=staff.verified_by,
        verified_how=staff.verified_how,
        verified_on=days.verified_on or today,
        approved_by=staff.approved_by,
        guardian=guardian.name,
        guardian_relation=guardian.relation,
        guardian_consent=guardian.consent,
        statement=statement or None,
        slots=slots,
        legal_basis=legal_basis or None,
        purpose=purpose or None,
        issued_on=days.issued_on,
        content=cells.content,
        warnings=tuple(cells.warnings),
        faults=tuple(cells.faults),
    )


def _request_id(cells: Cells) -> str:
    """It names the request, so it is no part of what the request says."""
    request_id = cells.text("request_id", REQUEST_ID_LIMIT, required="missing_field")
    cells.content.pop("request_id", None)
    return request_id


def _holder(cells: Cells, today: date) -> _Holder:
    name = cells.name("name", required="missing_field")
    kind = _id_type(cells)
    number = _id_number(cells, kind, today)
    if kind is None or not number:
        return _Holder(name, IdType.IDENTITY_CARD, "", None)
    born = birth_date(kind, number)
    if kind is IdType.HOUSEHOLD_REGISTER and born is None:
        cells.warnings.append("证件号码中没有出生日期：持有人未满14周岁的，请填写监护人各列")
    if kind is IdType.IDENTITY_CARD and own_kind(number) is not kind:
        cells.warnings.append(f"证件号码是{own_kind(number)}的号码，证件类型按{kind}印出，请核对")
    return _Holder(name, kind, number, born)


def _id_type(cells: Cells) -> IdType | None:
    """The kind given, 居民身份证 if none is; None after a fault."""
    text = cells.text("id_type", PERSON_LIMIT)
    if "id_type" not in cells:
        return IdType.IDENTITY_CARD
    kind = _ID_TYPES.get(text)
    if text == _EITHER_PERMIT:
        number = unicodedata.normalize("NFKC", str(cells.raw("id_number"))).strip()
        kind = IdType.TAIWAN_PERMIT if number.startswith("83") else IdType.HK_MACAU_PERMIT
    if kind is None:
        if text:
            cells.fault("invalid_id_number", "id_type", "应为" + "、".join(IdType) + "之一")
        return None
    cells.keep("id_type", str(kind))
    return kind


def _id_number(cells: Cells, kind: IdType | None, today: date) -> str:
    """The number in normal form; "" after a fault, or if its kind is not known."""
    cell: Cell | None = cells.raw("id_number")
    if cell is None:
        cells.missing("id_number")
    elif not isinstance(cell, str):
        cells.fault("invalid_id_number", "id_number", LOST_DIGITS)
    elif kind is not None and (text := cells.plain("id_number", "invalid_id_number")):
        try:
            return cells.keep("id_number", check_id_number(kind, text, today))
        except ValueError as error:
            cells.fault("invalid_id_number", "id_number", str(error))
    return ""


def _days(cells: Cells, today: date, backdating_days: int) -> _Days:
    """The three days, each possible by itself and against the others: verified, then issued, then valid."""
    issued_on = cells.day("issued_on")
    valid_until = cells.day("valid_until", required="missing_field")
    verified_on = cells.day("verified_on", required="investigation_required")
    issue_day = issued_on or today
    if issue_day > today:
        cells.fault("invalid_date", "issued_on", "不能晚于今天")
    elif (today - issue_day).days > backdating_days:
        allowed = f"最多可早{backdating_days}天" if backdating_days else "不能早于今天"
        cells.fault("invalid_date", "issued_on", allowed)
    if valid_until and valid_until <= issue_day:
        cells.fault("validity_order", "valid_until", "须晚于出具日期")
    if verified_on and verified_on > today:
        cells.fault("invalid_date", "verified_on", "不能晚于今天")
    elif verified_on and verified_on > issue_day:
        cells.fault("invalid_date", "verified_on", "不能晚于出具日期：先核实，后出具")
    return _Days(issued_on, valid_until, verified_on)


def _guardian(cells: Cells, holder: _Holder, on: date) -> _Guardian:
    name = cells.name("guardian")
    relation = cells.text("guardian_relation", PERSON_LIMIT)
    consent = cells.text("guardian_consent", PERSON_LIMIT)
    if consent.casefold() in _CONSENTS:
        consent = cells.keep("guardian_consent", "是")
    if holder.born and _age(holder.born, on) < CONSENT_AGE:
        for key in ("guardian", "guardian_relation", "guardian_consent"):
            if key not in cells:
                cells.fault("guardian_required", key, f"持有人未满{CONSENT_AGE}周岁，必填")
        if consent and consent != "是":
            cells.fault("guardian_required", "guardian_consent", "监护人同意后才能出具，同意的填“是”")
    return _Guardian(name or None, relation or None, consent or None)


def _age(born: date, on: date) -> int:
    """Full years; the birthday completes one."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _staff(cells: Cells) -> _Staff:
    """Who found out, how, and who approved: the form asserts 经…调查了解, and one person alone cannot say so."""
    verified_by = cells.text("verified_by", PERSON_LIMIT, required="investigation_required")
    verified_how = cells.text("verified_how", PERSON_LIMIT, required="investigation_required")
    approved_by = cells.text("approved_by", PERSON_LIMIT, required="approval_required")
    if verified_how and verified_how not in HOW:
        cells.fault("investigation_required", "verified_how", "应为" + "或".join(HOW))
    if _persons(verified_by) & _persons(approved_by):
        cells.fault("approval_required", "approved_by", "审批人与核实人不能是同一人")
    return _Staff(verified_by, verified_how, approved_by)


def _persons(text: str) -> set[str]:
    """Everyone named in a cell, so that spaces and case do not make two people of one."""
    people = ("".join(part.split()).casefold() for part in _AND.split(text))
    return {person for person in people if person}
