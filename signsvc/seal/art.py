"""The round official seal (公章) as vector paths: rim, five-point star, the office's name, its number.

Proportions are those of the trade for 4.2 cm seals of committees (rim 1.2 mm, star 1.4 cm across its tips); the
measure of the seal itself is a setting, for it differs from place to place.
"""

from __future__ import annotations

import math
from pathlib import Path

from pyhanko.pdf_utils.writer import PdfFileWriter

from signsvc.seal import image
from signsvc.seal.lettering import Lettering
from signsvc.seal.page import POINTS_PER_MM, one_page

DEMO_TEXT = "演示"
_RED = "0.86 0.04 0.07"
_BLUE = "0 0.15 0.6"  # shows on red as well as on white
# All measures in fiftieths of a millimetre of a seal of 42 mm; other sizes are scaled. Finer ones print no better.
_UNITS = 2100
_RIM = 60
_NAME_OUTER = 950  # heads of the name's characters: 0.8 mm inside the rim
_STAR = 350
_UNDER_STAR = (-490, -685)  # middles of the first and second line
_SERIAL_RADIUS = 918
_LONGEST_ARC = 24  # characters; a longer name has its rear part under the star
_TAILS = ("居民委员会", "村民委员会")
_BEZIER = 0.5522847498  # a quarter circle as one curve


def draw(
    name: str, font: Path, index: int = 0, diameter_mm: float = 42.0, serial: str = "", demo: bool = False
) -> bytes:
    """A seal for the office called `name`, as a one-page PDF on a clear ground, without any font.

    `font` and `index` give the face whose outlines are used (宋体 by custom), `serial` the digits along the lower
    rim, `demo` adds 演示 inside. Raises SignsvcError `glyph_missing`.
    """
    letters = Lettering(font, index)
    above, below = _split(name)
    height = _name_height(len(above))
    letters.arc(above, height, _NAME_OUTER - height / 2, math.radians(286 if not serial else 272))
    lines = [text for text in (below, DEMO_TEXT if demo else "") if text]
    for text, y in zip(lines, _UNDER_STAR, strict=False):
        letters.line(text, 165 if below else 220, y, 750)
    if serial:
        letters.arc_below(serial, 92, _SERIAL_RADIUS, math.radians(78))
    side = diameter_mm * POINTS_PER_MM
    content = "\n".join([_frame(side), f"{_RED} rg {_RED} RG", _rim(), _star(), letters.operators()])
    return one_page(content.encode("ascii"), side, {}, PdfFileWriter())


def from_image(data: bytes, kind: str, diameter_mm: float, demo: bool, font: Path, index: int = 0) -> bytes:
    """The office's own picture as the same one-page PDF; `kind` is png (with alpha), svg (shapes) or pdf (one page).

    With `demo` it is crossed by 演示, in the outlines of `font`. Raises SettingsError saying what to change.
    """

    def crossed(side: float) -> str:
        letters = Lettering(font, index)
        letters.line(DEMO_TEXT, 600, 0, 1700)
        return "\n".join([_frame(side), f"{_BLUE} rg", letters.operators()])

    return image.from_image(data, kind, diameter_mm, crossed if demo else None)


def _frame(side: float) -> str:
    """From the units of this module, origin in the middle, onto a page of `side` points."""
    scale = side / _UNITS
    return f"{scale:.6f} 0 0 {scale:.6f} {side / 2:.3f} {side / 2:.3f} cm"


def _split(name: str) -> tuple[str, str]:
    """What goes on the arc, and what under the star (empty if the whole name fits the arc)."""
    tail = next((tail for tail in _TAILS if name.endswith(tail)), "")
    if len(name) <= _LONGEST_ARC or not tail:
        return name, ""
    return name.removesuffix(tail), tail


def _name_height(count: int) -> float:
    """Fewer characters stand taller."""
    return 280.0 if count <= 16 else 260.0 if count <= 20 else 245.0


def _rim() -> str:
    r = (_UNITS - _RIM) / 2 - 5
    k = r * _BEZIER
    curves = [(r, k, k, r, 0, r), (-k, r, -r, k, -r, 0), (-r, -k, -k, -r, 0, -r), (k, -r, r, -k, r, 0)]
    lines = [" ".join(f"{value:.0f}" for value in curve) + " c" for curve in curves]
    return "\n".join([f"{_RIM} w {r:.0f} 0 m", *lines, "s"])


def _star() -> str:
    """Five points, one upwards; the inner corners where the sides of a pentagram cross."""
    inner = _STAR * math.sin(math.radians(18)) / math.sin(math.radians(126))
    corners = []
    for step in range(10):
        radius, angle = (_STAR, inner)[step % 2], math.radians(90 + 36 * step)
        corners.append(f"{radius * math.cos(angle):.0f} {radius * math.sin(angle):.0f}")
    return f"{corners[0]} m\n" + "\n".join(f"{corner} l" for corner in corners[1:]) + "\nf"
