"""The command line: settings in, one story a command, exit codes out."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from signsvc import audit, batch, doctor, fill, results, wiring
from signsvc.config import Settings, load
from signsvc.errors import Exit, InputError, RegistryError, SignsvcError
from signsvc.models import Outcome, Request
from signsvc.registry import Finding
from signsvc.report import Report, Verdict, chinese_date, headline
from signsvc.requests import row, table
from signsvc.statuses import REASONS, Event
from signsvc.verify import verify_file, verify_number

PDF_LIMIT = 10 * 1024 * 1024
FIXED = {
    "office": "出具组织（编号或全称）",
    "verified_by": "核实人",
    "verified_how": "核实方式：掌握信息 或 调查核实",
    "verified_on": "核实日期",
    "approved_by": "审批人",
}


class Group(click.Group):
    """A mistake of the user is one line on stderr and an exit code, never a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        # Ended by the system as by the user: what is open is closed, and what lies in the work folder is wiped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            sys.exit(super().main(*args, **kwargs) or 0)
        except SignsvcError as error:
            fail(error.code, str(error), error.exit)
        except click.exceptions.Abort:
            fail("aborted", "已中止", Exit.UNUSABLE)
        except click.ClickException as error:
            fail("usage", error.format_message(), Exit.UNUSABLE)


def fail(code: str, message: str, status: int) -> None:
    click.echo(f"error: {code}: {message}", err=True)
    sys.exit(status)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signsvc")
def main() -> None:
    """基层群众性自治组织证明：填写、盖章、登记、查验。"""


def settings() -> Settings:
    return load(os.environ, Path.cwd())


@main.command()
@click.option("--demo", is_flag=True, help="同时生成演示用的根证书、印章、组织和保留清单")
def init(demo: bool) -> None:
    """新建登记库和密钥；已有时拒绝。"""
    wiring.make_home(settings(), demo)
    click.echo("已新建登记库。" + ("印章均为演示印章，无法律效力。" if demo else ""))


def fixed_columns(command: Callable[..., int]) -> Callable[..., int]:
    """Options that fill a column for the whole file."""
    for key, text in reversed(FIXED.items()):
        command = click.option(f"--{key.replace('_', '-')}", key, help=f"整个文件的{text}")(command)
    return command


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out"), help="结果文件夹")
@fixed_columns
def sign(file: Path, out: Path, **fixed: str | None) -> int:
    """批量出具：FILE 为 .csv、.xlsx 或 .jsonl；可随时中断，重新运行即接着办。"""
    chosen = settings()
    rows = read_table(chosen, file)
    with wiring.issuing(chosen) as issuer, results.results(out) as written:
        lines = batch.read(rows, partial(parse_row, chosen, given(fixed)))
        with progress(len(rows)) as advance:
            counts = batch.sign(issuer, lines, written, advance)
    names = results.STATUS_NAMES
    click.echo("、".join(f"{names[key]} {counts[key]}" for key in names if counts[key]) + f"；结果在 {out}")
    return Exit.NOT_ALL if counts["refused"] or counts["failed"] else Exit.DONE


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@fixed_columns
def check(file: Path, **fixed: str | None) -> int:
    """预检：列出每行的每个问题，不出具任何证明。"""
    chosen = settings()
    rows = read_table(chosen, file)
    faulty = 0
    with wiring.issuing(chosen) as issuer:
        lines = batch.read(rows, partial(parse_row, chosen, given(fixed)))
        for line, faults in batch.check(issuer, lines):
            faulty += bool(faults)
            for fault in faults:
                click.echo(f"第{line.line}行 {line.request_id}：{fault.code}：{fault.message}")
    click.echo(f"共 {len(rows)} 行，{faulty} 行有问题" if faulty else f"共 {len(rows)} 行，均可出具")
    return Exit.NOT_ALL if faulty else Exit.DONE


