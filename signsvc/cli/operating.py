"""`init` and `doctor`: what an operator does."""

from __future__ import annotations

import click

from signsvc.cli.shared import settings
from signsvc.errors import Exit
from signsvc.wiring.home import is_made, make_home


@click.command()
@click.option("--demo", is_flag=True, help="同时生成演示用的根证书、印章、组织和保留清单")
@click.option("--unless-made", is_flag=True, help="已有登记库时什么也不做，而不是拒绝")
def init(demo: bool, unless_made: bool) -> None:
    """新建登记库和密钥；已有时拒绝。"""
    chosen = settings()
    if unless_made and is_made(chosen):
        return
    make_home(chosen, demo)
    click.echo("已新建登记库。" + ("印章均为演示印章，无法律效力。" if demo else ""))


@click.command()
def doctor() -> int:
    """检查环境：版本、转换程序、字体、密钥及其有效期、登记库、政策文件；并说明怎么办。"""
    from signsvc.doctor import examine  # only here: it loads what reads PDF and Word files

    findings = examine(settings())
    for finding in findings:
        click.echo(f"{finding.label} {finding.name}：{finding.text}")
    return Exit.DONE if all(finding.good for finding in findings) else Exit.NOT_ALL
