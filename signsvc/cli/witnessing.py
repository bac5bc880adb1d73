"""`witness`: on somebody else's machine, without home, registry or keys of ours."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import click

from signsvc.errors import Exit, InputError, SignsvcError, reason
from signsvc.notes import NoteError, Verifier
from signsvc.web.deadline import Hurried
from signsvc.web.listening import Configured, listen
from signsvc.wiring.home import now
from signsvc.witness.looking import look
from signsvc.witness.serving import application
from signsvc.witness.state import State, make, open_state, read_log

DIR = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.group()
def witness() -> None:
    """见证人：在另一台机器上记住日志，使过去不能被改写。"""


@witness.command()
@DIR
@click.option("--name", required=True, help="见证人名称，建议用自己的网址，如 example.org/witness")
def init(folder: Path, name: str) -> None:
    """新建见证人，显示其公钥。"""
    click.echo(make(folder, name))


@witness.command()
@DIR
@click.argument("logkey")
@click.option("--url", help="日志的网址；缺省为 https:// 加日志名称")
def trust(folder: Path, logkey: str, url: str | None) -> None:
    """信任一个日志的公钥（见其 /log 页）。"""
    try:
        verifier = Verifier.parse(logkey)
    except NoteError as error:
        raise InputError(
            "日志公钥无法识别：请整行复制，如 example.org/log+1a2b3c4d+…", "bad_log_key"
        ) from error
    log = opened(folder).trust(verifier, url or f"https://{verifier.name}")
    click.echo(f"已信任 {log.verifier.name}（{log.address}）")


@witness.command(name="look")
@DIR
def look_at_all(folder: Path) -> int:
    """查看所信任的日志，续写无误的予以联署。"""
    state = opened(folder)
    if not state.places():
        raise InputError("还没有信任任何日志：请先运行 signsvc witness trust", "no_logs")
    ends = {_looked(state, place) for place in state.places()}
    return Exit.NOT_ALL if Exit.NOT_ALL in ends else max(ends)


def _looked(state: State, place: Path) -> Exit:
    """How the look at one log ends. None that lies, drips or is damaged keeps the others from being looked at."""
    try:
        log = read_log(place)
        shown = look(state, log)
        click.echo(f"{shown.origin} 共 {shown.size} 条，已联署：{log.checkpoint}")
        return Exit.DONE
    except SignsvcError as error:
        click.echo(f"error: {error.code}: {error}", err=True)
        return error.exit
    except OSError as error:
        click.echo(f"error: system_error: {reason(error)} {place}", err=True)
        return Exit.UNUSABLE


@witness.command()
@DIR
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8100, show_default=True, type=click.IntRange(1, 65535))
def serve(folder: Path, host: str, port: int) -> None:
    """应答 POST /add-checkpoint（C2SP tlog-witness）。对外须放在缓存整个请求的反向代理（如 nginx）之后。"""
    state = opened(folder)
    _Server(state, listen(host, port)).run()


def opened(folder: Path) -> State:
    return open_state(folder, now)


class _Server(Configured):
    """A witness as gunicorn runs it.

    Many clients that send slowly at once still keep others waiting, until they are cut off: in public a proxy that
    takes in whole requests stands before it.
    """

    def __init__(self, state: State, listener: socket.socket) -> None:
        self._state = state
        super().__init__(
            listener,
            {
                "worker_class": Hurried,  # few threads, and a request holds one for half a minute at most
                "threads": 4,
                "timeout": 30,
                "limit_request_line": 1024,
                "limit_request_fields": 50,
                "control_socket_disable": True,
                "proc_name": "signsvc-witness",
                "accesslog": None,
                "loglevel": "warning",
            },
        )

    def load(self) -> Any:
        return application(self._state)
