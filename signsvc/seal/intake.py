"""The border before the seal: a converted PDF is taken apart, refused if anything in it can act, and written anew.

A certifying signature freezes whatever the file holds, so what could later change the page's look or run by itself
must not be in it: scripts, actions, layers, forms, attachments, annotations other than links (the preparation of
the published shadow attacks). Only catalogue entries with a purpose are carried over, and no metadata at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
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
_ACTION_KEYS = ("/A", "/PA", "/OpenAction")
_ALLOWED_ACTIONS = frozenset({"/GoTo", "/URI"})
_ALLOWED_ANNOTATIONS = frozenset({"/Link"})
_STRUCTURE_DAMAGED = (PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError)


def rewrite(pdf: bytes, strict: bool = True) -> PdfFileWriter:
    """`pdf` as a new single-revision document; raises SealFailed if it is damaged, encrypted or can act.

    `strict` also takes small slips against the format for damage.
    """
    try:
        reader = PdfFileReader(BytesIO(pdf), strict=strict)
        if reader.encrypted:
            raise SealFailed("待盖章的文件已加密，不能盖章")
        _check_catalogue(reader.root)
        return _copy(reader)
    except _STRUCTURE_DAMAGED as error:
        raise SealFailed("待盖章的文件结构有误，不能盖章") from error


def _copy(reader: PdfFileReader) -> PdfFileWriter:
    writer = PdfFileWriter(init_page_tree=False, stream_xrefs=True)
    packed = writer.prepare_object_stream()
    kept = generic.DictionaryObject({key: reader.root.raw_get(key) for key in reader.root if key in _KEPT})
    kept.container_ref = reader.root_ref
    # In one call: the library remembers what it has copied only within a call.
    imported: Any = writer.import_object(kept, obj_stream=packed)
    writer.root.update(imported)
    for item in (*writer.objects.values(), *writer.objs_in_streams.values()):
        for dictionary in _dictionaries(item):
            _check_passive(dictionary)
    return writer


def _check_catalogue(root: generic.DictionaryObject) -> None:
    if unknown := set(root) - _KEPT - _DROPPED:
        raise _active(sorted(unknown)[0])
    if isinstance(root.get("/OpenAction"), generic.DictionaryObject):
        raise _active("/OpenAction")
    if unnamed := set(root.get("/Names", {})) - {"/Dests"}:
        raise _active(sorted(unnamed)[0])


def _dictionaries(item: generic.PdfObject) -> Iterator[generic.DictionaryObject]:
    """Every dictionary directly inside `item`, itself included; references are met as objects of their own."""
    if isinstance(item, generic.DictionaryObject):
        yield item
        for key in item:
            yield from _dictionaries(item.raw_get(key))
    elif isinstance(item, generic.ArrayObject):
        for index in range(len(item)):
            yield from _dictionaries(item.raw_get(index))


def _check_passive(item: generic.DictionaryObject) -> None:
    """Raise SealFailed if `item` can act. The library's `get` gives references as they are, hence `get_object`."""
    outside = _OUTSIDE if isinstance(item, generic.StreamObject) else frozenset()
    if found := (_ACTING | _HIDING | outside).intersection(item):
        raise _active(sorted(found)[0])
    for key in _ACTION_KEYS:
        action = item.get(key, generic.NullObject()).get_object()
        if isinstance(action, generic.DictionaryObject) and "/S" in action and not _harmless(action):
            raise _active(key)
    for annotation in item.get("/Annots", generic.ArrayObject()).get_object():
        if annotation.get_object().get("/Subtype") not in _ALLOWED_ANNOTATIONS:
            raise _active("/Annots")


def _harmless(action: generic.DictionaryObject) -> bool:
    return action["/S"] in _ALLOWED_ACTIONS and "/Next" not in action


def _active(key: str) -> SealFailed:
    return SealFailed(f"待盖章的文件含有可执行或可变内容（{key}），不能盖章；请检查模板")
