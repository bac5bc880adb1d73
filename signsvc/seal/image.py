"""An office's own seal image, brought as PNG, SVG or PDF, made into the same one-page PDF as a drawn seal."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Dictionary, Object
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter

from signsvc.errors import SealFailed, SettingsError
from signsvc.seal import png, svg
from signsvc.seal.intake import rewrite
from signsvc.seal.page import POINTS_PER_MM, one_page

_MAX_BYTES = 2_000_000
# Operators that draw over the finished picture, in a square whose side is the argument.
Overlay = Callable[[float], str]


def from_image(data: bytes, kind: str, diameter_mm: float = 42.0, overlay: Overlay | None = None) -> bytes:
    """`data` as a square page of `diameter_mm`, whole and undistorted, with `overlay` on top.

    PNG must have an alpha channel, SVG only shapes, PDF one page without anything active and with its fonts embedded.
    Raises SettingsError saying what to change, whatever the file holds.
    """
    if len(data) > _MAX_BYTES:
        raise SettingsError(f"印章图片过大：不超过 {_MAX_BYTES // 1_000_000} MB")
    writer = PdfFileWriter()
    side = diameter_mm * POINTS_PER_MM
    if (place := _PLACERS.get(kind.lower())) is None:
        raise SettingsError("印章图片应为 PNG、SVG 或 PDF 文件")
    try:
        content, pictures = place(data, side, writer)
    except SettingsError:
        raise
    # Parsers answer malformed input with whatever they stumble over.
    except Exception as error:
        raise SettingsError(f"{kind.upper()} 印章图片无法读取；请重新导出后再试") from error
    over = overlay(side) if overlay else ""
    return one_page(f"q\n{content}\nQ\n{over}".encode("ascii"), side, pictures, writer)


_Placed = tuple[str, dict[str, generic.PdfObject]]


def _place_png(data: bytes, side: float, writer: PdfFileWriter) -> _Placed:
    pixels = png.read(data)
    mask = writer.add_object(_bitmap(pixels.width, pixels.height, "/DeviceGray", pixels.alpha))
    image = _bitmap(pixels.width, pixels.height, "/DeviceRGB", pixels.colour)
    image[pdf_name("/SMask")] = mask
    longest = max(pixels.width, pixels.height)
    width, height = (side * pixels.width / longest, side * pixels.height / longest)
    frame = f"{width:.3f} 0 0 {height:.3f} {(side - width) / 2:.3f} {(side - height) / 2:.3f} cm"
    return f"{frame} /Picture Do", {"Picture": writer.add_object(image)}


def _bitmap(width: int, height: int, space: str, samples: bytes) -> generic.StreamObject:
    names = {"/Type": "/XObject", "/Subtype": "/Image", "/ColorSpace": space, "/Filter": "/FlateDecode"}
    numbers = {"/Width": width, "/Height": height, "/BitsPerComponent": 8}
    entries: dict[Any, Any] = {pdf_name(key): pdf_name(value) for key, value in names.items()}
    entries |= {pdf_name(key): generic.NumberObject(value) for key, value in numbers.items()}
    return generic.StreamObject(entries, encoded_data=zlib.compress(samples, 9))


def _place_svg(data: bytes, side: float, writer: PdfFileWriter) -> _Placed:
    drawing = svg.read(data)
    scale = side / drawing.side
    return f"{scale:.6f} 0 0 {scale:.6f} 0 0 cm\n{drawing.operators.decode()}", {}


def _place_pdf(data: bytes, side: float, writer: PdfFileWriter) -> _Placed:
    try:
        # Common programs write small slips into their files, which are gone from what is written anew.
        source = rewrite(data, strict=False)
    except SealFailed as error:
        raise SettingsError(
            "PDF 印章图片已损坏、已加密，或含有脚本、表单、附件等内容；请另存为纯图形 PDF"
        ) from error
    clean = BytesIO()
    source.write(clean)
    with pikepdf.open(clean) as found:
        if len(found.pages) != 1:
            raise SettingsError("PDF 印章图片应只有一页")
        if any(_font_missing(item) for item in found.objects):
            raise SettingsError("PDF 印章图片的字体没有嵌入；请把文字转为轮廓后再导出")
    picture = writer.import_page_as_xobject(PdfFileReader(clean))
    left, bottom, right, top = (float(value) for value in picture.get_object()["/BBox"])
    scale = side / max(right - left, top - bottom)
    x, y = side / 2 - scale * (left + right) / 2, side / 2 - scale * (bottom + top) / 2
    return f"{scale:.6f} 0 0 {scale:.6f} {x:.3f} {y:.3f} cm /Picture Do", {"Picture": picture}


def _font_missing(item: Object) -> bool:
    """Whether `item` is a font that every reader would replace by one of its own (ISO 32000-2 9.9)."""
    if not isinstance(item, Dictionary) or item.get("/Type") != "/Font":
        return False
    if str(item.get("/Subtype")) in ("/Type0", "/Type3"):
        return False
    descriptor: Any = item.get("/FontDescriptor", {})
    return not any(key.startswith("/FontFile") for key in descriptor)


_PLACERS: dict[str, Callable[[bytes, float, PdfFileWriter], _Placed]] = {
    "png": _place_png,
    "svg": _place_svg,
    "pdf": _place_pdf,
}
