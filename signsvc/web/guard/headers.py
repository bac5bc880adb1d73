"""What every answer tells the browser: nothing from elsewhere, no frame, no trace in a referrer, no stale verdict."""

from __future__ import annotations

from flask import Response, request

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=(), browsing-topics=()",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
# Published for everyone to check us by, whoever embeds it; what answers a question is for who asked.
_PUBLISHED = ("/log/", "/.well-known/", "/pki/")
_ONE_YEAR = "max-age=31536000"


def protect(response: Response) -> None:
    """Set the headers; HTTPS is insisted on only where the request came by it."""
    headers = response.headers
    for name, value in _ALWAYS:
        headers[name] = value
    published = request.path.startswith(_PUBLISHED)
    headers["Cross-Origin-Resource-Policy"] = "cross-origin" if published else "same-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = _ONE_YEAR
    if response.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if response.mimetype == "text/html":
        headers["Cache-Control"] = "no-store"
