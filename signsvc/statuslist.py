"""The signed list of certificates that are stopped (停用名单), for those who verify without a network. Pure.

A JWS in compact form (RFC 7515, EdDSA) whose payload is `{v, log, size, issued_at, salt, entries}`: the log's name and
size when the list was made, the time (RFC 3339, +08:00), a fresh salt, and `{id: [status, reason, since]}`, since
being a day in Beijing. The id is the first 32 hexadecimal digits of SHA-256(salt ‖ status_id), both in lower-case
hexadecimal ASCII: who holds a certificate can look it up, and nobody else learns which one is meant. The salt keeps an
id from being found again in the next list. It does not hide how many are stopped, nor why and on which day: who was the
only one of a day is told apart in every list, though not by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, Key, KeySet

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
    """What the list says of one certificate: its status, why (a key of the public list of reasons), and since which
    day in Beijing."""

    status: Status
    reason: str
    since: date


@dataclass(frozen=True)
class StatusList:
    """A list whose signature holds; `signed_by` is the thumbprint of the key (RFC 7638)."""

    signed_by: str
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
    log: str, size: int, issued_at: str, salt: str, stopped: Iterable[tuple[str, Status, str, date]]
) -> dict[str, Any]:
    """The list to be signed; `stopped` gives status_id, status, reason and the day since when of each certificate.

    In the order of the ids, which is nobody's order of issue.
    """
    entries = {
        entry_id(salt, name): [status.value, reason, since.isoformat()]
        for name, status, reason, since in stopped
    }
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
        opened = jws.deserialize_compact(signed.strip(), lambda item: _named(known, item), registry=registry)
        if opened.headers().get("typ") != KIND:
            raise ListError("the signature is of something else than a list")
        return _read(json.loads(opened.payload), _named(known, opened).thumbprint())
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ListError("the list is malformed, or not signed by a known key") from error


def _named(known: KeySet, item: GuestProtocol) -> Key:
    """The key that a JWS names."""
    return known.get_by_kid(item.headers()["kid"])


def _read(content: dict[str, Any], signed_by: str) -> StatusList:
    if content["v"] != VERSION:
        raise ListError("the list is of another version")
    entries = {
        name: Stop(Status(status), _text(reason), date.fromisoformat(since))
        for name, (status, reason, since) in content["entries"].items()
    }
    size = content["size"]
    if type(size) is not int:
        raise ListError("the size is no number")
    log, salt = _text(content["log"]), _text(content["salt"])
    return StatusList(signed_by, log, size, _moment(content["issued_at"]), salt, entries)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ListError("a field is no text")
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ListError("a time has no zone")
    return moment
