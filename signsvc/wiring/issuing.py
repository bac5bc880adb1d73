"""A process that issues: form, fonts, converter, seals, archive and registry, opened together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from signsvc import fill
from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.convert import choose_converter, read_back
from signsvc.errors import Fault, SettingsError
from signsvc.fonts import FontBook, code_point
from signsvc.issue import Issuer
from signsvc.models import Draft, PdfBytes, SealPlace
from signsvc.wiring.home import ISSUING, archive_folder, load_keys, now, open_registry
from signsvc.wiring.rules import Rules
from signsvc.wiring.seals import Seals
from signsvc.workspace import workspace

POINTS_PER_MM = 72 / 25.4
TEMPLATE = Path(__file__).parents[2] / "templates_docx" / "annex4.docx"


@contextmanager
def issuing(settings: Settings) -> Iterator[Issuer]:
    """Everything that issuing needs, opened for as long as the batch runs."""
    ring = load_keys(settings, ISSUING)
    registry = open_registry(settings, ring, writing=True)
    local = Rules.load(settings)
    fonts = load_fonts(settings)
    form = fill.Form.load(template_bytes(settings))
    with ExitStack() as stack:
        stack.callback(registry.close)
        work = stack.enter_context(workspace(settings.home / "tmp"))
        converter = stack.enter_context(
            choose_converter(settings.converter, work, settings.conversion_timeout, font_files(fonts))
        )
        registry.publish()  # what a killed batch committed and did not show
        yield Issuer(
            office=local.find_office,
            decide=local.decide,
            letters=partial(missing_letters, fonts),
            fill=lambda draft: form.fill(fill.values(draft), fill.qr_png(draft.qr_url), fonts.choose),
            text_of=fill.text_of,
            convert=converter.convert,
            read_back=partial(_read_back, settings, fonts),
            sealing=Seals(settings, ring, local.offices, fonts),
            archive=Archive(archive_folder(settings), work, ring.archive),
            registry=registry,
            clock=now,
            choose=secrets.randbelow,
            base_url=settings.base_url,
        )


def load_fonts(settings: Settings) -> FontBook:
    return FontBook.load(settings.font_body, settings.font_title, settings.font_fallback, settings.font_files)


def font_files(fonts: FontBook) -> list[Path]:
    return list(dict.fromkeys(face.file.path for face in fonts.faces))


def template_bytes(settings: Settings) -> bytes:
    file = settings.template or TEMPLATE
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"读不到模板 {file.name}：请检查 SIGNSVC_TEMPLATE") from error


def missing_letters(fonts: FontBook, draft: Draft) -> list[Fault]:
    """A fault for every character of a value that no configured font has, by name and code point."""
    missing = {char for text in fill.values(draft).values() for char in fonts.missing(text)}
    return [
        Fault("glyph_missing", f"没有字体能显示字符「{char}」（{code_point(char)}），请安装含该字的字体")
        for char in sorted(missing)
    ]


def _read_back(settings: Settings, fonts: FontBook, pdf: PdfBytes, text: str, draft: Draft) -> SealPlace:
    radius = settings.seal_diameter_mm / 2 * POINTS_PER_MM
    printed = fill.values(draft)
    anchor = (printed["出具日期"], f"（{printed['出具组织']}盖章）")
    return read_back(pdf, text, fonts.allowed_names, anchor, radius)


def font_installed(settings: Settings) -> Callable[[str], bool]:
    """Whether a font that a template names can be printed: installed, or mapped by the settings."""
    fonts = load_fonts(settings)
    return lambda name: name in fonts.families
