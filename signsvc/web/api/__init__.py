"""The API (contract: `/api/v1`), and the keys by which its receipts are verified.

One table of operations makes both the routes and their description.
"""

from __future__ import annotations

from flask import Blueprint

from signsvc.web.api.describing import Describing
from signsvc.web.api.elsewhere import ELSEWHERE
from signsvc.web.api.verifying import verifying
from signsvc.web.site import Site


def api(site: Site) -> Blueprint:
    """Routes of the API over `site`."""
    blueprint = Blueprint("api", __name__)
    for operation in Describing(site, verifying(site), ELSEWHERE).operations:
        if operation.view is not None:
            blueprint.add_url_rule(
                operation.path, operation.name, operation.view, methods=[operation.method.upper()]
            )
    return blueprint