@contextmanager
def progress(total: int) -> Iterator[Callable[[Outcome], None]]:
    """A bar on a terminal, nothing in a pipe; rows that did not succeed are named on stderr as they come."""
    with click.progressbar(
        length=total, label="出具", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:

        def advance(outcome: Outcome) -> None:
            bar.update(1)
            for fault in outcome.faults:
                click.echo(f"{outcome.request_id}：{fault.code}：{fault.message}", err=True)

        yield advance


def given(fixed: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in fixed.items() if value is not None}


def read_table(chosen: Settings, file: Path) -> table.Table:
    """The rows of a request file; what is odd about the file as a whole is said on stderr."""
    local = wiring.Policy.load(chosen)
    rows = table.read(file.name, read_file(file), local.catalogue.slot_names)
    for name in rows.unknown_columns:
        click.echo(f"warning: unknown_column: 列“{name}”不认识，其内容未使用", err=True)
    for text in rows.warnings:
        click.echo(f"warning: {text}", err=True)
    return rows


def parse_row(chosen: Settings, fixed: dict[str, str], raw: table.RawRow) -> Request:
    return row.parse(raw, wiring.now().date(), fixed, chosen.backdating_days)


def read_file(file: Path, limit: int | None = None) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read() if limit is None else stream.read(limit + 1)
    except OSError as error:
        raise InputError(f"读不到文件 {file}：{os.strerror(error.errno or 0)}") from error


def write_file(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(f"写不进 {file}：{os.strerror(error.errno or 0)}") from error


@main.command()
@click.argument("files", metavar="PDF…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="不查登记库，只核对签章")
@click.option("--root", type=click.Path(path_type=Path), help="根证书（PEM）；缺省用密钥文件夹中的")
@click.option("--proof", type=click.Path(path_type=Path), help="存证包，离线时代替登记库")
@click.option("--json", "as_json", is_flag=True, help="每个文件一行 JSON")
def verify(
    files: tuple[Path, ...], offline: bool, root: Path | None, proof: Path | None, as_json: bool
) -> int:
    """查验盖章的文件：是否为原件、是否登记、现在是否有效。"""
    chosen = settings()
    contents = [(file, read_file(file, PDF_LIMIT)) for file in files]
    opened = wiring.verifying_offline(chosen, root, proof) if offline else wiring.verifying(chosen, root)
    good = True
    with opened as verifier:
        for file, data in contents:
            report = verify_file(verifier, data)
            show(report, as_json, str(file))
            good = good and report.verdict is Verdict.VALID
    return Exit.DONE if good else Exit.NOT_ALL


@main.command()
@click.argument("number")
@click.option("--code", required=True, help="查验码")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="按这一天判断（YYYY-MM-DD）")
@click.option("--json", "as_json", is_flag=True)
@click.option("--save-proof", type=click.Path(path_type=Path), help="另存存证包，供离线查验")
def lookup(number: str, code: str, as_of: datetime | None, as_json: bool, save_proof: Path | None) -> int:
    """按编号和查验码查验，与查验页的回答相同。"""
    with wiring.verifying(settings()) as verifier:
        report = verify_number(verifier, number, code, as_of.date() if as_of else None)
        if save_proof and report.certificate:
            bundle = wiring.proof_bundle(settings(), verifier, report.certificate.number, code)
            write_file(save_proof, bundle)
    show(report, as_json, "")
    return Exit.DONE if report.verdict is Verdict.VALID else Exit.NOT_ALL


def show(report: Report, as_json: bool, name: str) -> None:
    if as_json:
        extra = {"file": name} if name else {}
        click.echo(json.dumps({**extra, **report.as_json()}, ensure_ascii=False))
        return
    click.echo(f"{name}：{headline(report)}" if name else headline(report))
    click.echo(f"  结论 {report.verdict.value}")
    for reason in report.reasons:
        click.echo(f"  {reason.message}（{reason.code}）")
    if report.certificate:
        for label, value in facts(report):
            click.echo(f"  {label} {value}")


def facts(report: Report) -> list[tuple[str, str]]:
    """What a reader compares with the paper."""
    certificate = report.certificate
    if certificate is None:
        return []
    return [
        ("编号", certificate.number),
        ("出具单位", f"{certificate.office_name}（{certificate.office_phone}）"),
        ("持有人", certificate.holder),
        ("事项", f"{certificate.matter}：{certificate.statement_pattern}"),
        ("用途", certificate.purpose),
        ("出具日期", chinese_date(certificate.issued_on)),
        ("有效期至", chinese_date(certificate.valid_until)),
        ("签章", certificate.standing.value),
    ]


def status_command(name: str, event: Event, text: str) -> None:
    """One command for each change of status; only superseding names a successor."""

    @click.argument("number")
    @click.option("--note", help="内部备注，加密保存，不对外显示")
    def change(number: str, note: str | None, reason: str = "superseded", by: str | None = None) -> None:
        wiring.change_status(settings(), number, event, reason, by, note)
        click.echo(f"{number} 已{text}")

    if event is Event.SUPERSEDE:
        change = click.option("--by", required=True, help="新证明的编号")(change)
    else:
        change = click.option(
            "--reason",
            type=click.Choice(list(REASONS)),
            required=event is not Event.RESUME,
            default="other" if event is Event.RESUME else None,
            help="；".join(f"{key} {value}" for key, value in REASONS.items()),
        )(change)
    main.command(name, help=f"{text}一份证明。")(change)


status_command("revoke", Event.REVOKE, "撤销")
status_command("suspend", Event.SUSPEND, "暂停")
status_command("resume", Event.RESUME, "恢复")
status_command("supersede", Event.SUPERSEDE, "换发")


@main.command()
@click.argument("number")
@click.option("--reason", required=True, help="为什么要再给一份，加密保存")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path))
def copy(number: str, reason: str, out: Path) -> None:
    """取出留存的一份：与居民手中的逐字节相同；取用会记入日志。"""
    write_file(out, wiring.retained_copy(settings(), number, reason))
    click.echo(f"{number} 已取出到 {out}")


