"""May it be issued? One pure function for every door, and every reason told at once, in this order.

    1 the policy's own validity     policy_expired
    2 on the retained list          banned_matter where it bears a banned name and no reason for keeping it is recorded,
                                    basis_lapsed, basis_not_allowed, purpose_not_allowed,
                                    statement_not_allowed, request_invalid, banned_matter smuggled into the words
    3 its path and medium           consultation_, risk_assessment_, transitional_case_required, paper_only
    4 not on the list               see outside.py: banned_matter, unknown_matter, and the ways round them

A batch row brings no circumstances, and what needs any is refused; a case on the desk brings them, and is told what
they lack. A message quotes the documents and the catalogue, never what stands in the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from signsvc.errors import Fault
from signsvc.models import Decision, Issue, Matter, Medium, Office, Path, Refuse, Request
from signsvc.policy import faults, outside, statement
from signsvc.policy.circumstances import Circumstances
from signsvc.policy.lists.catalogue import Catalogue, printed_basis, worded
from signsvc.policy.packs import standing
from signsvc.policy.packs.conflicts import borne
from signsvc.policy.packs.pack import TRANSITIONAL, Layer, Pack
from signsvc.policy.screen.names import plain

_CODES = {
    Path.CONSULTATION: "consultation_required",
    Path.RISK: "risk_assessment_required",
    Path.TRANSITIONAL: TRANSITIONAL,
}
_CASE_BY_CASE = {
    Path.CONSULTATION: "该事项须先组织居民群众议事协商、经讨论同意并由负责人签字，不能批量出具：请逐件办理",
    Path.RISK: "该事项可能涉及法律风险，须先调查核实、议事协商并评估、防范风险，不能批量出具：请逐件办理",
    Path.TRANSITIONAL: "该事项只能按过渡期规定办理，须写明索要单位和索要原因并能够核实，不能批量出具：请逐件办理",
}
# Of such a decision the refusal names other ways; of the rest, what to mend in the row is all there is to say.
_DEAD_ENDS = {"banned_matter", "unknown_matter", "basis_lapsed", "basis_not_allowed", "policy_expired"}


@dataclass(frozen=True)
class _Case:
    """A request that names a matter of the office's catalogue, and what it is judged by."""

    request: Request
    office: Office
    matter: Matter
    pack: Pack
    today: date
    strict: bool
    circumstances: Circumstances | None


def decide(
    request: Request,
    office: Office,
    catalogue: Catalogue,
    pack: Pack,
    today: date,
    strict: bool = False,
    circumstances: Circumstances | None = None,
) -> Decision:
    """Issue, or Refuse with every fault and the ways that are left. `today` is the day in Beijing.

    `strict` refuses all once a document is over. Without `circumstances` the request is a batch row. Raises ValueError
    if the pack is another place's than the office's.
    """
    if office.jurisdiction != pack.jurisdiction:
        raise ValueError("the pack is not of the office's jurisdiction")
    asked = outside.Asked(request, office, catalogue, pack, today, strict, circumstances)
    matter = catalogue.find(office, request.matter)
    if matter is None:
        wrong = tuple(outside.faults_of(asked))
        return _refuse(asked, wrong) if wrong else outside.issue_of(asked)
    case = _Case(request, office, matter, pack, today, strict, circumstances)
    wrong = tuple(fault for check in _CHECKS for fault in check(case))
    return _refuse(asked, wrong) if wrong else _issue(case, catalogue.edition)


def _refuse(asked: outside.Asked, wrong: tuple[Fault, ...]) -> Refuse:
    dead_end = any(fault.code in _DEAD_ENDS for fault in wrong)
    return Refuse(
        faults=wrong,
        ways=outside.ways(asked) if dead_end else (),
        notes=tuple(
            f"{faults.expiry(layer, asked.today)}，请留意有无新文件"
            for layer in asked.pack.expired(asked.today)
        ),
        policy=asked.pack.document.number_on(asked.today),
        policy_sha256=asked.pack.sha256,
        edition=asked.catalogue.edition,
    )


def _issue(case: _Case, edition: str) -> Issue:
    return Issue(
        matter=case.matter,
        basis=printed_basis(case.matter),
        purpose=_chosen_purpose(case) or case.matter.purposes[0],
        statement=statement.fill(case.matter, statement.slot_values(case.request, case.matter)),
        statement_pattern=case.matter.pattern,
        policy=case.pack.document.number_on(case.today),
        policy_sha256=case.pack.sha256,
        edition=edition,
        path=_path_of(case),
        warnings=tuple(
            f"{faults.expiry(layer, case.today)}，本证明依据上位法出具，请确认有无新文件"
            for layer in case.pack.expired(case.today)
        ),
    )


def _validity(case: _Case) -> Iterator[Fault]:
    """The documents themselves: a law carries an ordinary matter past their end, nothing carries these paths (Q32)."""
    if case.strict:
        yield from faults.expired(case.pack.expired(case.today), case.today)
    elif (code := _CODES.get(_path_of(case))) and _path_of(case) in (Path.TRANSITIONAL, Path.RISK):
        yield from faults.expired(_over(case, code), case.today)


