"""May it be issued? One pure function for every door, and every reason told at once, in this order.

    1 the policy's own validity     policy_expired
    2 the not-to-issue list         banned_matter (a retained matter of such a name needs its recorded reason)
    3 the retained list             unknown_matter
    4 the legal basis               basis_lapsed, basis_not_allowed
    5 the purpose                   purpose_not_allowed
    6 the words of the statement    statement_not_allowed, missing_field, text_too_long, banned_matter
    7 the path and the medium       consultation_, risk_assessment_, transitional_case_required, paper_only

A message quotes the documents and the catalogue, never what stands in the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from signsvc.errors import Fault
from signsvc.models import Basis, Decision, Issue, Matter, Medium, Office, Path, Refuse, Request
from signsvc.policy import statement
from signsvc.policy.catalogue import Catalogue, printed_basis, worded
from signsvc.policy.names import plain
from signsvc.policy.packs import Pack

_ON_THE_DOCUMENT = {Path.TRANSITIONAL, Path.RISK}  # no law stands behind these paths (Q19, Q20)
_CASE_BY_CASE = {
    Path.CONSULTATION: (
        "consultation_required",
        "该事项须先组织居民群众议事协商、经讨论同意并由负责人签字，不能批量出具：请逐件办理",
    ),
    Path.RISK: (
        "risk_assessment_required",
        "该事项可能涉及法律风险，须先调查核实、议事协商并评估、防范风险，不能批量出具：请逐件办理",
    ),
    Path.TRANSITIONAL: (
        "transitional_case_required",
        "该事项只能按过渡期规定办理，须写明索要单位和索要原因并能够核实，不能批量出具：请逐件办理",
    ),
}


@dataclass(frozen=True)
class _Case:
    """A request that names a matter of the office's catalogue, and what it is judged by."""

    request: Request
    office: Office
    matter: Matter
    pack: Pack
    today: date
    strict: bool


def decide(
    request: Request, office: Office, catalogue: Catalogue, pack: Pack, today: date, strict: bool
) -> Decision:
    """Issue, or Refuse with every fault. `today` is the day in Beijing; `strict` refuses all once the document is over.

    Raises ValueError if the pack is another province's than the office's.
    """
    if office.province != pack.document.province:
        raise ValueError("the pack is not of the office's province")
    matter = catalogue.find(office, request.matter)
    if matter is None:
        return Refuse(tuple(_unlisted(request, office, catalogue, pack, strict and pack.expired(today))))
    case = _Case(request, office, matter, pack, today, strict)
    faults = tuple(fault for check in _CHECKS for fault in check(case))
    return Refuse(faults) if faults else _issue(case)


def _issue(case: _Case) -> Issue:
    return Issue(
        matter=case.matter,
        basis=printed_basis(case.matter),
        purpose=_chosen_purpose(case) or case.matter.purposes[0],
        statement=statement.fill(case.matter, statement.slot_values(case.request, case.matter)),
        statement_pattern=case.matter.pattern,
        policy=case.pack.document.number,
        warnings=(_expiry(case.pack) + "，本证明依据上位法出具，请确认有无新文件",) if _over(case) else (),
    )


def _unlisted(
    request: Request, office: Office, catalogue: Catalogue, pack: Pack, blocked: bool
) -> Iterator[Fault]:
    """Default deny (Q11, G10): what is not retained is refused, with the way to go where the list names one."""
    if blocked:
        yield _policy_expired(pack)
    banned = pack.screen.in_title(request.matter)
    yield from (_banned(pack, number, "matter", "该事项列入{}，不应由本组织出具") for number in banned)
    if not banned:
        message = (
            f"该事项未列入本组织可出具证明的保留清单；{_alternatives(request.matter, office, catalogue)}"
        )
        yield _quoting(pack, "unknown_matter", message, "matter")
    yield from _smuggled(request, pack, "", "")


def _alternatives(asked: str, office: Office, catalogue: Catalogue) -> str:
    near = catalogue.nearest(office, asked)
    named = "、".join(
        matter.name + ("（演示）" if matter.demo else "") for matter in near or catalogue.of(office)[:3]
    )
    return ("名称最接近的事项：" if near else "可出具的事项如：") + (named or "（暂无）")


def _validity(case: _Case) -> Iterator[Fault]:
    """The document itself: a law carries an ordinary matter past its end, nothing carries these paths (Q32)."""
    if _over(case) and (case.strict or case.matter.path in _ON_THE_DOCUMENT):
        yield _policy_expired(case.pack)


def _conflict(case: _Case) -> Iterator[Fault]:
    """A retained matter that bears a name of the list is issued only with the recorded reason for keeping it."""
    if not case.matter.conflict_reason:
        names = (case.matter.name, *case.matter.aliases)
        hits = sorted({number for name in names for number in case.pack.screen.in_title(name)})
        reason = "该保留事项的名称列入{}，未记录保留理由前不能出具"
        yield from (_banned(case.pack, number, "matter", reason) for number in hits)


