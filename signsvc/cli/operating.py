"""`init` and `doctor`: what an operator does."""

from __future__ import annotations

import click

from signsvc.cli.shared import settings
from signsvc.doctor import examine
from signsvc.errors import Exit
from signsvc.wiring.home import make_home


@click.command()
@click.option("--demo", is_flag=True, help="同时生成演示用的根证书、印章、组织和保留清单")
def init(demo: bool) -> None:
    """新建登记库和密钥；已有时拒绝。"""
    make_home(settings(), demo)
    click.echo("已新建登记库。" + ("印章均为演示印章，无法律效力。" if demo else ""))


@click.command()
def doctor() -> int:
    """检查环境：版本、转换程序、字体、密钥及其有效期、登记库、政策文件；并说明怎么办。"""
    findings = examine(settings())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'FAIL'} {finding.name}：{finding.text}")
    return Exit.DONE if all(finding.good for finding in findings) else Exit.NOT_ALL
