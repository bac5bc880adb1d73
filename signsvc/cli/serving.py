"""`serve`: the web service."""

from __future__ import annotations

import click

from signsvc.cli.shared import settings
from signsvc.web import server


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", type=click.IntRange(1, 64), help="工作进程数；默认与处理器核数相同，至多 8 个")
@click.option(
    "--only", type=click.Choice(["verify"]), help="只提供查验，不载入印章、日志和存档密钥（现为唯一方式）"
)
def serve(host: str, port: int, workers: int | None, only: str | None) -> None:
    """网页服务。"""
    server.run(settings(), host, port, workers)
