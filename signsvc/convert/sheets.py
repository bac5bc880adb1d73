"""Pages and form XObjects of a PDF of many documents, what each uses, and the fonts that all of them share."""

from __future__ import annotations

from dataclasses import dataclass

from pikepdf import Dictionary, Object, Pdf, Stream

from .contents import XOBJECT, Unreadable, Uses, read_uses
from .embeddedfont import EmbeddedFont
from .ownglyphs import FontShelf


@dataclass(frozen=True)
class Sheet:
    """The content of a page or of a form XObject, what it uses, and where that is to be found."""

    content: Stream
    resources: Object
    uses: Uses

    @classmethod
    def read(cls, content: Object, resources: Object) -> Sheet:
        """Raises Unreadable if it is not as LibreOffice writes it."""
        if not isinstance(content, Stream) or not isinstance(resources, Dictionary):
            raise Unreadable("content of several streams, or without resources of its own")
        return cls(content, resources, read_uses(content.read_bytes()))

    @property
    def fonts(self) -> list[tuple[str, Object]]:
        """By name; raises Unreadable if one is no object of its own, and so has no number to know it by."""
        fonts = [(name, self.resources.Font[name]) for name in sorted(self.uses.codes)]
        if not all(font.is_indirect for _, font in fonts):
            raise Unreadable("font within another object")
        return fonts

    def named(self, kind: str) -> list[tuple[str, Object]]:
        """Resources of another kind, by name."""
        return [(name, self.resources[kind][name]) for name in sorted(self.uses.names.get(kind, ()))]


class Source:
    """The PDF of many documents. Fonts and forms, which its pages share, are read once."""

    def __init__(self, pdf: Pdf, shelf: FontShelf, alone: bool = False) -> None:
        """`alone`: all of it is one document."""
        self.pages, self.root, self.alone = [page.obj for page in pdf.pages], pdf.Root, alone
        self._originals = shelf.originals
        self._fonts: dict[tuple[int, int], EmbeddedFont] = {}
        self._forms: dict[tuple[int, int], Sheet] = {}

    def font(self, font: Object) -> EmbeddedFont:
        """Raises Unreadable, or whatever a font that is none provokes."""
        if font.objgen not in self._fonts:
            self._fonts[font.objgen] = EmbeddedFont(font, self._originals)
        return self._fonts[font.objgen]

    def form(self, drawn: Object) -> Sheet | None:
        """What an external object draws if it is a form, None if it is a picture."""
        if drawn.Subtype == "/Image":
            return None
        if drawn.objgen not in self._forms:
            self._forms[drawn.objgen] = Sheet.read(drawn, drawn.Resources)
        return self._forms[drawn.objgen]

    def forms(self, sheet: Sheet) -> list[Sheet]:
        """Those that a sheet draws."""
        return [form for _, drawn in sheet.named(XOBJECT) if (form := self.form(drawn))]
