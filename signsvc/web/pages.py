"""The verification pages: the form, its answer, and the QR's target."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, render_template, request

from signsvc.errors import InputError
from signsvc.identity import group_code
from signsvc.report import STANDING_NAMES, Report, Verdict, blanks, headline
from signsvc.statuses import STATUS_NAMES
from signsvc.texts import chinese_date
from signsvc.verify import verify_code, verify_number
from signsvc.web.site import Site

# Colour of the answer; only a certificate that is valid and no demonstration is green.
TONES = {
    Verdict.VALID: "good",
    Verdict.EXPIRED: "warn",
    Verdict.SUSPENDED: "warn",
    Verdict.NOT_YET_VALID: "warn",
}


def pages(site: Site) -> Blueprint:
    """Routes of the pages over `site`."""
    verifier = site.verifier
    blueprint = Blueprint("pages", __name__, static_folder="static", static_url_path="/static")
    blueprint.add_app_template_filter(chinese_date)
    blueprint.add_app_template_filter(blanks)

    @blueprint.get("/")
    @blueprint.get("/verify")
    def form() -> str:
        return render_template("verify.html", values={}, fault=None)

    @blueprint.post("/verify")
    def answer() -> tuple[str, int]:
        values = {key: request.form.get(key, "").strip() for key in ("number", "code", "name", "id_number")}
        try:
            report = verify_number(verifier, values["number"], values["code"])
        except InputError as error:
            return render_template("verify.html", values=values, fault=str(error)), error.http
        claims = {key: values[key] for key in ("name", "id_number") if values[key]}
        return _page(report, values["code"], verifier.claims(report, claims)), 200

    @blueprint.get("/v/<code>")
    def scanned(code: str) -> tuple[str, int]:
        try:
            return _page(verify_code(verifier, code), code, {}), 200
        except InputError as error:
            return render_template("verify.html", values={"code": code[:40]}, fault=str(error)), error.http

    @blueprint.get("/pki/<name>")
    def authority(name: str) -> Response:
        if name not in site.pki:
            abort(404)
        kind = "application/pkix-crl" if name.endswith(".crl") else "application/pkix-cert"
        return Response(site.pki[name], mimetype=kind)

    @blueprint.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return blueprint


def _page(report: Report, code: str, matches: Mapping[str, bool]) -> str:
    demo = report.certificate is not None and report.certificate.demo
    tone = TONES.get(report.verdict, "bad")
    return render_template(
        "result.html",
        report=report,
        headline=headline(report),
        tone="warn" if demo and tone == "good" else tone,
        standings=STANDING_NAMES,
        statuses=STATUS_NAMES,
        matches=matches,
        code=group_code(code) if report.certificate else "",
    )
