"""A process that writes notices of refusal; it holds a sealing key only where they are to be sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from signsvc import fill
from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.fonts import FontBook
from signsvc.models import Notice, PdfBytes, SealPlace
from signsvc.refuse import Refuser
from signsvc.wiring.documents import converting, load_fonts, load_notice, missing_letters, reads_back
from signsvc.wiring.home import ISSUING, RECORDING, archive_folder, now, open_home
from signsvc.wiring.rules import Rules
from signsvc.wiring.seals import Seals


@contextmanager
def refusing(settings: Settings, sealed: bool) -> Iterator[Refuser]:
    """Everything that refusing needs, opened for as long as the batch runs."""
    ring, registry = open_home(settings, ISSUING if sealed else RECORDING)
    local, fonts = Rules.load(settings), load_fonts(settings)
    form = load_notice(fonts)
    with closing(registry), converting(settings, fonts) as (convert, work):
        registry.publish()  # what a killed batch committed and did not show
        yield Refuser(
            office=local.find_office,
            decide=local.decision,
            letters=lambda notice: missing_letters(fonts, fill.notice_values(notice).values()),
            fill=lambda notice: form.fill(fill.notice_values(notice), None, fonts.choose),
            text_of=fill.text_of,
            convert=convert,
            read_back=partial(_read_back, settings, fonts),
            seal=_sealing(Seals(settings, ring, local.offices, fonts)) if sealed else None,
            archive=Archive(archive_folder(settings), work, ring.archive),
            registry=registry,
            clock=now,
        )


def _sealing(seals: Seals) -> Callable[[Notice, PdfBytes, SealPlace], bytes]:
    def seal(notice: Notice, pdf: PdfBytes, place: SealPlace) -> bytes:
        seals.check(notice.office.id, now())
        return seals.seal(notice.office.id, pdf, place, notice.number).pdf

    return seal


def _read_back(settings: Settings, fonts: FontBook, pdf: PdfBytes, text: str, notice: Notice) -> SealPlace:
    printed = fill.notice_values(notice)
    return reads_back(settings, fonts, pdf, text, (printed["出具日期"], printed["出具组织"]))
