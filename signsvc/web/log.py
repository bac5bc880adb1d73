"""The log in public: checkpoint, tiles and entries (C2SP tlog-tiles), proof bundles, the list of stopped certificates,
and a page that explains them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from ssl import DER_cert_to_PEM_cert
from threading import Lock
from time import monotonic

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from signsvc.cosignatures import cosigned_by
from signsvc.errors import Busy, InputError, NotFound, RegistryBusy, SignsvcError
from signsvc.models import Status
from signsvc.notes import Checkpoint, encode, split_note
from signsvc.receipts import compact
from signsvc.registry import Stopped
from signsvc.report import BEIJING, rfc3339
from signsvc.statuslist import KIND, MEDIA_TYPE, SALT_BYTES, payload
from signsvc.tiles import Tile
from signsvc.verify import parse_code, parse_number
from signsvc.web.api.bodies import NumberItem
from signsvc.web.api.reading import asked
from signsvc.web.replies import FORM
from signsvc.web.site import Site

FRESH = "no-cache"
SHORT = "public, max-age=60"
FOREVER = "public, max-age=31536000, immutable"  # RFC 8246
LIST_SECONDS = 60
STALE_SECONDS = 600  # a list younger than this is still given while the next one is being made
AGAIN_SECONDS = 5
_JSON = "application/json"


def log(site: Site) -> Blueprint:
    """Routes of the log over `site`."""
    blueprint = Blueprint("log", __name__, url_prefix="/log")
    stopped = Listing(site)

    @blueprint.get("")
    def page() -> str:
        return _page(site)

    @blueprint.get("/")
    def slash() -> BaseResponse:
        return redirect(url_for("log.page", lang=request.args.get("lang")), HTTPStatus.PERMANENT_REDIRECT)

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
        return _tile(Tile.parse(level, place), site.registry.tile)

    @blueprint.get("/tile/entries/<path:place>", merge_slashes=False)
    def entries(place: str) -> Response:
        return _tile(Tile.parse("0", place), site.registry.bundle)

    @blueprint.post("/proof")
    def proof() -> Response | tuple[str, int]:
        if request.mimetype != FORM:
            item = asked(NumberItem)
            return _proof(site, item.number, item.code)
        typed = {key: request.form.get(key, "") for key in ("number", "code")}
        try:
            return _proof(site, **typed)
        except (InputError, NotFound) as error:
            return _page(site, error.args[0], typed), error.http

    @blueprint.get("/statuses")
    def statuses() -> Response:
        made, age = stopped.signed()
        return _file(made.encode(), MEDIA_TYPE, f"public, max-age={max(0, LIST_SECONDS - age)}")

    return blueprint


def _page(site: Site, fault: str = "", typed: Mapping[str, str] | None = None) -> str:
    """The page; of a form that was refused with what is wrong, and what was typed."""
    note = site.registry.checkpoint()
    checkpoint = Checkpoint.parse(split_note(note)[0])
    return render_template(
        "log.html",
        address=f"{site.address}/log",
        key=site.registry.verifier,
        size=checkpoint.size,
        root=encode(checkpoint.root),
        witnesses=site.registry.witnesses,
        cosigned=[witness.name for witness in cosigned_by(note, site.registry.witnesses)],
        certified=bool(site.log_chain),
        fault=fault,
        values=typed or {},
        again=typed,
    )


def _tile(wanted: Tile | None, read: Callable[[Tile], bytes | None]) -> Response:
    found = read(wanted) if wanted else None
    if wanted is None or found is None:
        raise _nothing()
    return _file(found, "application/octet-stream", FOREVER if wanted.full else SHORT)


def _proof(site: Site, number: str, code: str) -> Response:
    site.guard.code(code)
    bundle = site.registry.proof_bundle(parse_number(number), parse_code(code), site.log_chain)
    if bundle is None:
        raise NotFound("没有这份证明的存证：编号或查验码不符")
    made = _file(bundle.encode(), _JSON, "no-store")
    made.headers["Content-Disposition"] = 'attachment; filename="certificate-proof.json"'
    return made


Entry = tuple[str, Status, str, date]  # of the list: status_id, status, reason, since when


@dataclass(frozen=True)
class _Made:
    """What came of making the list, and when: it, or why there is none."""

    at: float
    signed: str = ""
    failed: SignsvcError | None = None

    def lasts(self, now: float) -> bool:
        """Whether it may still be given while there is no newer one."""
        return not self.failed and now - self.at < STALE_SECONDS

    def told(self, now: float) -> tuple[str, int]:
        if self.failed:
            raise self.failed.with_traceback(None)
        return self.signed, int(now - self.at)


class Listing:
    """The list of stopped certificates, made anew when the last one is a minute old. Safe to use from several threads.

    Caches between here and the reader may keep it until then, and the list says itself when it was made. The whole log
    is read only when it has grown. One thread makes the list: whoever asks meanwhile is given the list before, or asked
    to come again, and waits for nobody. A failure counts as one for its minute too, unless the registry was only busy
    and the list before still lasts.
    """

    def __init__(self, site: Site, clock: Callable[[], float] = monotonic) -> None:
        self._site, self._clock = site, clock
        self._making = Lock()
        self._made: _Made | None = None
        self._read: tuple[str, list[Entry]] = "", []

    def signed(self) -> tuple[str, int]:
        """The list as a compact JWS, and its age in seconds. SignsvcError if it cannot be made, Busy if not yet."""
        now, made = self._clock(), self._made
        if made and now - made.at < LIST_SECONDS:
            return made.told(now)
        if not self._making.acquire(blocking=False):
            if made and made.lasts(now):
                return made.told(now)
            raise Busy("停用名单正在生成，请稍后再取", AGAIN_SECONDS)
        try:
            latest = self._made
            if latest is None or latest is made:  # nobody was faster
                latest = self._made = self._make(now)
        finally:
            self._making.release()
        return latest.told(now)

    def _make(self, now: float) -> _Made:
        before = self._made
        try:
            return _Made(now, self._sign())
        except SignsvcError as error:
            if isinstance(error, RegistryBusy) and before and before.lasts(now):
                return before
            return _Made(now, failed=error)

    def _sign(self) -> str:
        registry = self._site.registry
        issued_at = rfc3339(self._site.verifier.clock())
        # The size first: what the log held by then is in the list.
        text, _ = split_note(registry.checkpoint())
        if self._read[0] != text:
            self._read = text, [_entry(item) for item in registry.stopped()]
        salt, size = secrets.token_hex(SALT_BYTES), Checkpoint.parse(text).size
        content = payload(registry.verifier.name, size, issued_at, salt, self._read[1])
        return self._site.receipts.sign(compact(content), kind=KIND)


def _entry(item: Stopped) -> Entry:
    """Of the time only the day: to the second it would tell an entry in every list, whatever the salt."""
    return item.status_id, item.status, item.reason, item.since.astimezone(BEIJING).date()


def _file(content: bytes, kind: str, cache: str) -> Response:
    return Response(content, headers={"Cache-Control": cache}, content_type=kind)


def _nothing() -> NotFound:
    return NotFound("日志中没有这个文件，或尚未写到这里")
