"""Making: drafts become sealed files. Nothing is remembered and nothing kept, so it can happen in any process.

 5. fill      the form
 6. convert   many at once
 7. read back the PDF must say what the draft says, in fonts we know; the place of the seal is found
 8. seal      one revision, certified, no changes allowed

The steps are numbered as in issuing, whose middle they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from signsvc.errors import Fault
from signsvc.models import DocxBytes, Draft, OfficeId, PdfBytes, SealedPdf, SealPlace, Sha256, Standing
from signsvc.steps import Convert, Steps


@dataclass(frozen=True)
class Sealed:
    """A sealed file and what the registry records of it."""

    pdf: SealedPdf
    signed_sha256: Sha256
    sealed_at: datetime
    chain: tuple[bytes, ...]  # DER: the seal's certificate, then its issuers
    standing: Standing


@dataclass(frozen=True)
class Unmade:
    """A draft that came to nothing, and why."""

    status: str  # of the outcome: failed, or refused late
    faults: tuple[Fault, ...]
    ways: tuple[str, ...]


Made = Sealed | Unmade
# Begins to make, and returns how to wait for what comes of it: one for each draft, in order.
Make = Callable[[Sequence[Draft]], Callable[[], Sequence[Made]]]


@dataclass(frozen=True)
class Maker:
    """Everything that making needs, as callables; a test replaces one and watches."""

    fill: Callable[[Draft], DocxBytes]
    text_of: Callable[[DocxBytes], str]
    convert: Convert
    read_back: Callable[[PdfBytes, str, Draft], SealPlace]
    seal: Callable[[OfficeId, PdfBytes, SealPlace, str], Sealed]


def make(maker: Maker, drafts: Sequence[Draft]) -> list[Made]:
    """A sealed file of each draft, or why there is none, in order. The steps are told above.

    A row fails alone where steps are known to fail (RowFailed, RowRefused). Any other exception ends all: it is a
    defect, or the converter works no more (MakingEnded).
    """
    making = _Making(maker)
    documents = making.each(dict(enumerate(drafts)), lambda _, draft: maker.fill(draft))  # 5
    pdfs = making.convert(maker.convert, documents)  # 6
    placed = making.each(
        pdfs, lambda key, pdf: (pdf, making.read_back(pdf, documents[key], drafts[key]))
    )  # 7
    sealed = making.each(placed, lambda key, item: making.seal(*item, drafts[key]))  # 8
    return [sealed[key] if key in sealed else making.unmade[key] for key in range(len(drafts))]


def at_once(maker: Maker) -> Make:
    """Making in this very process: what comes of it is there before anybody waits.

    Threads take turns: the converter has one at a time anyway, and PDFium, which reads back, may crash with two.
    """
    turn = Lock()

    def begin(drafts: Sequence[Draft]) -> Callable[[], Sequence[Made]]:
        with turn:
            made = make(maker, drafts)
        return lambda: made

    return begin


class _Making(Steps):
    """Some drafts on their way to sealed files."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        self.unmade: dict[int, Unmade] = {}

    def end(self, key: int, status: str, faults: tuple[Fault, ...], ways: tuple[str, ...] = ()) -> None:
        self.unmade[key] = Unmade(status, faults, ways)

    def read_back(self, pdf: PdfBytes, document: DocxBytes, draft: Draft) -> SealPlace:
        return self.maker.read_back(pdf, self.maker.text_of(document), draft)

    def seal(self, pdf: PdfBytes, place: SealPlace, draft: Draft) -> Sealed:
        return self.maker.seal(draft.office.id, pdf, place, draft.number)
