"""Issuing: requests become sealed, registered certificates.

 1. recall    a request that was issued before is returned as it is, or is a conflict, whatever else is wrong with it
 2. decide    may it be issued? every fault is told at once: the row's own, the decision's, characters without a font
 3. ready     can the office seal now?
 4. reserve   the number; chance (the verification code) and the clock enter only here
 5. fill      the form
 6. convert   many at once
 7. read back the PDF must say what the draft says, in fonts we know; the place of the seal is found
 8. seal      one revision, certified, no changes allowed
 9. archive   the office's own copy, durable
10. commit    COMMIT POINT: one transaction makes the certificates exist

Crash story. Up to step 4 nothing has happened. From 4 to 10 a number is reserved and has no certificate: the same
request takes up its reservation again, whoever retries it. An archived copy without a commit is an orphan that
nobody can open without the archive key. After step 10 the certificate exists whether or not anyone heard of it, and a
retry returns it from the archive. When two processes work on one request, the first commit wins and the other
returns what was committed.

A row that fails in steps 5 to 9, as steps are known to fail (RowFailed, or a late RowRefused), voids its number, with
its reason, in the log, and the others go on. Everything else ends the batch like a crash: the registry's own errors in
steps 4 and 10, makers that ended or whose converter works no more (MakingEnded), and any other exception, for it is a
defect of this program, and what it left behind nobody can vouch for. The numbers of its chunk stay reserved, and of
those begun after it. A row that always brings such a defect about ends every rerun at the same place: until that is
mended, take it out of the file, and its number stays openly reserved, which `log verify` notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from signsvc import boxes
from signsvc.archive import Archive, sm3
from signsvc.errors import ArchiveFailed, Fault, RowRefused
from signsvc.identity import mask_name, new_code
from signsvc.make import Made, Make, Sealed, Unmade
from signsvc.models import (
    Certificate,
    Draft,
    Issue,
    Number,
    Office,
    OfficeId,
    Outcome,
    Request,
    Sha256,
    Standing,
    Status,
)
from signsvc.registry import (
    ISSUED,
    Claim,
    Conflict,
    Lost,
    NewCertificate,
    Recorded,
    Registry,
    Reservation,
)
from signsvc.report import BEIJING
from signsvc.statuses import STATUS_NAMES
from signsvc.steps import Chunk


@dataclass(frozen=True)
class Issuer:
    """Everything that issuing needs, as callables and owners of state; a test replaces one and watches."""

    office: Callable[[Request], Office]  # raises RowRefused(unknown_office)
    decide: Callable[[Request, Office, date], Issue]  # raises RowRefused
    letters: Callable[[Iterable[str]], Sequence[Fault]]  # characters of these texts without a font
    may_seal: Callable[[OfficeId, datetime], None]  # raises KeyExpired or SealFailed
    make: Make
    archive: Archive
    registry: Registry
    clock: Callable[[], datetime]
    choose: Callable[[int], int]  # secrets.randbelow
    base_url: str
    ahead: int = 0  # chunks that may be begun before the first of them is finished


def issue(issuer: Issuer, requests: Sequence[Request]) -> list[Outcome]:
    """Issue a chunk of requests with different ids; one Outcome each, in order. The steps are told above."""
    return begin(issuer, requests)()


def begin(issuer: Issuer, requests: Sequence[Request]) -> Callable[[], list[Outcome]]:
    """The same, begun: steps 1 to 4 are done and the files are being made, in other processes perhaps, while the next
    chunk can begin. What is returned waits for them, takes the last steps and gives the outcomes."""
    chunk = _Chunk(issuer, requests)
    fresh = chunk.recall()  # 1
    decided = chunk.each(fresh, chunk.decide)  # 2
    ready = chunk.each(decided, chunk.ready)  # 3
    drafts = chunk.reserve(ready)  # 4
    made = issuer.make(list(drafts.values()))  # 5 to 8

    def finish() -> list[Outcome]:
        sealed = chunk.take(dict(zip(drafts, made(), strict=True)))
        archived = chunk.archive(sealed)  # 9
        chunk.commit(archived, decided, drafts)  # 10, the commit point
        chunk.void()
        return [chunk.outcomes[key] for key in range(len(requests))]

    return finish


def foresee(issuer: Issuer, requests: Sequence[Request]) -> list[Outcome | None]:
    """Steps 1 to 3 only: how these requests would end now, None for what would be issued; nothing is changed."""
    chunk = _Chunk(issuer, requests)
    chunk.each(chunk.each(chunk.recall(), chunk.decide), chunk.ready)
    return [chunk.outcomes.get(key) for key in range(len(requests))]


@dataclass(frozen=True)
class _Decided:
    office: Office
    decision: Issue
    day: date  # 出具日期


class _Chunk(Chunk):
    """One chunk on its way to certificates."""

    def __init__(self, issuer: Issuer, requests: Sequence[Request]) -> None:
        super().__init__(requests)
        self.issuer = issuer
        # A row without a sound id cannot be known: there is nothing to know it by.
        self.marks = {
            key: issuer.registry.mark(request.request_id, request.content)
            for key, request in self.requests.items()
            if request.request_id
        }
        self.reservations: dict[int, Reservation] = {}

    def recall(self) -> dict[int, Request]:
        """The requests that the registry does not know as issued."""
        known = self.issuer.registry.recall(list(self.marks.values()))
        for key, found in zip(self.marks, known, strict=True):
            self.settle(key, found)
        return {key: request for key, request in self.requests.items() if key not in self.outcomes}

    def settle(self, key: int, known: Recorded | Conflict | None) -> None:
        """A request that was issued before is unchanged or in conflict; nothing is decided again."""
        if isinstance(known, Conflict):
            message = f"申请编号已用于 {known.number}，内容不同；更正请换一个申请编号，并撤销或换发原证明"
            self.end(key, "refused", (Fault("request_conflict", message, "request_id"),))
        elif known is not None:
            self.outcomes.update(self.each({key: known}, self.unchanged))

    def unchanged(self, key: int, known: Recorded) -> Outcome:
        certificate = known.certificate
        warnings = self.requests[key].warnings
        if certificate.status is not Status.ISSUED:
            warnings += (f"该证明{STATUS_NAMES[certificate.status]}，不得再使用",)
        return Outcome(
            self.requests[key].request_id,
            "unchanged",
            certificate.number,
            boxes.unlock(self.issuer.archive, ISSUED, certificate.number, known.box)["code"],
            self.issuer.archive.get(certificate.sha256),
            certificate.sha256,
            certificate.valid_until,
            warnings,
        )

    def decide(self, key: int, request: Request) -> _Decided:
        """Every fault that can be told before a number is used, together."""
        faults = list(request.faults)
        faults += self.issuer.letters(
            (request.name, request.addressee, request.statement or "", *request.slots.values())
        )
        today = self.issuer.clock().astimezone(BEIJING).date()
        try:
            office = self.issuer.office(request)
            decision = self.issuer.decide(request, office, today)
        except RowRefused as refusal:
            # A column that is faulty already was decided on blank: what the decision says of it is no news.
            told = {fault.column for fault in faults if fault.column}
            faults += [fault for fault in refusal.faults if fault.column not in told]
            raise RowRefused(faults, refusal.ways) from refusal
        if faults:
            raise RowRefused(faults)
        return _Decided(office, decision, request.issued_on or today)

    def ready(self, key: int, decided: _Decided) -> _Decided:
        self.issuer.may_seal(decided.office.id, self.issuer.clock())
        return decided

    def reserve(self, decided: Mapping[int, _Decided]) -> dict[int, Draft]:
        claims = [
            Claim(self.marks[key], item.office.id, item.office.number_format, item.day)
            for key, item in decided.items()
        ]
        for key, held in zip(decided, self.issuer.registry.reserve(claims, self.issuer.clock()), strict=True):
            if isinstance(held, Lost):
                self.lost(key, held)
            else:
                self.reservations[key] = held
        return {
            key: self.draft(key, decided[key], held.number, held.printed)
            for key, held in self.reservations.items()
        }

    def draft(self, key: int, decided: _Decided, number: Number, printed: str) -> Draft:
        request, decision = self.requests[key], decided.decision
        code = new_code(self.issuer.choose)
        return Draft(
            number=number,
            printed_number=printed,
            code=code,
            office=decided.office,
            addressee=request.addressee,
            name=request.name,
            id_type=request.id_type,
            id_number=request.id_number,
            basis=decision.basis,
            statement=decision.statement,
            purpose=decision.purpose,
            valid_until=request.valid_until,
            issued_on=decided.day,
            verify_url=f"{self.issuer.base_url}/verify",
            qr_url=f"{self.issuer.base_url}/v/{code}",
        )

    def take(self, made: Mapping[int, Made]) -> dict[int, Sealed]:
        """What was made; what was not goes no further."""
        for key, one in made.items():
            if isinstance(one, Unmade):
                self.end(key, one.status, one.faults, one.ways)
        return {key: one for key, one in made.items() if isinstance(one, Sealed)}

    def archive(self, sealed: Mapping[int, Sealed]) -> dict[int, tuple[Sealed, Sha256]]:
        """All copies with one fsync of their folder: they are kept together, or fail together."""
        try:
            names = self.issuer.archive.put_many([one.pdf for one in sealed.values()])
        except ArchiveFailed as failure:
            for key in sealed:
                self.end(key, "failed", (Fault(failure.code, str(failure)),))
            return {}
        return {key: (one, name) for (key, one), name in zip(sealed.items(), names, strict=True)}

    def commit(
        self,
        archived: Mapping[int, tuple[Sealed, Sha256]],
        decided: Mapping[int, _Decided],
        drafts: Mapping[int, Draft],
    ) -> None:
        """COMMIT POINT. Before this line a number has no certificate; after it the certificate exists for good."""
        entries = [
            self.entry(key, decided[key], drafts[key], sealed, sha256)
            for key, (sealed, sha256) in archived.items()
        ]
        results = self.issuer.registry.commit(entries, self.issuer.clock())
        for key, result in zip(archived, results, strict=True):
            if isinstance(result, Lost):
                self.lost(key, result)
            else:
                self.outcomes[key] = self.issued(key, decided[key], drafts[key], archived[key][0], result)

    def entry(
        self, key: int, decided: _Decided, draft: Draft, sealed: Sealed, sha256: Sha256
    ) -> NewCertificate:
        request, decision, office = self.requests[key], decided.decision, decided.office
        return NewCertificate(
            reservation=self.reservations[key],
            office_name=office.name,
            office_phone=office.phone,
            matter=decision.matter.name,
            statement_pattern=decision.statement_pattern,
            purpose=decision.purpose,
            addressee=request.addressee,
            legal_basis=decision.basis,
            issued_on=decided.day,
            sealed_at=sealed.sealed_at,
            valid_until=request.valid_until,
            holder=mask_name(request.name),
            medium=decision.matter.medium,
            policy=decision.policy,
            policy_sha256=decision.policy_sha256,
            edition=decision.edition,
            demo=office.demo or sealed.standing is Standing.DEMO,
            sha256=sha256,
            sm3=sm3(sealed.pdf),
            signed_sha256=sealed.signed_sha256,
            standing=sealed.standing,
            chain=sealed.chain,
            code=draft.code,
            name=request.name,
            id_number=request.id_number,
            statement=decision.statement,
            box=boxes.lock(self.issuer.archive, ISSUED, draft.number, boxes.of_certificate(draft, request)),
        )

    def lost(self, key: int, lost: Lost) -> None:
        """Another process was faster with this request: its certificate is the one, ours is thrown away."""
        self.reservations.pop(key, None)
        self.settle(key, lost.known)
        if key not in self.outcomes:
            busy = Fault("registry_busy", "同一申请正由另一进程办理，请稍后重新运行")
            self.end(key, "failed", (busy,))

    def issued(
        self, key: int, decided: _Decided, draft: Draft, sealed: Sealed, certificate: Certificate
    ) -> Outcome:
        return Outcome(
            self.requests[key].request_id,
            "issued",
            certificate.number,
            draft.code,
            sealed.pdf,
            certificate.sha256,
            certificate.valid_until,
            self.requests[key].warnings + decided.decision.warnings,
        )

    def void(self) -> None:
        """A number that came to nothing is voided in the log with its reason, so that it never vanishes."""
        voids = [
            (self.reservations[key], outcome.faults[0].code)
            for key, outcome in self.outcomes.items()
            if outcome.status in ("failed", "refused") and key in self.reservations
        ]
        if voids:
            self.issuer.registry.void(voids, self.issuer.clock())
