"""Copies of pictures, states and links from one PDF into another, which bring nothing along but themselves."""

from __future__ import annotations

from typing import Any

from pikepdf import Array, Dictionary, Object, Pdf, Stream

from .contents import Unreadable

# What holds these leads to other pages, shows text or tells of the whole.
_NEVER_ALONG = frozenset(
    {"/Pages", "/Kids", "/Parent", "/P", "/Dest", "/D", "/Next", "/Metadata", "/PieceInfo", "/StructParent"}
    | {"/Resources", "/BBox", "/Font", "/FontName", "/BaseFont", "/FontDescriptor", "/CharProcs"}
)
_DEPTH = 8  # of values within each other


def copied(value: Any, file: Pdf) -> Any:
    """A value of another PDF for this one, with all that it refers to.

    Raises Unreadable if that leads to pages, shows text or tells of the other PDF.
    """
    _check(value, 0)
    return _here(value, file)


def _check(value: Any, depth: int) -> None:
    if depth > _DEPTH:
        raise Unreadable("too deep")
    if isinstance(value, Array):
        inner = list(value)
    elif isinstance(value, (Dictionary, Stream)):
        if alien := value.keys() & _NEVER_ALONG:
            raise Unreadable(min(alien))
        inner = [item for _, item in value.items()]
    else:
        return
    for item in inner:
        _check(item, depth + 1)


def _here(value: Any, file: Pdf) -> Any:
    """With copies in place of references to the other PDF."""
    if not isinstance(value, Object):
        return value
    if value.is_indirect:
        return file.copy_foreign(value)
    if isinstance(value, Array):
        return Array([_here(item, file) for item in value])
    if isinstance(value, Dictionary):
        return Dictionary({key: _here(item, file) for key, item in value.items()})
    return value
