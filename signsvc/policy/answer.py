"""What a resident is told of a certificate's name: may be issued, should not be, a department issues it, or unlisted.

The answer is the decision's own, put in words for residents, with the next step (Q7, Q14). An office is asked with its
retained list (保留清单), a province with its not-to-issue lists alone. Of a name that speaks of several items, all are
told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from signsvc.errors import Ground
from signsvc.models import Handling, Issue, Matter, Medium, Office
from signsvc.models import Path as Way
from signsvc.policy import faults, hints
from signsvc.policy.asking import Found, Place, Question, find
from signsvc.policy.packs.pack import Item, Pack
from signsvc.texts import chinese_date


class Kind(StrEnum):
    """The four answers; every name has exactly one of them at a place."""

    MAY_ISSUE = "may_issue"
    SHOULD_NOT_ISSUE = "should_not_issue"
    DEPARTMENT_ISSUES = "department_issues"
    UNLISTED = "unlisted"


LABELS = {
    Kind.MAY_ISSUE: "可出具",
    Kind.SHOULD_NOT_ISSUE: "不应出具",
    Kind.DEPARTMENT_ISSUES: "应由部门出具",
    Kind.UNLISTED: "未列入",
}
_PURPOSE = "purpose_not_allowed"
_STEPS = {
    Way.CONSULTATION: "须先组织居民群众议事协商，经讨论同意并由负责人签字后出具",
    Way.RISK: "可能涉及法律风险：须先调查核实、议事协商，并评估、防范风险后出具",
    Way.TRANSITIONAL: "按过渡期规定逐件办理：须写明索要单位和索要原因，属于职责范围且能够核实",
}


@dataclass(frozen=True)
class Hit:
    """What an answer rests on: the name as listed, the passage, list and number, and who issues it instead."""

    matter: str
    ground: Ground
    listed: str = ""  # 示范市保留清单第2项; of a not-to-issue list as in the ground
    issued_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolicyNote:
    """The document that holds at the place, and its own validity (Q32)."""

    number: str
    valid_to: date | None
    expired: bool
    text: str


@dataclass(frozen=True)
class Answer:
    """One place's answer, on at least one hit."""

    place: Place
    kind: Kind
    summary: str
    codes: tuple[str, ...]  # of the decision, but for what a visitor has not been asked to fill in
    hits: tuple[Hit, ...]
    reasons: tuple[str, ...]  # why a retained matter is not issued
    steps: tuple[str, ...]  # what to do next
    matter: Matter | None  # of the retained list
    similar: tuple[str, ...]  # names of the not-to-issue lists that are like an unlisted one
    hints: tuple[str, ...]  # items that it may belong to, for a person to judge
    caveats: tuple[str, ...]  # why a name that was not found may be listed all the same
    policy: PolicyNote


def answer(question: Question, place: Place, today: date, strict: bool = False) -> Answer:
    """The place's answer on that day (Beijing); `strict` as for the decision."""
    found = find(question, place, today, strict)
    hits = _hits(found)
    kind = _kind(found, hits)
    not_found = kind is Kind.UNLISTED and not found.items
    return Answer(
        place=place,
        kind=kind,
        summary=_summary(found, kind, hits),
        codes=tuple(dict.fromkeys(fault.code for fault in found.faults)),
        hits=hits,
        reasons=_reasons(found) if kind is Kind.SHOULD_NOT_ISSUE else (),
        steps=tuple(_steps(found, kind)),
        matter=found.matter,
        similar=hints.similar(question.name, place.pack, today) if not_found else (),
        hints=hints.likely(question.name, place.pack, today) if not_found else (),
        caveats=tuple(_caveats(place.pack, today)) if not_found else (),
        policy=policy_note(place.pack, today),
    )


def policy_note(pack: Pack, today: date) -> PolicyNote:
    """What is to be said of the validity of a place's documents on that day."""
    over, document = pack.expired(today), pack.document
    number = document.number_on(today)
    valid_to = next(
        (later.valid_to for later in document.successors if later.number == number), document.valid_to
    )
    if over:
        ended = "，".join(faults.expiry(layer, today) for layer in over)
        text = f"{ended}，请留意有无新文件；有上位法依据的事项照常办理"
    elif valid_to:
        text = f"{number}有效期至{chinese_date(valid_to)}"
    else:
        text = f"{number}，有效期未见记载"
    return PolicyNote(number, valid_to, bool(over), text)


def handling_text(matter: Matter) -> str:
    """当场办结, or within how many working days."""
    if matter.handling is Handling.ON_THE_SPOT:
        return "当场办结"
    return f"限时办结：受理后{matter.limit_days}个工作日内"


def banned_items(pack: Pack, today: date) -> tuple[Item, ...]:
    """The items of every not-to-issue list that holds on that day."""
    return pack.hits(range(len(pack.items)), today)


def _kind(found: Found, hits: tuple[Hit, ...]) -> Kind:
    # A visitor words the purpose freely: that alone does not make it a certificate that is not issued.
    if {fault.code for fault in found.against} <= {_PURPOSE}:
        return Kind.MAY_ISSUE
    code = found.deciding[0].code
    if code == "unknown_matter":
        return Kind.UNLISTED
    # Of several items one that no department issues is enough: nobody is sent to a department for all of them.
    issued = code == "banned_matter" and all(hit.issued_by for hit in hits)
    return Kind.DEPARTMENT_ISSUES if issued else Kind.SHOULD_NOT_ISSUE


