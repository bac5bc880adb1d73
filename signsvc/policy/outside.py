"""What is not on the office's retained list: refused (Q11, G10), but for the ways that the documents leave open.

    public interest      a matter on no list, once the residents have agreed and the head has signed (Q18, G15)
    transition           a matter of the not-to-issue list, while its four conditions hold (Q19, G27)
    risk                 either of them with its legal risk investigated, consulted on and assessed (Q20, G27)

All three rest on the document itself and end with it. An exempted case (除外情形) of a not-to-issue item is as
unlisted, unless another item bans it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from signsvc.errors import Fault
from signsvc.models import Issue, Matter, Medium, Office, Path, Request
from signsvc.policy import faults, hints, statement
from signsvc.policy.circumstances import Circumstances, Transition
from signsvc.policy.lists.catalogue import Catalogue
from signsvc.policy.packs import standing
from signsvc.policy.packs.pack import TRANSITIONAL, Item, Layer, Pack
from signsvc.policy.screen.names import plain

_BLANK = "证明事项"
_SOME = 3  # matters named where none is like the one asked for


@dataclass(frozen=True)
class Asked:
    """A request and what it is judged by."""

    request: Request
    office: Office
    catalogue: Catalogue
    pack: Pack
    today: date
    strict: bool
    circumstances: Circumstances | None

    @cached_property
    def named(self) -> tuple[Item, ...]:
        """Items of the not-to-issue lists that the asked name speaks of."""
        return self.pack.hits(self.pack.screen.in_title(self.request.matter), self.today)

    @cached_property
    def banned(self) -> tuple[Item, ...]:
        """Those that hold for the stated purpose: an exempted case is left out, or stands under the item that closes
        it."""
        cases = [(item, item.exemption(self.purpose)) for item in self.named]
        held = [item if case is None else self.pack.closing(item, case) for item, case in cases]
        return tuple(dict.fromkeys(item for item in held if item is not None))

    def in_force(self, matter: Matter) -> bool:
        """Whether every basis of the matter holds: without that it is no way out for anybody."""
        return standing.in_force(matter, self.today)

    @property
    def purpose(self) -> str:
        """What it is for, as far as stated: 法律援助需要的经济困难证明 states it in its name."""
        return f"{self.request.purpose or ''}，{self.request.matter}"

    @property
    def transition(self) -> Transition | None:
        """What the case brings for the transitional path, where there is one and it is about a listed matter."""
        brought = self.circumstances.transition if self.circumstances else None
        return brought if self.named and self.pack.opens(TRANSITIONAL) else None

    @property
    def consulted(self) -> bool:
        """Whether the case goes by way of the community's own interest."""
        return bool(self.circumstances and self.circumstances.public_interest)

    @property
    def codes(self) -> tuple[str, ...]:
        """The paths taken, each by the code whose passage opens it."""
        risk = bool(self.circumstances and self.circumstances.legal_risk)
        taken = {
            TRANSITIONAL: self.transition is not None,
            "consultation_required": self.consulted,
            "risk_assessment_required": risk and (self.consulted or self.transition is not None),
        }
        return tuple(code for code, chosen in taken.items() if chosen)


def transition_of(brought: Circumstances) -> Transition:
    """What was brought, or a transition that lacks everything."""
    return brought.transition or Transition()


def faults_of(asked: Asked) -> Iterator[Fault]:
    """Everything that stands against it; nothing, if one of the ways is open and walked to its end."""
    over = {layer for layer in asked.pack.expired(asked.today) if asked.strict or _rests_on(asked, layer)}
    yield from faults.expired([layer for layer in asked.pack.layers if layer in over], asked.today)
    if asked.transition is None:
        for item in asked.banned:
            yield faults.banned(asked.pack, item, "matter", "该事项列入{}，不应由本组织出具")
        if not asked.banned and not asked.consulted:
            yield _unlisted(asked)
    if not over:
        yield from _lacking(asked)
    if asked.codes:
        yield from _words_missing(asked)
    # Outside the list a purpose is free text, and printed.
    typed = {**statement.typed_texts(asked.request), "purpose": asked.request.purpose or ""}
    yield from faults.smuggled(typed, asked.pack, asked.today, typed["statement"], granted=asked.named)


def _rests_on(asked: Asked, layer: Layer) -> bool:
    return any(asked.pack.rule_for(code).document == layer.document for code in asked.codes)


def _unlisted(asked: Asked) -> Fault:
    """Default deny; an exempted case is told with the item that it is exempted from, and its way to go."""
    message = f"该事项未列入本组织可出具证明的保留清单；{_nearest(asked)}"
    if not asked.named:
        return faults.quoting(asked.pack, "unknown_matter", message, "matter")
    item = asked.named[0]
    message = f"所填用途属于{item.listed}的除外情形，但{message}。办事途径：{item.pathway}"
    fault = faults.quoting(asked.pack, "unknown_matter", message, "matter")
    ground = asked.pack.rule_for("unknown_matter").ground
    return replace(fault, ground=replace(ground, listed=item.listed, pathway=item.pathway))


