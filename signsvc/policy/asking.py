"""A certificate's name as a resident asks it of an office or a province, and what is decided of it.

The question is put to the decision itself, as a request with the name and nothing else. What the visitor could not have
filled in yet is then left aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from signsvc.errors import Fault
from signsvc.models import Decision, IdType, Issue, Matter, Office, OfficeId, OfficeKind, Request
from signsvc.policy.decision import decide
from signsvc.policy.lists.catalogue import Catalogue, no_catalogue
from signsvc.policy.packs.pack import EXPIRED, TRANSITIONAL, Item, Pack

# What the visitor has not been asked for, or what is done at the window: no reason to say no to the name.
_LATER = {
    "statement_not_allowed",
    "consultation_required",
    "risk_assessment_required",
    TRANSITIONAL,
    "paper_only",
}
SUSPENDED = frozenset({"basis_lapsed", "basis_not_allowed", EXPIRED})
_BODY = {OfficeKind.COMMUNITY: "居民委员会", OfficeKind.VILLAGE: "村民委员会"}


@dataclass(frozen=True)
class Place:
    """Who is asked: an office with its retained list, or a province of which no office has been chosen."""

    pack: Pack
    office: Office | None = None
    catalogue: Catalogue | None = None

    @property
    def name(self) -> str:
        """The office's full name, or the province's."""
        return self.office.name if self.office else self.pack.nearest.name

    @property
    def body(self) -> str:
        """居民委员会 or 村民委员会, or both where none is chosen."""
        return _BODY[self.office.kind] if self.office else "居（村）民委员会"

    @property
    def demo(self) -> bool:
        return self.office is not None and self.office.demo

    @property
    def asked(self) -> Office:
        """The office that the decision is about; a province is asked as an office without a list."""
        place = self.pack.nearest
        return self.office or Office(
            OfficeId(""), place.name, place.jurisdiction, "", "", "", OfficeKind.COMMUNITY, "", demo=False
        )

    @property
    def retained(self) -> Catalogue:
        """The retained list; a province has none."""
        return self.catalogue or no_catalogue(self.pack.jurisdiction)

    def retains(self, name: str) -> Matter | None:
        """The matter of the retained list with this name."""
        return self.retained.find(self.asked, name)


@dataclass(frozen=True)
class Question:
    """What was typed: the name of a certificate and, if stated, what it is for. At most a line each."""

    name: str
    purpose: str = ""


@dataclass(frozen=True)
class Found:
    """The decision on a question, and the retained matter that it is about."""

    question: Question
    place: Place
    today: date
    decision: Decision
    matter: Matter | None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Whatever the decision says against it, but for what the visitor has not been asked to fill in."""
        given = () if isinstance(self.decision, Issue) else self.decision.faults
        return tuple(fault for fault in given if _family(fault) != "request_invalid")

    @property
    def against(self) -> tuple[Fault, ...]:
        """What stands against the name itself."""
        return tuple(fault for fault in self.faults if fault.code not in _LATER)

    @property
    def deciding(self) -> tuple[Fault, ...]:
        """The faults that the answer is about: what bans the name, before what else there is to say."""
        for codes in ({"banned_matter"}, {"unknown_matter"}, SUSPENDED):
            if chosen := tuple(fault for fault in self.against if fault.code in codes):
                return chosen
        return self.against

    @property
    def stated(self) -> str:
        """The purpose, as far as stated, in the name or beside it."""
        return f"{self.question.purpose}，{self.question.name}"

    @property
    def items(self) -> tuple[Item, ...]:
        """Items of the not-to-issue lists that the name speaks of, exempted for the purpose or not."""
        pack = self.place.pack
        return pack.hits(pack.screen.in_title(self.question.name), self.today)


def find(question: Question, place: Place, today: date, strict: bool) -> Found:
    """What is decided of the name at the place on that day (Beijing)."""
    decision = decide(_request(question, today), place.asked, place.retained, place.pack, today, strict)
    return Found(question, place, today, decision, place.retains(question.name))


def _request(question: Question, today: date) -> Request:
    """A request of which nothing is known but what was asked."""
    return Request(
        request_id="",
        office=None,
        matter=question.name,
        addressee="",
        name="",
        id_type=IdType.IDENTITY_CARD,
        id_number="",
        valid_until=today,
        verified_by="",
        verified_how="",
        verified_on=today,
        approved_by="",
        purpose=question.purpose or None,
    )


def _family(fault: Fault) -> str:
    return fault.code.partition(":")[0]
