"""Numbers of the documents a holder may show (证件号码), by kind of document.

GB 11643: six characters of region, eight of birth date, three of sequence, one check character (MOD 11-2 of
ISO 7064). Residence permits of people from Hong Kong, Macau and Taiwan use the regions 81, 82 and 83 (Taiwan
not 71); the permanent resident's card of 2023 begins with 9, then province (2) and country (3), and has the
same check. Regions are checked by province only: numbers outlive the counties they were given in.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

from signsvc.models import IdType

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
# First digit: part of the country; second digits in use there.
_PARTS: Final = {"1": "12345", "2": "123", "3": "1234567", "4": "123456", "5": "01234", "6": "12345"}
_PROVINCES: Final = frozenset(part + digit for part, digits in _PARTS.items() for digit in digits)
_REGIONS: Final = _PROVINCES | {"71", "81", "82", "83"}

_CITIZEN: Final = re.compile(r"[0-9]{17}[0-9X]")
_OLD_RESIDENT: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_PASSPORT: Final = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,15}")
_ANY: Final = re.compile(r"(?=.*[0-9])[A-Z0-9一-鿿()/·-]{3,40}")
_SPREADSHEET: Final = re.compile(r"[0-9]+([.,][0-9]*)?E\+[0-9]+|[0-9]+[.,][0-9]+E[0-9]+|[0-9]+\.0+")

LOST_DIGITS: Final = "Excel 已把号码当作数值，末尾数字已丢失：请把该列设为“文本”格式，再从证件上重新填写"
_LAST_ZEROS: Final = "证件号码校验不符，末三位都是0：" + LOST_DIGITS.replace("已把", "多半已把")
_OLD_15: Final = "15位旧号码已停用，请按证件填写18位号码"


def check_id_number(kind: IdType, raw: str, today: date) -> str:
    """The number in normal form: half width, capitals, no spaces; its birth date is real and not after `today`.

    居民身份证, the default kind, takes every GB 11643 number, as the form's 身份证号 does; the other cards
    take only their own. Raises ValueError saying what is wrong, or which 证件类型 belongs to the number.
    """
    text = plain_id_number(raw)
    match kind:
        case IdType.PASSPORT:
            _require_passport(text, today)
        case IdType.HOUSEHOLD_REGISTER | IdType.OTHER:
            _require_any(text, today)
        case IdType.FOREIGN_RESIDENT if _OLD_RESIDENT.fullmatch(text):
            pass
        case _:
            _require_citizen(text, today)
            _require_own_kind(kind, text)
    return text


def birth_date(kind: IdType, number: str) -> date | None:
    """The birth date in a normalised number, where there is one: passports have none, and in a permanent
    resident's old number its century is not sure. A 户口簿 may give a child's citizen number."""
    if kind is IdType.PASSPORT or not _is_citizen(number):
        return None
    return _birth(number)


def own_kind(number: str) -> IdType:
    """The document whose numbers look like this normalised 18-character one."""
    if number.startswith("9"):
        return IdType.FOREIGN_RESIDENT
    return {
        "81": IdType.HK_MACAU_PERMIT,
        "82": IdType.HK_MACAU_PERMIT,
        "83": IdType.TAIWAN_PERMIT,
    }.get(number[:2], IdType.IDENTITY_CARD)


def plain_id_number(raw: str) -> str:
    """Half width, capitals, without spaces and the apostrophe by which Excel marks text; ValueError if none is left."""
    text = "".join(unicodedata.normalize("NFKC", raw).split()).lstrip("'`’‘").upper()
    if not text:
        raise ValueError("证件号码为空")
    if _SPREADSHEET.fullmatch(text):
        raise ValueError(LOST_DIGITS)
    if any(unicodedata.category(character) in ("Cc", "Cf") for character in text):
        raise ValueError("证件号码中有看不见的字符：请删去，手工重新填写")
    return text


def _require_citizen(text: str, today: date) -> None:
    if not _CITIZEN.fullmatch(text):
        raise ValueError(_shape_fault(text))
    if _check_character(text) != text[17]:
        raise ValueError(_LAST_ZEROS if text.endswith("000") else "证件号码校验不符：请对照证件核对每一位")
    if not _region_exists(text):
        raise ValueError("证件号码的地区码不存在：请对照证件核对前几位")
    born = _birth(text)
    if born is None:
        raise ValueError("证件号码中的出生日期不存在：请对照证件核对第7至14位")
    if born > today:
        raise ValueError("证件号码中的出生日期晚于今天：请对照证件核对第7至14位")


def _shape_fault(text: str) -> str:
    if re.fullmatch(r"[0-9]{15}", text):
        return _OLD_15
    if _OLD_RESIDENT.fullmatch(text):
        return f"这是{IdType.FOREIGN_RESIDENT}的旧式号码：请把证件类型改为“{IdType.FOREIGN_RESIDENT}”"
    if _PASSPORT.fullmatch(text) and len(text) != 18:
        return f"证件号码应为18位，现有{len(text)}位；如果是护照或其他证件，请填写证件类型"
    return "证件号码应为18位：前17位是数字，末位是数字或X"


def _require_own_kind(kind: IdType, text: str) -> None:
    actual = own_kind(text)
    if kind not in (IdType.IDENTITY_CARD, actual):
        raise ValueError(f"这不是{kind}的号码，而是{actual}的号码：请把证件类型改为“{actual}”或核对号码")


def _require_passport(text: str, today: date) -> None:
    if _is_citizen(text) and (born := _birth(text)) is not None and born <= today:
        actual = own_kind(text)
        raise ValueError(f"这不是护照号码，而是{actual}的号码：请把证件类型改为“{actual}”")
    if not _PASSPORT.fullmatch(text):
        raise ValueError("护照号码应为5至15位字母和数字，请对照护照资料页核对")


def _require_any(text: str, today: date) -> None:
    """A household register shows a child's citizen number: what is built like one has to be a right one."""
    if _CITIZEN.fullmatch(text) and _region_exists(text) and _birth(text) is not None:
        _require_citizen(text, today)
    elif not _ANY.fullmatch(text):
        raise ValueError("证件号码应为3至40个字符，含数字，只用数字、字母、汉字和 - / ( )")


def _is_citizen(text: str) -> bool:
    return bool(_CITIZEN.fullmatch(text)) and _check_character(text) == text[17] and _region_exists(text)


def _check_character(text: str) -> str:
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=False)) % 11]


def _region_exists(text: str) -> bool:
    return text[1:3] in _PROVINCES if text.startswith("9") else text[:2] in _REGIONS


def _birth(text: str) -> date | None:
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None
