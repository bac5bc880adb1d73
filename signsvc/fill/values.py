"""What is printed in each field of the form (Annex 4 B0–B19), and the QR code."""

from __future__ import annotations

import io
from datetime import date

import segno

from signsvc.models import Draft, IdType, Office, OfficeKind

QR_MM = 23.0  # side of the printed QR code
TITLE = "基层群众性自治组织证明"
_QUIET_ZONE = 2  # modules in the picture; the paper around it gives the rest
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
    code = segno.make_qr(url, error="m")
    modules = code.symbol_size(border=_QUIET_ZONE)[0]
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=max(1, int(QR_MM / 25.4 * 300) // modules), border=_QUIET_ZONE)
    return picture.getvalue()
