"""What the pages of a PDF show, read from the content streams and not from anybody's account of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pikepdf import Dictionary, Object, Pdf, Stream, String, parse_content_stream

from .fontprogram import Program, Unacceptable, read_program

_DEPTH = 8  # form XObjects within each other
_VISIBLE = (0, 1, 2)  # text rendering modes that paint; 3 is invisible, 4 to 7 clip (ISO 32000-2, 9.3.6)
# Operators that neither show text nor decide which glyphs are shown, nor how to read what follows (annex A). Any other
# is refused: inline images, glyph descriptions, sections for other versions of the format, and what is not known.
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
            "cm",
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
    """Text in the order of painting, without white space, and the fonts with the codes used of each."""

    parts: list[str] = field(default_factory=list)
    fonts: dict[tuple[int, int], tuple[Program, set[int]]] = field(default_factory=dict)  # by object number

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
    for page in document.pages:
        _Walk(shown, page.resources, 0).follow(parse_content_stream(page))
    return shown


class _Walk:
    """One content stream: the part of the graphics state that decides which glyphs are painted."""

    def __init__(self, shown: Shown, resources: Object, depth: int) -> None:
        if depth > _DEPTH:
            raise Unacceptable("forms nested too deep")
        self._shown, self._resources, self._depth = shown, resources, depth
        self._font: tuple[Program, set[int]] | None = None
        self._saved: list[tuple[Program, set[int]] | None] = []
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
                self._saved.append(self._font)
            case "Q":
                self._font = self._saved.pop() if self._saved else None
            case "Tf":
                self._font = self._select(str(operands[0]))
            case "Tr" if int(operands[0]) in _VISIBLE:
                pass
            case "Tj" | "'" | '"':
                self._show(operands[-1])
            case "TJ":
                for item in operands[0]:
                    if isinstance(item, String):
                        self._show(item)
            case "Do":
                self._draw(str(operands[0]))
            case "gs":
                self._check_state(str(operands[0]))
            case _:
                raise Unacceptable("invisible text, or an unknown operator")

    def _select(self, name: str) -> tuple[Program, set[int]]:
        font = self._resources["/Font"][name]
        if not font.is_indirect:
            raise Unacceptable("font without a number")
        if font.objgen not in self._shown.fonts:
            self._shown.fonts[font.objgen] = (read_program(font), set())
        return self._shown.fonts[font.objgen]

    def _show(self, string: Any) -> None:
        if self._font is None:
            raise Unacceptable("text without a font")
        program, used = self._font
        codes = program.codes(bytes(string))
        if not program.glyphs.keys() >= set(codes):
            raise Unacceptable("a glyph is missing")
        if not program.text.keys() >= set(codes):
            raise Unacceptable("a glyph has no text")
        used.update(codes)
        self._shown.parts += [program.text[code] for code in codes]

    def _draw(self, name: str) -> None:
        target = self._resources["/XObject"][name]
        if target.get("/Subtype") == "/Image":
            return
        if not isinstance(target, Stream) or target.get("/Subtype") != "/Form":
            raise Unacceptable("unknown external object")
        inner = _Walk(self._shown, target.get("/Resources", self._resources), self._depth + 1)
        inner.follow(parse_content_stream(target))

    def _check_state(self, name: str) -> None:
        state = self._resources["/ExtGState"][name]
        if not isinstance(state, Dictionary) or "/Font" in state or state.get("/SMask", "/None") != "/None":
            raise Unacceptable("graphics state with a font or mask")