def _nearest(asked: Asked) -> str:
    near = tuple(_near(asked))
    some = near or tuple(filter(asked.in_force, asked.catalogue.of(asked.office)))[:_SOME]
    named = "、".join(matter.name + ("（演示）" if matter.demo else "") for matter in some)
    return ("名称最接近的事项：" if near else "可出具的事项如：") + (named or "（暂无）")


def _lacking(asked: Asked) -> Iterator[Fault]:
    """What the chosen ways still lack, each under its code."""
    brought = asked.circumstances or Circumstances()
    lacking = {
        TRANSITIONAL: (*transition_of(brought).lacking(), *_one_demand(asked)),
        "consultation_required": brought.consultation.lacking(asked.today),
        "risk_assessment_required": brought.lacking_for_risk(asked.today),
    }
    for code in asked.codes:
        if lacking[code]:
            yield faults.quoting(asked.pack, code, f"尚缺：{'、'.join(lacking[code])}", "matter")


def _one_demand(asked: Asked) -> Iterator[str]:
    """A transition is one matter for the one who demands it."""
    demanded = transition_of(asked.circumstances or Circumstances()).requester
    if demanded and plain(demanded) != plain(asked.request.addressee):
        yield "与证明的索要单位一致的索要凭据"
    if len(asked.named) > 1:
        yield "单独的申请（一件只办一项）"


def _words_missing(asked: Asked) -> Iterator[Fault]:
    """No catalogue words it: statement and purpose are the case's own, and fill the form."""
    for key, name in (("statement", _BLANK), ("purpose", "证明用途")):
        if not (getattr(asked.request, key) or "").strip():
            fault = Fault("request_invalid:missing_field", f"请填“{name}”", key)
            yield faults.grounded(asked.pack, fault)


def issue_of(asked: Asked) -> Issue:
    """The certificate on the strength of the document: its passage is printed as 依据."""
    rule = asked.pack.rule_for(asked.codes[0])
    basis = f"{rule.document.number_on(asked.today)}{rule.place}"
    paper = any(item.paper for item in asked.named)
    path = Path.TRANSITIONAL if asked.transition else Path.CONSULTATION
    words = (asked.request.statement or "").strip()
    purpose = (asked.request.purpose or "").strip()
    matter = Matter(
        id=path.value,
        name=asked.named[0].name if asked.transition else asked.request.matter,
        pattern=f"{{{_BLANK}}}",
        purposes=(purpose,),
        addressee=asked.request.addressee,
        bases=(),
        owner=asked.request.addressee,
        path=path,
        medium=Medium.PAPER if paper else Medium.ELECTRONIC,
        demo=asked.office.demo,
    )
    return Issue(
        matter=matter,
        basis=basis,
        purpose=purpose,
        statement=words,
        statement_pattern=matter.pattern,
        policy=asked.pack.document.number_on(asked.today),
        policy_sha256=asked.pack.sha256,
        edition=asked.catalogue.edition,
        path=path,
        warnings=("过渡期出具",) if asked.transition else (),
    )


def ways(asked: Asked) -> tuple[str, ...]:
    """What the resident can do instead: who issues it, what else would serve, where to complain (Q14, Q22, Q24)."""
    told = [
        f"可向{'、'.join(issuers)}申请（见办事途径）"
        for item in asked.banned
        if (issuers := item.issuers(asked.request.matter))
    ]
    told += [
        f"用途属于除外情形（{'、'.join(cases)}）的，请写明用途再申请"
        for item in asked.banned
        if (cases := _exempted_cases(asked, item))
    ]
    if not asked.catalogue.find(asked.office, asked.request.matter):
        told += hints.likely(asked.request.matter, asked.pack, asked.today)
    if near := [matter.name for matter in _near(asked)]:
        told.append(f"本组织可出具的相近事项：{'、'.join(near)}")
    if any(rule.id == "pledge" for layer in asked.pack.layers for rule in layer.rules):
        told.append("可询问索要单位能否改用书面承诺（告知承诺）方式")
    if asked.named and _transition_open(asked):
        told.append(
            "确因政策措施衔接不到位或民商事主体明确要求仍须办理，且属于职责范围、能够核实的，可到办理窗口按过渡期规定逐件申请"
        )
    if asked.pack.report:
        told.append(f"认为索要不合理的，可反映至：{asked.pack.report}")
    return tuple(told)


def _exempted_cases(asked: Asked, item: Item) -> list[str]:
    """The cases in which the item would not hold, where none was stated; not those that another item bans again."""
    if item.exemption(asked.purpose) is not None:
        return []
    return [case.phrase for case in item.exemptions if asked.pack.closing(item, case) is None]


def _near(asked: Asked) -> Iterator[Matter]:
    """Matters like the one asked for that are issued today: not itself, and none whose basis has ended."""
    itself = asked.catalogue.find(asked.office, asked.request.matter)
    for matter in asked.catalogue.nearest(asked.office, asked.request.matter):
        if matter != itself and asked.in_force(matter):
            yield matter


def _transition_open(asked: Asked) -> bool:
    if not asked.pack.opens(TRANSITIONAL):
        return False
    return not asked.pack.rule_for(TRANSITIONAL).document.expired(asked.today)
