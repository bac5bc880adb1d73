"""Which part a run of the template plays: body (仿宋) or title (小标宋), told from its font and weight."""

from __future__ import annotations

from collections.abc import Iterator

from docx.oxml.ns import qn
from lxml import etree

from signsvc.models import Role

# Names under which the two faces that GB/T 9704 asks for go about.
_TITLE_NAMES = ("小标宋", "xiaobiaosong", "黑体", "simhei", "heiti")
_BODY_NAMES = ("仿宋", "fangsong", "宋体", "simsun", "songti")
_DEFAULT_LAYOUT = f"{qn('w:docDefaults')}/{qn('w:pPrDefault')}/{qn('w:pPr')}"
_TABLE_STYLE = f"{qn('w:tblPr')}/{qn('w:tblStyle')}"
_OFF = ("0", "false", "off")


class Styles:
    """The fonts and weights that styles hand down. `root` is word/styles.xml, None if the template has none."""

    def __init__(self, root: etree._Element | None) -> None:
        styles = [] if root is None else root.findall(qn("w:style"))
        self._by_id = {str(style.get(qn("w:styleId"))): style for style in styles}
        defaults = (
            None if root is None else root.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
        )
        self._defaults = [] if defaults is None else [defaults]
        layout = None if root is None else root.find(_DEFAULT_LAYOUT)
        self._layout = [] if layout is None else [layout]
        self._normal = next((key for key, style in self._by_id.items() if _is_default(style)), None)

    def role(self, run: etree._Element) -> Role:
        """The role of a run: `title` if its font is a title font or it is bold, else `body`."""
        settings = list(self._settings(run))
        fonts = (_font(setting) for setting in settings)
        weights = (setting.find(qn("w:b")) for setting in settings)
        weight = next((item for item in weights if item is not None), None)
        bold = weight is not None and weight.get(qn("w:val")) not in _OFF
        name = next((font for font in fonts if font), "")
        return "title" if bold or is_title(name) else "body"

    def is_plain(self, run: etree._Element) -> bool:
        """Whether the run's styles say nothing of weight, and name a font that it takes over."""
        own = run.find(qn("w:rPr"))
        settings = [setting for setting in self._settings(run) if setting is not own]
        styled = own is not None and own.find(qn("w:rStyle")) is not None
        in_styled_table = any(
            table.find(_TABLE_STYLE) is not None for table in run.iterancestors(qn("w:tbl"))
        )
        weights = [setting.find(tag) for setting in settings for tag in (qn("w:b"), qn("w:bCs"))]
        named = any(_font(setting) for setting in settings)
        return named and not styled and not in_styled_table and not any(item is not None for item in weights)

    def font(self, run: etree._Element) -> str:
        """The East-Asian font that the template names for a run; empty if it names none."""
        return next((font for setting in self._settings(run) if (font := _font(setting))), "")

    def layout(self, paragraph: etree._Element) -> Iterator[etree._Element]:
        """Paragraph properties that apply, the nearest first."""
        own = paragraph.find(qn("w:pPr"))
        if own is not None:
            yield own
        yield from self._chain(self._style_of(own), "w:pPr")
        yield from self._layout

    def _style_of(self, properties: etree._Element | None) -> str | None:
        return (None if properties is None else _value(properties, "w:pStyle")) or self._normal

    def _settings(self, run: etree._Element) -> Iterator[etree._Element]:
        """Run properties that apply, the nearest first."""
        own = run.find(qn("w:rPr"))
        if own is not None:
            yield own
            yield from self._chain(_value(own, "w:rStyle"))
        paragraph = next(run.iterancestors(qn("w:p")), None)
        yield from self._chain(self._style_of(None if paragraph is None else paragraph.find(qn("w:pPr"))))
        yield from self._defaults

    def _chain(self, style_id: str | None, kind: str = "w:rPr") -> Iterator[etree._Element]:
        seen: set[str] = set()
        while style_id is not None and style_id in self._by_id and style_id not in seen:
            seen.add(style_id)
            style = self._by_id[style_id]
            properties = style.find(qn(kind))
            if properties is not None:
                yield properties
            style_id = _value(style, "w:basedOn")


def is_title(font: str) -> bool:
    """Whether a font name of the template is one that title faces go by."""
    return any(name in font.casefold() for name in _TITLE_NAMES)


def is_body(font: str) -> bool:
    """Whether a font name of the template is one that body faces go by."""
    return any(name in font.casefold() for name in _BODY_NAMES)


def _font(properties: etree._Element) -> str:
    fonts = properties.find(qn("w:rFonts"))
    return "" if fonts is None else fonts.get(qn("w:eastAsia")) or fonts.get(qn("w:ascii")) or ""


def _value(parent: etree._Element, tag: str) -> str | None:
    child = parent.find(qn(tag))
    return None if child is None else child.get(qn("w:val"))


def _is_default(style: etree._Element) -> bool:
    return style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default")) in ("1", "true")
