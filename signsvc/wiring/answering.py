"""The answer as machines get it, from the web service or the command line: the Report, claims, and the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signsvc.receipts import Receipts, compact
from signsvc.report import Report


@dataclass(frozen=True)
class Answer:
    """`signed` is the answer as JSON; `receipt` (核验回执) a JWS whose payload is just that, empty where no key to sign
    with is at hand."""

    signed: str
    receipt: str

    @property
    def text(self) -> str:
        """The JSON that is handed out: the answer, and last in it the receipt, or null."""
        return f"{self.signed[:-1]},{compact({'receipt': self.receipt or None})[1:]}"


def answered(report: Report, matches: Mapping[str, bool], receipts: Receipts | None) -> Answer:
    """The Report, with `claims` where any were answered. About another person or day than was claimed nothing may be
    relied on."""
    body = report.as_json() | {"rely": report.rely and all(matches.values())}
    if matches:
        body["claims"] = dict(matches)
    signed = compact(body)
    return Answer(signed, receipts.sign(signed) if receipts else "")
