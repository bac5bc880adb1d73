"""A process that issues: rules, makers, archive and registry, opened together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial

from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.errors import ConversionFailed
from signsvc.issue import Issuer
from signsvc.make import Made
from signsvc.models import Draft
from signsvc.wiring.documents import missing_letters
from signsvc.wiring.home import RECORDING, archive_folder, now, open_home
from signsvc.wiring.making import Tools, makers
from signsvc.workspace import workspace


@contextmanager
def issuing(settings: Settings, count: int = 1) -> Iterator[Issuer]:
    """Everything that issuing needs, opened for as long as the batch runs, with `count` processes that make."""
    tools = Tools.load(settings)
    with (
        makers(tools, count) as make,
        workspace(settings.home / "tmp") as work,
        _opened(tools) as issuer,
    ):
        issuer.registry.publish()  # what a killed batch committed and did not show
        ahead = count if count > 1 else 0
        yield replace(issuer, make=make, ahead=ahead, archive=replace(issuer.archive, tmp=work))


@contextmanager
def checking(settings: Settings) -> Iterator[Issuer]:
    """All that foreseeing needs: the same, but without a maker, and nothing is written anywhere."""
    with _opened(Tools.load(settings)) as issuer:
        yield issuer


@contextmanager
def _opened(tools: Tools) -> Iterator[Issuer]:
    ring, registry = open_home(tools.settings, RECORDING)
    with closing(registry):
        yield Issuer(
            office=tools.rules.find_office,
            decide=tools.rules.decide,
            letters=partial(missing_letters, tools.fonts),
            may_seal=tools.seals.check,
            make=_nothing,
            archive=Archive(archive_folder(tools.settings), tools.settings.home / "tmp", ring.archive),
            registry=registry,
            clock=now,
            choose=secrets.randbelow,
            base_url=tools.settings.base_url,
        )


def _nothing(drafts: Sequence[Draft]) -> Callable[[], Sequence[Made]]:
    raise ConversionFailed("预检不制作文件")
