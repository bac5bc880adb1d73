"""Policy packs: what a jurisdiction lays down, nation, province and city laid over each other.

A layer is one folder's data: its document, the passages that refusals quote, not-to-issue lists, channels, deadlines
and how its retained lists change. A pack is the layers that hold at one place: lists of all layers hold together, and
of what can be said only once (the passage for a code, the channels, the form) the nearest layer's counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TypeVar

from signsvc.errors import Ground, PolicyError
from signsvc.policy.packs.documents import Document, Validity
from signsvc.policy.screen.facts import Facts
from signsvc.policy.screen.names import PROOF, stated
from signsvc.policy.screen.screen import Needle, Screen

T = TypeVar("T")
# What a decision may refuse with; each must quote a passage. Without one for the transitional path (过渡期), the path
# is closed; the end of a document is quoted only by those that have one.
QUOTED = (
    "unknown_matter",
    "banned_matter",
    "basis_lapsed",
    "basis_not_allowed",
    "purpose_not_allowed",
    "statement_not_allowed",
    "request_invalid",
    "consultation_required",
    "risk_assessment_required",
    "paper_only",
)
TRANSITIONAL, EXPIRED = "transitional_case_required", "policy_expired"
CODES = frozenset({*QUOTED, TRANSITIONAL, EXPIRED})
# What a column of a retained list's form may hold, beside its serial number.
FIELDS = frozenset({"serial", "name", "handled", "bases", "purposes", "addressee"})


@dataclass(frozen=True)
class Rule:
    """A passage of a document, verbatim without white space, and the refusal codes that quote it."""

    id: str
    place: str  # 二（二）
    text: str
    document: Document
    codes: tuple[str, ...] = ()

    @property
    def ground(self) -> Ground:
        """The passage as what a refusal rests on."""
        return Ground(self.document.number, self.place, self.text)


@dataclass(frozen=True)
class Exemption:
    """A case in which an item of the list does not hold (除外情形), told from the stated purpose by its words."""

    phrase: str  # as printed in the pathway: 收养情况
    words: tuple[str, ...]  # 收养
    closed_by: int | None = None  # the item of the same list that bans this very case again


@dataclass(frozen=True)
class Listing(Validity):
    """A not-to-issue list (不应出具清单), one batch of one document."""

    id: str = ""
    title: str = ""  # 不应由基层群众性自治组织出具证明事项清单（第一批）
    annex: str = ""  # 附件2
    document: Document = field(default_factory=Document)


# Compared by identity: lists hold a few hundred of them, and a decision keeps them in sets.
@dataclass(frozen=True, eq=False)
class Item:
    """An item of a not-to-issue list; `title` and `pathway` (办事途径) are the printed cells, verbatim."""

    number: int
    title: str  # 婚姻状况证明（婚姻关系证明、分居证明）
    name: str  # 婚姻状况证明
    pathway: str
    listing: Listing
    aliases: tuple[str, ...] = ()  # the names in the title's brackets
    synonyms: tuple[str, ...] = ()  # what people call it; this and the next five are not of the document
    only_with: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # a name that is one only with such words
    facts: tuple[str, ...] = ()  # how the fact itself is asserted; see facts.py
    everyday: tuple[str, ...] = ()  # phrases that hold a fact's words and assert nothing
    hints: tuple[str, ...] = ()  # words by which an unlisted name may belong here
    unissued: tuple[str, ...] = ()  # names of it that `issued_by` does not issue
    open_ended: bool = False  # the brackets end in 等
    exemptions: tuple[Exemption, ...] = ()
    issued_by: tuple[str, ...] = ()  # who issues it instead, as the pathway says
    paper: bool = False  # personal status: paper under a wet seal (电子签名法 art. 3)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which the item is known."""
        return (self.name, *self.aliases, *self.synonyms)

    @property
    def listed(self) -> str:
        """The list and the item, as a refusal names them."""
        listing = self.listing
        return f"{listing.document.number}{listing.annex}《{listing.title}》第{self.number}项“{self.name}”"

    def exemption(self, purpose: str) -> Exemption | None:
        """The exempted case that a stated purpose speaks of."""
        return next((case for case in self.exemptions if stated(case.words, purpose)), None)

    def issuers(self, asked: str) -> tuple[str, ...]:
        """Who issues what was asked for; nobody, if that is a name of the item which they do not issue."""
        return () if stated((name.removesuffix(PROOF) for name in self.unissued), asked) else self.issued_by


@dataclass(frozen=True)
class Step:
    """One step of changing a retained list: what it is, who takes it, and which steps must have been taken before."""

    id: str  # legality
    name: str  # 合法性审核意见
    by: str  # 民政部门会同司法行政部门
    after: tuple[str, ...] = ()
    with_basis: bool = False  # it must name the document that the change rests on (G9)


@dataclass(frozen=True)
class TableForm:
    """The prescribed form of a retained list: headings as printed, and the field that each column holds."""

    label: str  # 附件3
    title: str  # {holder}拟保留基层群众性自治组织出具证明事项清单
    columns: tuple[tuple[str, str], ...]  # (heading, field): ("证明名称", "name")


