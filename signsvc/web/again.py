"""An answer that was given before, as its own receipt tells it: so that another language need not ask again for what
the visitor had to type or upload.

Only a report without a certificate is taken from the receipt, for its file is gone. What the register says of a
certificate is asked anew each time: an old receipt posted here cannot hide that it was revoked since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from signsvc.errors import InputError
from signsvc.receipts import ALGORITHM, RECEIPT
from signsvc.report import Asked, Check, Reason, Report, Verdict
from signsvc.web.advice import CLAIMS


@dataclass(frozen=True)
class Earlier:
    """`report` of a file that is not in the register; else `matches` that were answered for certificate `number`."""

    report: Report | None
    number: str
    matches: Mapping[str, bool]


def earlier(receipt: str, jwks: Mapping[str, Any]) -> Earlier | None:
    """What a receipt of ours tells; None without one, InputError `malformed_receipt` for anything else."""
    if not receipt:
        return None
    try:
        keys = KeySet.import_key_set(dict(jwks))  # type: ignore[arg-type]
        signed = jws.deserialize_compact(receipt, keys, algorithms=[ALGORITHM])
        if signed.headers().get("typ") != RECEIPT:
            raise ValueError("signed for something else")
        return _told(json.loads(signed.payload))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        # The last two: a receipt of a version that said other things.
        raise InputError("回执无法识别，请重新查验", "malformed_receipt") from error


def _told(answer: Mapping[str, Any]) -> Earlier:
    certificate = answer["certificate"] or {}
    gone = answer["checked"] == "file" and not certificate
    matches = {field: answer["claims"][field] for field in CLAIMS if field in answer.get("claims", {})}
    return Earlier(_report(answer) if gone else None, certificate.get("number", ""), matches)


def _report(told: Mapping[str, Any]) -> Report:
    """The Report that such a receipt was signed over."""
    return Report(
        Verdict(told["verdict"]),
        "file",
        tuple(Check(**check) for check in told["checks"]),
        tuple(Reason(**reason) for reason in told["reasons"]),
        None,
        None,
        None,
        date.fromisoformat(told["as_of"]),
        datetime.fromisoformat(told["checked_at"]),
        Asked(**told["asked"]),
    )
