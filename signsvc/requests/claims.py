"""What somebody claims of a certificate, in the forms in which a request's values may have been registered."""

from __future__ import annotations

from signsvc.identity import clean_text, normalise_name, plain_id_number
from signsvc.requests.cells import parse_day

_STATEMENT_LIMIT = 2000  # characters
_FULL_WIDTH = str.maketrans(",;:?!()", "，；：？！（）")


def forms(field: str, raw: str) -> list[str]:
    """The forms in which a claimed value may have been registered; none for what no certificate can hold."""
    try:
        match field:
            case "name":
                return [normalise_name(raw)[0]]
            case "id_number":
                return [plain_id_number(raw)]
            case "valid_until":
                day = parse_day(raw)
                return [day.isoformat()] if day else []
            case _:
                return _printed(raw)
    except ValueError:
        return []


def _printed(raw: str) -> list[str]:
    """The statements that may be meant by one copied line by line, or typed with half-width punctuation or another end.

    What is registered of it is a keyed hash of the very words, so each way is asked about by itself.
    """
    text = clean_text("".join(line.strip() for line in raw.splitlines()), _STATEMENT_LIMIT)
    ways = [way.rstrip("。.") for way in (text, text.translate(_FULL_WIDTH))]
    return list(dict.fromkeys((text, *ways, *(f"{way}。" for way in ways))))
