"""What in a template cannot be printed faithfully: refused, or pointed out by `signsvc template check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docx.oxml.ns import qn
from lxml import etree

# Text whose wording or font nobody could answer for.
_REFUSED = {
    "修订痕迹，请接受或拒绝全部修订": ("w:ins", "w:del", "w:moveFrom", "w:moveTo"),
    "脚注或尾注，请改为正文": ("w:footnoteReference", "w:endnoteReference"),
    "符号字体的字符，请改用普通字符": ("w:sym",),
    "图形或 SmartArt 里的文字，请改为正文": ("a:t",),
    "隐藏文字，请删除": ("w:vanish",),
    "公式，请改为普通文字": ("m:t",),
}
_DOUBTFUL = {
    "文本框：转换后位置可能改变，请改用段落或表格": ("w:txbxContent",),
    "内容控件：会当作普通文字打印": ("w:sdt",),
    "浮动的图片或形状：转换后可能遮住文字，请改为嵌入型": ("wp:anchor",),
    "VML 图形：转换后可能不显示": ("w:pict",),
    "域代码（如页码）：打印出的内容会与核对的文字不符，请删除": ("w:fldChar", "w:fldSimple"),
    "自动编号：编号不是文字，会与核对的文字不符，请直接输入": ("w:numPr",),
    "批注：不会打印": ("w:commentReference",),
}
_A4, _TOLERANCE = (11906, 16838), 10  # twentieths of a point


def refused_features(root: etree._Element) -> tuple[str, ...]:
    """What keeps a part of a template from being used, in words for the person who made it."""
    return (*unclear_text(root), *_page_faults(root))


def unclear_text(root: etree._Element) -> tuple[str, ...]:
    """What makes it unclear how the text of a .docx reads, in words for the person who made it."""
    return _present(root, _REFUSED)


def doubtful_features(root: etree._Element) -> tuple[str, ...]:
    """What the converters print otherwise than Word does, in words for the person who made it."""
    return _present(root, _DOUBTFUL)


def _page_faults(root: etree._Element) -> Iterator[str]:
    sizes = [(_twips(size, "w:w"), _twips(size, "w:h")) for size in root.iter(qn("w:pgSz"))]
    unset = root.tag == qn("w:document") and not sizes
    if unset or any(max(abs(width - _A4[0]), abs(height - _A4[1])) > _TOLERANCE for width, height in sizes):
        yield "纸张不是 A4 纵向，请改页面设置"


def _twips(element: etree._Element, name: str) -> int:
    text = element.get(qn(name), "")
    return int(text) if text.isdecimal() else 0


def _present(root: etree._Element, features: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(
        words
        for words, tags in features.items()
        if next(root.iter(*(qn(tag) for tag in tags)), None) is not None
    )
