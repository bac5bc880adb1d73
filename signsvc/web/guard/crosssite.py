"""Forms that other sites post in a visitor's name are refused, without cookies and without tokens.

Browsers say where a request comes from, and no script can change it: Sec-Fetch-Site (W3C Fetch Metadata), in all of
them since 2023, and Origin (RFC 6454), which older ones send with every POST. A request with neither is let through:
it comes from a program, or from a browser so old that it says nothing. That is sound because a visitor here has nothing
that another site could borrow: no login, no cookie, no certificate; a forged form gets its sender's answer shown to the
visitor, and could at most use up the visitor's limits. An API key is sent by the program that has it, never by a
browser by itself.

Our own pages are served with Referrer-Policy `same-origin`: under `no-referrer` browsers would send `Origin: null`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

from signsvc.errors import SignsvcError

_READING = frozenset(("GET", "HEAD", "OPTIONS"))
_OWN = frozenset(("same-origin", "none"))  # none: typed, or from a bookmark


class CrossSite(SignsvcError):
    """A form or a script of another site sent this."""

    code = "cross_site"
    http = 403


def origin_of(url: str) -> str:
    """Scheme and host of an address, as browsers send it in Origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def refuse_others(own_origin: str | None = None) -> None:
    """CrossSite (403) for what another site sent and is not mere reading.

    Ours is the address that was asked, and `own_origin`, where the service is published: a proxy may ask by another.
    """
    if request.method in _READING:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        own = site in _OWN
    else:
        own = origin is None or origin.lower() in (f"{request.scheme}://{request.host}".lower(), own_origin)
    if not own:
        raise CrossSite("这次提交来自其他网站，已拒绝：请在本网站的页面上重新填写")
