"""Processes that make: each with a converter of its own, under one process that owns numbers, registry and archive.

A maker does as it is told by the process that began it, and ends with it. It is forked from it before anything is
opened that two processes must not share; keys, form and fonts come with it and are loaded once. What it writes lies
in a folder of its own, which its converter's warden wipes however the maker ends.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import active_children, get_context

from signsvc import fill
from signsvc.config import Settings
from signsvc.convert import Pictures
from signsvc.errors import ConversionFailed, MakingEnded
from signsvc.fonts import FontBook
from signsvc.keys import KeyRing
from signsvc.make import Made, Make, Maker, at_once, make
from signsvc.models import DocxBytes, Draft, PdfBytes, SealPlace
from signsvc.steps import Convert
from signsvc.wiring.documents import converting, load_fonts, load_form, nobodys, own_pictures, reads_back
from signsvc.wiring.home import SEALING, open_keys
from signsvc.wiring.rules import Rules
from signsvc.wiring.seals import Seals

_PR_SET_PDEATHSIG = 1
_ENDING = (signal.SIGINT, signal.SIGTERM)
_CODES = 200  # pictures that wait to be looked for: those of a chunk, and more
_opened: list[Maker | Exception] = []  # in a maker's process: what it works with, or why it cannot


@dataclass(frozen=True)
class Tools:
    """What deciding and making work with, loaded once and before makers are forked: whatever changes on disk later, all
    of a batch is made alike. Only the picture of a seal is read later, by each process when it first seals with it. Of
    the keys there are only those that seal."""

    settings: Settings
    ring: KeyRing
    rules: Rules
    fonts: FontBook
    form: fill.Form
    seals: Seals

    @classmethod
    def load(cls, settings: Settings) -> Tools:
        ring, rules, fonts = open_keys(settings, SEALING), Rules.load(settings), load_fonts(settings)
        seals = Seals(settings, ring, rules.offices, fonts)
        return cls(settings, ring, rules, fonts, load_form(settings, fonts), seals)


@contextmanager
def making(tools: Tools) -> Iterator[Maker]:
    """Everything that making needs, with a converter of this process."""
    settings, fonts, form = tools.settings, tools.fonts, tools.form
    code_of = lru_cache(_CODES)(fill.qr_png)
    with converting(settings, fonts) as (program, _):
        convert = partial(_converted, program, partial(nobodys, form, fonts))
        own = own_pictures(form, fonts, convert)
        yield Maker(
            fill=lambda draft: form.fill(fill.values(draft), code_of(draft.qr_url), fonts.choose),
            text_of=fill.text_of,
            convert=convert,
            read_back=lambda pdf, text, draft: _read_back(
                settings, fonts, pdf, text, draft, Pictures(code_of(draft.qr_url), own)
            ),
            seal=tools.seals.seal,
        )


@contextmanager
def makers(tools: Tools, count: int) -> Iterator[Make]:
    """`count` processes that make; if that is one, this very process."""
    if count == 1:
        with making(tools) as maker:
            yield at_once(maker)
        return
    pool = ProcessPoolExecutor(count, get_context("fork"), _begin, (tools, os.getpid()))
    with ExitStack() as ending:
        ending.callback(pool.shutdown, cancel_futures=True)
        ending.callback(_stop)
        try:
            with _undisturbed():
                first = pool.submit(_make, ())  # with the first work all of them are forked
            first.result()  # one tells whether it could begin: the others begin alike
            yield partial(_hand_over, pool)
        except BrokenProcessPool as error:
            raise MakingEnded("制作进程无法启动或意外结束，请用 signsvc doctor 检查后重新运行") from error


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that end wait, here and in what is forked meanwhile: until a maker answers them in its own way, it would
    as if it were its parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop() -> None:
    """Whoever is interrupted waits for no chunk: what is under way is not wanted any more."""
    for child in active_children():
        child.terminate()


def _hand_over(pool: ProcessPoolExecutor, drafts: Sequence[Draft]) -> Callable[[], Sequence[Made]]:
    """To the next maker that is free."""
    return pool.submit(_make, drafts).result if drafts else list


def _begin(tools: Tools, parent: int) -> None:
    """In a maker, first. An interrupt is its parent's to answer, with whom it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    early: list[int] = []  # what comes while the folder is made must wait, or nobody would wipe it
    signal.signal(signal.SIGTERM, lambda number, _: early.append(number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    held = ExitStack()
    try:
        _opened.append(held.enter_context(making(tools)))
    except Exception as error:  # noqa: BLE001 (told to whoever asks for work: here nobody would hear it)
        _opened.append(error)
    signal.signal(signal.SIGTERM, partial(_leave, held))
    if early:
        _leave(held)


def _leave(held: ExitStack, *_: object) -> None:
    """At once, but for the converter, which is ended, and the folder, which is wiped."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut that short
    try:
        held.close()
    finally:
        os._exit(0)


def _make(drafts: Sequence[Draft]) -> Sequence[Made]:
    opened = _opened[0]
    if isinstance(opened, Exception):
        raise opened
    return make(opened, drafts)


def _converted(
    program: Convert, sample: Callable[[], DocxBytes], documents: Sequence[DocxBytes]
) -> Sequence[PdfBytes | ConversionFailed]:
    """The PDFs. Where one failed, a form that is nobody's is tried too: if that fails as well, it is not the documents
    that are bad, and MakingEnded is raised, for no number shall be voided over a program that does not work."""
    results = program(documents)
    failed = any(isinstance(result, ConversionFailed) for result in results)
    if failed and isinstance(program([sample()])[0], ConversionFailed):
        raise MakingEnded("转换程序不能工作，连空白的证明也不能转换；请用 signsvc doctor 检查后重新运行")
    return results


def _read_back(
    settings: Settings, fonts: FontBook, pdf: PdfBytes, text: str, draft: Draft, pictures: Pictures
) -> SealPlace:
    printed = fill.values(draft)
    anchor = (printed["出具日期"], f"（{printed['出具组织']}盖章）")
    return reads_back(settings, fonts, pdf, text, anchor, pictures)
