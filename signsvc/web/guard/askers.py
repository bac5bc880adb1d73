"""Who asks: an address, or the holder of an API key. For counting, and roughly for the log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import request

from signsvc.errors import SignsvcError
from signsvc.wiring.apikeys import ApiKey, ApiKeys

# Where a key counts; elsewhere it is not looked at.
WITH_KEY = ("/api/", "/log/")


class UnknownKey(SignsvcError):
    """A key was shown that is none, or none any more."""

    code = "unknown_api_key"
    http = 401


@dataclass(frozen=True)
class Asker:
    """`name` is what is counted by; `key` the API key, if one was shown."""

    name: str
    key: ApiKey | None = None


def address() -> str:
    """The address that the request came from, as the trusted proxies tell it."""
    return request.remote_addr or ""


def with_key(keys: ApiKeys) -> Asker | None:
    """The holder of the key that was shown; None if none was. UnknownKey (401) if it is none."""
    shown = request.headers.get("Authorization")
    if shown is None or not request.path.startswith(WITH_KEY):
        return None
    scheme, _, token = shown.partition(" ")
    key = keys.find(token.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        raise UnknownKey("接口密钥无效或已注销")
    return Asker(f"key {key.id}", key)


@lru_cache(maxsize=4096)
def network(text: str) -> str:
    """What one customer of a network has: an IPv4 address, or an IPv6 /64. What is no address counts as one asker."""
    return _within(text, 32, 64)


@lru_cache(maxsize=4096)
def roughly(text: str) -> str:
    """The part of an address that goes into the log: an IPv4 /24, an IPv6 /48."""
    return _within(text, 24, 48)


def _within(text: str, of_4: int, of_6: int) -> str:
    try:
        found: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(ip_network((int(found), of_6), strict=False))
        found = found.ipv4_mapped
    return str(ip_network((int(found), of_4), strict=False))
