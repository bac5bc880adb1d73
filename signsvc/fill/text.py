"""The text of a .docx as it is printed, for comparing with what a PDF shows."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache

from docx.oxml.ns import qn
from lxml import etree

from signsvc.models import DocxBytes

_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_TEXT, _PARAGRAPH = qn("w:t"), qn("w:p")
_BREAKS = (qn("w:br"), qn("w:cr"), qn("w:tab"))


def text_of(docx: DocxBytes) -> str:
    """Headers, body, footers in this order, a line a paragraph. White space tells nothing about the printed page.

    Read from the file itself, as Word would: from the package to its document, from there to headers and footers.
    """
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        [body] = _related(archive, "", "officeDocument")
        parts = (*_related(archive, body, "header"), body, *_related(archive, body, "footer"))
        return "\n".join(_text(etree.fromstring(archive.read(part))) for part in parts).strip()


def _related(archive: zipfile.ZipFile, part: str, kind: str) -> Sequence[str]:
    """Names of the parts that `part` (the package if empty) names as being of that kind, each once."""
    folder, name = posixpath.split(part)
    return _targets(archive.read(posixpath.join(folder, "_rels", name + ".rels")), folder, kind)


@lru_cache(maxsize=32)  # the same in every certificate of a template
def _targets(relations: bytes, folder: str, kind: str) -> Sequence[str]:
    targets = (
        posixpath.normpath(posixpath.join("/", folder, str(relation.get("Target")))).lstrip("/")
        for relation in etree.fromstring(relations).iter(_RELATION)
        if str(relation.get("Type")).endswith("/" + kind)
    )
    return tuple(dict.fromkeys(targets))


def _text(root: etree._Element) -> str:
    """Texts below `root`; of a text box only the form that is shown, not its stand-in for old programs."""
    etree.strip_elements(root, _FALLBACK, with_tail=False)
    return "".join(_pieces(root))


def _pieces(root: etree._Element) -> Iterator[str]:
    for element in root.iter(_TEXT, _PARAGRAPH, *_BREAKS):
        if element.tag == _TEXT:
            yield element.text or ""
        else:
            yield "\n" if element.tag == _PARAGRAPH else " "
