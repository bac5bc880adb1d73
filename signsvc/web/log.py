"""The log in public: checkpoint, tiles, proof bundles, and a page that explains them."""

from __future__ import annotations

from flask import Blueprint

from signsvc.web.site import Site


def log(site: Site) -> Blueprint:
    """Routes of the log over `site`."""
    return Blueprint("log", __name__, url_prefix="/log")
