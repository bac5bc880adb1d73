"""What the pages of a PDF show, read from the content streams and not from anybody's account of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pikepdf import Dictionary, Object, Page, Pdf, Stream, String, parse_content_stream

from .drawn import Drawn, Matrix
from .fontprogram import Program, Unacceptable, read_program

_DEPTH = 8  # form XObjects within each other
_HERE: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)  # a page's own, in points
_VISIBLE = (0, 1, 2)  # text rendering modes that paint; 3 is invisible, 4 to 7 clip (ISO 32000-2, 9.3.6)
# Operators that neither show text or pictures, nor decide which glyphs are shown, where pictures are, or how to read
# what follows (annex A). Any other is refused: inline images, glyph descriptions, sections for other versions of the
# format, and what is not known.
_PLAIN = frozenset(
    (
        *(
            "BDC",
            "BMC",
            "BT",
            "DP",
            "EMC",
            "ET",
            "MP",
            "S",
            "B",
            "B*",
            "CS",
            "F",
            "G",
            "J",
            "K",
            "M",
            "RG",
            "SC",
            "SCN",
        ),
        *(
            "T*",
            "TD",
            "TL",
            "Tc",
            "Td",
            "Tm",
            "Ts",
            "Tw",
            "Tz",
            "W",
            "W*",
            "b",
            "b*",
            "c",
            "cs",
            "d",
            "f",
            "f*",
        ),
        *("g", "h", "i", "j", "k", "l", "m", "n", "re", "rg", "ri", "s", "sc", "scn", "sh", "v", "w", "y"),
    )
)


@dataclass
class Shown:
    """Text in the order of painting, without white space, the fonts with the codes used of each, and the pictures."""

    parts: list[str] = field(default_factory=list)
    fonts: dict[tuple[int, int], tuple[Program, set[int]]] = field(default_factory=dict)  # by object number
    pictures: list[Drawn] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text, without white space."""
        return "".join("".join(self.parts).split())

    @property
    def programs(self) -> Iterator[tuple[Program, set[int]]]:
        """Each font and the codes shown with it."""
        return iter(self.fonts.values())


def read_shown(document: Pdf) -> Shown:
    """Walk every page; raises Unacceptable for what a certificate may not hold."""
    shown = Shown()
    for number, page in enumerate(document.pages):
        sheet = _Sheet(number, _edges(page))
        _Walk(shown, sheet, page.resources, _HERE, 0).follow(parse_content_stream(page))
    if any(not program.glyphs.keys() >= used for program, used in shown.programs):
        raise Unacceptable("a glyph is missing")
    return shown


def _edges(page: Page) -> list[float]:
    """Left, bottom, right and top of a page that is shown whole and in points."""
    whole, seen = ([float(side) for side in box] for box in (page.mediabox, page.cropbox))
    if whole != seen or page.obj.get("/UserUnit", 1) != 1:
        raise Unacceptable("a page that is not shown as large as it is")
    return whole


class _Sheet(NamedTuple):
    """A page: its number from 0, its left, bottom, right, top."""

    number: int
    edges: Sequence[float]


class _Walk:
    """One content stream: the part of the graphics state that decides which glyphs and pictures are painted, and where
    the pictures are."""

    def __init__(self, shown: Shown, page: _Sheet, resources: Object, matrix: Matrix, depth: int) -> None:
        if depth > _DEPTH:
            raise Unacceptable("forms nested too deep")
        self._shown, self._page, self._resources, self._depth = shown, page, resources, depth
        self._matrix = matrix
        self._font: tuple[Program, set[int]] | None = None
        self._saved: list[tuple[Matrix, tuple[Program, set[int]] | None]] = []
        self._fonts: dict[str, tuple[Program, set[int]]] = {}  # by their names here
        if "/Pattern" in resources:
            raise Unacceptable("patterns may paint text")

    def follow(self, instructions: Sequence[Any]) -> None:
        for instruction in instructions:
            operator = str(instruction.operator)
            if operator not in _PLAIN:
                self._obey(operator, instruction.operands)

    def _obey(self, operator: str, operands: Sequence[Any]) -> None:
        match operator:
            case "q":
                self._saved.append((self._matrix, self._font))
            case "Q":
                self._matrix, self._font = self._saved.pop()
            case "cm":
                self._matrix = _moved(operands, self._matrix)
            case "Tf":
                self._font = self._select(str(operands[0]))
            case "Tr" if int(operands[0]) in _VISIBLE:
                pass
            case "Tj" | "'" | '"':
                self._show(bytes(operands[-1]))
            case "TJ":
                self._show(b"".join([bytes(item) for item in operands[0] if isinstance(item, String)]))
            case "Do":
                self._draw(str(operands[0]))
            case "gs":
                self._check_state(str(operands[0]))
            case _:
                raise Unacceptable("invisible text, or an unknown operator")

    def _select(self, name: str) -> tuple[Program, set[int]]:
        if name not in self._fonts:
            font = self._resources["/Font"][name]
            if not font.is_indirect:
                raise Unacceptable("font without a number")
            if font.objgen not in self._shown.fonts:
                self._shown.fonts[font.objgen] = (read_program(font), set())
            self._fonts[name] = self._shown.fonts[font.objgen]
        return self._fonts[name]

    def _show(self, string: bytes) -> None:
        if self._font is None:
            raise Unacceptable("text without a font")
        program, used = self._font
        codes = program.codes(string)
        if not program.text.keys() >= set(codes):
            raise Unacceptable("a glyph has no text")
        used.update(codes)
        self._shown.parts += [program.text[code] for code in codes]

    def _draw(self, name: str) -> None:
        target = self._resources["/XObject"][name]
        if not isinstance(target, Stream) or target.get("/Subtype") not in ("/Form", "/Image"):
            raise Unacceptable("unknown external object")
        if target["/Subtype"] == "/Image":
            self._shown.pictures.append(Drawn(target, self._matrix, self._page.number, self._page.edges))
            return
        matrix = _moved(list(target["/Matrix"]), self._matrix) if "/Matrix" in target else self._matrix
        resources = target.get("/Resources", self._resources)
        inner = _Walk(self._shown, self._page, resources, matrix, self._depth + 1)
        inner.follow(parse_content_stream(target))

    def _check_state(self, name: str) -> None:
        state = self._resources["/ExtGState"][name]
        if not isinstance(state, Dictionary) or "/Font" in state or state.get("/SMask", "/None") != "/None":
            raise Unacceptable("graphics state with a font or mask")


def _moved(operands: Sequence[Any], matrix: Matrix) -> Matrix:
    """The matrix with that of `cm`, or of a form, put before it (ISO 32000-2 8.3.4)."""
    a, b, c, d, e, f = map(float, operands)
    p, q, r, s, t, u = matrix
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u
