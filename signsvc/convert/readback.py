"""Reading a converted PDF back, before it is sealed: it must say what was asked for, and nothing else.

 1. nothing in it acts, hides or may be filled in (what could make a shadow document of a sealed one)
 2. what the glyphs say, code by code, is the expected text; no .notdef, no invisible text
 3. only allowed fonts, all embedded, holding no glyph but those shown
 4. the picture of the QR code is the certificate's own, pixel for pixel, and lies where it can be read; besides it
    there are only the template's own pictures
 5. a second reader, as independent as can be had, reads the same text, all of it on the page
 6. the page, painted by that reader, shows every module of the code in its colour, and the quiet zone around it
 7. the seal's place is found from where the date and the office's line stand

Anything that cannot be read is refused: fail closed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BytesIO

import pikepdf

from signsvc.errors import SignsvcError, TextMismatch
from signsvc.models import PdfBytes, SealPlace

from .drawn import NO_PICTURES, Pictures, check_pictures, parted
from .fontprogram import Program, Unacceptable
from .inert import check_inert
from .pixels import bitmap_of_png, shows
from .place import SEAL_RADIUS, find_place, read_again
from .shown import read_shown


def read_back(
    pdf: PdfBytes,
    expected_text: str,
    allowed_fonts: Collection[str],
    anchor: tuple[str, str],
    pictures: Pictures = NO_PICTURES,
    radius: float = SEAL_RADIUS,
) -> SealPlace:
    """The seal's place, if the PDF shows `expected_text` (white space aside) in `allowed_fonts`, and only `pictures`.

    `allowed_fonts` are PostScript names without subset prefix; `anchor` is the printed date and the line of the
    office under it; `radius` is the seal's, in points. Raises TextMismatch, which tells what is wrong and none of
    the text.
    """
    wanted, date, office = _squeeze(expected_text), _squeeze(anchor[0]), _squeeze(anchor[1])
    with _foreign(), pikepdf.open(BytesIO(pdf), attempt_recovery=False) as document:
        objects = list(document.objects)
        code = None if pictures.code is None else bitmap_of_png(pictures.code)
        check_inert(pdf, document, objects)
        shown = read_shown(document)
        _require(shown.text == wanted, "转换后的文字与填写的内容不一致")
        codes = check_pictures(shown.pictures, objects, code, pictures.own)
        _require(not document.get_warnings(), "转换后的 PDF 结构有误")
        for program, used in shown.programs:
            _check_font(program, used, allowed_fonts)
        again = read_again(pdf, date + office, codes)
        _require(again.text == wanted, "两种方式读出的文字不一致")
        _require(again.is_inside(), "有文字落在页面之外")
        _require(not any(again.touches(each.page, each.box) for each in codes), "二维码与文字重叠")
        _require(
            code is None or all(shows(look, code) for look in again.looks), "二维码被遮挡、裁切或改变了样子"
        )
        return find_place(again.anchor, again.sizes, date, office, radius)


def pictures_in(pdf: PdfBytes, code: bytes) -> frozenset[bytes]:
    """How the pictures look that a PDF shows besides the QR code whose PNG is `code`; raises TextMismatch."""
    with _foreign(), pikepdf.open(BytesIO(pdf), attempt_recovery=False) as document:
        return parted(read_shown(document).pictures, bitmap_of_png(code))[1]


@contextmanager
def _foreign() -> Iterator[None]:
    """The border to what a converter made: a PDF that cannot be read may raise anything; here it is TextMismatch.

    Our own errors stay what they are: the sample that tells the template's own pictures may have had no PDF.
    """
    try:
        yield
    except SignsvcError:
        raise
    except Unacceptable as error:
        raise TextMismatch(f"转换后的 PDF 含有不允许的内容（{error}）") from error
    except Exception as error:
        raise TextMismatch("转换后的 PDF 无法读取") from error


def _check_font(program: Program, used: set[int], allowed: Collection[str]) -> None:
    _require(_is_allowed(program.name, allowed), "转换时使用了设置之外的字体")
    glyphs = {program.glyphs[code] for code in used}
    _require(program.total is None or program.total <= len(glyphs), "字体中有正文之外的字形")


def _is_allowed(name: str, allowed: Collection[str]) -> bool:
    """LibreOffice names a part of a CID-keyed font after its face: NotoSerifCJKjp-Regular-VKana."""
    face = re.sub(r"(-[^-]+)-[^-]+$", r"\1", name)
    return name in allowed or face in allowed


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise TextMismatch(message)
