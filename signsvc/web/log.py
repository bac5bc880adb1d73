"""The log in public: checkpoint, tiles and entries (C2SP tlog-tiles), proof bundles, the list of stopped certificates,
and a page that explains them."""

from __future__ import annotations

import secrets
from datetime import datetime
from ssl import DER_cert_to_PEM_cert
from threading import Lock
from time import monotonic

from flask import Blueprint, Response, render_template, request

from signsvc.errors import InputError, NotFound
from signsvc.identity import normalise_code, normalise_number
from signsvc.notes import Checkpoint, encode, split_note
from signsvc.report import rfc3339
from signsvc.statuslist import KIND, MEDIA_TYPE, SALT_BYTES, payload
from signsvc.tiles import Tile
from signsvc.web.api.bodies import NumberItem
from signsvc.web.api.reading import asked
from signsvc.web.site import Site

FRESH = "no-cache"
SHORT = "public, max-age=60"
FOREVER = "public, max-age=31536000, immutable"  # RFC 8246
LIST_SECONDS = 60
_JSON = "application/json"


def log(site: Site) -> Blueprint:
    """Routes of the log over `site`."""
    blueprint = Blueprint("log", __name__, url_prefix="/log")
    stopped = Listing(site)

    @blueprint.get("", strict_slashes=False)
    def page() -> str:
        text, signatures = split_note(site.registry.checkpoint())
        checkpoint = Checkpoint.parse(text)
        return render_template(
            "log.html",
            address=f"{site.address}/log",
            key=site.registry.verifier,
            size=checkpoint.size,
            root=encode(checkpoint.root),
            witnesses=site.witnesses,
            cosigned=[item.name for item in signatures if item.name != site.registry.verifier.name],
            certified=bool(site.log_chain),
        )

    @blueprint.get("/checkpoint")
    def checkpoint() -> Response:
        return _file(site.registry.checkpoint().encode(), "text/plain; charset=utf-8", FRESH)

    @blueprint.get("/key")
    def key() -> Response:
        return _file(f"{site.registry.verifier}\n".encode(), "text/plain; charset=utf-8", SHORT)

    @blueprint.get("/key.pem")
    def certificates() -> Response:
        if not site.log_chain:
            raise _nothing()
        chain = "".join(map(DER_cert_to_PEM_cert, site.log_chain))
        return _file(chain.encode(), "application/x-pem-file", SHORT)

    # Two slashes in a row are another address, not a slip to be mended.
    @blueprint.get("/tile/<level>/<path:place>", merge_slashes=False)
    def tile(level: str, place: str) -> Response:
        entries = level == "entries"
        wanted = Tile.parse("0" if entries else level, place)
        if wanted is None:
            raise _nothing()
        found = site.registry.bundle(wanted) if entries else site.registry.tile(wanted)
        if found is None:
            raise _nothing()
        return _file(found, "application/octet-stream", FOREVER if wanted.full else SHORT)

    @blueprint.post("/proof")
    def proof() -> Response:
        number, code = _question()
        site.guard.code(code)
        bundle = site.registry.proof_bundle(_number(number), _code(code), site.log_chain)
        if bundle is None:
            raise NotFound("没有这份证明的存证：编号或查验码不符")
        made = _file(bundle.encode(), _JSON, "no-store")
        made.headers["Content-Disposition"] = 'attachment; filename="certificate-proof.json"'
        return made

    @blueprint.get("/statuses")
    def statuses() -> Response:
        made, age = stopped.signed()
        return _file(made.encode(), MEDIA_TYPE, f"public, max-age={max(0, LIST_SECONDS - age)}")

    return blueprint


class Listing:
    """The list of stopped certificates, made anew when the last one is a minute old. Safe to use from several threads.

    Caches between here and the reader may keep it until then, and the list says itself when it was made.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        self._made: tuple[float, str] | None = None

    def signed(self) -> tuple[str, int]:
        """The list as a compact JWS, and its age in seconds."""
        with self._lock:
            now = monotonic()
            if self._made is None or now - self._made[0] >= LIST_SECONDS:
                self._made = now, self._sign()
            made, text = self._made
            return text, int(now - made)

    def _sign(self) -> str:
        registry = self._site.registry
        now: datetime = self._site.verifier.clock()
        # The size first: what the log held by then is in the list.
        size = Checkpoint.parse(split_note(registry.checkpoint())[0]).size
        stopped = [
            (item.status_id, item.status, item.reason, rfc3339(item.since)) for item in registry.stopped()
        ]
        salt = secrets.token_hex(SALT_BYTES)
        content = payload(registry.verifier.name, size, rfc3339(now), salt, stopped)
        return self._site.receipts.sign(content, kind=KIND)


def _file(content: bytes, kind: str, cache: str) -> Response:
    return Response(content, headers={"Cache-Control": cache}, content_type=kind)


def _nothing() -> NotFound:
    return NotFound("日志中没有这个文件，或尚未写到这里")


def _question() -> tuple[str, str]:
    """Number and code, as JSON from a machine or as a form from the page."""
    if request.mimetype == "application/x-www-form-urlencoded":
        return request.form.get("number", ""), request.form.get("code", "")
    item = asked(NumberItem)
    return item.number, item.code


def _number(raw: str) -> str:
    try:
        return normalise_number(raw)
    except ValueError as error:
        raise InputError(str(error), "malformed_number") from error


def _code(raw: str) -> str:
    try:
        return normalise_code(raw)
    except ValueError as error:
        raise InputError(str(error), "malformed_code") from error
