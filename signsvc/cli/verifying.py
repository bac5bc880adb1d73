"""`verify` and `lookup`: what a bank asks."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from signsvc.cli.shared import read_file, settings, write_file
from signsvc.errors import Exit
from signsvc.report import STANDING_NAMES, Report, Verdict, blanks, headline
from signsvc.texts import chinese_date
from signsvc.verify import verify_file, verify_number
from signsvc.wiring.verifying import proof_bundle, verifying, verifying_offline


@click.command()
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
    if proof and not offline:
        raise click.UsageError("--proof 只用于 --offline：联网时以登记库为准")
    opened = verifying_offline(chosen, root, proof) if offline else verifying(chosen, root)
    good = True
    with opened as verifier:
        for file in files:
            report = verify_file(verifier, read_file(file))
            show(report, as_json, str(file))
            good = good and report.verdict is Verdict.VALID
    return Exit.DONE if good else Exit.NOT_ALL


@click.command()
@click.argument("number")
@click.option("--code", required=True, help="查验码")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="按这一天判断（YYYY-MM-DD）")
@click.option("--json", "as_json", is_flag=True)
@click.option("--save-proof", type=click.Path(path_type=Path), help="另存存证包，供离线查验")
def lookup(number: str, code: str, as_of: datetime | None, as_json: bool, save_proof: Path | None) -> int:
    """按编号和查验码查验，与查验页的回答相同。"""
    with verifying(settings()) as verifier:
        report = verify_number(verifier, number, code, as_of.date() if as_of else None)
        if save_proof and report.certificate:
            bundle = proof_bundle(settings(), verifier, report.certificate.number, code)
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
        ("事项", f"{certificate.matter}：{blanks(certificate.statement_pattern)}"),
        ("用途", certificate.purpose),
        ("出具日期", chinese_date(certificate.issued_on)),
        ("有效期至", chinese_date(certificate.valid_until)),
        ("签章", STANDING_NAMES[certificate.standing]),
    ]