def _basis_in_force(case: _Case) -> Iterator[Fault]:
    """Every reference that would be printed holds from the day of issue to today (Q25)."""
    days = (case.today, case.request.issued_on or case.today)
    for basis in case.matter.bases:
        if reason := _lapse(basis, min(days), max(days)):
            message = f"依据{basis.title}{basis.article}{reason}，不能据以出具：请报清单管理部门核对保留清单"
            yield _quoting(case.pack, "basis_lapsed", message, "legal_basis")


def _lapse(basis: Basis, first: date, last: date) -> str:
    if basis.valid_to and basis.valid_to < last:
        cause = f"由{basis.ended_by}废止" if basis.ended_by else "失效"
        return f"已自{_zh(basis.valid_to + timedelta(days=1))}起{cause}"
    if basis.valid_from and basis.valid_from > first:
        return f"自{_zh(basis.valid_from)}起施行，在出具日期尚未施行"
    return ""


def _basis_asked(case: _Case) -> Iterator[Fault]:
    asked, printed = case.request.legal_basis, printed_basis(case.matter)
    if asked and plain(asked) != plain(printed):
        yield Fault("basis_not_allowed", f"依据与保留清单不一致：请留空，或填“{printed}”", "legal_basis")


def _purpose(case: _Case) -> Iterator[Fault]:
    if case.request.purpose and _chosen_purpose(case) is None:
        allowed = "；".join(case.matter.purposes)
        yield Fault("purpose_not_allowed", f"该事项只用于：{allowed}。请留空或改填其中之一", "purpose")


def _chosen_purpose(case: _Case) -> str | None:
    asked = plain(worded(case.request.purpose or "", case.office.kind))
    return next((purpose for purpose in case.matter.purposes if plain(purpose) == asked), None)


def _words(case: _Case) -> Iterator[Fault]:
    """What the row says in its own words: allowed at all, complete, and no matter of the list in disguise."""
    values = statement.slot_values(case.request, case.matter)
    yield from statement.not_allowed(case.request, case.matter)
    if _in_batches(case.matter):  # otherwise the words are asked for when the case is opened
        yield from statement.incomplete(values, case.matter)
    filled = statement.fill(case.matter, values)
    yield from _smuggled(case.request, case.pack, filled, case.matter.pattern)


def _smuggled(request: Request, pack: Pack, filled: str, pattern: str) -> Iterator[Fault]:
    """Free text that speaks of a matter of the list, also where only text and pattern together do."""
    seen = set(pack.screen.in_prose(pattern))
    for column, text in (*statement.typed_texts(request).items(), ("statement", filled)):
        new = [number for number in pack.screen.in_prose(text) if number not in seen]
        seen.update(new)
        reason = "所填文字提到的证明列入{}，不应由本组织出具，请从文字中删去"
        yield from (_banned(pack, number, column, reason) for number in new)


def _path(case: _Case) -> Iterator[Fault]:
    path = case.matter.path
    if path in _CASE_BY_CASE and not (path in _ON_THE_DOCUMENT and _over(case)):
        code, message = _CASE_BY_CASE[path]
        yield _quoting(case.pack, code, message, "matter")


def _medium(case: _Case) -> Iterator[Fault]:
    if case.matter.medium is Medium.PAPER:
        message = "该事项以加盖公章的纸质件为准（电子签名法第三条），不能批量出具电子证明：请到办理窗口办理"
        yield Fault("paper_only", message, "matter")


_CHECKS = (_validity, _conflict, _basis_in_force, _basis_asked, _purpose, _words, _path, _medium)


def _in_batches(matter: Matter) -> bool:
    return matter.path is Path.ORDINARY and matter.medium is Medium.ELECTRONIC


def _over(case: _Case) -> bool:
    return case.pack.expired(case.today)


def _policy_expired(pack: Pack) -> Fault:
    return _quoting(pack, "policy_expired", _expiry(pack) + "，请先确认并登记接续的文件", None)


def _expiry(pack: Pack) -> str:
    end = pack.document.valid_to
    return f"{pack.document.number}已于{_zh(end)}期满" if end else pack.document.number


def _banned(pack: Pack, number: int, column: str, reason: str) -> Fault:
    """`reason` with the list and the item at its `{}`, and the way to go (办事途径, Q7)."""
    item, document = pack.items[number], pack.document
    listed = f"{document.number}{document.list_annex}《{document.list_title}》第{number}项“{item.name}”"
    return Fault("banned_matter", f"{reason.format(listed)}。办事途径：{item.pathway}", column)


def _quoting(pack: Pack, code: str, message: str, column: str | None) -> Fault:
    rule = pack.rule_for(code)
    source = f"（{pack.document.number}{rule.place}：“{rule.text}”）" if rule else ""
    return Fault(code, message + source, column)


def _zh(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