def _over(case: _Case, code: str) -> tuple[Layer, ...]:
    """The layer whose passage opens this path, if its document is over."""
    document = case.pack.rule_for(code).document
    return tuple(layer for layer in case.pack.expired(case.today) if layer.document == document)


def _conflict(case: _Case) -> Iterator[Fault]:
    """A retained matter that bears what a list bans is issued only with the recorded reason for keeping it."""
    if not case.matter.conflict_reason:
        for item in borne(case.matter, case.pack, case.today):
            reason = "该保留事项的名称或内容列入{}，未记录保留理由前不能出具"
            yield faults.banned(case.pack, item, "matter", reason)


def _basis_in_force(case: _Case) -> Iterator[Fault]:
    """Every reference that would be printed holds from the day of issue to today (Q25)."""
    days = (case.today, case.request.issued_on or case.today)
    for basis in case.matter.bases:
        if reason := standing.out_of_force(basis, min(days), max(days)):
            message = f"依据{basis.printed}{reason}，不能据以出具；该事项已停办，由清单管理部门核对保留清单"
            yield faults.quoting(case.pack, "basis_lapsed", message, "legal_basis")


def _issuer(case: _Case) -> Iterator[Fault]:
    """A law that does not name the office as issuer founds nothing, unless it is recorded why it does (G16)."""
    named = any(basis.issuer_named for basis in case.matter.bases) or case.matter.issuer_reason
    if case.pack.issuer_must_be_named and not named:
        message = "该事项的依据未写明由基层群众性自治组织出具，也未记录由其出具的理由：请报清单管理部门核对"
        yield faults.quoting(case.pack, "basis_not_allowed", message, "matter")


def _basis_asked(case: _Case) -> Iterator[Fault]:
    asked, printed = case.request.legal_basis, printed_basis(case.matter)
    if asked and plain(asked) != plain(printed):
        message = f"依据与保留清单不一致：请留空，或填“{printed}”"
        yield faults.quoting(case.pack, "basis_not_allowed", message, "legal_basis")


def _purpose(case: _Case) -> Iterator[Fault]:
    if case.request.purpose and _chosen_purpose(case) is None:
        allowed = "；".join(case.matter.purposes)
        message = f"该事项只用于：{allowed}。请留空或改填其中之一"
        yield faults.quoting(case.pack, "purpose_not_allowed", message, "purpose")


def _chosen_purpose(case: _Case) -> str | None:
    asked = plain(worded(case.request.purpose or "", case.office.kind))
    return next((purpose for purpose in case.matter.purposes if plain(purpose) == asked), None)


def _words(case: _Case) -> Iterator[Fault]:
    """What the row says in its own words: allowed at all, complete, and no matter of the list in disguise."""
    values = statement.slot_values(case.request, case.matter)
    for fault in statement.not_allowed(case.request, case.matter):
        yield faults.grounded(case.pack, fault)
    if case.circumstances or _in_batches(case.matter):  # otherwise they are asked for when the case is opened
        for fault in statement.incomplete(values, case.matter):
            yield faults.grounded(case.pack, fault)
    filled = statement.fill(case.matter, values)
    openly = (case.matter.name, *case.matter.aliases, case.matter.pattern)
    typed = statement.typed_texts(case.request)
    yield from faults.smuggled(typed, case.pack, case.today, filled, openly)


def _path(case: _Case) -> Iterator[Fault]:
    """Consultation, risk and transition: refused in a batch, and on the desk until nothing is lacking."""
    path = _path_of(case)
    if path is Path.ORDINARY or list(_validity(case)):
        return
    code, lacking = _CODES[path], _lacking(case, path)
    if case.circumstances is None:
        yield faults.quoting(case.pack, code, _CASE_BY_CASE[path], "matter")
    elif lacking:
        yield faults.quoting(case.pack, code, f"尚缺：{'、'.join(lacking)}", "matter")


def _path_of(case: _Case) -> Path:
    """The matter's path, or the one that the case's own flags ask for; risk takes in consultation."""
    case_flags = case.circumstances or Circumstances()
    if case.matter.path in (Path.RISK, Path.TRANSITIONAL):
        return case.matter.path
    if case_flags.legal_risk:
        return Path.RISK
    return Path.CONSULTATION if case_flags.public_interest else case.matter.path


def _lacking(case: _Case, path: Path) -> tuple[str, ...]:
    brought = case.circumstances or Circumstances()
    match path:
        case Path.CONSULTATION:
            return brought.consultation.lacking(case.today)
        case Path.RISK:
            return brought.lacking_for_risk(case.today)
        case _:
            return outside.transition_of(brought).lacking()


def _medium(case: _Case) -> Iterator[Fault]:
    if case.matter.medium is Medium.PAPER and case.circumstances is None:
        message = "该事项以加盖公章的纸质件为准（电子签名法第三条），不能批量出具电子证明：请到办理窗口办理"
        yield faults.quoting(case.pack, "paper_only", message, "matter")


_CHECKS = (_validity, _conflict, _basis_in_force, _issuer, _basis_asked, _purpose, _words, _path, _medium)


def _in_batches(matter: Matter) -> bool:
    return matter.path is Path.ORDINARY and matter.medium is Medium.ELECTRONIC
