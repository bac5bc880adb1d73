"""Field codes of a .docx: what Word and LibreOffice compute, fetch or run when they open it (ECMA-376 part 1, 17.16).

LibreOffice passes over what it does not know and takes ordinary text for code where it sees no end of one. So a field
is read only in the one form that leaves nothing to choose: its beginning, code and separator in runs beside each
other, every one in the namespace of WordprocessingML. Any other form counts as harmful.
"""

from __future__ import annotations

from collections.abc import Iterator

from docx.oxml.ns import qn
from lxml import etree

# Fields that only count pages or carry a link; any other may fetch, run or compute something.
_HARMLESS = frozenset({"PAGE", "NUMPAGES", "SECTIONPAGES", "HYPERLINK"})
_FIELD, _SIMPLE, _RUN = qn("w:fldChar"), qn("w:fldSimple"), qn("w:r")
_KINDS = ("begin", "separate", "end")
_CODES = (qn("w:instrText"), qn("w:delInstrText"))
_PARTS = ("{*}fldChar", "{*}fldSimple", "{*}instrText", "{*}delInstrText")
# What may stand in a code without being part of it.
_SILENT = frozenset(
    qn(f"w:{name}")
    for name in (
        *("rPr", "proofErr", "bookmarkStart", "bookmarkEnd", "permStart", "permEnd"),
        *("commentRangeStart", "commentRangeEnd", "lastRenderedPageBreak"),
    )
)


def only_harmless_fields(root: etree._Element) -> bool:
    """Whether every field in a part only counts pages or carries a link, however a program may read it."""
    try:
        simple = [_attribute(item, _SIMPLE, "instr") for item in root.iter("{*}fldSimple")]
        fields = [_code(item) for item in root.iter("{*}fldChar") if _kind(item) == "begin"]
    except ValueError:
        return False
    read = {piece for field in fields for piece in field}
    strays = any(piece not in read for piece in root.iter("{*}instrText", "{*}delInstrText"))
    texts = ("".join(str(piece.text or "") for piece in field) for field in fields)
    return not strays and all(_is_harmless(code) for code in (*simple, *texts))


def _is_harmless(code: str) -> bool:
    words = code.split(maxsplit=1)
    return not words or words[0].upper() in _HARMLESS


def _code(begin: etree._Element) -> list[etree._Element]:
    """The elements that hold the code of the field that begins here; ValueError if that is not clear."""
    pieces: list[etree._Element] = []
    for item in _beside(begin):
        if item.tag == _FIELD and _kind(item) != "begin":
            return pieces
        if item.tag in _CODES and item.tag == (pieces or [item])[0].tag and not len(item):
            pieces.append(item)
        elif item.tag not in _SILENT or next(item.iter(*_PARTS), None) is not None:
            break
    raise ValueError("a code without a clear end")


def _beside(item: etree._Element) -> Iterator[etree._Element]:
    """What follows `item` in its run and in the runs beside that."""
    yield from item.itersiblings()
    run = item.getparent()
    for other in run.itersiblings() if run is not None else ():
        yield from other if other.tag == _RUN else (other,)


def _kind(item: etree._Element) -> str:
    run, kind = item.getparent(), _attribute(item, _FIELD, "fldCharType")
    if run is None or run.tag != _RUN or kind not in _KINDS:
        raise ValueError("no part of a field")
    return kind


def _attribute(element: etree._Element, tag: str, name: str) -> str:
    """The only attribute of that name, in the namespace where LibreOffice looks for it; ValueError for any other."""
    found = {key: str(value) for key, value in element.attrib.items() if etree.QName(key).localname == name}
    if element.tag != tag or found.keys() - {qn(f"w:{name}")}:
        raise ValueError("not of this namespace")
    return next(iter(found.values()), "")
