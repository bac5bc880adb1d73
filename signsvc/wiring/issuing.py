"""A process that issues: form, fonts, converter, seals, archive and registry, opened together."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial

from signsvc import fill
from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.errors import ConversionFailed
from signsvc.fonts import FontBook
from signsvc.issue import Issuer
from signsvc.models import DocxBytes, Draft, PdfBytes, SealPlace
from signsvc.wiring.documents import converting, load_fonts, load_form, missing_letters, reads_back
from signsvc.wiring.home import ISSUING, archive_folder, now, open_home
from signsvc.wiring.rules import Rules
from signsvc.wiring.seals import Seals


@contextmanager
def issuing(settings: Settings) -> Iterator[Issuer]:
    """Everything that issuing needs, opened for as long as the batch runs."""
    with checking(settings) as issuer, converting(settings, load_fonts(settings)) as (convert, work):
        issuer.registry.publish()  # what a killed batch committed and did not show
        yield replace(issuer, convert=convert, archive=replace(issuer.archive, tmp=work))


@contextmanager
def checking(settings: Settings) -> Iterator[Issuer]:
    """All that foreseeing needs: the same, but without a converter, and nothing is written anywhere."""
    ring, registry = open_home(settings, ISSUING)
    with closing(registry):
        local = Rules.load(settings)
        fonts = load_fonts(settings)
        form = load_form(settings, fonts)
        yield Issuer(
            office=local.find_office,
            decide=local.decide,
            letters=partial(missing_letters, fonts),
            fill=lambda draft: form.fill(fill.values(draft), fill.qr_png(draft.qr_url), fonts.choose),
            text_of=fill.text_of,
            convert=_unconverted,
            read_back=partial(_read_back, settings, fonts),
            sealing=Seals(settings, ring, local.offices, fonts),
            archive=Archive(archive_folder(settings), settings.home / "tmp", ring.archive),
            registry=registry,
            clock=now,
            choose=secrets.randbelow,
            base_url=settings.base_url,
        )


def _unconverted(documents: Sequence[DocxBytes]) -> list[PdfBytes | ConversionFailed]:
    return [ConversionFailed("预检不转换文件") for _ in documents]


def _read_back(settings: Settings, fonts: FontBook, pdf: PdfBytes, text: str, draft: Draft) -> SealPlace:
    printed = fill.values(draft)
    anchor = (printed["出具日期"], f"（{printed['出具组织']}盖章）")
    return reads_back(settings, fonts, pdf, text, anchor)
