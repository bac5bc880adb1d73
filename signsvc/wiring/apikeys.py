"""API keys (接口密钥): names for machines that ask often. A key buys a higher limit and nothing else.

The home keeps `apikeys.toml`: id, name, SHA-256 of the secret, limit, day. A secret of 256 random bits needs no
stretching, and whoever reads the file cannot ask with it. A server rereads the file when it changes; while the file
is broken no key counts, and requests that carry none go on.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from hashlib import sha256
from pathlib import Path

import tomli_w

from signsvc import durable
from signsvc.config import Settings
from signsvc.errors import InputError, KeysError, NotFound, reason

FILE = "apikeys.toml"
PER_MINUTE = 6000  # certificates asked about
_LOG = logging.getLogger(__name__)
_LIMIT = 1 << 20  # bytes of the file
_ID = re.compile(r"[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOBODY = "0" * 64


@dataclass(frozen=True)
class ApiKey:
    """One key as it is kept: `sha256` of the secret in hexadecimal, `per_minute` what it may ask about."""

    id: str
    name: str
    sha256: str
    per_minute: int
    made_on: date

    def __post_init__(self) -> None:
        typed = all(type(value) in (str, int, date) for value in vars(self).values())
        if (
            not typed
            or not _ID.fullmatch(self.id)
            or not _SHA256.fullmatch(self.sha256)
            or self.per_minute < 1
        ):
            raise ValueError("not an API key")


class ApiKeys:
    """The home's keys as they are now, for many threads."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.home / FILE
        self._held: tuple[object, dict[str, ApiKey] | KeysError] = (None, {})

    def find(self, token: str) -> ApiKey | None:
        """The key that `token` (`sk_{id}_{secret}`) opens, or None; in the same time for a wrong id and a wrong secret.

        KeysError while the file cannot be used.
        """
        kind, _, rest = token.partition("_")
        name, _, secret = rest.partition("_")
        key = self._current().get(name)
        digest = sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
        same = hmac.compare_digest(digest, key.sha256 if key else _NOBODY)
        return key if same and kind == "sk" else None

    def check(self) -> None:
        """KeysError if the file cannot be used: said when a service starts."""
        _read(self._file)

    def _current(self) -> dict[str, ApiKey]:
        """Two threads may load the same change at once, to the same end."""
        try:
            seen = self._file.stat()
            state: object = (seen.st_ino, seen.st_size, seen.st_mtime_ns)
        except OSError:
            state = "none"  # or not to be looked at, which reading tells
        if state != self._held[0]:
            self._held = state, _loaded(self._file)
        if isinstance(self._held[1], KeysError):
            raise self._held[1]
        return self._held[1]


def listed(settings: Settings) -> tuple[ApiKey, ...]:
    """Every key of the home, oldest first; KeysError if the file cannot be used."""
    return _read(settings.home / FILE)


def add(settings: Settings, name: str, per_minute: int, today: date) -> str:
    """A new key, kept; its token, which is nowhere else and cannot be had again.

    KeysError if it cannot be kept: should the file hold it all the same, nobody knows its secret.
    """
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InputError("接口密钥的名称应为 1–100 个可见字符", "malformed_name")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey(key_id, name.strip(), sha256(secret.encode()).hexdigest(), per_minute, today)
    with durable.alone(settings.home):
        _write(settings.home, [*listed(settings), key])
    return f"sk_{key_id}_{secret}"


def revoke(settings: Settings, key_id: str) -> None:
    """The key counts no more, from the next request on; NotFound if there is none of this id."""
    with durable.alone(settings.home):
        before = listed(settings)
        left = [key for key in before if key.id != key_id]
        if len(left) == len(before):
            raise NotFound("没有这个接口密钥：请用 signsvc apikey list 查看", "unknown_api_key")
        _write(settings.home, left)


def _loaded(file: Path) -> dict[str, ApiKey] | KeysError:
    """What is wrong is kept too: a broken file is not read again at every request."""
    try:
        return {key.id: key for key in _read(file)}
    except KeysError as error:
        _LOG.error("%s", error)
        return error


def _read(file: Path) -> tuple[ApiKey, ...]:
    try:
        with open(file, "rb") as stream:
            text = stream.read(_LIMIT + 1)
        entries = tomllib.loads(text.decode()).get("key", []) if len(text) <= _LIMIT else None
        names = {item.name for item in fields(ApiKey)}
        if not isinstance(entries, list) or any(set(entry) != names for entry in entries):
            raise ValueError("other keys than an API key has")
        return tuple(ApiKey(**entry) for entry in entries)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise KeysError(f"接口密钥文件 {FILE} 读不到：{reason(error)}") from error
    except (ValueError, TypeError) as error:
        raise KeysError(f"接口密钥文件 {FILE} 无法识别：请从备份恢复，或删去后重新登记") from error


def _write(home: Path, keys: Sequence[ApiKey]) -> None:
    """In place of the old file, whole or not at all; KeysError if that fails."""
    text = tomli_w.dumps({"key": [asdict(key) for key in keys]})
    try:
        durable.replace_file(home / FILE, text.encode(), 0o600)
    except OSError as error:
        raise KeysError(f"接口密钥文件 {FILE} 无法写入：{reason(error)}") from error