def _hits(found: Found) -> tuple[Hit, ...]:
    grounds = [fault.ground for fault in found.deciding or found.faults[:1] if fault.ground]
    items = {item.listed: item for item in found.place.pack.items}
    hits = [
        Hit(
            items[ground.listed].name,
            ground,
            ground.listed,
            items[ground.listed].issuers(found.question.name),
        )
        if ground.listed
        else _retained_hit(found, ground)
        for ground in grounds or [_duty(found.place.pack)]
    ]
    return tuple(dict.fromkeys(hits))


def _retained_hit(found: Found, ground: Ground) -> Hit:
    """A hit that is on the retained list, or on none."""
    matter, retained = found.matter, found.place.retained
    if matter is None:
        return Hit(found.question.name, ground)
    number = next(at for at, one in enumerate(retained.matters, 1) if one.id == matter.id)
    return Hit(matter.name, ground, f"{retained.holder}保留清单第{number}项“{matter.name}”")


def _duty(pack: Pack) -> Ground:
    """The passage that bids an office issue what it may; else the one that keeps it to its list."""
    rules = (rule for layer in reversed(pack.layers) for rule in layer.rules)
    return next((rule for rule in rules if rule.id == "lawfully"), pack.rule_for("unknown_matter")).ground


def _reasons(found: Found) -> tuple[str, ...]:
    """The decision's own words without the passage, which stands apart."""
    told = (fault for fault in found.deciding if fault.code != "banned_matter")
    return tuple(
        fault.message.removesuffix(fault.ground.quoted) if fault.ground else fault.message for fault in told
    )


def _summary(found: Found, kind: Kind, hits: tuple[Hit, ...]) -> str:
    body = found.place.body
    match kind:
        case Kind.MAY_ISSUE:
            return f"这份证明在保留清单中，可由{body}出具{_limited(found)}。"
        case Kind.DEPARTMENT_ISSUES:
            issuers = "、".join(dict.fromkeys(who for hit in hits for who in hit.issued_by))
            return f"这份证明应由{issuers}出具，不由{body}出具。"
        case Kind.UNLISTED:
            return _unlisted(found)
    code = found.deciding[0].code
    if code == "banned_matter":
        return f"{body}不应出具这份证明，办事单位也不应要求您来开。请按下面的办事途径办理。"
    return "暂停出具：这份证明列在保留清单中，但目前不能开。"


def _limited(found: Found) -> str:
    if not found.against or found.matter is None:
        return ""
    return f"，仅限用途：{'；'.join(found.matter.purposes)}。您填写的用途如果不是其中之一，不能出具"


def _unlisted(found: Found) -> str:
    where = f"在{found.place.pack.nearest.name}的不应出具清单中，按名称未找到这份证明"
    cases = [(item, item.exemption(found.stated)) for item in found.items]
    for item, case in cases:
        if case:
            where = f"“{item.name}”列入不应出具清单（第{item.number}项），但您填写的用途属于除外情形（{case.phrase}）"
    if found.place.office:
        return f"{where}；本组织的保留清单里也没有，原则上不出具。"
    return f"{where}。能否出具，各组织以本地保留清单为准；清单之外，原则上不出具。"


def _caveats(pack: Pack, today: date) -> Iterator[str]:
    """A name that is not found may be listed in other words."""
    for item in banned_items(pack, today):
        if item.open_ended:
            yield f"第{item.number}项“{item.name}”的列举以“等”结尾，未列举的也可能属于该项"
    for title in (title for layer in pack.layers for title in layer.lists_not_held):
        yield f"文件还提到{title}，尚未收录，未能据以查找"


def _steps(found: Found, kind: Kind) -> Iterator[str]:
    if kind is Kind.MAY_ISSUE and found.matter and found.place.office:
        yield from _how(found.matter, found.place.office)
    elif not isinstance(found.decision, Issue):
        told = hints.likely(found.question.name, found.place.pack, found.today)  # stand apart
        yield from (way for way in found.decision.ways if way not in told)
    if any(fault.code == _PURPOSE for fault in found.against):
        yield "用途就是所列之一的，请按所列文字填写用途再查，或直接到办理窗口询问"


def _how(matter: Matter, office: Office) -> Iterator[str]:
    """What to bring and to expect, in the order in which it comes."""
    at = f"，办理渠道：{matter.channel}" if matter.channel else ""
    phone = f"（电话：{office.phone}）" if office.phone else ""
    yield f"带本人有效身份证件，到{office.name}{phone}申请{at}"
    yield f"说明用来办什么事、交给哪个单位（{matter.addressee}）"
    if needed := [slot.name for slot in matter.slots if slot.default is None]:
        yield f"说明下列情况，并带上能核实的材料：{'、'.join(needed)}"
    if matter.path in _STEPS:
        yield _STEPS[matter.path]
    if matter.medium is Medium.PAPER:
        yield "以加盖公章的纸质件为准，请到办理窗口办理纸质件"
    yield handling_text(matter)
