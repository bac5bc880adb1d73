"""`revoke`, `suspend`, `resume`, `supersede`, `copy` and `log`: what happens to a certificate after its issue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from signsvc import audit
from signsvc.cli.shared import read_file, settings, write_file
from signsvc.errors import Exit, RegistryError
from signsvc.notes import MAX_NOTE_BYTES
from signsvc.registry import Finding
from signsvc.statuses import REASONS, Event
from signsvc.wiring.cosigning import ask_witness, take_cosigned
from signsvc.wiring.home import CATALOGUES
from signsvc.wiring.lists import look_at_lists
from signsvc.wiring.recording import auditing, change_status, retained_copy

Change = Callable[..., None]


def status_command(name: str, event: Event, text: str) -> click.Command:
    """The command for one change of status; only superseding names a successor, and is its own reason."""

    @click.argument("number")
    @click.option("--note", help="内部备注，加密保存，不对外显示")
    def change(number: str, note: str | None, reason: str = "superseded", by: str | None = None) -> None:
        change_status(settings(), number, event, reason, by, note)
        click.echo(f"{number} 已{text}")

    return click.command(name, help=f"{text}一份证明。")(OPTIONS[event](change))


def reason_option(required: bool) -> Callable[[Change], Change]:
    keys = "；".join(f"{key} {value}" for key, value in REASONS.items())
    default: dict[str, Any] = {} if required else {"default": "other", "show_default": True}
    return click.option("--reason", type=click.Choice(list(REASONS)), required=required, help=keys, **default)


OPTIONS: dict[Event, Callable[[Change], Change]] = {
    Event.REVOKE: reason_option(required=True),
    Event.SUSPEND: reason_option(required=True),
    Event.RESUME: reason_option(required=False),
    Event.SUPERSEDE: click.option("--by", required=True, help="新证明的编号"),
}
revoke = status_command("revoke", Event.REVOKE, "撤销")
suspend = status_command("suspend", Event.SUSPEND, "暂停")
resume = status_command("resume", Event.RESUME, "恢复")
supersede = status_command("supersede", Event.SUPERSEDE, "换发")


@click.command()
@click.argument("number")
@click.option("--reason", required=True, help="为什么要再给一份，加密保存")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path))
def copy(number: str, reason: str, out: Path) -> None:
    """取出留存的一份：与居民手中的逐字节相同；取用会记入日志。"""
    write_file(out, retained_copy(settings(), number, reason))
    click.echo(f"{number} 已取出到 {out}")


@click.group()
def log() -> None:
    """防篡改日志。"""


@log.command(name="verify")
def log_verify() -> int:
    """全部登记、存证、存档、编号和保留清单互相核对，指出任何改动。"""
    chosen = settings()
    try:
        with auditing(chosen) as (registry, archive):
            findings = audit.audit(registry, archive, look_at_lists(chosen.home / CATALOGUES))
    except RegistryError as error:
        if error.code != "registry_damaged":
            raise
        findings = [Finding("fault", error.code, str(error))]
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.code}: {finding.message}")
    broken = any(finding.severity == "fault" for finding in findings)
    click.echo("日志不完整：见上" if broken else "日志完整")
    return Exit.NOT_ALL if broken else Exit.DONE


@log.command(name="cosign")
@click.argument("source", metavar="网址|文件")
def log_cosign(source: str) -> None:
    """请见证人联署当前检查点（网址），或收下见证人已联署的检查点（文件）。"""
    if source.startswith(("http://", "https://")):
        checkpoint, witnesses = ask_witness(settings(), source)
    else:
        checkpoint, witnesses = take_cosigned(settings(), read_file(Path(source), MAX_NOTE_BYTES))
    names = "、".join(witness.name for witness in witnesses)
    click.echo(f"检查点（{checkpoint.size} 条）已由 {names} 联署")
