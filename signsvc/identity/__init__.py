"""What identifies a holder and a certificate: document numbers, names, verification codes, printed numbers.

Pure: text in, normal form or ValueError out. The message of every ValueError is Chinese, says what to do,
and never repeats a number or a name.
"""

from signsvc.identity.characters import TextTooLong, clean_text
from signsvc.identity.codes import (
    group_code,
    new_code,
    normalise_code,
    normalise_number,
    status_digest,
    status_id,
)
from signsvc.identity.documents import birth_date, check_id_number, own_kind, plain_id_number
from signsvc.identity.names import mask_name, normalise_name

__all__ = [
    "TextTooLong",
    "birth_date",
    "check_id_number",
    "clean_text",
    "group_code",
    "mask_name",
    "new_code",
    "normalise_code",
    "normalise_name",
    "normalise_number",
    "own_kind",
    "plain_id_number",
    "status_digest",
    "status_id",
]
