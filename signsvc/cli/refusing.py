"""`refuse`: what an office gives to whom it must say no."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from signsvc import batch, results
from signsvc.cli.issuing import fixed_columns, given, parse_row, progress, read_table
from signsvc.cli.shared import settings
from signsvc.errors import Exit
from signsvc.wiring.refusing import refusing


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out"), help="结果文件夹")
@click.option("--seal", is_flag=True, help="告知单也加盖印章")
@fixed_columns
def refuse(file: Path, out: Path, seal: bool, **fixed: str | None) -> int:
    """不予出具告知单：按政策不能出具的每行一份，写明原因、依据和办事途径，并登记。

    FILE 同 sign，但只需申请编号、出具组织、证明名称、索要单位和姓名。
    """
    chosen = settings()
    rows = read_table(chosen, file)
    with refusing(chosen, seal) as refuser, results.results(out, results.REFUSALS) as written:
        lines = batch.read(rows, partial(parse_row, chosen, given(fixed)))
        with progress("告知", len(rows)) as advance:
            counts = batch.give_notice(refuser, lines, written, advance)
    click.echo(f"{results.summary(counts)}；结果在 {out}")
    return Exit.NOT_ALL if counts["none"] or counts["failed"] else Exit.DONE
