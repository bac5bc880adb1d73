"""`apikey`: which machines may ask more often."""

from __future__ import annotations

import click

from signsvc.cli.shared import settings
from signsvc.wiring import apikeys
from signsvc.wiring.home import now, require_registry


@click.group()
def apikey() -> None:
    """接口密钥：让银行、机关的系统按更高的限额查验。"""


@apikey.command()
@click.argument("name")
@click.option(
    "--per-minute",
    default=apikeys.PER_MINUTE,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="每分钟可查验的证明数（成批查验按份数计；PDF 文件为其十分之一）",
)
def add(name: str, per_minute: int) -> None:
    """登记一个密钥；密钥只显示这一次，登记库中只存其摘要。"""
    found = settings()
    require_registry(found)
    click.echo(apikeys.add(found, name, per_minute, now().date()))
    click.echo("请妥善保存：密钥不会再次显示", err=True)


@apikey.command(name="list")
def list_() -> None:
    """现有的密钥：标识、限额、登记日期、名称。"""
    for key in apikeys.listed(settings()):
        click.echo(f"{key.id}  {key.per_minute}/minute  {key.made_on}  {key.name}")


@apikey.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """注销一个密钥，立即生效。"""
    apikeys.revoke(settings(), key_id)
