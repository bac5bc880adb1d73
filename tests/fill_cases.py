"""Drafts and parts of .docx files for the tests of filling."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from signsvc.models import Draft, IdType, Number, Office, OfficeId, OfficeKind, Role

ANNEX4 = Path(__file__).parents[1] / "templates_docx" / "annex4.docx"

COMMUNITY = Office(
    OfficeId("qh-demo"),
    "青海省示范市示范区和平街道幸福社区居民委员会",
    "qinghai",
    "示范区",
    "和平街道",
    "幸福社区",
    OfficeKind.COMMUNITY,
    "0971-0000000",
    True,
)
VILLAGE = replace(
    COMMUNITY,
    name="青海省示范市示范县团结镇向阳村村民委员会",
    county="示范县",
    town="团结镇",
    community="向阳村",
    kind=OfficeKind.VILLAGE,
)
AUTONOMOUS = replace(
    VILLAGE,
    name="青海省黄南藏族自治州河南蒙古族自治县优干宁镇德日隆村村民委员会",
    county="河南蒙古族自治县",
    town="优干宁镇",
    community="德日隆村",
)
_BASIS = "《中华人民共和国民事诉讼法》（2023年修正）第六十一条第二款第三项"


def draft(**changes: Any) -> Draft:
    """An ordinary certificate of the demonstration, with `changes`."""
    ordinary = Draft(
        number=Number("qh-demo-2026-000001"),
        printed_number="2026-000001",
        code="7F3KQ2M9XA4RTW1C",
        office=COMMUNITY,
        addressee="示范市示范区人民法院",
        name="张三",
        id_type=IdType.IDENTITY_CARD,
        id_number="630102199001011234",
        basis=_BASIS,
        statement="其属于本社区居民，经常居住于本辖区",
        purpose="委托本社区推荐的公民担任诉讼代理人",
        valid_until=date(2027, 5, 20),
        issued_on=date(2026, 11, 21),
        verify_url="https://zm.example.gov.cn/verify",
        qr_url="https://zm.example.gov.cn/v/7F3KQ2M9XA4RTW1C",
    )
    return replace(ordinary, **changes)


def plain_face(char: str, role: Role) -> str:
    """Stands for a font book: one family, its bold face for titles."""
    return "Kai:bold" if role == "title" else "Kai"


def entries(docx: bytes) -> dict[str, bytes]:
    """The parts of a .docx by name."""
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: Mapping[str, bytes]) -> bytes:
    """A .docx of these parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


def changed(name: str, old: str, new: str) -> bytes:
    """The form with `old` replaced by `new` in one part."""
    parts = entries(ANNEX4.read_bytes())
    text = parts[name].decode()
    assert old in text
    return packed({**parts, name: text.replace(old, new).encode()})


def with_body(xml: str) -> bytes:
    """The form with `xml` before its first paragraph."""
    return changed("word/document.xml", "<w:body>", "<w:body>" + xml)
