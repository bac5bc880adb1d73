"""From a template to pieces of XML with slots between them: every run of text becomes a slot of its own."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from docx import Document
from docx.document import Document as DocumentObject
from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.opc.part import XmlPart
from docx.oxml.ns import qn
from docx.parts.story import StoryPart
from lxml import etree

from signsvc.errors import TemplateError
from signsvc.fill.drawing import fit_line, is_alone, picture
from signsvc.fill.faces import Styles
from signsvc.fill.fields import FIELD, Fields, Found, drop, merge_fields, own_runs
from signsvc.fill.limits import refused_features
from signsvc.fill.safety import refuse_unsafe
from signsvc.models import Role

# Stands in XML where the name of the body face goes that is known only when filling.
STANDARD_FACE = "\ufdd0face"
_SLOT = re.compile(r"<\?slot (\d+)\?>")
_FONT_KINDS = ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs")
# A slot sets these itself.
_OWN_PROPERTIES = tuple(qn(name) for name in ("w:rStyle", "w:rFonts", "w:b", "w:bCs"))
# What carries people's names, other fonts or settings that change text, and nothing that is printed.
_UNNEEDED = (
    "extended-properties", "custom-properties", "thumbnail", "customXml", "stylesWithEffects", "comments", "fontTable",
    "webSettings", "classificationlabels", "core-properties",
)  # fmt: skip
_UNNEEDED_SETTINGS = (
    "w:autoHyphenation",
    "w:trackRevisions",
    "w:updateFields",
    "w:embedTrueTypeFonts",
    "w:docVars",
)


@dataclass(frozen=True)
class Slot:
    """A run of text: `texts` alternate fixed text and field names, fixed text first."""

    role: Role
    plain: bool  # its styles give it the standard face, in regular weight
    texts: tuple[str, ...]
    style: str  # <w:rStyle …/> or nothing
    properties: str  # the other run properties as XML


@dataclass(frozen=True)
class Package:
    """A template in pieces. Keys are zip entry names; `order` is the order in which they are written."""

    order: tuple[str, ...]
    fixed: Mapping[str, bytes]
    parts: Mapping[str, tuple[str | Slot, ...]]
    pictures: tuple[str, ...]  # entries that become the QR code
    core: str  # the entry of the core properties


@dataclass
class _Work:
    """What compiling gathers on its way through the parts."""

    styles: Styles
    found: Found
    slots: list[Slot] = field(default_factory=list)
    pictures: set[str] = field(default_factory=set)
    fitting: set[Any] = field(default_factory=set)  # paragraphs whose lines fit the picture alone in them


def compile_template(template: bytes, fields: Fields) -> Package:
    """Take a .docx apart for filling; raises TemplateError for what is unsafe, unreadable or not the form."""
    refuse_unsafe(template)
    with foreign_document():
        document = Document(io.BytesIO(template))
        work = _Work(Styles(document.styles.element), Found(fields))
        for part in story_parts(document):
            if reasons := refused_features(part.element):
                raise TemplateError("模板不能使用：" + "；".join(reasons))
            merge_fields(part.element, work.found)
        _check_fields(work.found)
        for part in story_parts(document):
            _compile_part(part, work)
        _tidy(document)
        return _package(document, work)


@contextmanager
def foreign_document() -> Iterator[None]:
    """The border to a foreign file: python-docx raises what it likes for a malformed one; here it is TemplateError."""
    try:
        yield
    except TemplateError:
        raise
    except Exception as error:
        raise TemplateError("模板内部结构有误，请用 Word 或 WPS 打开后另存为 .docx") from error


def story_parts(document: DocumentObject) -> list[StoryPart]:
    """The parts that hold printed text: body, headers, footers."""
    related = (relation.target_part for relation in document.part.rels.values() if not relation.is_external)
    return [document.part, *dict.fromkeys(p for p in related if isinstance(p, StoryPart) and _is_margin(p))]


def _is_margin(part: StoryPart) -> bool:
    return str(part.content_type).endswith(("header+xml", "footer+xml"))


def _check_fields(found: Found) -> None:
    faults = []
    if found.unknown:
        faults.append("不认识的字段：" + "、".join(found.unknown))
    if found.missing:
        faults.append("缺少字段：" + "、".join(found.missing))
    if found.stray:
        faults.append("有不成对的或全角的花括号")
    if faults:
        raise TemplateError("模板的字段有误。" + "；".join(faults))


def _compile_part(part: StoryPart, work: _Work) -> None:
    root: Any = part.element
    etree.strip_tags(root, etree.ProcessingInstruction, etree.Comment)
    runs = [run for paragraph in root.iter(qn("w:p")) for run in own_runs(paragraph)]
    faces = {run: (work.styles.role(run), work.styles.is_plain(run)) for run in runs}
    for paragraph in root.iter(qn("w:p")):
        if is_alone(paragraph, work.found.fields.picture) and fit_line(paragraph, part, work.styles):
            work.fitting.add(paragraph)
    _use_standard_face(root)
    # The innermost first, so that a run that holds a text box is copied with its slots already in it.
    for run in reversed(runs):
        for replacement in _split(run, faces[run], part, work):
            run.addprevious(replacement)
        drop(run)


def _split(run: Any, face: tuple[Role, bool], part: StoryPart, work: _Work) -> Iterator[Any]:
    """The run as slots for its text and runs of their own for everything else."""
    for child in list(run):
        if child.tag == qn("w:rPr"):
            continue
        if child.tag != qn("w:t"):
            yield _bare(run, child)
            continue
        fixed_and_fields, pictured = FIELD.split(child.text or ""), work.found.fields.picture
        while pictured in fixed_and_fields[1::2]:
            at = 1 + 2 * fixed_and_fields[1::2].index(pictured)
            yield _slot(run, face, fixed_and_fields[:at], work)
            drawing, entry = picture(part, next(run.iterancestors(qn("w:p"))) in work.fitting)
            work.pictures.add(entry)
            yield _run(run, drawing)
            fixed_and_fields = fixed_and_fields[at + 1 :]
        yield _slot(run, face, fixed_and_fields, work)


def _bare(run: Any, child: Any) -> Any:
    """A run like `run` that holds only `child`."""
    copy = _run(run, child)
    if (properties := run.find(qn("w:rPr"))) is not None:
        copy.insert(0, deepcopy(properties))
    return copy


def _run(run: Any, child: Any) -> Any:
    """A run in the place of `run` that holds only `child`, which none of its properties hides or moves."""
    made = run.makeelement(run.tag, nsmap=run.nsmap)
    made.append(child)
    return made


def _slot(run: Any, face: tuple[Role, bool], texts: list[str], work: _Work) -> Any:
    properties = run.find(qn("w:rPr"))
    children = [] if properties is None else list(properties)
    style = [child for child in children if child.tag == qn("w:rStyle")]
    others = [child for child in children if child.tag not in _OWN_PROPERTIES]
    work.slots.append(Slot(*face, tuple(texts), _xml(style), _xml(others)))
    return etree.ProcessingInstruction("slot", str(len(work.slots) - 1))


def _xml(elements: list[Any]) -> str:
    """Elements as text for a place where their namespaces are declared already."""
    text = "".join(etree.tostring(element, encoding="unicode", with_tail=False) for element in elements)
    return re.sub(r'\sxmlns:\w+="[^"]*"', "", text)


def _use_standard_face(root: Any) -> None:
    """No theme fonts and no font names of the template: the converter must find none that it would replace."""
    for fonts in root.iter(qn("w:rFonts")):
        fonts.attrib.clear()
        for kind in _FONT_KINDS:
            fonts.set(qn(kind), STANDARD_FACE)


def _tidy(document: DocumentObject) -> None:
    """Drop what is not printed, and what would alter text or name people."""
    for owner in (document.part.package, document.part):
        for key, relation in list(owner.rels.items()):
            if relation.reltype.endswith(_UNNEEDED):
                del owner.rels[key]
    for name in _UNNEEDED_SETTINGS:
        for element in document.settings.element.findall(qn(name)):
            document.settings.element.remove(element)
    for relation in document.part.rels.values():
        if relation.reltype in (RT.STYLES, RT.NUMBERING) and isinstance(relation.target_part, XmlPart):
            _use_standard_face(relation.target_part.element)


def _package(document: DocumentObject, work: _Work) -> Package:
    document.core_properties.title = ""  # python-docx makes the part anew
    saved = io.BytesIO()
    document.save(saved)
    with zipfile.ZipFile(saved) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    parts = {name: pieces for name, data in entries.items() if (pieces := _pieces(name, data, work.slots))}
    pictures = tuple(sorted(work.pictures))
    core_entry = document.part.package.part_related_by(RT.CORE_PROPERTIES).partname.membername
    changing = {*parts, *pictures, core_entry}
    fixed = {name: data for name, data in entries.items() if name not in changing}
    return Package(tuple(entries), fixed, parts, pictures, core_entry)


def _pieces(name: str, data: bytes, slots: list[Slot]) -> tuple[str | Slot, ...]:
    """Text and slots by turns; nothing for a part that is the same in every certificate."""
    if not name.endswith(".xml") or (b"<?slot " not in data and STANDARD_FACE.encode() not in data):
        return ()
    halves = _SLOT.split(data.decode())
    return tuple(slots[int(piece)] if at % 2 else piece for at, piece in enumerate(halves))
