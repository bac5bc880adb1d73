"""The border before the seal: a converted PDF is taken apart, refused if anything in it can act, and written anew.

A certifying signature freezes whatever the file holds, so what could later change the page's look or run by itself
must not be in it: scripts, actions, layers, forms, attachments, annotations other than links (the preparation of
the published shadow attacks). Only catalogue entries with a purpose are carried over, and no metadata at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Object, Pdf, Stream
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.writer import PdfFileWriter

from signsvc.errors import SealFailed

# Carried over: the pages and what helps a screen reader.
_KEPT = frozenset(
    {"/Type", "/Pages", "/Version", "/Lang", "/MarkInfo", "/StructTreeRoot", "/ViewerPreferences"}
)
# Left behind: harmless, and of no use in a certificate (metadata may name the author of the template).
_DROPPED = frozenset(
    {"/Metadata", "/OpenAction", "/PageMode", "/PageLayout", "/Outlines", "/Dests", "/Names", "/PageLabels"}
)
# Keys that carry behaviour, a second look or other files, wherever they stand.
_ACTING = frozenset({"/JS", "/JavaScript", "/AA", "/XFA", "/AcroForm", "/Launch", "/Rendition", "/RichMedia"})
_HIDING = frozenset({"/OC", "/OCGs", "/EF", "/EmbeddedFile", "/EmbeddedFiles", "/PresSteps", "/ByteRange"})
# Keys by which a stream shows what lies in another file or in another picture.
_OUTSIDE = frozenset({"/F", "/Ref", "/OPI", "/Alternates"})
_REFUSED = _ACTING | _HIDING
_REFUSED_STREAM = _REFUSED | _OUTSIDE
_ACTION_KEYS = frozenset({"/A", "/PA", "/OpenAction"})
_ALLOWED_ACTIONS = frozenset({"/GoTo", "/URI"})
_ALLOWED_ANNOTATIONS = frozenset({"/Link"})
_TRAILER = frozenset({"/Root", "/Size"})
# Written out by the library that reads: as they are, without decoding, each with a number of its own.
_PLAIN: dict[str, Any] = {
    "object_stream_mode": pikepdf.ObjectStreamMode.disable,
    "stream_decode_level": pikepdf.StreamDecodeLevel.none,
    "compress_streams": False,
}
_LIVE = ("/Pages", "/Page")
_STRUCTURE_DAMAGED = (
    *(PdfError, pikepdf.PdfError, pikepdf.ForeignObjectError),
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError),
)


def rewrite(pdf: bytes) -> PdfFileWriter:
    """`pdf` as a new single-revision document; raises SealFailed if it is damaged, encrypted or can act."""
    document = take_apart(pdf)
    try:
        return _copy(document)
    except _STRUCTURE_DAMAGED as error:
        raise SealFailed("待盖章的文件结构有误，不能盖章") from error


def take_apart(pdf: bytes, strict: bool = True) -> Pdf:
    """The pages of `pdf` and what they need, numbered from the catalogue on, and nothing that can act.

    Raises SealFailed if it is damaged, encrypted or can act. `strict` also takes small slips against the format for
    damage.
    """
    try:
        document = pikepdf.open(BytesIO(pdf), attempt_recovery=not strict)
        if document.is_encrypted:
            raise SealFailed("待盖章的文件已加密，不能盖章")
        _check_catalogue(document.Root)
        taken = _without_orphans(document)
        for item in taken.objects:
            for dictionary in _dictionaries(item):
                _check_passive(dictionary)
        if strict and (document.get_warnings() or taken.get_warnings()):
            raise ValueError("slips against the format")
        return taken
    except _STRUCTURE_DAMAGED as error:
        raise SealFailed("待盖章的文件结构有误，不能盖章") from error


def _check_catalogue(root: Object) -> None:
    if unknown := root.keys() - _KEPT - _DROPPED:
        raise _active(min(unknown))
    if isinstance(root.get("/OpenAction"), Dictionary):
        raise _active("/OpenAction")
    if "/Names" in root and (unnamed := root["/Names"].keys() - {"/Dests"}):
        raise _active(min(unnamed))


def _without_orphans(document: Pdf) -> Pdf:
    """What the kept entries of the catalogue lead to, and nothing else."""
    for owner, kept in ((document.Root, _KEPT), (document.trailer, _TRAILER)):
        for key in owner.keys() - kept:
            del owner[key]
    plain = BytesIO()
    document.save(plain, **_PLAIN)
    return pikepdf.open(plain, attempt_recovery=False)


def _dictionaries(item: Any) -> Iterator[Object]:
    """Every dictionary directly inside `item`, itself included; references are met as objects of their own."""
    inside: Iterable[Any] = ()
    if isinstance(item, (Dictionary, Stream)):
        yield item
        inside = (value for _, value in item.items())
    elif isinstance(item, Array):
        inside = item
    for value in inside:
        if isinstance(value, Object) and not value.is_indirect:
            yield from _dictionaries(value)


def _check_passive(item: Object) -> None:
    """Raise SealFailed if `item` can act."""
    keys = item.keys()
    if found := (_REFUSED_STREAM if isinstance(item, Stream) else _REFUSED).intersection(keys):
        raise _active(min(found))
    for key in _ACTION_KEYS.intersection(keys):
        action = item[key]
        if isinstance(action, Dictionary) and "/S" in action and not _harmless(action):
            raise _active(key)
    for annotation in item["/Annots"] if "/Annots" in keys else ():
        if str(annotation.get("/Subtype")) not in _ALLOWED_ANNOTATIONS:
            raise _active("/Annots")


def _harmless(action: Object) -> bool:
    return str(action["/S"]) in _ALLOWED_ACTIONS and "/Next" not in action


def _active(key: str) -> SealFailed:
    return SealFailed(f"待盖章的文件含有可执行或可变内容（{key}），不能盖章；请检查模板")


class _Written(generic.PdfObject):
    """An object that is written out already: the library would do it byte by byte."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def write_to_stream(self, stream: Any, handler: Any = None, container_ref: Any = None) -> None:
        stream.write(self._data)


def _copy(document: Pdf) -> PdfFileWriter:
    """Under the same numbers, which is why references may stay as they are."""
    writer = PdfFileWriter(init_page_tree=False, stream_xrefs=True)
    packed = writer.prepare_object_stream()
    [catalogue, *others] = document.objects
    writer.root.update(_live(catalogue, writer))
    if (writer.root_ref.idnum, 0) != document.Root.objgen:
        raise ValueError("numbering")
    for item in others:
        if isinstance(item, Stream):
            added = writer.add_object(_written_stream(item))
        elif isinstance(item, Dictionary) and str(item.get("/Type")) in _LIVE:
            added = writer.add_object(_live(item, writer), packed)
        else:
            added = writer.add_object(_Written(item.unparse(resolved=True)), packed)
        if (added.idnum, 0) != item.objgen:
            raise ValueError("numbering")
    return writer


def _live(item: Object, writer: PdfFileWriter) -> Any:
    """A dictionary that the signer reads and adds to."""
    place = generic.Reference(*item.objgen, writer)
    return generic.read_object(BytesIO(item.unparse(resolved=True)), place)


def _written_stream(item: Object) -> _Written:
    data, entries = item.read_raw_bytes(), item.stream_dict
    if entries["/Length"] != len(data):
        raise ValueError("length")
    return _Written(b"%b\nstream\n%b\nendstream" % (entries.unparse(resolved=True), data))
