"""The API (contract: `/api/v1`), and the keys by which its receipts are verified."""

from __future__ import annotations

from flask import Blueprint

from signsvc.web.site import Site


def api(site: Site) -> Blueprint:
    """Routes of the API over `site`."""
    return Blueprint("api", __name__, url_prefix="/api/v1")
