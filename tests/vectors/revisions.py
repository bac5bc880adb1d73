"""Attacks by incremental update (ISO 32000-2 7.5.6): well-formed revisions behind the seal, of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from vectors.vector import ALTERED, Vector
from vectors.workshop import Workshop, fresh, sign, update, written

Writer = IncrementalPdfFileWriter
_OTHER_TEXT = b"1 0 0 rg 80 700 400 12 re f"


def vectors(shop: Workshop) -> Iterator[Vector]:
    """Every kind of revision on the shop's sealed file, and the shadow documents prepared before sealing."""
    for name, change in _CHANGES.items():
        writer = update(shop.sealed)
        change(writer)
        yield Vector(f"revision-{name}", written(writer), ALTERED)
    for name, (prepare, change) in _SHADOWS.items():
        prepared = fresh(shop.plain)
        prepare(prepared)
        writer = update(sign(prepared, shop.ours))
        change(writer)
        yield Vector(f"shadow-{name}", written(writer), ALTERED)


def _page(writer: Writer) -> generic.DictionaryObject:
    return writer.root["/Pages"]["/Kids"][0]


def _touch(writer: Writer, item: generic.DictionaryObject, **entries: generic.PdfObject) -> None:
    for key, value in entries.items():
        item[pdf_name("/" + key)] = value
    writer.update_container(item)


def _dictionary(**entries: generic.PdfObject) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name("/" + key): value for key, value in entries.items()})


def _stream(content: bytes, **entries: generic.PdfObject) -> generic.StreamObject:
    return generic.StreamObject(_dictionary(**entries), stream_data=content)


def _numbers(*numbers: int) -> generic.ArrayObject:
    return generic.ArrayObject([generic.NumberObject(number) for number in numbers])


def _no_change(writer: Writer) -> None:
    writer.update_root()


def _orphan(writer: Writer) -> None:
    writer.add_object(_stream(b"hidden payload"))


def _page_content(writer: Writer) -> None:
    _touch(writer, _page(writer), Contents=writer.add_object(_stream(_OTHER_TEXT)))


def _page_stream(writer: Writer) -> None:
    contents = _page(writer)["/Contents"]
    contents._data = _OTHER_TEXT
    contents._encoded_data = None
    writer.update_container(contents)


def _page_added(writer: Writer) -> None:
    pages = writer.root["/Pages"]
    page = _dictionary(Type=pdf_name("/Page"), MediaBox=_numbers(0, 0, 595, 842))
    pages["/Kids"].append(writer.add_object(page))
    _touch(writer, pages, Count=generic.NumberObject(2))
    writer.update_container(pages["/Kids"])


def _page_box(writer: Writer) -> None:
    _touch(writer, _page(writer), CropBox=_numbers(0, 0, 300, 300))


def _annotation(subtype: str) -> Callable[[Writer], None]:
    def change(writer: Writer) -> None:
        note = _dictionary(
            Type=pdf_name("/Annot"),
            Subtype=pdf_name("/" + subtype),
            Rect=_numbers(80, 700, 480, 712),
            Contents=pdf_string("2099"),
        )
        page = _page(writer)
        page["/Annots"].append(writer.add_object(note))
        writer.update_container(page["/Annots"])
        writer.update_container(page)

    return change


def _script(writer: Writer) -> None:
    action = _dictionary(S=pdf_name("/JavaScript"), JS=pdf_string("app.alert(1)"))
    _touch(writer, writer.root, OpenAction=writer.add_object(action))


def _in_root(key: str, value: Callable[[], generic.PdfObject]) -> Callable[[Writer], None]:
    def change(writer: Writer) -> None:
        _touch(writer, writer.root, **{key: writer.add_object(value())})

    return change


def _title(writer: Writer) -> None:
    writer.set_info(_dictionary(Title=pdf_string("another")))


def _xmp(writer: Writer) -> None:
    metadata = _stream(b"<x/>", Type=pdf_name("/Metadata"), Subtype=pdf_name("/XML"))
    _touch(writer, writer.root, Metadata=writer.add_object(metadata))


def _need_appearances(writer: Writer) -> None:
    form = writer.root["/AcroForm"]
    _touch(writer, form, NeedAppearances=generic.BooleanObject(True))
    writer.update_root()


