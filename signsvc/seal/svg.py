"""An office's seal image as SVG: filled and stroked shapes, and nothing that could load, run or need a font."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fontTools.misc.transform import Identity, Transform
from fontTools.pens.transformPen import TransformPen
from fontTools.svgLib.path import parse_path
from fontTools.svgLib.path.shapes import PathBuilder
from lxml import etree

from signsvc.errors import SettingsError
from signsvc.seal.lettering import PathPen

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polygon", "polyline"})
_SILENT = frozenset({"title", "desc", "metadata", "defs"})  # passed over; `defs` only when empty
_STYLES = ("fill", "stroke", "stroke-width", "fill-rule")
_NAMED = {"red": "#ff0000", "black": "#000000", "white": "#ffffff", "currentColor": "#000000"}
_MAX_SHAPES = 5000
# The drawing is put on a grid this fine, so that outlines keep whole coordinates.
_GRID = 4000


@dataclass(frozen=True)
class Drawing:
    """Page operators in a square of `side` units, origin at the lower left."""

    operators: bytes
    side: int


def read(data: bytes) -> Drawing:
    """The shapes of an SVG; raises SettingsError naming what it may not contain."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
        if root.tag != _NAMESPACE + "svg" or b"<!DOCTYPE" in data:
            raise SettingsError("印章图片不是 SVG 文件，或含有 DOCTYPE")
        shapes = list(_walk(root, _fit(root), {"fill": "#000000", "stroke": "none", "stroke-width": "1"}))
    except (etree.XMLSyntaxError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise SettingsError("SVG 印章图片无法读取；请另存为“普通 SVG”并把文字转为轮廓") from error
    if not 0 < len(shapes) <= _MAX_SHAPES:
        raise SettingsError(f"SVG 印章图片应含 1–{_MAX_SHAPES} 个图形")
    return Drawing("\n".join(shapes).encode("ascii"), _GRID)


def _fit(root: etree._Element) -> Transform:
    """From the view box onto the square grid: centred, not distorted, y upwards."""
    box = str(root.get("viewBox") or f"0 0 {root.attrib['width']!s} {root.attrib['height']!s}")
    left, top, width, height = (float(part.removesuffix("px")) for part in box.replace(",", " ").split())
    scale = _GRID / max(width, height)
    middle = Identity.translate(_GRID / 2, _GRID / 2).scale(scale, -scale)
    return middle.translate(-left - width / 2, -top - height / 2)


def _walk(element: etree._Element, frame: Transform, inherited: Mapping[str, str]) -> Iterator[str]:
    for child in element.iterchildren(tag=etree.Element):
        name = str(child.tag).removeprefix(_NAMESPACE)
        if name in _SILENT and (name != "defs" or len(child) == 0):
            continue
        style = _style(child, inherited)
        inner = frame.transform(_transform(child.get("transform", "")))
        if name == "g":
            yield from _walk(child, inner, style)
        elif name in _SHAPES:
            yield _shape(child, inner, style)
        else:
            raise SettingsError(f"SVG 印章图片含有不允许的元素 {name[:20]}；请只用图形，并把文字转为轮廓")


def _style(element: etree._Element, inherited: Mapping[str, str]) -> dict[str, str]:
    given = {key: str(element.attrib[key]) for key in _STYLES if key in element.attrib}
    pairs = (part.split(":", 1) for part in element.get("style", "").split(";") if ":" in part)
    given |= {key.strip(): value.strip() for key, value in pairs if key.strip() in _STYLES}
    for risky in ("class", "filter", "mask", "clip-path", "opacity"):
        if risky in element.attrib:
            raise SettingsError(f"SVG 印章图片含有不支持的属性 {risky}；请另存为“普通 SVG”")
    return {**inherited, **given}


def _shape(element: etree._Element, frame: Transform, style: Mapping[str, str]) -> str:
    builder = PathBuilder()
    builder.add_path_from_element(element)
    pen = PathPen()
    for path in builder.paths:
        parse_path(path, TransformPen(pen, frame))
    fill, stroke = _colour(style["fill"]), _colour(style["stroke"])
    width = (
        float(style["stroke-width"].removesuffix("px"))
        * abs(frame[0] * frame[3] - frame[1] * frame[2]) ** 0.5
    )
    if not 0 <= width <= _GRID:  # also for what is no number
        raise ValueError("stroke width")
    even = "*" if style.get("fill-rule") == "evenodd" else ""
    setup = [f"{fill} rg"] * bool(fill) + [f"{stroke} RG {width:.2f} w"] * bool(stroke)
    paint = {(True, True): "B" + even, (True, False): "f" + even, (False, True): "S"}.get(
        (bool(fill), bool(stroke)), "n"
    )
    return "\n".join([*setup, *pen.operators, paint])


def _colour(value: str) -> str:
    """The operands of `rg`; empty for none. Only plain colours: no gradients, no references."""
    if value == "none":
        return ""
    value = _NAMED.get(value, value)
    match = re.fullmatch(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})", value)
    if not match:
        raise SettingsError("SVG 印章图片的颜色应写成 #rrggbb")
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    return " ".join(f"{int(digits[at : at + 2], 16) / 255:.3f}" for at in (0, 2, 4))


def _transform(text: str) -> Transform:
    result = Identity
    for name, inside in re.findall(r"(\w+)\s*\(([^)]*)\)", text):
        numbers = [float(part) for part in inside.replace(",", " ").split()]
        match name, numbers:
            case "matrix", [_, _, _, _, _, _]:
                result = result.transform(tuple(numbers))
            case "translate", [x, *rest]:
                result = result.translate(x, *rest)
            case "scale", [x, *rest]:
                result = result.scale(x, *rest)
            case "rotate", [_]:
                result = result.rotate(numbers[0] * 0.017453292519943295)
            case _:
                raise SettingsError(f"SVG 印章图片含有不支持的变换 {name[:20]}")
    return result