@dataclass(frozen=True)
class Deadline:
    """A report that is due (报送), once or every year."""

    name: str
    place: str
    text: str  # the passage that sets it, verbatim without white space
    on: date | None = None
    yearly: str = ""  # 12-25

    def next_due(self, today: date) -> date | None:
        """The day on which it is due next; None once the only one is past."""
        if self.on:
            return self.on if self.on >= today else None
        return next(day for year in (today.year, today.year + 1) if (day := self._in(year)) >= today)

    def last_due(self, today: date) -> date | None:
        """The day on which it was due last; None where the first is still to come."""
        if self.on:
            return self.on if self.on < today else None
        return next(day for year in (today.year, today.year - 1) if (day := self._in(year)) < today)

    def _in(self, year: int) -> date:
        return date.fromisoformat(f"{year}-{self.yearly}")


@dataclass(frozen=True, eq=False)
class Layer:
    """One folder: what one level of government lays down. Empty where it says nothing."""

    jurisdiction: str  # nation, qinghai, guangdong/somecity
    name: str  # 青海省
    document: Document
    sha256: str  # of the file's text
    origin: str  # which file, for people
    rules: tuple[Rule, ...] = ()
    items: tuple[Item, ...] = ()
    lists_not_held: tuple[str, ...] = ()  # lists that the document names and does not print
    channels: tuple[str, ...] = ()  # where guides are published (公布渠道)
    report: str = ""  # where unreasonable demands are reported (举报渠道)
    credit_platform: str = ""  # 信用平台
    deadlines: tuple[Deadline, ...] = ()
    reasons: tuple[str, ...] = ()  # for which a retained list may change
    steps: tuple[Step, ...] = ()
    form: TableForm | None = None
    issuer_must_be_named: bool = False  # G16


@dataclass(frozen=True)
class Pack:
    """The layers that hold at one place, the broadest first."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        """PolicyError if a refusal would have nothing to quote."""
        if lacking := [code for code in QUOTED if code not in self._quoted]:
            named = "、".join(lacking)
            raise PolicyError(f"{self.nearest.origin} 第1行 rules：没有 codes 含这些代码的原文：{named}")
        if self.form is None or not self.steps:
            raise PolicyError(
                f"{self.nearest.origin} 第1行：缺少保留清单的格式（[form]）或调整步骤（[[steps]]）"
            )

    @property
    def jurisdiction(self) -> str:
        return self.nearest.jurisdiction

    @property
    def nearest(self) -> Layer:
        """The layer closest to the office."""
        return self.layers[-1]

    @property
    def document(self) -> Document:
        """What a certificate is issued under: the document that says what may be. A city's that only adds a batch to
        the not-to-issue lists is not it."""
        return self.rule_for("unknown_matter").document

    @cached_property
    def sha256(self) -> str:
        """Digests of all layers as one word: which version of the policy this is."""
        return "+".join(layer.sha256[:16] for layer in self.layers)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for layer in self.layers for item in layer.items)

    @cached_property
    def screen(self) -> Screen:
        """All names and facts of all lists, ready to be looked for; hits are places in `items`."""
        numbered = list(enumerate(self.items))
        return Screen.of(
            (Needle.of(name, at, item.only_with.get(name)) for at, item in numbered for name in item.names),
            (
                Facts.of(at, {*item.names} - {*item.only_with}, item.facts, item.everyday)
                for at, item in numbered
            ),
        )

    @cached_property
    def _quoted(self) -> Mapping[str, Rule]:
        return {code: rule for layer in self.layers for rule in layer.rules for code in rule.codes}

    def rule_for(self, code: str) -> Rule:
        """The passage that a refusal with this code quotes; `request_invalid:missing_field` quotes its family's."""
        return self._quoted[code if code in self._quoted else code.partition(":")[0]]

    def opens(self, code: str) -> bool:
        """Whether the documents have a passage for this code."""
        return code in self._quoted

    def expired(self, day: date) -> tuple[Layer, ...]:
        """The layers whose document is over on that day."""
        return tuple(layer for layer in self.layers if layer.document.expired(day))

    def hits(self, found: Iterable[int], day: date) -> tuple[Item, ...]:
        """The items at these places whose list holds on that day."""
        return tuple(self.items[at] for at in found if self.items[at].listing.covers(day))

    def closing(self, item: Item, case: Exemption) -> Item | None:
        """The item that bans an exempted case again (Guangdong's 23 for its 17)."""
        same = (other for other in self.items if other.listing == item.listing)
        return next((other for other in same if other.number == case.closed_by), None)

    @property
    def form(self) -> TableForm | None:
        return self._last(lambda layer: layer.form)

    @property
    def steps(self) -> tuple[Step, ...]:
        return self._last(lambda layer: layer.steps) or ()

    @property
    def reasons(self) -> tuple[str, ...]:
        return self._last(lambda layer: layer.reasons) or ()

    @property
    def channels(self) -> tuple[str, ...]:
        return self._last(lambda layer: layer.channels) or ()

    @property
    def report(self) -> str:
        return self._last(lambda layer: layer.report) or ""

    @property
    def credit_platform(self) -> str:
        return self._last(lambda layer: layer.credit_platform) or ""

    @property
    def issuer_must_be_named(self) -> bool:
        return any(layer.issuer_must_be_named for layer in self.layers)

    def _last(self, wanted: Callable[[Layer], T]) -> T | None:
        """What the nearest layer that says anything says."""
        return next((said for layer in reversed(self.layers) if (said := wanted(layer))), None)
