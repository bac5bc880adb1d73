"""What is printed in each field of the form (Annex 4 B0–B19), and the QR code."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import date

import segno

from signsvc.models import Draft, IdType, Office, OfficeKind

QR_MM = 23.0  # side of the printed QR code
TITLE = "基层群众性自治组织证明"
_QUIET_ZONE = 2  # modules in the picture; the paper around it gives the rest
# One of the eight patterns that readers take off again; weighing all eight costs more than the whole form.
_MASK = 2
_DIGITS = bytes.maketrans(b"\0\1", b"10")  # of a module, as it is printed: 0 is black
_PNG = b"\x89PNG\r\n\x1a\n"
_SIGNATURE_CHARS = 19  # 3号 characters on one line of the signature block
_AROUND_OFFICE = 4  # （…盖章） around the office's name


def values(draft: Draft) -> dict[str, str]:
    """The text of every field. A line break stands only in 出具组织, where a long name takes two lines."""
    office = draft.office
    village = office.kind is OfficeKind.VILLAGE
    return {
        "标题": (office.title_prefix or office.community) + TITLE,
        "县": office.county,
        "街道": office.town,
        "社区": office.community,
        "编号": draft.printed_number,
        "索要单位": draft.addressee,
        "社区或村": "村" if village else "社区",
        "姓名": draft.name,
        "证件名称": id_label(draft.id_type),
        "证件号码": draft.id_number,
        "依据": draft.basis,
        "居或村": "村" if village else "居",
        "证明事项": draft.statement,
        "证明用途": draft.purpose,
        "有效期至": printed_date(draft.valid_until),
        "出具日期": printed_date(draft.issued_on),
        "出具组织": signature(office),
        "查验码": "-".join(draft.code[at : at + 4] for at in range(0, len(draft.code), 4)),
        "查验网址": draft.verify_url,
    }


def printed_date(day: date) -> str:
    """`2027年5月20日` (GB/T 9704: Arabic digits, no leading zeros)."""
    return f"{day.year}年{day.month}月{day.day}日"


def id_label(kind: IdType) -> str:
    """身份证号 for the identity card, as the form has it; otherwise the kind of document and 号码 (B7)."""
    match kind:
        case IdType.IDENTITY_CARD:
            return "身份证号"
        case IdType.OTHER:
            return "证件号码"
        case _:
            return f"{kind.value}号码"


def signature(office: Office) -> str:
    """The office's name, broken once after county or town if it needs two lines, the lines as even as they can be."""
    name = office.name
    if len(name) + _AROUND_OFFICE <= _SIGNATURE_CHARS:
        return name
    ends = {name.find(part) + len(part) for part in (office.county, office.town) if part and part in name}
    breaks = [at for at in ends if at < len(name)]
    if not breaks:
        return name
    at = min(breaks, key=lambda at: max(at + 1, len(name) - at + _AROUND_OFFICE - 1))
    return f"{name[:at]}\n{name[at:]}"


def qr_png(url: str) -> bytes:
    """A one-bit PNG of the QR code for `url`, error correction M, with whole pixels a module and a quiet zone.

    It stays under 300 dpi at its printed size: LibreOffice scales finer pictures down and blurs them.
    """
    rows = _framed(segno.make_qr(url, error="m", mask=_MASK).matrix)
    scale = max(1, int(QR_MM / 25.4 * 300) // len(rows))
    return _png(b"".join(_scanline(row, scale) * scale for row in rows), len(rows) * scale)


def _framed(matrix: Sequence[bytes | bytearray]) -> list[bytes]:
    """Rows of modules, 1 for a dark one, with the quiet zone around them."""
    beside = bytes(_QUIET_ZONE)
    above = [bytes(len(matrix) + 2 * _QUIET_ZONE)] * _QUIET_ZONE
    return [*above, *(beside + row + beside for row in matrix), *above]


def _scanline(modules: bytes, scale: int) -> bytes:
    """A row of the picture, unfiltered, from the left: dark modules are 0, light ones 1, the last byte filled up."""
    digits = modules.translate(_DIGITS).replace(b"0", b"0" * scale).replace(b"1", b"1" * scale)
    size = (len(digits) + 7) // 8
    return b"\0" + int(digits.ljust(8 * size, b"0"), 2).to_bytes(size, "big")


def _png(scanlines: bytes, side: int) -> bytes:
    """A square of one bit a pixel, grey (ISO/IEC 15948 11.2)."""
    header = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    data = zlib.compress(scanlines, 4)  # smaller than at 6, in a third of the time
    return _PNG + b"".join(_chunk(*item) for item in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
