"""How the service is: for whoever keeps it running, and for the machines that watch it."""

from __future__ import annotations

from flask import Blueprint, Response

from signsvc.errors import SignsvcError
from signsvc.web.languages import say
from signsvc.web.replies import answer, problem
from signsvc.web.site import Site


def health(site: Site) -> Blueprint:
    """`/healthz`: the process lives. `/readyz`: it could answer. `/metrics`: what it has done."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return answer({"status": "ok"})

    @blueprint.get("/readyz")
    def readyz() -> Response:
        """Whether the registry answers with a checkpoint that its log signed, files can be examined, and every list of
        revoked seals can be read."""
        try:
            site.registry.checkpoint()
        except SignsvcError as error:
            return problem(error.code, say("登记库不可用"), 503, _AGAIN)
        if not site.ready():
            return problem("sandbox_failed", say("检查程序不可用"), 503, _AGAIN)
        if site.pki.faults():
            return problem("pki_unreadable", say("吊销列表无法读取"), 503, _AGAIN)
        return answer({"status": "ready"})

    @blueprint.get("/metrics")
    def metrics() -> Response:
        text = site.guard.metrics.page(site.guard.gauges)
        return Response(text, content_type="text/plain; version=0.0.4; charset=utf-8")

    return blueprint


_AGAIN = 5  # seconds until it is worth asking again
