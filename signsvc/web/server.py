"""The production server: gunicorn, its workers forked before any thread is started.

Whatever can be wrong with keys, lists and settings is found before the first of them. gunicorn would end the service
over a worker that cannot start; so none depends on a file that may be broken by the time it takes another's place.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from signsvc.config import Settings
from signsvc.receipts import Receipts, published
from signsvc.web import create_app
from signsvc.web.deadline import Hurried
from signsvc.web.guard import Guard, Shared, lines, metrics
from signsvc.web.listening import Configured, listen
from signsvc.web.site import Site
from signsvc.wiring.apikeys import ApiKeys
from signsvc.wiring.guiding import Guide
from signsvc.wiring.verifying import Opened, open_all, serving

MOST_WORKERS = 8
_REQUESTS = 50_000  # of a worker, until a fresh one takes its place


class ToOurLog(Logger):
    """gunicorn's words go where ours go, and as little of them."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")


class Server(Configured):
    """The service as gunicorn runs it.

    What the workers share is made by who calls this, before any of them. Every worker has a place from 0 to N-1, which
    the one that replaces it takes over: the metrics are counted by it.
    """

    def __init__(
        self,
        settings: Settings,
        common: Opened,
        shared: Shared,
        counted: Path,
        listener: socket.socket,
        options: dict[str, Any],
    ) -> None:
        self._settings = settings
        self._common = common
        self._shared = shared
        self._counted = counted
        hooks = {"pre_fork": self._seat, "post_fork": self._sit, "worker_exit": self._leave}
        self._open = ExitStack()
        self._places: dict[int, int] = {}
        self._place = 0
        super().__init__(listener, {**options, **hooks})

    def load(self) -> Any:
        """In each worker: its own connections to the registry, opened when it is asked, and its own sandbox."""
        metrics.share(self._counted, self._place)
        site = self._open.enter_context(_site(self._settings, self._common, self._shared))
        with suppress(OSError):  # told by /readyz
            site.ready()  # the first file need not wait until the sandbox has started
        return create_app(site)

    def _seat(self, arbiter: Any, worker: Any) -> None:
        self._common.pki()  # what is revoked by now, for a worker that comes later
        living = {other.age for other in arbiter.WORKERS.values()}
        self._places = {age: place for age, place in self._places.items() if age in living}
        taken = set(self._places.values())
        self._places[worker.age] = next(place for place in range(len(taken) + 1) if place not in taken)

    def _sit(self, arbiter: Any, worker: Any) -> None:
        self._place = self._places[worker.age]

    def _leave(self, arbiter: Any, worker: Any) -> None:
        self._open.close()


@contextmanager
def opened(settings: Settings, shared: Shared | None = None) -> Iterator[Site]:
    """The site over the home of these settings; its parts are closed with it.

    Without `shared` its limits are its own. What is wrong with settings, keys or registry is a SignsvcError here.
    """
    with _site(settings, open_all(settings), shared or Shared.made(settings)) as site:
        yield site


@contextmanager
def _site(settings: Settings, common: Opened, shared: Shared) -> Iterator[Site]:
    with serving(common) as service:
        yield Site(
            address=settings.base_url,
            verifier=service.verifier,
            registry=common.registry,
            receipts=Receipts(common.ring.receipt),
            jwks=published([common.ring.receipt_public, *common.ring.receipt_earlier]),
            guide=Guide(settings),
            pki=common.pki,
            log_chain=common.ring.log_chain,
            guard=Guard(settings, shared),
            ready=service.sandbox.ready,
        )


def run(settings: Settings, host: str, port: int, workers: int | None = None) -> None:
    """Serve until told to stop, with as many workers as there are processors, at most 8, if none are said.

    What cannot work is refused before a worker starts.
    """
    ApiKeys(settings).check()
    common, shared = open_all(settings), Shared.made(settings)
    with _site(settings, common, shared):
        pass  # closed, so that no connection to the registry crosses into a worker
    listener = listen(host, port)
    options = _options(workers or min(MOST_WORKERS, len(os.sched_getaffinity(0))))
    lines.to(sys.stderr)
    master, counted = os.getpid(), Path(tempfile.mkdtemp(prefix="signsvc-metrics-"))
    try:
        Server(settings, common, shared, counted, listener, options).run()
    finally:
        if os.getpid() == master:  # a worker comes by here too when it ends
            shutil.rmtree(counted, ignore_errors=True)


def _options(workers: int) -> dict[str, Any]:
    return {
        "workers": workers,
        "worker_class": Hurried,
        "threads": 4,
        "timeout": 30,
        "graceful_timeout": 10,
        "keepalive": 75,  # longer than nginx keeps its connections, so that it never writes into a closed one
        "max_requests": _REQUESTS,
        "max_requests_jitter": _REQUESTS // 10,
        "limit_request_line": 4094,  # a name and a purpose of 100 characters each, percent-encoded
        "limit_request_fields": 50,
        "limit_request_field_size": 4096,
        # Which proxies are believed is said by `proxies`, to the application alone.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "worker_tmp_dir": "/dev/shm",  # noqa: S108 (heartbeat files only)
        "control_socket_disable": True,
        "proc_name": "signsvc",
        "accesslog": None,
        "logger_class": ToOurLog,
    }
