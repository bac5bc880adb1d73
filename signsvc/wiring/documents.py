"""What every process that makes documents needs: faces, forms, the converter, and the reading back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from signsvc import fill
from signsvc.config import Settings
from signsvc.convert import NO_PICTURES, Pictures, choose_converter, pictures_in, read_back
from signsvc.errors import ConversionFailed, Fault, RowFailed, SettingsError, TemplateError
from signsvc.fill.fields import Fields
from signsvc.fonts import FontBook, code_point
from signsvc.models import DocxBytes, PdfBytes, Role, SealPlace
from signsvc.steps import Convert
from signsvc.wiring.home import read_file
from signsvc.workspace import workspace

POINTS_PER_MM = 72 / 25.4
_THREE_PAGES = 2000  # characters of the body
_NOBODYS_CODE = fill.qr_png("nobody")
TEMPLATES = Path(__file__).parents[2] / "templates_docx"


@contextmanager
def converting(settings: Settings, fonts: FontBook) -> Iterator[tuple[Convert, Path]]:
    """The converter of the settings, and the folder of this process in which plaintext may lie."""
    with (
        workspace(settings.home / "tmp") as work,
        choose_converter(
            settings.converter, work, settings.conversion_timeout, font_files(fonts)
        ) as converter,
    ):
        yield converter.convert, work


def load_fonts(settings: Settings) -> FontBook:
    """The faces of the settings; only those that nobody chose may be missing."""
    return FontBook.load(
        settings.font_body,
        settings.font_title,
        settings.font_fallback,
        settings.font_files,
        optional=(Settings.font_body, Settings.font_title, *Settings.font_fallback),
    )


def font_files(fonts: FontBook) -> list[Path]:
    return list(dict.fromkeys(face.file.path for face in fonts.faces))


def font_installed(settings: Settings) -> Callable[[str], bool]:
    """Whether a font that a template names can be printed: installed, or mapped by the settings."""
    fonts = load_fonts(settings)
    return lambda name: name in fonts.families


def template_bytes(settings: Settings) -> bytes:
    return read_file(settings.template or TEMPLATES / "annex4.docx", "模板")


def load_form(settings: Settings, fonts: FontBook) -> fill.Form:
    """The certificate's form; every character of its own text has a font."""
    return _form(template_bytes(settings), fill.CERTIFICATE, fonts)


def load_notice(fonts: FontBook) -> fill.Form:
    """The form of the notice of refusal."""
    return _form(read_file(TEMPLATES / "refusal.docx", "告知单模板"), fill.NOTICE, fonts)


def _form(template: bytes, fields: Fields, fonts: FontBook) -> fill.Form:
    try:
        form = fill.Form.load(template, fields)
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


def missing_letters(fonts: FontBook, texts: Iterable[str]) -> list[Fault]:
    """One fault for all characters of `texts` that no configured font has, each by name and code point."""
    missing = dict.fromkeys(char for text in texts for char in fonts.missing(text))
    if not missing:
        return []
    named = "、".join(f"「{char}」（{code_point(char)}）" for char in missing)
    return [Fault("glyph_missing", f"没有字体能显示{named}，请安装含该字的字体")]


def own_pictures(form: fill.Form, fonts: FontBook, convert: Convert) -> Callable[[], Collection[bytes]]:
    """Tells the pictures that certificates of a form may show besides their codes; looked for once, when first asked.

    Raises ConversionFailed or TextMismatch, the same every time: what failed is not tried again for every certificate.
    """

    @cache
    def found() -> Collection[bytes] | RowFailed:
        try:
            return _pictures_of_nobody(form, fonts, convert)
        except RowFailed as error:
            return error

    def tell() -> Collection[bytes]:
        pictures = found()
        if isinstance(pictures, RowFailed):
            raise pictures.with_traceback(None)
        return pictures

    return tell


def _pictures_of_nobody(form: fill.Form, fonts: FontBook, convert: Convert) -> Collection[bytes]:
    """The pictures in a certificate that is nobody's, without its code.

    It has a page of each kind (first, even, odd), for each may have a header of its own.
    """
    (pdf,) = convert([nobodys(form, fonts, _THREE_PAGES)])
    if isinstance(pdf, ConversionFailed):
        raise pdf
    return pictures_in(pdf, _NOBODYS_CODE)


def nobodys(form: fill.Form, fonts: FontBook, length: int = 1) -> DocxBytes:
    """A certificate that is nobody's, whose body has so many characters: to see what a form or a converter does."""
    texts = dict.fromkeys(fill.CERTIFICATE.texts, "无") | {"证明事项": "无" * length}
    return form.fill(texts, _NOBODYS_CODE, fonts.choose)


def reads_back(
    settings: Settings,
    fonts: FontBook,
    pdf: PdfBytes,
    text: str,
    anchor: tuple[str, str],
    pictures: Pictures = NO_PICTURES,
) -> SealPlace:
    """The seal's place in a PDF that says `text` and shows `pictures`; `anchor` is its date and the line under it."""
    radius = settings.seal_diameter_mm / 2 * POINTS_PER_MM
    return read_back(pdf, text, fonts.allowed_names, anchor, pictures, radius)
