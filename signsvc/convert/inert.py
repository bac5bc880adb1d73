"""A certificate is paper: nothing in its PDF acts, hides, or waits to be filled in.

Optional content, form fields, scripts and attachments are what shadow attacks on sealed documents are made of, so
they never get as far as the seal.
"""

from __future__ import annotations

from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from .fontprogram import Unacceptable

_OBJECTS = 20_000
# Whatever stands under one of these keys acts, hides, attaches or waits for input.
_FORBIDDEN_KEYS = frozenset(
    f"/{key}"
    for key in (
        *("JS", "JavaScript", "AA", "AcroForm", "XFA", "OCProperties", "OC", "EmbeddedFiles", "EF", "AF"),
        *("Collection", "RichMediaContent", "Perms", "DSS", "Requirements", "Encrypt"),
    )
)
# The only actions a page may hold are those of links (ISO 32000-2, 12.6.4). Their /Type is optional, so the others
# are also known by name.
_LINK_ACTIONS = ("/GoTo", "/URI")
_FORBIDDEN_ACTIONS = frozenset(
    f"/{name}"
    for name in (
        *(
            "JavaScript",
            "Launch",
            "GoToR",
            "GoToE",
            "GoToDp",
            "Thread",
            "Sound",
            "Movie",
            "Hide",
            "Named",
            "Trans",
        ),
        *(
            "SubmitForm",
            "ResetForm",
            "ImportData",
            "SetOCGState",
            "Rendition",
            "GoTo3DView",
            "RichMediaExecute",
        ),
    )
)


def check_inert(data: bytes, reader: PdfReader) -> None:
    """Raise Unacceptable for more than one revision, encryption, anything active, and annotations but links."""
    if data.count(b"startxref") != 1 or reader.is_encrypted:
        raise Unacceptable("more than one revision, or encrypted")
    if isinstance(reader.root_object.get("/OpenAction", ArrayObject()).get_object(), DictionaryObject):
        raise Unacceptable("/OpenAction")
    numbers = {number for table in reader.xref.values() for number in table} | set(reader.xref_objStm)
    if len(numbers) > _OBJECTS:
        raise Unacceptable("too many objects")
    for number in numbers:
        _check(reader.get_object(number))
    for page in reader.pages:
        for annotation in page.get("/Annots", ArrayObject()).get_object():
            _check_annotation(annotation.get_object())


def _check(value: Any) -> None:
    if isinstance(value, DictionaryObject):
        if found := _FORBIDDEN_KEYS.intersection(value):
            raise Unacceptable(min(found))
        kind = value.get("/S")
        if kind in _FORBIDDEN_ACTIONS or (value.get("/Type") == "/Action" and kind not in _LINK_ACTIONS):
            raise Unacceptable("action")
        for key in value:
            _check(value.raw_get(key))
    elif isinstance(value, ArrayObject):
        for item in value:
            _check(item)


def _check_annotation(annotation: DictionaryObject) -> None:
    if annotation.get("/Subtype") != "/Link":
        raise Unacceptable("annotation")
    action = annotation.get("/A", DictionaryObject()).get_object()
    if action.get("/S", "/GoTo") not in _LINK_ACTIONS:
        raise Unacceptable("action")
