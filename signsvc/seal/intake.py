"""The border before the seal: a converted PDF is taken apart, refused if anything in it can act, and written anew.

A certifying signature freezes whatever the file holds, so what could later change the page's look or run by itself
must not be in it: scripts, actions, layers, forms, attachments, annotations other than links (the preparation of
the published shadow attacks). Only catalogue entries with a purpose are carried over, and no metadata at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Object, Pdf, Stream
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
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
# In what the library writes: a name, and a reference, which nothing but a string could imitate.
_NAME = re.compile(rb"/[^\s/<>\[\]()]+")
_REFERENCE = re.compile(rb"\((?:[^\\()]++|\\.)*+\)|\b(\d++) (\d++) R\b", re.DOTALL)
_LOOKED_AT = frozenset(key.encode() for key in (*_REFUSED_STREAM, *_ACTION_KEYS, "/Annots"))
# What the signer adds to, besides the catalogue, and the entries that it reads.
_LIVE = frozenset({"/Pages", "/Page"})
_READ = frozenset({"/Type", "/Pages", "/Kids", "/Count", "/Annots"})
_STRUCTURE_DAMAGED = (
    *(PdfError, pikepdf.PdfError, pikepdf.ForeignObjectError),
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError),
)


def rewrite(pdf: bytes, strict: bool = True) -> PdfFileWriter:
    """The pages of `pdf` and what they need as a new single-revision document, and nothing that can act.

    Raises SealFailed if it is damaged, encrypted or can act. `strict` also takes small slips against the format for
    damage.
    """
    try:
        document = pikepdf.open(BytesIO(pdf), attempt_recovery=not strict)
        if document.is_encrypted:
            raise SealFailed("待盖章的文件已加密，不能盖章")
        _check_catalogue(document.Root)
        for key in document.Root.keys() - _KEPT:
            del document.Root[key]
        writer = _copy(document)
        if strict and document.get_warnings():
            raise ValueError("slips against the format")
        return writer
    except _STRUCTURE_DAMAGED as error:
        raise SealFailed("待盖章的文件结构有误，不能盖章") from error


def _check_catalogue(root: Object) -> None:
    if unknown := root.keys() - _KEPT - _DROPPED:
        raise _active(min(unknown))
    if isinstance(root.get("/OpenAction"), Dictionary):
        raise _active("/OpenAction")
    if "/Names" in root and (unnamed := root["/Names"].keys() - {"/Dests"}):
        raise _active(min(unnamed))


def _check_object(item: Object, written: bytes) -> None:
    """Raise SealFailed if anything directly inside `item` can act. Most of them name nothing that could."""
    if not _LOOKED_AT.isdisjoint(_NAME.findall(written)):
        for dictionary in _dictionaries(item):
            _check_passive(dictionary)


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
    """What the catalogue leads to, numbered anew from the catalogue on."""
    writer = PdfFileWriter(init_page_tree=False, stream_xrefs=True)
    packed, reached = writer.prepare_object_stream(), _Reached(document)
    for number, item in enumerate(reached.items, 1):
        written = reached.written(item)
        _check_object(item, written)
        place: generic.Reference | generic.IndirectObject = writer.root_ref
        if number == 1:
            writer.root.update(reached.live(item, writer))
        elif isinstance(item, Stream):
            place = writer.add_object(
                _Written(b"%b\nstream\n%b\nendstream" % (written, item.read_raw_bytes()))
            )
        elif isinstance(item, Dictionary) and str(item.get("/Type")) in _LIVE:
            place = writer.add_object(reached.live(item, writer), packed)
        else:
            place = writer.add_object(_Written(written + b"\n"), packed)  # two numbers must not become one
        if place.idnum != number:
            raise ValueError("numbering")
    return writer


class _Reached:
    """The objects that the catalogue leads to, itself first, numbered in the order in which they are met.

    `items` grows while they are written: every reference in them is met then.
    """

    def __init__(self, document: Pdf) -> None:
        self._document = document
        self._numbers = {document.Root.objgen: 1}
        self.items = [document.Root]

    def written(self, item: Any) -> bytes:
        """As the library writes it, with the new numbers; of a stream only its dictionary, with its length in it."""
        if not isinstance(item, Object):  # a number or a truth value, which the library gives as Python's own
            return Array([item]).unparse()[1:-1].strip()
        if isinstance(item, Stream):
            length, item = len(item.read_raw_bytes()), item.stream_dict
            item["/Length"] = length
        return _REFERENCE.sub(self._renumbered, item.unparse(resolved=True))

    def live(self, item: Object, writer: PdfFileWriter) -> generic.DictionaryObject:
        """A dictionary that the signer adds to, having read some entries."""
        entries = {pdf_name(key): self._entry(key, value, writer) for key, value in item.items()}
        return generic.DictionaryObject(entries)

    def _entry(self, key: str, value: Any, writer: PdfFileWriter) -> generic.PdfObject:
        written = self.written(Array([value]))
        if key in _READ:
            array: Any = generic.read_object(BytesIO(written), writer.root_ref)
            found: generic.PdfObject = array.raw_get(0)
            return found
        return _Written(written[1:-1].strip())

    def _renumbered(self, found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            return found[0]  # a string, whatever it says
        old = int(found[1]), int(found[2])
        if old not in self._numbers:
            self.items.append(self._document.get_object(old))
            self._numbers[old] = len(self.items)
        return b"%d 0 R" % self._numbers[old]
