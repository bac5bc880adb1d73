"""A certificate is paper: nothing in its PDF acts, hides, or waits to be filled in.

Optional content, form fields, scripts and attachments are what shadow attacks on sealed documents are made of, so
they never get as far as the seal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pikepdf import Array, Dictionary, Object, Pdf, Stream

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
# Any of these names, as qpdf writes them: where none is found, nothing need be looked at more closely.
_SUSPECT = re.compile(
    rb"/(?:%b)\b"
    % b"|".join(name[1:].encode() for name in sorted({*_FORBIDDEN_KEYS, *_FORBIDDEN_ACTIONS, "/Action"}))
)


def check_inert(data: bytes, document: Pdf, objects: Sequence[Object]) -> None:
    """Raise Unacceptable for more than one revision, encryption, anything active, and annotations but links.

    `objects` are all those of the document.
    """
    if data.count(b"startxref") != 1 or document.is_encrypted:
        raise Unacceptable("more than one revision, or encrypted")
    if isinstance(document.Root.get("/OpenAction"), Dictionary):
        raise Unacceptable("/OpenAction")
    if len(objects) > _OBJECTS:
        raise Unacceptable("too many objects")
    for item in objects:
        if _SUSPECT.search(_written(item)):
            _check(item)
    for page in document.pages:
        for annotation in page.obj.get("/Annots", ()):
            _check_annotation(annotation)


def _written(item: Object) -> bytes:
    """An object without the data of its stream; what it refers to is an object of its own."""
    return (item.stream_dict if isinstance(item, Stream) else item).unparse(resolved=True)


def _check(value: Any) -> None:
    """Everything in one object; what it refers to is an object of its own."""
    if isinstance(value, (Dictionary, Stream)):
        keys = value.keys()
        if found := _FORBIDDEN_KEYS.intersection(keys):
            raise Unacceptable(min(found))
        kind = str(value["/S"]) if "/S" in keys else ""
        of_actions = "/Type" in keys and value["/Type"] == "/Action"
        if kind in _FORBIDDEN_ACTIONS or (of_actions and kind not in _LINK_ACTIONS):
            raise Unacceptable("action")
        _check_inside(item for _, item in value.items())
    elif isinstance(value, Array):
        _check_inside(value)


def _check_inside(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, Object) and not value.is_indirect:
            _check(value)


def _check_annotation(annotation: Object) -> None:
    """Only links, which show nothing of their own."""
    if annotation.get("/Subtype") != "/Link" or "/AP" in annotation:
        raise Unacceptable("annotation")
    if "/A" in annotation and str(annotation["/A"].get("/S", "/GoTo")) not in _LINK_ACTIONS:
        raise Unacceptable("action")
