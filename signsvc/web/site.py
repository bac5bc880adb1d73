"""What the web service is built from: everything its blueprints may use, and no key but the receipts'."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signsvc.receipts import Receipts
from signsvc.registry import Registry
from signsvc.verify import Verifier
from signsvc.web.guard import Guard
from signsvc.wiring.guiding import Guide
from signsvc.wiring.revoking import Revocations


@dataclass(frozen=True)
class Site:
    """One worker's parts.

    `address` is the public address (`base_url`), `pki` the CAs' certificates and revocation lists,
    `log_chain` the log's certificate and its issuers (DER), `jwks` the keys that verify receipts, `ready` says whether
    files can be examined.
    """

    address: str
    verifier: Verifier
    registry: Registry
    receipts: Receipts
    jwks: Mapping[str, Any]
    guide: Guide
    pki: Revocations
    log_chain: Sequence[bytes]
    guard: Guard
    ready: Callable[[], bool]
