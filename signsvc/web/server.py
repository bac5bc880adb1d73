"""The production server: gunicorn, its workers forked before any thread or key is loaded."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from gunicorn.app.base import BaseApplication

from signsvc.config import Settings
from signsvc.errors import InputError
from signsvc.receipts import Receipts, published
from signsvc.web import create_app
from signsvc.web.guard import Guard
from signsvc.web.site import Site
from signsvc.wiring.guiding import Guide
from signsvc.wiring.verifying import published_pki, serving


class Server(BaseApplication):
    """gunicorn, configured from here and from nowhere else."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        self._open = ExitStack()
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        """In each worker: its own registry connection and sandbox, and only the match key."""
        return create_app(self._open.enter_context(opened(self._settings)))


@contextmanager
def opened(settings: Settings) -> Iterator[Site]:
    """The site over the home of these settings; its parts are closed with it."""
    with serving(settings) as service:
        yield Site(
            address=settings.base_url,
            verifier=service.verifier,
            registry=service.registry,
            receipts=Receipts(service.ring.receipt),
            jwks=published([service.ring.receipt_public]),
            guide=Guide(settings),
            pki=published_pki(settings),
            log_chain=service.ring.log_chain,
            guard=Guard(),
        )


def run(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to stop. What cannot work is refused before a worker starts."""
    with opened(settings):
        pass
    listener = _listen(host, port)
    options = {
        "bind": f"fd://{listener.fileno()}",
        "workers": workers,
        "threads": 4,
        "timeout": 30,
        "graceful_timeout": 10,
        "limit_request_line": 4094,  # a name and a purpose of 100 characters each, percent-encoded
        "limit_request_fields": 50,
        "worker_tmp_dir": "/dev/shm",  # noqa: S108 (heartbeat files only)
        "proc_name": "signsvc",
        "accesslog": None,
        "loglevel": "warning",
    }
    Server(settings, options).run()


def _listen(host: str, port: int) -> socket.socket:
    """The socket, taken here so that a port in use is one clear line instead of the server's retries."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512
        )
    except OSError as error:
        raise InputError(
            f"无法监听 {host} 端口 {port}：{os.strerror(error.errno or 0)}；请换一个端口"
        ) from error
