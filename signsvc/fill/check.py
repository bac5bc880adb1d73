"""What `signsvc template check` tells of a certificate's template before anyone issues with it."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from docx import Document
from docx.document import Document as DocumentObject
from docx.oxml.ns import qn
from lxml import etree

from signsvc.errors import TemplateError
from signsvc.fill.compile import foreign_document, story_parts
from signsvc.fill.faces import Styles, is_body, is_title
from signsvc.fill.fields import CERTIFICATE, FIELD, Found, merge_fields, own_runs
from signsvc.fill.limits import doubtful_features, refused_features
from signsvc.fill.safety import is_docx, unsafe_reasons
from signsvc.models import Role


@dataclass(frozen=True)
class FontUse:
    """A font that the template names, the role its text is printed in, and whether it stands for that role."""

    name: str
    role: Role
    known: bool


@dataclass(frozen=True)
class TemplateReport:
    """Findings about a template. `unsafe` and `refused` keep it from being used, `doubtful` are warnings."""

    is_docx: bool = True  # if not, `unsafe` says what is wrong with the file
    unsafe: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()  # found, in the order of the form
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    split: tuple[str, ...] = ()  # over several runs; joined when the form is loaded, so no fault
    stray_braces: bool = False
    fonts: tuple[FontUse, ...] = ()
    unprintable: tuple[str, ...] = ()  # characters of the template's own text that no font has
    refused: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether certificates can be issued with the template."""
        faults = (self.unsafe, self.missing, self.unknown, self.stray_braces, self.unprintable, self.refused)
        return not any(faults)

    @property
    def fonts_missing(self) -> tuple[str, ...]:
        """Fonts that are neither installed nor stand for 仿宋 or 小标宋; their text is printed in the role's face."""
        return tuple(font.name for font in self.fonts if not font.known)


def inspect(
    template: bytes,
    installed: Callable[[str], bool] = lambda name: False,
    missing: Callable[[str, Role], Collection[str]] = lambda text, role: (),
) -> TemplateReport:
    """Everything there is to say about a template; never raises for a bad one.

    `installed` tells whether a font family is on this machine, `missing` which characters of a text no font has.
    """
    if reasons := unsafe_reasons(template):
        return TemplateReport(is_docx=is_docx(template), unsafe=reasons)
    try:
        with foreign_document():
            return _inspect(Document(io.BytesIO(template)), installed, missing)
    except TemplateError as error:
        return TemplateReport(unsafe=(str(error),))


def _inspect(
    document: DocumentObject,
    installed: Callable[[str], bool],
    missing: Callable[[str, Role], Collection[str]],
) -> TemplateReport:
    found, refused, doubtful = Found(CERTIFICATE), list[str](), list[str]()
    fonts = tuple(sorted(_fonts(document, installed), key=lambda font: (font.role, font.name)))
    for part in story_parts(document):
        refused += refused_features(part.element)
        doubtful += doubtful_features(part.element)
        merge_fields(part.element, found)
    return TemplateReport(
        fields=tuple(name for name in CERTIFICATE.names if name in found.names),
        missing=found.missing,
        unknown=found.unknown,
        split=tuple(dict.fromkeys(found.split)),
        stray_braces=found.stray,
        fonts=fonts,
        unprintable=tuple(
            dict.fromkeys(char for text, role in _texts(document) for char in missing(text, role))
        ),
        refused=tuple(dict.fromkeys(refused)),
        doubtful=tuple(dict.fromkeys(doubtful)),
    )


def _fonts(document: DocumentObject, installed: Callable[[str], bool]) -> set[FontUse]:
    styles = Styles(document.styles.element)
    return {use for part in story_parts(document) for use in _uses(part.element, styles, installed)}


def _texts(document: DocumentObject) -> Iterator[tuple[str, Role]]:
    """The template's own text, run by run, once its fields are merged."""
    styles = Styles(document.styles.element)
    for part in story_parts(document):
        for text in part.element.iter(qn("w:t")):
            run = next(text.iterancestors(qn("w:r")))
            yield FIELD.sub("", text.text or ""), styles.role(run)


def _uses(root: etree._Element, styles: Styles, installed: Callable[[str], bool]) -> Iterator[FontUse]:
    for paragraph in root.iter(qn("w:p")):
        for run in own_runs(paragraph):
            name = styles.font(run)
            if name and run.find(qn("w:t")) is not None:
                yield FontUse(name, styles.role(run), is_title(name) or is_body(name) or installed(name))
