"""What a page shows where a picture is drawn: not what the file holds, but what is left of it to be seen.

PDFium paints it, with all that covers it, cuts it off or makes it transparent.
"""

from __future__ import annotations

import ctypes

from pypdfium2 import PdfPage, raw

from .drawn import Drawn

_HOW = raw.FPDF_ANNOT | raw.FPDF_RENDER_NO_SMOOTHIMAGE


def look(page: PdfPage, drawn: Drawn) -> bytes:
    """The place of an upright picture, on white: grey, a byte for each pixel it has, row by row from the top."""
    width, height = int(drawn.image["/Width"]), int(drawn.image["/Height"])
    low, _, _, upper = drawn.edges
    left, bottom, right, top = drawn.box
    across, down = width / (right - left), height / (top - bottom)  # pixels to a point
    whole = [round(side * scale) for side, scale in zip(page.get_size(), (across, down), strict=True)]
    start = [-round((left - low) * across), -round((upper - top) * down)]
    pixels = bytearray(b"\xff") * (width * height)
    buffer = (ctypes.c_ubyte * len(pixels)).from_buffer(pixels)
    canvas = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_Gray, buffer, width)
    try:
        raw.FPDF_RenderPageBitmap(canvas, page, *start, *whole, 0, _HOW)
    finally:
        raw.FPDFBitmap_Destroy(canvas)
    return bytes(pixels)
