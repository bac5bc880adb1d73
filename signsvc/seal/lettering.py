"""Characters as outlines: what a seal is lettered with, so that it needs no font wherever it is shown."""

from __future__ import annotations

import math
from pathlib import Path

import uharfbuzz
from fontTools.misc.transform import Transform
from fontTools.pens.basePen import BasePen
from fontTools.pens.transformPen import TransformPen

from signsvc.errors import SignsvcError

# Where the ink of a Han character lies in its em square, measured upwards from the baseline (in em).
_EM_MIDDLE = 0.38
_DIGIT_MIDDLE = 0.36


class PathPen(BasePen):  # type: ignore[misc]
    """Collects PDF path operators with whole coordinates, so that a drawing stays small."""

    def __init__(self) -> None:
        super().__init__()
        self.operators: list[str] = []

    def _moveTo(self, pt: tuple[float, float]) -> None:  # noqa: N802 - the pen protocol's names
        self.operators.append(f"{_point(pt)} m")

    def _lineTo(self, pt: tuple[float, float]) -> None:  # noqa: N802
        self.operators.append(f"{_point(pt)} l")

    def _curveToOne(  # noqa: N802
        self, pt1: tuple[float, float], pt2: tuple[float, float], pt3: tuple[float, float]
    ) -> None:
        self.operators.append(f"{_point(pt1)} {_point(pt2)} {_point(pt3)} c")

    def _closePath(self) -> None:  # noqa: N802
        self.operators.append("h")

    def _endPath(self) -> None:  # noqa: N802
        self.operators.append("h")


class Lettering:
    """Outlines from one font file, drawn into one list of operators. Lengths in the unit of the drawing."""

    def __init__(self, font: Path, index: int = 0) -> None:
        """`index` chooses the face in a collection (.ttc)."""
        face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(font)), index)
        self._font = uharfbuzz.Font(face)
        self._em: int = face.upem
        self._pen = PathPen()

    def operators(self) -> str:
        """Everything drawn so far, filled."""
        return "\n".join([*self._pen.operators, "f"])

    def place(self, char: str, width: float, height: float, x: float, y: float, turn: float = 0.0) -> None:
        """Draw `char` into a box of `width` and `height` centred at `x`, `y`, turned by `turn` radians to the left.

        Raises SignsvcError `glyph_missing` if the font has not got it.
        """
        glyph = self._font.get_nominal_glyph(ord(char))
        if glyph is None:
            raise SignsvcError(
                f"印章字体缺少字符 {char}（U+{ord(char):04X}），请配置含该字的字体", "glyph_missing"
            )
        middle = _DIGIT_MIDDLE if char.isascii() else _EM_MIDDLE
        frame = Transform().translate(x, y).rotate(turn).scale(width / self._em, height / self._em)
        frame = frame.translate(-self._font.get_glyph_h_advance(glyph) / 2, -middle * self._em)
        self._font.draw_glyph_with_pen(glyph, TransformPen(self._pen, frame))

    def line(self, text: str, height: float, y: float, width: float) -> None:
        """`text` upright and centred at `y`, characters `height` high and narrowed if the line would exceed `width`."""
        pitch = min(height * 1.12, width / len(text))
        for place, char in enumerate(text):
            x = (place - (len(text) - 1) / 2) * pitch
            self.place(char, min(height, pitch * 0.96), height, x, y)

    def arc(self, text: str, height: float, radius: float, widest: float) -> None:
        """`text` over the top, feet to the centre; `radius` of its middle, `widest` span in radians."""
        pitch = min(height * 1.25, radius * widest / len(text))
        for place, char in enumerate(text):
            angle = ((len(text) - 1) / 2 - place) * pitch / radius
            x, y = -radius * math.sin(angle), radius * math.cos(angle)
            self.place(char, min(height, pitch * 0.94), height, x, y, angle)

    def arc_below(self, text: str, height: float, radius: float, widest: float) -> None:
        """`text` along the bottom, read from left to right, heads to the centre."""
        pitch = min(height * 0.95, radius * widest / len(text))
        for place, char in enumerate(text):
            angle = (place - (len(text) - 1) / 2) * pitch / radius
            self.place(char, height, height, radius * math.sin(angle), -radius * math.cos(angle), angle)


def _point(point: tuple[float, float]) -> str:
    return f"{round(point[0])} {round(point[1])}"
