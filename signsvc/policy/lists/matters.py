"""A matter of the catalogue (保留清单) read from its table, with the rules that it must keep to be there at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

from signsvc.identity.characters import is_forbidden, point_of
from signsvc.models import Basis, BasisKind, Handling, Matter, Medium, OfficeKind, Path, Slot
from signsvc.policy.screen.names import PLACEHOLDER
from signsvc.policy.toml.strict import Section

# Beside these four a 司法解释 or 规章 may be quoted, but none of them founds a certificate alone (Q10, G16).
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FOUNDING = frozenset(
    {BasisKind.LAW, BasisKind.REGULATION, BasisKind.LOCAL_REGULATION, BasisKind.STATE_COUNCIL}
)
_LONGEST_SLOT = 1000  # characters, as the request column
_MOST = 50  # bases, slots, purposes or aliases of one matter
_LINE_LIMIT, _PROSE_LIMIT = 1_000, 10_000  # characters
# Texts for people who keep the list, and an article's own: they may have paragraphs.
_PROSE = frozenset(
    (
        *("text", "note", "reason", "necessity", "justification"),
        *("conflict_reason", "issuer_reason"),
    )
)


def read_matter(section: Section) -> Matter:
    """One `[[matters]]`. Raises PolicyError for a matter that could not be certified as it stands."""
    matter = Matter(
        id=section.text("id"),
        name=section.text("name"),
        pattern=section.text("pattern"),
        purposes=section.texts("purposes"),
        addressee=section.text("addressee"),
        bases=tuple(_basis(inner) for inner in section.sections("bases")),
        owner=section.text("owner"),
        aliases=section.texts("aliases", optional=True),
        handled=section.text("handled", ""),
        slots=tuple(_slot(inner) for inner in section.sections("slots", optional=True)),
        path=section.choice("path", Path, Path.ORDINARY),
        medium=section.choice("medium", Medium, Medium.ELECTRONIC),
        office_kinds=_kinds(section),
        handling=section.choice("handling", Handling, Handling.ON_THE_SPOT),
        limit_days=section.whole_or_none("limit_days"),
        can_verify=section.flag("can_verify", True),
        conflict_reason=section.text("conflict_reason", ""),
        issuer_reason=section.text("issuer_reason", ""),
        justification=section.text("justification", ""),
        necessity=section.text("necessity", ""),
        yearly_count=section.whole_or_none("yearly_count"),
        reason=section.text("reason", ""),
        channel=section.text("channel", ""),
        note=section.text("note", ""),
        demo=section.flag("demo", False),
    )
    section.finish()
    _require_readable(section, matter)
    _check(section, matter)
    return matter


def _require_readable(section: Section, noun: Matter | Slot | Basis) -> None:
    """Every text can be printed and is of a size for a form; every list is."""
    for key, texts in _texts(noun):
        if len(texts) > _MOST:
            section.fail(key, f"最多{_MOST}个")
        prose = key in _PROSE
        for text in texts:
            if len(text) > (limit := _PROSE_LIMIT if prose else _LINE_LIMIT):
                section.fail(key, f"最多{limit}个字符")
            bad = (char for char in text if is_forbidden(char) and not (prose and char == "\n"))
            if found := next(bad, None):
                section.fail(key, f"含不能使用的字符（{point_of(found)}）")


def _texts(noun: Matter | Slot | Basis) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The texts of each key; of a list of tables only how many there are, for they were checked one by one."""
    for each in fields(noun):
        value = getattr(noun, each.name)
        if isinstance(value, str):
            yield each.name, (value,)
        elif isinstance(value, tuple):
            yield each.name, tuple(item if isinstance(item, str) else "" for item in value)


def _check(section: Section, matter: Matter) -> None:
    if not _ID.fullmatch(matter.id):
        section.fail("id", "只能用小写字母、数字和中间的连字符")
    blanks = PLACEHOLDER.findall(matter.pattern)
    defined = [slot.name for slot in matter.slots]
    if sorted(blanks) != sorted(set(defined)) or len(defined) != len(blanks):
        section.fail("pattern", "花括号中的空与 slots 应一一对应，各用一次")
    if re.search(r"[{}]", PLACEHOLDER.sub("", matter.pattern)):
        section.fail("pattern", "花括号不成对，或其中不是空的名称")
    if sum(slot.free for slot in matter.slots) > 1:
        section.fail("slots", "允许自填的空最多一个")
    if not any(basis.kind in FOUNDING for basis in matter.bases):
        section.fail("bases", "规章、规范性文件、司法解释不能单独作为出具证明的依据")
    if (matter.handling is Handling.TIMED) != (matter.limit_days is not None):
        section.fail("limit_days", '限时办结（handling = "timed"）须写明工作日数，当场办结不写')
    if not matter.can_verify:
        section.fail("can_verify", "无法调查核实的事项不能列入保留清单")


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
    _require_readable(section, slot)
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
        number=section.text("number", ""),
        valid_from=section.day("valid_from"),
        valid_to=section.day("valid_to"),
        ended_by=section.text("ended_by", ""),
        text=section.text("text", ""),
        issuer_named=section.flag("issuer_named", False),
    )
    section.finish()
    _require_readable(section, basis)
    if basis.ended_by and not basis.valid_to:
        section.fail("ended_by", "写明由何文件废止的，须有最后有效日 valid_to")
    if basis.valid_from and basis.valid_to and basis.valid_from > basis.valid_to:
        section.fail("valid_to", "早于 valid_from")
    return basis
