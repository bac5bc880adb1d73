"""`verify` and `lookup`: what a bank asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from signsvc.cli.shared import read_file, settings, write_file
from signsvc.errors import Exit
from signsvc.receipts import Receipts
from signsvc.report import STANDING_NAMES, Report, Verdict, blanks, headline
from signsvc.texts import chinese_date
from signsvc.verify import verify_file, verify_number
from signsvc.wiring.answering import answered
from signsvc.wiring.offline import Brought, Stopped, asking_offline
from signsvc.wiring.verifying import asking, proof_bundle


@click.command()
@click.argument("files", metavar="PDF…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="不查登记库，只核对签章")
@click.option("--root", type=click.Path(path_type=Path), help="根证书（PEM）；缺省用密钥文件夹中的")
@click.option("--proof", type=click.Path(path_type=Path), help="存证包，离线时代替登记库")
@click.option("--log-key", help="日志公钥（/log/key 的一行），代替存证包中的日志证书")
@click.option("--witness", "witnesses", multiple=True, help="须已联署存证包的见证人公钥，可重复")
@click.option(
    "--statuses", type=click.Path(path_type=Path), help="签名的停用名单，须同时给出 --keys 和 --code"
)
@click.option("--keys", type=click.Path(path_type=Path), help="核对名单的公钥（JWKS）")
@click.option("--code", help="查验码，用来在名单中找到这份证明")
@click.option("--json", "as_json", is_flag=True, help="每个文件一行 JSON")
def verify(
    files: tuple[Path, ...],
    offline: bool,
    root: Path | None,
    proof: Path | None,
    log_key: str | None,
    witnesses: tuple[str, ...],
    statuses: Path | None,
    keys: Path | None,
    code: str | None,
    as_json: bool,
) -> int:
    """查验盖章的文件：是否为原件、是否登记、现在是否有效。"""
    chosen = settings()
    if proof and not offline:
        raise click.UsageError("--proof 只用于 --offline：联网时以登记库为准")
    if not proof and (log_key or witnesses or statuses or keys or code):
        raise click.UsageError("--log-key、--witness、--statuses、--keys、--code 须与 --proof 一起使用")
    brought = Brought(proof, witnesses, _stopped(statuses, keys, code), log_key) if proof else None
    opened = asking_offline(chosen, root, brought) if offline else asking(chosen, root, as_json)
    good = True
    with opened as (verifier, receipts):
        for file in files:
            report = verify_file(verifier, read_file(file))
            show(report, as_json, receipts, {"file": str(file)})
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
    with asking(settings(), None, as_json) as (verifier, receipts):
        report = verify_number(verifier, number, code, as_of.date() if as_of else None)
        if save_proof and report.certificate:
            bundle = proof_bundle(settings(), verifier, report.certificate.number, code)
            write_file(save_proof, bundle)
    show(report, as_json, receipts, {})
    return Exit.DONE if report.verdict is Verdict.VALID else Exit.NOT_ALL


def _stopped(statuses: Path | None, keys: Path | None, code: str | None) -> Stopped | None:
    if statuses and keys and code:
        return Stopped(statuses, keys, code)
    if statuses or keys or code:
        raise click.UsageError("--statuses、--keys、--code 须一起使用")
    return None


def show(report: Report, as_json: bool, receipts: Receipts | None, beside: Mapping[str, str]) -> None:
    """The answer; `beside` it stands what it is about, outside of the receipt."""
    if as_json:
        answer = json.loads(answered(report, {}, receipts).text)
        click.echo(json.dumps({**beside, **answer}, ensure_ascii=False))
        return
    click.echo("：".join((*beside.values(), headline(report))))
    click.echo(f"  结论 {report.verdict.value}")
    if report.as_of != report.checked_at.date():
        click.echo(f"  按{chinese_date(report.as_of)}的情况回答，不是今天")
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
