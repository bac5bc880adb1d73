"""The signed list of certificates that are stopped (停用名单), for those who verify without a network. Pure.

A JWS in compact form (RFC 7515, EdDSA) whose payload is `{v, log, size, issued_at, salt, entries}`: the log's name and
size when the list was made, the time (RFC 3339, +08:00), a fresh salt, and `{id: [status, reason, since]}`. The id is
the first 32 hexadecimal digits of SHA-256(salt ‖ status_id), both in lower-case hexadecimal ASCII: who holds a
certificate can look it up, nobody else learns which one is meant, and no two lists can be laid side by side.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from signsvc.models import Status
from signsvc.receipts import ALGORITHM

KIND = "signsvc-statuses+jws"
MEDIA_TYPE = "application/jose"
MAX_LIST_BYTES = 50_000_000  # some 300 000 entries
MAX_KEYS_BYTES = 100_000
SALT_BYTES = 16
ID_DIGITS = 32
VERSION = 1


class ListError(ValueError):
    """The list is malformed, or is not signed by one of the keys expected."""


@dataclass(frozen=True)
class Stop:
    """What the list says of one certificate: its status, why (a key of the public list of reasons) and since when."""

    status: Status
    reason: str
    since: datetime


@dataclass(frozen=True)
class StatusList:
    """A list whose signature holds."""

    log: str
    size: int
    issued_at: datetime
    salt: str
    entries: Mapping[str, Stop]

    def find(self, status_id: str) -> Stop | None:
        """What the list says of the certificate with this `status_id` (see identity); None if it is not on it."""
        return self.entries.get(entry_id(self.salt, status_id))


def entry_id(salt: str, status_id: str) -> str:
    """The name of a certificate in the list with this salt."""
    return sha256((salt + status_id).encode()).hexdigest()[:ID_DIGITS]


def payload(
    log: str, size: int, issued_at: str, salt: str, stopped: Iterable[tuple[str, Status, str, str]]
) -> dict[str, Any]:
    """The list to be signed; `stopped` gives status_id, status, reason and since (RFC 3339) of each certificate.

    In the order of the ids, which is nobody's order of issue.
    """
    entries = {entry_id(salt, name): [status.value, reason, since] for name, status, reason, since in stopped}
    head = {"v": VERSION, "log": log, "size": size, "issued_at": issued_at, "salt": salt}
    return {**head, "entries": dict(sorted(entries.items()))}


def open_list(signed: bytes, keys: bytes) -> StatusList:
    """The list in a JWS that one of `keys` (a JWK Set, RFC 7517) signed; ListError for anything else."""
    if len(signed) > MAX_LIST_BYTES or len(keys) > MAX_KEYS_BYTES:
        raise ListError("the list or the key set is too long")
    try:
        known = KeySet.import_key_set(json.loads(keys))
        registry = jws.JWSRegistry(algorithms=[ALGORITHM])
        registry.max_payload_length = MAX_LIST_BYTES
        opened = jws.deserialize_compact(signed.strip(), known, registry=registry)
        if opened.headers().get("typ") != KIND:
            raise ListError("the signature is of something else than a list")
        return _read(json.loads(opened.payload))
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ListError("the list is malformed, or not signed by a known key") from error


def _read(content: dict[str, Any]) -> StatusList:
    if content["v"] != VERSION:
        raise ListError("the list is of another version")
    entries = {
        name: Stop(Status(status), reason, _moment(since))
        for name, (status, reason, since) in content["entries"].items()
    }
    return StatusList(
        content["log"], content["size"], _moment(content["issued_at"]), content["salt"], entries
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ListError("a time has no zone")
    return moment
