"""What stands between the public and the pages: limits, cross-site requests, headers, logs, metrics, crowding."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from signsvc.config import Settings
from signsvc.errors import Busy, SignsvcError, TooMany
from signsvc.identity import normalise_code
from signsvc.web.guard.askers import Asker, address, network, roughly, with_key
from signsvc.web.guard.counters import SharedCounters
from signsvc.web.guard.crosssite import origin_of, refuse_others
from signsvc.web.guard.headers import protect
from signsvc.web.guard.limiting import Limiter, Limits
from signsvc.web.guard.lines import REQUESTS
from signsvc.web.guard.metrics import Metrics
from signsvc.web.guard.places import Places
from signsvc.web.languages import language
from signsvc.wiring.apikeys import ApiKeys

# Never counted: a page must not come without its style, nor a probe be told that the service is ill.
_FREE = ("/healthz",)
# Read without asking the registry about a certificate.
_LIGHT_PAGES = frozenset(("/", "/verify"))
_LIGHT = (
    "/matters",
    "/log",
    "/pki/",
    "/.well-known/",
    "/api/v1/openapi",
    "/api/v1/docs",
    "/readyz",
    "/metrics",
)
# A bundle of entries is a query as large as 256 questions.
_NOT_LIGHT = "/log/tile/entries/"
_SMALL = 64 * 1024  # bytes; a larger body brings a file
_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))


@dataclass(frozen=True)
class Shared:
    """What all workers of a machine have in common; made before they are forked."""

    counters: SharedCounters
    places: Places

    @classmethod
    def made(cls, settings: Settings) -> Shared:
        return cls(SharedCounters(), Places(settings.checks))


class Guard:
    """Asked by the views for what only they know: which code, which certificate, how much work.

    Every method raises TooMany (429) or Busy (503), which carry `retry_after` in seconds.
    """

    def __init__(self, settings: Settings, shared: Shared) -> None:
        self.metrics = Metrics()
        self._proxies = settings.proxies
        self._own = None if settings.loopback else origin_of(settings.base_url)
        self._keys = ApiKeys(settings)
        self._places = shared.places
        self._limiter = Limiter(Limits.of(settings), shared.counters, self.metrics.refused)

    def code(self, code: str) -> None:
        """One more question about this code, right or wrong (normalised or as typed).

        What cannot be a code never reaches the registry, and has no count of its own.
        """
        try:
            self._limiter.code(normalise_code(code))
        except ValueError:
            return

    def claims(self, number: str) -> None:
        """One more try to match names or numbers against this certificate; `number` as it is registered."""
        try:
            self._limiter.claims(number)
        except TooMany:
            REQUESTS.warning({"event": "claims_refused", "id": g.request_id})
            raise

    def matched(self, number: str, matches: Mapping[str, bool]) -> Mapping[str, bool]:
        """What that try gave, to be counted if anything in it did not match."""
        if not all(matches.values()):
            self._limiter.missed(number)
        return matches

    def items(self, count: int) -> None:
        """A batch asks as much as `count` single questions."""
        self._limiter.items(g.asker, count)

    @contextmanager
    def examining(self) -> Iterator[None]:
        """A place among the files that are examined at the same time."""
        self._limiter.file(g.asker)
        with ExitStack() as place:
            try:
                place.enter_context(self._places.taken())
            except Busy as error:
                self.metrics.refused(error.code)
                raise
            yield

    def verdict(self, verdict: str) -> None:
        """What is answered, to be counted and logged; of a batch with several answers the log says `several`."""
        self.metrics.verdict(verdict)
        g.verdict = verdict if g.get("verdict", verdict) == verdict else "several"

    def watch(self, app: Flask) -> None:
        """Stand before and behind every view of `app`. What X-Forwarded-* says is believed only of trusted proxies."""
        if self._proxies:
            trusted = self._proxies
            app.wsgi_app = ProxyFix(app.wsgi_app, trusted, trusted, trusted)  # type: ignore[method-assign]
        app.before_request(self._admit)
        app.after_request(self._release)

    def gauges(self) -> dict[str, float]:
        """What is measured at this moment."""
        return {"file_checks_running": self._places.in_use()}

    def _admit(self) -> None:
        """Order matters: who asks is known before anything is refused, so that refusals count too."""
        g.began, g.request_id = time.perf_counter(), secrets.token_hex(8)
        g.asker = anybody = Asker(f"at {network(address())}")
        try:
            refuse_others(self._own)
            g.asker = with_key(self._keys) or anybody
        except SignsvcError as error:
            self.metrics.refused(error.code)
            self._limiter.question(anybody)
            raise
        self._count()

    def _count(self) -> None:
        rule = request.url_rule.rule if request.url_rule else ""
        if rule in _FREE or (request.endpoint or "").endswith("static"):
            return
        if not rule or (request.method != "POST" and _is_light(rule)):
            return self._limiter.page(g.asker)
        self._limiter.question(g.asker)
        if request.method == "POST" and _announced() > _SMALL:
            self._limiter.has_files_left(g.asker)

    def _release(self, response: Response) -> Response:
        protect(response)
        response.headers["X-Request-Id"] = g.request_id
        self._tell(response.status_code, time.perf_counter() - g.began)
        return response

    def _tell(self, status: int, seconds: float) -> None:
        """To the log and the metrics: the route's rule, never the path."""
        route = request.url_rule.rule if request.url_rule else "-"
        method = request.method if request.method in _METHODS else "OTHER"
        self.metrics.answered(route, method, status, seconds)
        line = {
            "id": g.request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "verdict": g.get("verdict"),
            "client": roughly(address()),
            "key": g.asker.key.id if g.asker.key else None,
            "language": language(),
        }
        REQUESTS.info({name: value for name, value in line.items() if value is not None})


def _is_light(rule: str) -> bool:
    return rule in _LIGHT_PAGES or (rule.startswith(_LIGHT) and not rule.startswith(_NOT_LIGHT))


def _announced() -> float:
    """The length of this request's body in bytes. One that comes in chunks does not say: it may be of any length."""
    if "Transfer-Encoding" in request.headers:
        return math.inf
    return request.content_length or 0
