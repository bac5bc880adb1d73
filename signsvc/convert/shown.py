"""What the pages of a PDF show, read from the content streams and not from anybody's account of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from pypdf import PdfReader
from pypdf.generic import ContentStream, DictionaryObject, StreamObject

from .fontprogram import Program, Unacceptable, read_program

_DEPTH = 8  # form XObjects within each other
_VISIBLE = (0, 1, 2)  # text rendering modes that paint; 3 is invisible, 4 to 7 clip (ISO 32000-2, 9.3.6)


@dataclass
class Shown:
    """Text in the order of painting, without white space, and the fonts with the codes used of each."""

    parts: list[str] = field(default_factory=list)
    fonts: dict[int, tuple[Program, set[int]]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All text, without white space."""
        return "".join("".join(self.parts).split())

    @property
    def programs(self) -> Iterator[tuple[Program, set[int]]]:
        """Each font and the codes shown with it."""
        return iter(self.fonts.values())


def read_shown(reader: PdfReader) -> Shown:
    """Walk every page; raises Unacceptable for what a certificate may not hold."""
    shown = Shown()
    for page in reader.pages:
        resources = page.get("/Resources", DictionaryObject()).get_object()
        contents = page.get_contents()
        if contents is not None:
            _Walk(shown, reader, resources, 0).follow(contents.operations)
    return shown


class _Walk:
    """One content stream: the part of the graphics state that decides which glyphs are painted."""

    def __init__(self, shown: Shown, reader: PdfReader, resources: DictionaryObject, depth: int) -> None:
        if depth > _DEPTH:
            raise Unacceptable("forms nested too deep")
        self._shown, self._reader, self._resources, self._depth = shown, reader, resources, depth
        self._font: tuple[Program, set[int]] | None = None
        self._saved: list[tuple[Program, set[int]] | None] = []
        if "/Pattern" in resources:
            raise Unacceptable("patterns may paint text")

    def follow(self, operations: list[tuple[Any, bytes]]) -> None:
        for operands, operator in operations:
            match operator:
                case b"q":
                    self._saved.append(self._font)
                case b"Q":
                    self._font = self._saved.pop() if self._saved else None
                case b"Tf":
                    self._font = self._select(operands[0])
                case b"Tr" if int(operands[0]) not in _VISIBLE:
                    raise Unacceptable("invisible text")
                case b"Tj" | b"'" | b'"':
                    self._show(operands[-1])
                case b"TJ":
                    for item in operands[0]:
                        if isinstance(item, (str, bytes)):
                            self._show(item)
                case b"Do":
                    self._draw(operands[0])
                case b"gs":
                    self._check_state(operands[0])

    def _select(self, name: str) -> tuple[Program, set[int]]:
        reference = self._resource("/Font").raw_get(name)
        font = reference.get_object()
        key = getattr(reference, "idnum", id(font))
        if key not in self._shown.fonts:
            self._shown.fonts[key] = (read_program(font), set())
        return self._shown.fonts[key]

    def _show(self, string: Any) -> None:
        if self._font is None:
            raise Unacceptable("text without a font")
        program, used = self._font
        for code in program.codes(_raw(string)):
            if code not in program.glyphs:
                raise Unacceptable("a glyph is missing")
            if code not in program.text:
                raise Unacceptable("a glyph has no text")
            used.add(code)
            self._shown.parts.append(program.text[code])

    def _draw(self, name: str) -> None:
        target = cast(DictionaryObject, self._resource("/XObject")[name].get_object())
        if target.get("/Subtype") == "/Image":
            return
        if not isinstance(target, StreamObject) or target.get("/Subtype") != "/Form":
            raise Unacceptable("unknown external object")
        resources = target.get("/Resources", self._resources).get_object()
        inner = _Walk(self._shown, self._reader, resources, self._depth + 1)
        inner.follow(ContentStream(target, self._reader).operations)

    def _resource(self, kind: str) -> DictionaryObject:
        return cast(DictionaryObject, self._resources[kind].get_object())

    def _check_state(self, name: str) -> None:
        state = cast(DictionaryObject, self._resource("/ExtGState")[name].get_object())
        if "/Font" in state or state.get("/SMask", "/None") != "/None":
            raise Unacceptable("graphics state with a font or mask")


def _raw(string: Any) -> bytes:
    """The bytes of a shown string; pypdf hands text strings out decoded and keeps the original."""
    return string if isinstance(string, bytes) else bytes(string.original_bytes)
