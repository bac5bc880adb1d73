"""Reading a converted PDF back, before it is sealed: it must say what was asked for, and nothing else.

 1. nothing in it acts, hides or may be filled in (what could make a shadow document of a sealed one)
 2. what the glyphs say, code by code, is the expected text; no .notdef, no invisible text
 3. only allowed fonts, all embedded, holding no glyph but those shown
 4. a second reader, as independent as can be had, reads the same text, all of it on the page
 5. the seal's place is found from where the date and the office's line stand

Anything that cannot be read is refused: fail closed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from io import BytesIO

import pikepdf

from signsvc.errors import TextMismatch
from signsvc.models import PdfBytes, SealPlace

from .fontprogram import Program, Unacceptable
from .inert import check_inert
from .place import SEAL_RADIUS, find_place, read_letters
from .shown import read_shown


def read_back(
    pdf: PdfBytes,
    expected_text: str,
    allowed_fonts: Collection[str],
    anchor: tuple[str, str],
    radius: float = SEAL_RADIUS,
) -> SealPlace:
    """The seal's place, if the PDF shows exactly `expected_text` (white space aside) in `allowed_fonts`.

    `allowed_fonts` are PostScript names without subset prefix; `anchor` is the printed date and the line of the
    office under it; `radius` is the seal's, in points. Raises TextMismatch, which tells what is wrong and none of
    the text.
    """
    wanted = _squeeze(expected_text)
    try:
        with pikepdf.open(BytesIO(pdf), attempt_recovery=False) as document:
            check_inert(pdf, document)
            shown = read_shown(document)
            _require(not document.get_warnings(), "转换后的 PDF 结构有误")
        _require(shown.text == wanted, "转换后的文字与填写的内容不一致")
        for program, used in shown.programs:
            _check_font(program, used, allowed_fonts)
        letters, sizes = read_letters(pdf)
        _require("".join([letter.char for letter in letters]) == wanted, "两种方式读出的文字不一致")
        _require(all(letter.inside(sizes[letter.page]) for letter in letters), "有文字落在页面之外")
        return find_place(letters, sizes, _squeeze(anchor[0]), _squeeze(anchor[1]), radius)
    except TextMismatch:
        raise
    except Unacceptable as error:
        raise TextMismatch(f"转换后的 PDF 含有不允许的内容（{error}）") from error
    except Exception as error:  # a PDF that cannot be read may raise anything
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
