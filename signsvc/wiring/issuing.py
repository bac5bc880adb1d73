"""A process that issues: form, fonts, converter, seals, archive and registry, opened together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from signsvc import fill
from signsvc.archive import Archive
from signsvc.config import Settings
from signsvc.convert import choose_converter, read_back
from signsvc.errors import ConversionFailed, Fault, SettingsError, TemplateError
from signsvc.fonts import FontBook, code_point
from signsvc.issue import Issuer
from signsvc.models import DocxBytes, Draft, PdfBytes, Role, SealPlace
from signsvc.wiring.home import ISSUING, archive_folder, now, open_home, read_file
from signsvc.wiring.rules import Rules
from signsvc.wiring.seals import Seals
from signsvc.workspace import workspace

POINTS_PER_MM = 72 / 25.4
TEMPLATE = Path(__file__).parents[2] / "templates_docx" / "annex4.docx"


@contextmanager
def issuing(settings: Settings) -> Iterator[Issuer]:
    """Everything that issuing needs, opened for as long as the batch runs."""
    with checking(settings) as issuer, ExitStack() as stack:
        work = stack.enter_context(workspace(settings.home / "tmp"))
        files = font_files(load_fonts(settings))
        converter = stack.enter_context(
            choose_converter(settings.converter, work, settings.conversion_timeout, files)
        )
        issuer.registry.publish()  # what a killed batch committed and did not show
        yield replace(issuer, convert=converter.convert, archive=replace(issuer.archive, tmp=work))


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


def load_fonts(settings: Settings) -> FontBook:
    """The faces of the settings; only those that nobody chose may be missing."""
    return FontBook.load(
        settings.font_body,
        settings.font_title,
        settings.font_fallback,
        settings.font_files,
        optional=(Settings.font_body, Settings.font_title, *Settings.font_fallback),
    )


def load_form(settings: Settings, fonts: FontBook) -> fill.Form:
    """The template; every character of its own text has a font."""
    try:
        form = fill.Form.load(template_bytes(settings))
    except TemplateError as error:
        raise SettingsError(f"模板不能使用：{error}", "template_error") from error
    roles: tuple[Role, ...] = ("body", "title")
    if missing := dict.fromkeys(
        char for role in roles for char in fonts.missing(form.fixed_text(role), role)
    ):
        named = "、".join(map(code_point, missing))
        raise SettingsError(
            f"没有字体能显示模板中的字符 {named}，请修改模板或安装含该字的字体", "template_error"
        )
    return form


def font_files(fonts: FontBook) -> list[Path]:
    return list(dict.fromkeys(face.file.path for face in fonts.faces))


def template_bytes(settings: Settings) -> bytes:
    return read_file(settings.template or TEMPLATE, "模板")


def missing_letters(fonts: FontBook, texts: Iterable[str]) -> list[Fault]:
    """One fault for all characters of `texts` that no configured font has, each by name and code point."""
    missing = dict.fromkeys(char for text in texts for char in fonts.missing(text))
    if not missing:
        return []
    named = "、".join(f"「{char}」（{code_point(char)}）" for char in missing)
    return [Fault("glyph_missing", f"没有字体能显示{named}，请安装含该字的字体")]


def _read_back(settings: Settings, fonts: FontBook, pdf: PdfBytes, text: str, draft: Draft) -> SealPlace:
    radius = settings.seal_diameter_mm / 2 * POINTS_PER_MM
    printed = fill.values(draft)
    anchor = (printed["出具日期"], f"（{printed['出具组织']}盖章）")
    return read_back(pdf, text, fonts.allowed_names, anchor, radius)


def font_installed(settings: Settings) -> Callable[[str], bool]:
    """Whether a font that a template names can be printed: installed, or mapped by the settings."""
    fonts = load_fonts(settings)
    return lambda name: name in fonts.families
