"""What both servers stand on, the public one and a witness's: gunicorn, and the socket that it is given."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

from gunicorn.app.base import BaseApplication

from signsvc.errors import InputError, reason

_SILENCE = (
    10  # seconds until a client that stopped in the middle of a request is let go; `deadline` has the whole
)


class Configured(BaseApplication):
    """gunicorn, configured from here and from nowhere else; `load` gives the application."""

    def __init__(self, listener: socket.socket, options: Mapping[str, Any]) -> None:
        self._listener = listener  # kept: a socket that nobody holds is closed
        self._options = {"bind": f"fd://{listener.fileno()}", **options}
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)


def listen(host: str, port: int) -> socket.socket:
    """The socket, taken here so that a port in use is one clear line instead of the server's retries."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=512)
        # Connections inherit it (Linux): one read waits no longer than this.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _SILENCE, 0))
        return listener
    except OSError as error:
        raise InputError(f"无法监听 {host} 端口 {port}：{reason(error)}；请换一个端口") from error