@main.group(name="log")
def log_group() -> None:
    """防篡改日志。"""


@log_group.command(name="verify")
def log_verify() -> int:
    """全部登记、存证、存档和编号互相核对，指出任何改动。"""
    try:
        with wiring.auditing(settings()) as (registry, archive):
            findings = audit.audit(registry, archive)
    except RegistryError as error:
        if error.code != "registry_damaged":
            raise
        findings = [Finding("fault", error.code, str(error))]
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.code}: {finding.message}")
    broken = any(finding.severity == "fault" for finding in findings)
    click.echo("日志不完整：见上" if broken else "日志完整")
    return Exit.NOT_ALL if broken else Exit.DONE


@main.group()
def template() -> None:
    """证明模板。"""


@template.command(name="check")
@click.argument("file", type=click.Path(path_type=Path))
def template_check(file: Path) -> int:
    """检查模板：字段、字体、转换程序做不到的地方。"""
    chosen = settings()
    report = fill.inspect(read_file(file, PDF_LIMIT), wiring.font_installed(chosen))
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
        "不能使用": report.refused,
        "转换后可能走样": report.doubtful,
    }
    yield from (f"{name}：{'、'.join(items)}" for name, items in named.items() if items)
    if report.stray_braces:
        yield "有不成对的 {{ 或 }}"


@main.command(name="doctor")
def doctor_command() -> int:
    """检查环境：版本、转换程序、字体、密钥及其有效期、登记库、政策文件；并说明怎么办。"""
    findings = doctor.examine(settings())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'FAIL'} {finding.name}：{finding.text}")
    return Exit.DONE if all(finding.good for finding in findings) else Exit.NOT_ALL


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--only", type=click.Choice(["verify"]), help="只提供查验，不载入印章、日志和存档密钥")
def serve(host: str, port: int, workers: int, only: str | None) -> None:
    """网页服务。"""
    from signsvc.web import server

    server.run(settings(), host, port, workers)
