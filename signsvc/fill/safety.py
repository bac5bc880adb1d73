"""Whether a foreign .docx may be opened at all: everything not known to be harmless is refused.

Nothing is opened by python-docx or LibreOffice before these checks: LibreOffice fetches linked pictures from disk
and network, goes by a picture's bytes whatever it is called, old fields run programs, and a small zip can hold
gigabytes. Names are judged without their namespace: more than one stands for the same thing.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import accumulate

from lxml import etree

from signsvc.errors import TemplateError
from signsvc.fill.codes import only_harmless_fields
from signsvc.fill.pictures import MAX_PIXELS, pixels

MAX_FILE = 10 * 2**20  # bytes
MAX_ENTRIES = 200
MAX_UNPACKED = 20 * 2**20  # all entries together
MAX_XML = 4 * 2**20  # one part
MAX_NAMESPACES = 200  # declarations in force at one place; Word writes about 40
MAX_RATIO = 200  # unpacked to packed, for entries over 64 KB
_CHECK_RATIO_FROM = 64 * 2**10
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old .doc, and what encryption wraps a .docx in

_OFFICE = "application/vnd.openxmlformats-officedocument."
_WORD = _OFFICE + "wordprocessingml."
_MAIN = _WORD + "document.main+xml"
_TYPES = frozenset(
    {
        _MAIN,
        *(_WORD + kind + "+xml" for kind in ("styles", "settings", "webSettings", "fontTable", "numbering")),
        *(_WORD + kind + "+xml" for kind in ("header", "footer", "footnotes", "endnotes", "comments")),
        *(_OFFICE + kind + "+xml" for kind in ("theme", "extended-properties", "custom-properties")),
        _OFFICE + "customXmlProperties+xml",
        "application/vnd.openxmlformats-package.core-properties+xml",
        "application/vnd.openxmlformats-package.relationships+xml",
        "application/vnd.ms-word.stylesWithEffects+xml",
        "application/vnd.ms-office.classificationlabels+xml",
        "application/xml",
        "image/png",
        "image/jpeg",
    }
)
_RELATIONS = frozenset(
    (
        *(
            "officeDocument",
            "core-properties",
            "extended-properties",
            "custom-properties",
            "thumbnail",
            "customXml",
        ),
        *(
            "customXmlProps",
            "styles",
            "stylesWithEffects",
            "settings",
            "webSettings",
            "fontTable",
            "numbering",
        ),
        *("theme", "header", "footer", "footnotes", "endnotes", "comments", "image", "hyperlink"),
        "classificationlabels",
    )
)
_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_ELEMENTS = frozenset(
    (
        *(
            "altChunk",
            "object",
            "OLEObject",
            "control",
            "subDoc",
            "dataBinding",
            "fldData",
            "attachedTemplate",
        ),
        *("frameset", "sourceFileName", "mailMerge", "entryMacro", "exitMacro", "movie", "webVideoPr", "svg"),
    )
)
# Attributes that name something outside the part, and would be fetched.
_ADDRESSES = frozenset({"src", "href", "link"})
_STRICT_REASON = "是“严格 Open XML”格式，请另存为普通的 .docx"
_STRICT = "http://purl.oclc.org/ooxml/"  # the other namespace of ISO/IEC 29500; the filler knows the transitional one
_ANY_RELATION = "{*}Relationship"
_CONTENT_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCODING = re.compile(rb"<\?xml[^>]*\sencoding\s*=\s*[\"']([^\"']*)", re.IGNORECASE)


def refuse_unsafe(template: bytes) -> None:
    """Raise TemplateError with every reason why the .docx must not be opened."""
    if reasons := unsafe_reasons(template):
        raise TemplateError("模板不安全或无法使用：" + "；".join(reasons))


def is_docx(data: bytes) -> bool:
    """Whether the bytes are an Open Packaging file at all, safe or not."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False


def unsafe_reasons(template: bytes) -> tuple[str, ...]:
    """Why the .docx must not be opened, in words for the person who made it; empty if it may be."""
    if len(template) > MAX_FILE:
        return (f"文件超过 {MAX_FILE // 2**20} MB",)
    if template.startswith(_COMPOUND_FILE):
        return ("文件已加密，或是旧版 .doc；请去掉密码并另存为 .docx",)
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as archive:
            return _container_reasons(archive) or _content_reasons(archive)
    except _DoctypeFound:
        return ("XML 含文档类型或实体声明",)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ):
        return ("不是 .docx 文件，或文件已损坏",)
    except (etree.XMLSyntaxError, ValueError, KeyError):
        return ("文件内部的 XML 已损坏",)


