"""The answer as machines get it, from the web service or the command line: the Report, claims, and the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signsvc.receipts import Receipts
from signsvc.report import Report


def answered(report: Report, matches: Mapping[str, bool], receipts: Receipts | None) -> dict[str, Any]:
    """The Report as JSON, `claims` where any were answered, then `receipt`: a JWS over all that stands before it,
    None where no key to sign with is at hand. About another person or day than was claimed nothing may be relied on."""
    body = report.as_json() | {"rely": report.rely and all(matches.values())}
    if matches:
        body["claims"] = dict(matches)
    return {**body, "receipt": receipts.sign(body) if receipts else None}
