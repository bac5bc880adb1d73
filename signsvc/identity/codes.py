"""Verification codes (查验码) and printed numbers (编号), as people type and paste them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from operator import mul
from typing import Final

# GB 32100's 31 characters: no I, O, S, V, Z. Officials know them from credit codes, and 31 is prime.
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
RANDOM_LENGTH: Final = 15  # 31^15: about 74 bits
CODE_LENGTH: Final = RANDOM_LENGTH + 1

_CODE: Final = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
_WEIGHTS: Final = tuple(pow(3, place, len(ALPHABET)) for place in range(RANDOM_LENGTH))
_MISREAD: Final = str.maketrans("OISZ", "0152")
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u30fc"
_DASHED: Final = str.maketrans(dict.fromkeys(_DASHES, "-"))
# What is copied along with a number or a code. Offices' numbers hold 〔〕 of their own, and no other brackets.
_BRACKETS: Final = "()[]{}<>【】〖〗「」『』《》“”\"'"
_NUMBER_LABEL: Final = re.compile(r"^(?:证明)?编号:")
_CODE_LABEL: Final = re.compile(r"^查验码:?")
_FRAMED: Final = re.compile(r"(?:.*证明)?第(.+?)号.*")
_NUMBER: Final = re.compile(r"(?=.*[0-9])[\w()\[\]〔〕·./-]{1,100}")

_PASTED_LIMIT: Final = 500  # characters; a whole first line of a certificate is far shorter
_NO_NUMBER: Final = "编号无法识别：请照证明上“证明第…号”中间的部分填写"


def new_code(choose: Callable[[int], int]) -> str:
    """15 characters, each by `choose(31)` (uniform in 0…30, from a cryptographic source), and their check."""
    text = "".join(ALPHABET[choose(len(ALPHABET))] for _ in range(RANDOM_LENGTH))
    return text + _check_character(text)


def normalise_code(raw: str) -> str:
    """The 16 characters of a code typed in any case or width, with spaces and hyphens; O I S Z are 0 1 5 2. Brackets
    around it and 查验码： before it are left aside.

    Raises ValueError for a wrong length, alphabet or check character. The check (weights 3^i modulo 31, as in
    GB 32100) finds every single wrong character, and every swap of two places but of the first with the last:
    of neighbours always.
    """
    if _is_code(raw):  # as machines give it
        return raw
    code = _pasted(raw, _CODE_LABEL).replace("-", "").upper().translate(_MISREAD)
    if len(code) != CODE_LENGTH:
        raise ValueError(f"查验码应为{CODE_LENGTH}位，请核对")
    if not set(code) <= set(ALPHABET):
        raise ValueError("查验码中有不会出现的字符，请核对")
    if not _is_code(code):
        raise ValueError("查验码校验不符，请逐位核对")
    return code


def group_code(code: str) -> str:
    """`ABCD-EFGH-JKLM-NPQR`: four groups of four, as printed."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def status_id(number: str, code: str) -> str:
    """What stands for a certificate in the public list of revoked and suspended ones: lower-case hexadecimal SHA-256
    of its whole number and its code (normalised), each framed by its length (64 bits, big endian).

    Who holds the certificate can work it out; who holds the list alone would have to guess 74 random bits.
    """
    return _framed_sha256("signsvc status", number, code)


def status_digest(status_id: str) -> str:
    """What an issued record says of its `status_id`: lower-case hexadecimal SHA-256 of it, framed like it.

    A proof bundle so tells whether a code is this certificate's, and does not tell the code.
    """
    return _framed_sha256("signsvc status digest", status_id)


def normalise_number(raw: str) -> str:
    """A certificate number as printed (`2026-000001`) or as `{office}-{number}`, half width and without
    spaces; also pasted inside 证明第…号, behind （证明）编号： or in brackets. Raises ValueError if no number is left.

    Its letters keep their case, for a number may be printed with capitals: whoever compares numbers folds both."""
    if len(raw) > _PASTED_LIMIT:
        raise ValueError(_NO_NUMBER)
    text = _pasted(raw, _NUMBER_LABEL)
    framed = _FRAMED.fullmatch(text)
    number = framed.group(1).strip(_BRACKETS) if framed else text
    if not _NUMBER.fullmatch(number):
        raise ValueError(_NO_NUMBER)
    return number


def _pasted(raw: str, label: re.Pattern[str]) -> str:
    """Half width and without spaces; `label` and the brackets around it, or around what it labels, are gone."""
    text = "".join(unicodedata.normalize("NFKC", raw.translate(_DASHED)).split())
    return label.sub("", text.strip(_BRACKETS)).strip(_BRACKETS)


def _framed_sha256(*texts: str) -> str:
    parts = [text.encode() for text in texts]
    return sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def _is_code(text: str) -> bool:
    return bool(_CODE.fullmatch(text)) and _check_character(text[:RANDOM_LENGTH]) == text[RANDOM_LENGTH]


def _check_character(text: str) -> str:
    total = sum(map(mul, map(ALPHABET.index, text), _WEIGHTS))
    return ALPHABET[-total % len(ALPHABET)]
