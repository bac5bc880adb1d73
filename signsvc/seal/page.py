"""A one-page PDF as big as the seal: the form in which every picture of a seal is handed to the signer."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

POINTS_PER_MM = 72 / 25.4
# Ink on paper: printed black under it stays black, instead of vanishing behind the star.
_INK = b"/Ink gs "


def one_page(
    content: bytes, side: float, xobjects: Mapping[str, generic.PdfObject], writer: PdfFileWriter
) -> bytes:
    """`content` (page operators) on a square page of `side` points; `xobjects` are its pictures, in `writer`."""
    blend = {pdf_name("/Type"): pdf_name("/ExtGState"), pdf_name("/BM"): pdf_name("/Multiply")}
    states = generic.DictionaryObject({pdf_name("/Ink"): generic.DictionaryObject(blend)})
    resources = generic.DictionaryObject({pdf_name("/ExtGState"): states})
    if xobjects:
        resources[pdf_name("/XObject")] = generic.DictionaryObject(
            {pdf_name(f"/{name}"): value for name, value in xobjects.items()}
        )
    stream = generic.StreamObject(
        {pdf_name("/Filter"): pdf_name("/FlateDecode")}, encoded_data=zlib.compress(_INK + content, 9)
    )
    box = tuple(generic.FloatObject(value) for value in (0, 0, round(side, 2), round(side, 2)))
    writer.insert_page(PageObject(contents=writer.add_object(stream), media_box=box, resources=resources))
    output = BytesIO()
    writer.write(output)
    return output.getvalue()