def _container_reasons(archive: zipfile.ZipFile) -> tuple[str, ...]:
    """The zip by itself, from its directory alone: nothing is unpacked yet."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    reasons = []
    if len(infos) > MAX_ENTRIES:
        reasons.append(f"内含文件超过 {MAX_ENTRIES} 个")
    if sum(info.file_size for info in infos) > MAX_UNPACKED or any(_is_bomb(info) for info in infos):
        reasons.append("解压后过大")
    if any(info.flag_bits & 1 for info in infos):
        reasons.append("内容已加密")
    if len({name.casefold() for name in names}) < len(names) or any(_is_strange(name) for name in names):
        reasons.append("内部文件名异常")
    if not reasons and "[Content_Types].xml" not in names:
        reasons.append("不是 .docx 文件")
    return tuple(reasons)


def _is_bomb(info: zipfile.ZipInfo) -> bool:
    is_xml = info.filename.endswith((".xml", ".rels"))
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return True
    dense = info.file_size > _CHECK_RATIO_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1)
    return dense or (is_xml and info.file_size > MAX_XML)


def _is_strange(name: str) -> bool:
    return name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/")


def _content_reasons(archive: zipfile.ZipFile) -> tuple[str, ...]:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    types = _content_types(_parse(archive.read("[Content_Types].xml")), names)
    pictures = [name for name in names if not _is_xml(name, types[name])]
    found = [*_type_reasons(types), *_picture_reasons(archive.read(name) for name in pictures)]
    for name in names:
        if name.endswith(".rels"):
            found += _relations(name, _parse(archive.read(name)), names, pictures)
        elif name not in pictures:
            found += _elements(_parse(archive.read(name)))
    return tuple(dict.fromkeys(found))


def _is_xml(name: str, kind: str) -> bool:
    return name.endswith((".xml", ".rels")) or kind.endswith("xml")


def _picture_reasons(pictures: Iterator[bytes]) -> Iterator[str]:
    """Whatever is not XML must be a picture, of a kind whose reading neither opens files nor runs programs."""
    try:
        if sum(pixels(picture) for picture in pictures) > MAX_PIXELS:
            yield f"图片合计超过 {MAX_PIXELS // 10**6} 百万像素"
    except ValueError:
        yield "含不是 PNG 或 JPEG 的图片，或图片已损坏、附有其他数据，请用画图程序另存后重新插入"


def _parse(data: bytes) -> etree._Element:
    """XML in UTF-8 without a document type; raises ValueError otherwise. No entity is ever defined, so none expands."""
    data.decode("utf-8")
    declared = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf").lstrip())
    if b"\0" in data or (declared and declared[1].lower() not in (b"utf-8", b"us-ascii")):
        raise ValueError("not UTF-8")
    if _DOCTYPE.search(data):
        raise _DoctypeFound
    parser = etree.XMLPullParser(
        ("start-ns", "end-ns"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    parser.feed(data)
    root = parser.close()
    changes = (1 if event == "start-ns" else -1 for event, _ in parser.read_events())
    if max(accumulate(changes), default=0) > MAX_NAMESPACES:
        raise ValueError("too many namespaces")  # each costs time again for every element
    return root


class _DoctypeFound(Exception):
    """A part declares a document type or an entity."""


def _content_types(root: etree._Element, names: list[str]) -> Mapping[str, str]:
    """The declared type of every entry."""
    defaults = _declared(root, "Default", "Extension")
    overrides = _declared(root, "Override", "PartName")
    types = {
        name: overrides.get("/" + name.lower(), defaults.get(name.rpartition(".")[2].lower(), ""))
        for name in names
    }
    return {**types, "[Content_Types].xml": "application/xml"}


def _declared(root: etree._Element, tag: str, key: str) -> dict[str, str]:
    return {
        str(item.get(key)).lower(): str(item.get("ContentType")) for item in root.iter(_CONTENT_TYPES + tag)
    }


def _type_reasons(types: Mapping[str, str]) -> Iterator[str]:
    if "macroEnabled" in "".join(types.values()) or any("vbaProject" in name for name in types):
        yield "含宏（.docm/.dotm）"
    elif _MAIN not in types.values():
        yield "不是 .docx 文档"
    for name, kind in types.items():
        if kind not in _TYPES:
            yield f"含不允许的部件 {posixpath.basename(name)}"


def _relations(name: str, root: etree._Element, names: list[str], pictures: list[str]) -> Iterator[str]:
    base = posixpath.dirname(posixpath.dirname(name))
    for relation in root.iter(_ANY_RELATION):
        kind = posixpath.basename(str(relation.get("Type")))
        target = str(relation.get("Target"))
        if str(relation.get("Type")).startswith(_STRICT):
            yield _STRICT_REASON
        elif kind not in _RELATIONS:
            yield f"含不允许的关联 {kind}"
        elif relation.get("TargetMode", "Internal") != "Internal":
            if kind != "hyperlink" or not _LINK.match(target):
                yield "链接到外部文件或图片，请改为嵌入"
        elif not target.startswith("#") and _resolve(base, target) not in names:
            yield "链接到不存在的部件"
        elif kind == "image" and _resolve(base, target) not in pictures:
            yield "用作图片的部件不是 PNG 或 JPEG"


def _resolve(base: str, target: str) -> str:
    path = target if target.startswith("/") else posixpath.join("/", base, target)
    return posixpath.normpath(path).lstrip("/")


def _elements(root: etree._Element) -> Iterator[str]:
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname
        if name in _ELEMENTS:
            yield f"含不允许的内容 {name}"
        if not _ADDRESSES.isdisjoint(etree.QName(key).localname for key in element.attrib):
            yield "链接到外部文件或图片，请改为嵌入"
        if any(str(key).startswith("{" + _STRICT) for key in (element.tag, *element.attrib)):
            yield _STRICT_REASON
    if not only_harmless_fields(root):
        yield "含不允许的域代码（只能用页码和超链接）"