def _xfa(writer: Writer) -> None:
    form = writer.root["/AcroForm"]
    _touch(writer, form, XFA=writer.add_object(_stream(b"<xdp/>")))
    writer.update_root()


def _without(key: str) -> Callable[[Writer], None]:
    def change(writer: Writer) -> None:
        del writer.root[key]
        writer.update_root()

    return change


def _field(writer: Writer) -> generic.DictionaryObject:
    return writer.root["/AcroForm"]["/Fields"][0]


def _seal_picture(writer: Writer) -> None:
    picture = _stream(b"0 0 9 9 re f", Subtype=pdf_name("/Form"), BBox=_numbers(0, 0, 9, 9))
    _touch(writer, _field(writer), AP=_dictionary(N=writer.add_object(picture)))


def _seal_place(writer: Writer) -> None:
    _touch(writer, _field(writer), Rect=_numbers(0, 0, 10, 10))


def _seal_value(writer: Writer) -> None:
    field = _field(writer)
    del field["/V"]
    writer.update_container(field)


def _text_field(writer: Writer) -> None:
    field = _dictionary(FT=pdf_name("/Tx"), T=pdf_string("date"), V=pdf_string("2099"))
    writer.root["/AcroForm"]["/Fields"].append(writer.add_object(field))
    writer.update_root()
    writer.update_container(writer.root["/AcroForm"]["/Fields"])


def _empty_signature_field(writer: Writer) -> None:
    append_signature_field(writer, SigFieldSpec("Second", on_page=0, box=(0, 0, 90, 90)))


def _version(writer: Writer) -> None:
    _touch(writer, writer.root, Version=pdf_name("/2.0"))


_CHANGES: dict[str, Callable[[Writer], None]] = {
    "no-change": _no_change,
    "orphan-object": _orphan,
    "page-content-replaced": _page_content,
    "page-stream-replaced": _page_stream,
    "page-added": _page_added,
    "page-cropped": _page_box,
    "annotation-freetext": _annotation("FreeText"),
    "annotation-stamp": _annotation("Stamp"),
    "annotation-link": _annotation("Link"),
    "annotation-square": _annotation("Square"),
    "open-action-script": _script,
    "optional-content": _in_root("OCProperties", _dictionary),
    "names": _in_root("Names", lambda: _dictionary(EmbeddedFiles=_dictionary())),
    "page-labels": _in_root("PageLabels", lambda: _dictionary(Nums=generic.ArrayObject())),
    "validation-material": _in_root("DSS", lambda: _dictionary(Certs=generic.ArrayObject())),
    "info-title": _title,
    "xmp-metadata": _xmp,
    "need-appearances": _need_appearances,
    "xfa": _xfa,
    "permissions-removed": _without("/Perms"),
    "form-removed": _without("/AcroForm"),
    "version": _version,
    "seal-picture": _seal_picture,
    "seal-place": _seal_place,
    "seal-value-removed": _seal_value,
    "text-field": _text_field,
    "empty-signature-field": _empty_signature_field,
}


def _hidden_text(writer: object) -> None:
    """Text that a later revision uncovers: here an object that nothing shows yet."""
    writer.add_object(_stream(_OTHER_TEXT))  # type: ignore[attr-defined]


def _cover(writer: object) -> None:
    """A second layer over the page's text that a later revision takes away."""
    page = writer.root["/Pages"]["/Kids"][0]  # type: ignore[attr-defined]
    cover = _stream(b"1 1 1 rg 0 0 595 842 re f", Subtype=pdf_name("/Form"), BBox=_numbers(0, 0, 595, 842))
    reference = writer.add_object(cover)  # type: ignore[attr-defined]
    page[pdf_name("/Resources")] = _dictionary(XObject=_dictionary(Cover=reference))
    page["/Contents"]._data = page["/Contents"].data + b" /Cover Do"


def _uncover(writer: Writer) -> None:
    cover = _page(writer)["/Resources"]["/XObject"]["/Cover"]
    cover._data = b""
    cover._encoded_data = None
    writer.update_container(cover)


_SHADOWS: dict[str, tuple[Callable[[object], None], Callable[[Writer], None]]] = {
    "hide": (_cover, _uncover),
    "replace": (_hidden_text, _page_content),
    "hide-and-replace": (_cover, _page_content),
}
