"""Refusing: requests that the policy refuses become notices of refusal (不予出具告知单), recorded beside certificates.

1. recall    a request that was issued, or whose id was issued with other content, gets no notice
2. decide    the policy must refuse the matter itself; what may be issued, goes by another way than the batch, or only
             needs mending in its row gets no notice. Of the row, only what a notice rests on must be without mistakes
3. number    it follows from what the notice rests on; a notice that is recorded already is returned as it is
4. fill      the form
5. convert   many at once
6. read back the PDF must say what the notice says, in fonts we know
7. seal      only if the office wants it
8. archive   the office's own copy, durable
9. record    COMMIT POINT: one transaction makes the notices exist

Crash story. Up to step 8 nothing has happened, for no number is used up: running again does everything again. An
archived copy without a record is an orphan that nobody can open without the archive key. After step 9 the notice exists
whether or not anyone heard of it, and a retry returns it from the archive. When two processes work on one request, the
first record wins and the other returns what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from signsvc import boxes
from signsvc.archive import Archive
from signsvc.errors import Fault, RowRefused
from signsvc.models import (
    Decision,
    DocxBytes,
    Issue,
    Notice,
    Office,
    Outcome,
    PdfBytes,
    Refuse,
    Request,
    SealPlace,
    Sha256,
)
from signsvc.registry import REFUSED, Conflict, Mark, NewRefusal, Recorded, Refusal, Registry
from signsvc.report import BEIJING
from signsvc.steps import Chunk, Convert

# The columns that a notice prints, is known by, or is judged by. What else a certificate needs (who verified, until
# when it is valid) was never found out for what is never issued, and nobody shall have to invent it.
COLUMNS = frozenset({"request_id", "office", "matter", "addressee", "name", "purpose", "statement"})
# With these the policy says no to the matter; the last two only if it is the matter that they are about.
_NO = frozenset({"unknown_matter", "basis_lapsed", "policy_expired"})
_NO_TO_THE_MATTER = frozenset({"banned_matter", "basis_not_allowed"})


@dataclass(frozen=True)
class Refuser:
    """Everything that refusing needs, as callables and owners of state; a test replaces one and watches."""

    office: Callable[[Request], Office]  # raises RowRefused(unknown_office)
    decide: Callable[[Request, Office, date], Decision]
    letters: Callable[[Notice], Sequence[Fault]]  # characters of the notice without a font
    fill: Callable[[Notice], DocxBytes]
    text_of: Callable[[DocxBytes], str]
    convert: Convert
    read_back: Callable[[PdfBytes, str, Notice], SealPlace]
    seal: Callable[[Notice, PdfBytes, SealPlace], bytes] | None  # None: not sealed
    archive: Archive
    registry: Registry
    clock: Callable[[], datetime]


def refuse(refuser: Refuser, requests: Sequence[Request]) -> list[Outcome]:
    """Notices for a chunk of requests with different ids; one Outcome each, in order. The steps are told above.

    Its status is `noticed`, `unchanged`, `none` (no notice, and why) or `failed`.
    """
    chunk = _Chunk(refuser, requests)
    fresh = chunk.recall()  # 1
    decided = chunk.each(fresh, chunk.decide)  # 2
    notices = chunk.number(decided)  # 3
    documents = chunk.each(notices, lambda _, notice: refuser.fill(notice))  # 4
    pdfs = chunk.convert(refuser.convert, documents)  # 5
    placed = chunk.each(pdfs, lambda key, pdf: chunk.read_back(pdf, documents[key], notices[key]))  # 6
    done = chunk.each(placed, lambda key, item: chunk.seal(*item, notices[key]))  # 7
    archived = chunk.each(done, lambda _, pdf: (pdf, refuser.archive.put(pdf)))  # 8
    chunk.record(archived, notices)  # 9, the commit point
    return [chunk.outcomes[key] for key in range(len(requests))]


class _Chunk(Chunk):
    """One chunk on its way to notices."""

    refused_as = "none"

    def __init__(self, refuser: Refuser, requests: Sequence[Request]) -> None:
        super().__init__(requests)
        self.refuser = refuser
        # A row without a sound id cannot be known: it has a fault, and gets no notice.
        self.marks = {
            key: refuser.registry.mark(request.request_id, request.content)
            for key, request in self.requests.items()
            if request.request_id
        }

    def mark(self, request: Request) -> Mark:
        """What the notice is known by: filling in or mending any other column makes no second one."""
        content = {column: text for column, text in request.content.items() if column in COLUMNS}
        return self.refuser.registry.mark(request.request_id, content)

    def recall(self) -> dict[int, Request]:
        """The requests that the registry does not know as issued."""
        known = self.refuser.registry.recall(list(self.marks.values()))
        issued = {key: found for key, found in zip(self.marks, known, strict=True) if found is not None}
        self.each(issued, self.issued)
        return {key: request for key, request in self.requests.items() if key not in issued}

    def issued(self, key: int, known: Recorded | Conflict) -> None:
        if isinstance(known, Conflict):
            message = f"申请编号已用于 {known.number}，内容不同：本行是另一申请的，请换一个申请编号"
            raise RowRefused([Fault("request_conflict", message, "request_id")])
        message = f"该申请已出具 {known.certificate.number}，不用告知单"
        raise RowRefused([Fault("already_issued", message, "request_id")])

    def decide(self, key: int, request: Request) -> Notice:
        """The notice, if the policy stands against the matter."""
        if mistakes := [fault for fault in request.faults if fault.column in COLUMNS]:
            raise RowRefused(mistakes)
        today = self.refuser.clock().astimezone(BEIJING).date()
        office = self.refuser.office(request)
        # A notice tells how things stand today, whatever day was given for a certificate that there will not be.
        decision = self.refuser.decide(replace(request, issued_on=None), office, today)
        told = _refusal(decision)
        number = self.refuser.registry.notice_number(self.mark(request), office.id)
        notice = Notice(number, office, request.name, request.matter, request.addressee, told, today)
        if missing := self.refuser.letters(notice):
            raise RowRefused(missing)
        return notice

    def number(self, decided: Mapping[int, Notice]) -> dict[int, Notice]:
        """The notices that are not recorded yet."""
        known = self.refuser.registry.refusals([notice.number for notice in decided.values()])
        recorded = {
            key: (notice, known[notice.number]) for key, notice in decided.items() if notice.number in known
        }
        self.outcomes |= self.each(recorded, lambda key, item: self.unchanged(key, *item))
        return {key: notice for key, notice in decided.items() if key not in recorded}

    def unchanged(self, key: int, notice: Notice, known: Refusal) -> Outcome:
        """The notice of an earlier day is the notice: the same file again."""
        other = known.sealed != (self.refuser.seal is not None)
        warnings = (f"原告知单{'已' if known.sealed else '未'}盖章，不再重做",) if other else ()
        pdf = self.refuser.archive.get(known.sha256)
        return self.outcome(key, "unchanged", notice, pdf, known.sha256, warnings)

    def read_back(self, pdf: PdfBytes, document: DocxBytes, notice: Notice) -> tuple[PdfBytes, SealPlace]:
        return pdf, self.refuser.read_back(pdf, self.refuser.text_of(document), notice)

    def seal(self, pdf: PdfBytes, place: SealPlace, notice: Notice) -> bytes:
        return self.refuser.seal(notice, pdf, place) if self.refuser.seal else pdf

    def record(self, archived: Mapping[int, tuple[bytes, Sha256]], notices: Mapping[int, Notice]) -> None:
        """COMMIT POINT. Before this line there is no notice; after it there is one for good."""
        items = [self.entry(key, notices[key], sha256) for key, (_, sha256) in archived.items()]
        results = self.refuser.registry.record_refusals(items, self.refuser.clock()) if items else []
        for key, result in zip(archived, results, strict=True):
            pdf, sha256 = archived[key]
            if result.sha256 == sha256:
                self.outcomes[key] = self.outcome(key, "noticed", notices[key], pdf, sha256)
            else:  # another process was faster: its notice is the one, ours is thrown away
                faster = {key: (notices[key], result)}
                self.outcomes |= self.each(faster, lambda key, item: self.unchanged(key, *item))

    def entry(self, key: int, notice: Notice, sha256: Sha256) -> NewRefusal:
        decision, archive = notice.decision, self.refuser.archive
        grounds = [fault.ground for fault in decision.faults if fault.ground]
        listed = [ground.listed for ground in grounds if ground.listed]
        contents = boxes.of_notice(notice, self.requests[key])
        return NewRefusal(
            mark=self.mark(self.requests[key]),
            office=notice.office.id,
            codes=tuple(dict.fromkeys(fault.code for fault in decision.faults)),
            listed=tuple(dict.fromkeys(listed)),
            policy=decision.policy,
            policy_sha256=decision.policy_sha256,
            edition=decision.edition,
            issued_on=notice.issued_on,
            sealed=self.refuser.seal is not None,
            sha256=sha256,
            box=boxes.lock(archive, REFUSED, notice.number, contents),
        )

    def outcome(
        self,
        key: int,
        status: str,
        notice: Notice,
        pdf: bytes,
        sha256: Sha256,
        warnings: tuple[str, ...] = (),
    ) -> Outcome:
        """With its notice, and the faults that it tells of."""
        request_id, faults = self.requests[key].request_id, notice.decision.faults
        return Outcome(
            request_id, status, notice.number, pdf=pdf, sha256=sha256, warnings=warnings, faults=faults
        )


def _refusal(decision: Decision) -> Refuse:
    """The decision with nothing but its refusals of the matter; RowRefused if there are none."""
    if isinstance(decision, Issue):
        raise RowRefused([Fault("may_be_issued", "可出具，不用告知单：请用 signsvc sign 办理", "matter")])
    refusals = tuple(fault for fault in decision.faults if says_no(fault))
    if not refusals:
        raise RowRefused(decision.faults)
    return replace(decision, faults=refusals)


def says_no(fault: Fault) -> bool:
    """Whether the policy refuses the matter, however the row is worded. What else a decision finds is to be mended in
    the row, or goes another way than the batch."""
    return fault.code in _NO or (fault.code in _NO_TO_THE_MATTER and fault.column == "matter")
