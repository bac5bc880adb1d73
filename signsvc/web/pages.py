"""The verification pages: the form, its answer, and the QR's target. Parse, verify, render.

The answer to a form can be had again in the other language: what was asked travels in hidden fields, and what cannot
be asked a second time (a file that was uploaded, a match with what the visitor typed) is read from the signed receipt.
No page holds the name or the number that were typed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from signsvc.errors import InputError, TooMany
from signsvc.identity import group_code
from signsvc.report import STANDING_NAMES, Report, blanks
from signsvc.statuses import STATUS_NAMES
from signsvc.texts import Text
from signsvc.verify import verify_code, verify_file, verify_hash, verify_number
from signsvc.web import advice
from signsvc.web.advice import CLAIMS
from signsvc.web.again import Earlier, earlier
from signsvc.web.api.reading import day
from signsvc.web.guard.limiting import in_words
from signsvc.web.site import Site
from signsvc.web.uploads import MAX_FILE, MAX_FORM, uploaded
from signsvc.wiring.answering import answered

ASKED = ("number", "code", "sha256", "as_of")
FIELD_NAMES = {"name": "姓名", "id_number": "证件号码"}
_NOT_DIALLED = re.compile(r"[^0-9+*#-]")


def pages(site: Site) -> Blueprint:
    """Routes of the pages over `site`."""
    blueprint = Blueprint("pages", __name__, static_folder="static", static_url_path="/static")
    blueprint.add_app_template_filter(blanks)
    blueprint.add_app_template_filter(_dialled, "dialled")

    @blueprint.get("/")
    @blueprint.get("/verify")
    def form() -> str:
        return _form({})

    @blueprint.post("/verify")
    def answer() -> tuple[str, int]:
        if request.mimetype == "multipart/form-data":
            request.max_content_length = MAX_FORM
        typed = {key: request.form.get(key, "").strip() for key in (*ASKED, *CLAIMS)}
        try:
            before = earlier(request.form.get("receipt", ""), site.jwks)
            report = _report(site, typed, before)
        except InputError as error:
            return _refused(typed, error)
        try:
            matches = _matches(site, report, typed, before)
        except TooMany as error:
            # What the register says is not lost over what is not looked at.
            unmatched = Text(advice.UNMATCHED, wait=in_words(error.retry_after))
            return _page(site, report, typed, {}, unmatched), 200
        return _page(site, report, typed, matches), 200

    @blueprint.get("/v/<code>")
    def scanned(code: str) -> tuple[str, int]:
        site.guard.code(code)
        try:
            report = verify_code(site.verifier, code)
        except InputError as error:
            return _refused({"code": code[:40]}, error)
        number = report.certificate.number if report.certificate else ""
        return _page(site, report, {"number": number, "code": code}, {}), 200

    @blueprint.get("/pki/<name>")
    def authority(name: str) -> Response:
        found = site.pki.files().get(name)
        if found is None:
            abort(404)
        kind, age = ("pkix-crl", 300) if name.endswith(".crl") else ("pkix-cert", 3600)
        made = Response(found, mimetype=f"application/{kind}")
        made.headers["Cache-Control"] = f"public, max-age={age}"
        return made

    return blueprint


def _report(site: Site, typed: Mapping[str, str], before: Earlier | None) -> Report:
    """The Report on what was asked: a file, its hash, or number and code."""
    as_of = _day(typed["as_of"])
    if request.files:
        data = _file()
        # Only now: who sends slowly must not hold a place that others wait for.
        with site.guard.examining():
            return verify_file(site.verifier, data, as_of)
    if before and before.report:
        return before.report
    if typed["sha256"]:
        return verify_hash(site.verifier, typed["sha256"], as_of)
    site.guard.code(typed["code"])
    return verify_number(site.verifier, typed["number"], typed["code"], as_of)


def _file() -> bytes:
    data = uploaded()
    if data:
        return data
    # A form without a choice sends a file without a name.
    if request.files["file"].filename:
        raise InputError("这个文件是空的（0 字节）：请选择出具时的原文件", "malformed_request")
    raise InputError("请先选择一个 PDF 文件", "malformed_request")


def _day(text: str) -> date | None:
    try:
        return day(text or None)
    except InputError as error:
        raise InputError("日期无法识别：请按 2027-05-20 的格式填写", error.code) from error


def _matches(
    site: Site, report: Report, typed: Mapping[str, str], before: Earlier | None
) -> Mapping[str, bool]:
    """Whether the person is the holder, as typed now or as answered before."""
    claims = {key: typed[key] for key in CLAIMS if typed[key]}
    if report.certificate is None:
        return {}
    if not claims:
        return before.matches if before and before.number == report.certificate.number else {}
    site.guard.claims(report.certificate.number)
    return site.guard.matched(report.certificate.number, site.verifier.claims(report, claims))


def _refused(typed: Mapping[str, str], error: InputError) -> tuple[str, int]:
    """The form again with what was typed, but for the number of the identity document."""
    again = {key: typed[key] for key in ASKED if typed.get(key)} if request.method == "POST" else None
    return _form(typed, fault=error.args[0], again=again), error.http


def _form(typed: Mapping[str, str], **more: Any) -> str:
    return render_template("verify.html", values=typed, limit=MAX_FILE, **more)


def _page(
    site: Site, report: Report, typed: Mapping[str, str], matches: Mapping[str, bool], unmatched: str = ""
) -> str:
    """The answer; `unmatched` says why the person was not looked at although that was asked."""
    site.guard.verdict(report.verdict.value)
    receipt = answered(report, matches, site.receipts).receipt
    asked = {key: typed[key] for key in ASKED if typed.get(key)}
    if report.checked != "number" and report.asked.sha256:
        asked["sha256"] = report.asked.sha256
    today = {key: value for key, value in asked.items() if key != "as_of"} | {"receipt": receipt}
    return render_template(
        "result.html",
        report=report,
        headline=advice.first_line(report),
        wrong=advice.mismatch(matches),
        unmatched=unmatched,
        tone=advice.tone(report, matches, unmatched),
        reliance=advice.reliance(report, matches),
        today=today if report.certificate and advice.is_other_day(report) else None,
        masked=advice.masked(report.certificate, report.checked) if report.certificate else (),
        steps=advice.steps(report, matches),
        # In the headline already.
        said=("demo_data", *advice.STOPPED_LATER),
        standings=STANDING_NAMES,
        statuses=STATUS_NAMES,
        field_names=FIELD_NAMES,
        matches=matches,
        asked=asked,
        again={**asked, "receipt": receipt} if request.method == "POST" else None,
        address=site.address,
        receipt=receipt,
        receipt_base64=b64encode(receipt.encode()).decode(),
        fingerprint=group_code(sha256(receipt.encode()).hexdigest()[:16]),
    )


def _dialled(phone: str) -> str:
    """A telephone number as `tel:` takes it (RFC 3966)."""
    return _NOT_DIALLED.sub("", phone)
