"""`sign`, `check` and `template`: what an office does with its spreadsheet and its form."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from signsvc import batch, fill, results
from signsvc.cli.shared import read_file, settings
from signsvc.config import Settings
from signsvc.errors import Exit, InputError
from signsvc.models import Outcome, Request
from signsvc.requests import row, table
from signsvc.wiring.documents import font_installed, load_fonts
from signsvc.wiring.home import now, require_registry
from signsvc.wiring.issuing import checking, issuing
from signsvc.wiring.rules import Rules

_CLEAR = "\r\x1b[K"  # the line, where the bar stands
FIXED = {
    "office": "出具组织（编号或全称）",
    "verified_by": "核实人",
    "verified_how": "核实方式：掌握信息 或 调查核实",
    "verified_on": "核实日期",
    "approved_by": "审批人",
}


def fixed_columns(command: Callable[..., int]) -> Callable[..., int]:
    """Options that fill a column for the whole file."""
    for key, text in reversed(FIXED.items()):
        command = click.option(f"--{key.replace('_', '-')}", key, help=f"整个文件的{text}")(command)
    return command


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out"), help="结果文件夹")
@fixed_columns
def sign(file: Path, out: Path, **fixed: str | None) -> int:
    """批量出具：FILE 为 .csv、.xlsx 或 .jsonl；可随时中断，重新运行即接着办。"""
    chosen = settings()
    rows = read_table(chosen, file)
    count = makers(chosen, len(rows))
    with issuing(chosen, count) as issuer, results.results(out) as written:
        lines = batch.read(rows, partial(parse_row, chosen, given(fixed)))
        with progress("出具", len(rows)) as advance:
            counts = batch.sign(issuer, lines, written, advance, batch.even(len(rows), count))
    click.echo(f"{results.summary(counts)}；结果在 {out}")
    return Exit.NOT_ALL if counts["refused"] or counts["failed"] else Exit.DONE


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@fixed_columns
def check(file: Path, **fixed: str | None) -> int:
    """预检：列出每行的每个问题，不出具任何证明。"""
    chosen = settings()
    rows = read_table(chosen, file)
    faulty = 0
    with checking(chosen) as issuer:
        lines = batch.read(rows, partial(parse_row, chosen, given(fixed)))
        for line, faults, ways in batch.check(issuer, lines):
            faulty += bool(faults)
            for fault in faults:
                click.echo(f"第{line.line}行 {discreet(line.request_id)}：{fault.code}：{fault.message}")
            if ways:
                click.echo(f"　　可以怎么办：{'；'.join(ways)}")
    click.echo(f"共 {len(rows)} 行，{faulty} 行有问题" if faulty else f"共 {len(rows)} 行，均可出具")
    return Exit.NOT_ALL if faulty else Exit.DONE


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[Outcome], None]]:
    """On a terminal rows, rate and time left; in a pipe nothing of it. Rows that did not succeed are named on stderr as
    they come."""
    terminal, began = sys.stderr.isatty(), time.monotonic()

    def rate(outcome: Outcome | None) -> str | None:
        return f"{bar.pos / (time.monotonic() - began):.1f} 份/秒" if outcome else None

    with click.progressbar(
        length=total, label=label, file=sys.stderr, hidden=not terminal, show_pos=True, item_show_func=rate
    ) as bar:

        def advance(outcome: Outcome) -> None:
            for fault in outcome.faults if outcome.pdf is None else ():
                told = f"{discreet(outcome.request_id)}：{fault.code}：{fault.message}"
                click.echo(_CLEAR * terminal + told, err=True)
            bar.update(1, outcome)

        yield advance


def discreet(text: str) -> str:
    """What a user wrote, for a terminal or a log, without anything that may be an identity number."""
    return re.sub(r"[0-9]{14,}[0-9Xx]", "…", text)


def given(fixed: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in fixed.items() if value is not None}


def read_table(chosen: Settings, file: Path) -> table.Table:
    """The rows of a request file; what is odd about the file as a whole is said on stderr."""
    require_registry(chosen)
    local = Rules.load(chosen)
    rows = table.read(file.name, read_file(file, table.SIZE_LIMIT), local.slot_names)
    for name in rows.unknown_columns:
        click.echo(f"warning: unknown_column: 列“{discreet(name)}”不认识，其内容未使用", err=True)
    for text in rows.warnings:
        click.echo(f"warning: {text}", err=True)
    return rows


def makers(chosen: Settings, rows: int) -> int:
    """How many processes are worth their start: none has less than a chunk to make."""
    most = chosen.makers or len(os.sched_getaffinity(0))
    return max(1, min(most, -(-rows // batch.CHUNK)))


def parse_row(chosen: Settings, fixed: dict[str, str], raw: table.RawRow) -> Request:
    return row.parse(raw, now().date(), fixed, chosen.backdating_days)


@click.group()
def template() -> None:
    """证明模板。"""


@template.command(name="check")
@click.argument("file", type=click.Path(path_type=Path))
def template_check(file: Path) -> int:
    """检查模板：字段、字体、转换程序做不到的地方。"""
    chosen = settings()
    report = fill.inspect(read_file(file), font_installed(chosen), load_fonts(chosen).missing)
    if not report.is_docx:
        raise InputError("；".join(report.unsafe))
    for line in template_findings(report):
        click.echo(line)
    click.echo("模板可用" if report.usable else "模板不可用")
    return Exit.DONE if report.usable else Exit.NOT_ALL


def template_findings(report: fill.TemplateReport) -> Iterator[str]:
    """A line for each thing there is to say about a template."""
    named = {
        "不安全": report.unsafe,
        "字段": report.fields,
        "缺少字段": report.missing,
        "不认识的字段": report.unknown,
        "分散在几段格式中的字段（可用）": report.split,
        "没有安装的字体（以设置的字体代替）": report.fonts_missing,
        "没有字体能显示的字符": report.unprintable,
        "不能使用": report.refused,
        "转换后可能走样": report.doubtful,
    }
    yield from (f"{name}：{'、'.join(items)}" for name, items in named.items() if items)
    if report.stray_braces:
        yield "有不成对的 {{ 或 }}"
