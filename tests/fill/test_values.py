"""What is printed in each field."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from datetime import date

import pytest
import segno
from fill_cases import AUTONOMOUS, COMMUNITY, VILLAGE, draft

from signsvc.fill import qr_png, values
from signsvc.fill.fields import CERTIFICATE
from signsvc.fill.values import printed_date
from signsvc.models import IdType


def test_values_are_the_fields_of_the_form() -> None:
    assert set(values(draft())) == set(CERTIFICATE.texts)


def test_community_and_village_choose_their_words() -> None:
    community, village = values(draft()), values(draft(office=VILLAGE))
    assert (community["社区或村"], community["居或村"], community["标题"][:4]) == ("社区", "居", "幸福社区")
    assert (village["社区或村"], village["居或村"], village["县"]) == ("村", "村", "示范县")


def test_title_prefix_of_the_office_comes_first() -> None:
    assert (
        values(draft(office=replace(COMMUNITY, title_prefix="和平街道")))["标题"]
        == "和平街道基层群众性自治组织证明"
    )


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (IdType.IDENTITY_CARD, "身份证号"),
        (IdType.PASSPORT, "护照号码"),
        (IdType.HK_MACAU_PERMIT, "港澳居民居住证号码"),
        (IdType.OTHER, "证件号码"),
    ],
)
def test_document_is_named_by_its_kind(kind: IdType, label: str) -> None:
    assert values(draft(id_type=kind))["证件名称"] == label


def test_dates_are_printed_without_leading_zeros() -> None:
    assert printed_date(date(2027, 5, 2)) == "2027年5月2日"


def test_code_is_grouped_by_four() -> None:
    assert values(draft())["查验码"] == "7F3K-Q2M9-XA4R-TW1C"


@pytest.mark.parametrize(
    ("office", "lines"),
    [
        (replace(COMMUNITY, name="幸福社区居民委员会"), ["幸福社区居民委员会"]),
        (COMMUNITY, ["青海省示范市示范区和平街道", "幸福社区居民委员会"]),
        (VILLAGE, ["青海省示范市示范县团结镇", "向阳村村民委员会"]),
        (AUTONOMOUS, ["青海省黄南藏族自治州河南蒙古族自治县", "优干宁镇德日隆村村民委员会"]),
        (
            replace(COMMUNITY, name="名称中没有县区和街道的某某社区居民委员会"),
            ["名称中没有县区和街道的某某社区居民委员会"],
        ),
    ],
)
def test_long_office_names_break_after_county_or_town(office: object, lines: list[str]) -> None:
    assert values(draft(office=office))["出具组织"].split("\n") == lines


def pixels(png: bytes) -> tuple[int, int, int]:
    """Width, bit depth and colour type of a PNG whose checksum is right."""
    header = png[12:29]
    assert struct.unpack(">I", png[29:33])[0] == zlib.crc32(header)
    width, _, depth, colour = struct.unpack(">IIBB", header[4:14])
    return width, depth, colour


@pytest.mark.parametrize(
    "url", ["https://a.cn/v/7F3KQ2M9XA4RTW1C", "https://" + "long." * 20 + "example.gov.cn/v/7F3K"]
)
def test_qr_code_is_crisp_and_under_300_dpi(url: str) -> None:
    width, depth, colour = pixels(qr_png(url))
    assert (depth, colour) == (1, 0)  # one bit, grey
    modules = segno.make_qr(url, error="m").symbol_size(border=2)[0]
    assert width % modules == 0
    assert width / (23.0 / 25.4) <= 300
    assert width / modules >= 4


def test_qr_code_shows_every_module_and_nothing_else() -> None:
    url = "https://zm.example.gov.cn/v/7F3KQ2M9XA4RTW1C"
    png = qr_png(url)
    modules = [bytes(row) for row in segno.make_qr(url, error="m", mask=2).matrix_iter(border=2)]
    side, _, _ = pixels(png)
    length = struct.unpack(">I", png[33:37])[0]
    rows = zlib.decompress(png[41 : 41 + length])
    size, scale = 1 + (side + 7) // 8, side // len(modules)
    for at, row in enumerate(modules):
        for line in (at * scale, at * scale + scale - 1):
            bits = f"{int.from_bytes(rows[line * size : (line + 1) * size], 'big'):0{8 * size}b}"
            assert bits[:8] == "00000000"  # no filter
            assert bits[8 : 8 + side] == "".join("10"[module] * scale for module in row)
