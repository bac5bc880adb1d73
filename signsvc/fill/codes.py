"""Field codes of a .docx: what Word and LibreOffice compute, fetch or run when they open it."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

# Fields that only count pages or carry a link; any other may fetch, run or compute something.
_HARMLESS = frozenset({"PAGE", "NUMPAGES", "SECTIONPAGES", "HYPERLINK"})
_PARTS = ("fldSimple", "fldChar", "instrText", "delInstrText", "t", "delText")


def is_harmless(code: str) -> bool:
    """Whether a field code is empty, or one of those that a template may hold."""
    words = code.split(maxsplit=1)
    return not words or words[0].upper() in _HARMLESS


def field_codes(root: etree._Element) -> Iterator[str]:
    """Every field code, in whatever namespace. One inside another, or outside any field, counts as one of its own.

    Between a field's beginning and its result LibreOffice takes ordinary text for code too.
    """
    open_codes: list[
        str | None
    ] = []  # of the fields around the place, the innermost last; None behind the code
    for element in root.iter(*(f"{{*}}{name}" for name in _PARTS)):
        name, text = etree.QName(element).localname, str(element.xpath("string()"))
        if name == "fldSimple":
            yield _attribute(element, "instr")
        elif name == "fldChar":
            kind = _attribute(element, "fldCharType")
            if kind == "begin":
                open_codes.append("")
            elif open_codes:
                yield open_codes.pop() or ""
                open_codes += [None] * (kind == "separate")
        elif open_codes and open_codes[-1] is not None:
            open_codes[-1] += text
        elif name in ("instrText", "delInstrText"):
            yield text
    yield from (code for code in open_codes if code)


def _attribute(element: etree._Element, name: str) -> str:
    return next(
        (str(value) for key, value in element.attrib.items() if etree.QName(key).localname == name), ""
    )
