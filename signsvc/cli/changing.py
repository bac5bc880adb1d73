"""`catalogue adopt`, `propose`, `step` and `withdraw`: how a retained list is laid down and changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from signsvc.cli.shared import settings
from signsvc.errors import InputError
from signsvc.identity import clean_text
from signsvc.policy.lists.changes import History
from signsvc.policy.lists.events import Adopted, Event, Proposed, Taken, Withdrawn
from signsvc.policy.lists.proceedings import STATE_NAMES, Change, State
from signsvc.texts import chinese_date
from signsvc.wiring.home import CATALOGUES, now
from signsvc.wiring.lists import Lists, proposal, record
from signsvc.wiring.packs import read
from signsvc.wiring.rules import Rules

_LONGEST = 1000  # characters of an opinion

list_argument = click.argument("list_id", metavar="LIST")
file_argument = click.argument("file", type=click.Path(path_type=Path))
by_option = click.option("--by", required=True, help="哪个机关（不写个人信息）；程序只作记录，不核对身份")
DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@list_argument
@file_argument
@by_option
@click.option("--document", required=True, help="审定公布清单的文件：名称和文号")
@click.option("--effective", type=DAY, help="生效日（YYYY-MM-DD，最迟一年后），缺省为今天")
def adopt(list_id: str, file: Path, by: str, document: str, effective: datetime | None) -> None:
    """录入已经审定公布的清单，作为第1版。FILE 为 TOML。"""
    first = day_of(effective) or now().date()
    event = Adopted(read(file, file.name), said("--document", document), said("--by", by), first)
    edition = written(list_id, lambda *_: event).newest
    click.echo(f"已录入 {edition.label}，{chinese_date(edition.effective)}起生效")


@click.command()
@list_argument
@file_argument
@by_option
@click.option("--reason", required=True, help="调整原因，政策包所列之一")
@click.option("--basis", default="", help="有关依据：文件名称、文号和条款")
@click.option("--note", default="", help="说明")
def propose(list_id: str, file: Path, by: str, reason: str, basis: str, note: str) -> None:
    """提出调整申请：FILE 为调整后的整个清单（TOML）。"""
    text = read(file, file.name)
    who, rests_on, remark = (
        said("--by", by),
        said("--basis", basis, optional=True),
        said("--note", note, optional=True),
    )

    def make(history: History, rules: Rules, at: datetime) -> Proposed:
        return proposal(history, text, reason, who, rests_on, remark, rules.pack, at)

    change = list(written(list_id, make).changes.values())[-1]
    click.echo(change.id)
    click.echo(f"已提出；{able(change)}；改动见 signsvc catalogue diff {list_id} {change.id}", err=True)


@click.command()
@list_argument
@click.argument("change")
@click.argument("step")
@by_option
@click.option("--text", required=True, help="意见；公布时为公布文件的名称和文号")
@click.option("--disagree", is_flag=True, help="不同意：其余意见仍可记录，但不会公布")
@click.option("--effective", type=DAY, help="公布时：生效日（YYYY-MM-DD，一年以内），缺省为今天")
@click.option(
    "--channel", "channels", multiple=True, help="公布时：公布渠道，可写多次，缺省为政策包所列的全部"
)
def step(
    list_id: str, change: str, step: str, by: str, text: str, disagree: bool, **publication: Any
) -> None:
    """办理调整申请的一步：审核意见、审定、公布。不能跳过，每步一次。"""
    who, words = said("--by", by), said("--text", text)

    def make(history: History, rules: Rules, at: datetime) -> Taken:
        effective, channels = day_of(publication["effective"]), tuple(publication["channels"])
        if history.change(change).last.id == step:
            effective = effective or at.date()
            channels = channels or rules.pack(history.newest.jurisdiction).channels
        return Taken(change, step, who, words, not disagree, effective, channels)

    history = written(list_id, make)
    done = history.change(change)
    if done.state is State.PUBLISHED:
        told_publication(history)
    else:
        click.echo(f"已记录；{able(done)}")


@click.command()
@list_argument
@click.argument("change")
@by_option
@click.option("--text", required=True, help="为什么撤回")
def withdraw(list_id: str, change: str, by: str, text: str) -> None:
    """撤回尚未公布的调整申请，也可撤回已过时的。"""
    event = Withdrawn(change, said("--by", by), said("--text", text))
    written(list_id, lambda *_: event)
    click.echo(f"{change} 已撤回")


COMMANDS: tuple[click.Command, ...] = (adopt, propose, step, withdraw)


def written(list_id: str, make: Callable[[History, Rules, datetime], Event]) -> History:
    """The list's history with the event in it."""
    chosen, at = settings(), now()
    rules = Rules.load(chosen)
    warn(rules.lists)
    folder = chosen.home / CATALOGUES
    return record(folder, list_id, lambda history: make(history, rules, at), rules.pack, rules.offices, at)


def told_publication(history: History) -> None:
    """What was published, and what can no longer come of earlier editions and other changes."""
    edition = history.newest
    click.echo(f"已公布 {edition.label}，{chinese_date(edition.effective)}起生效")
    for earlier in history.editions[:-1]:
        if history.overtaken_by(earlier) is edition:
            click.echo(f"第{earlier.number}版尚未生效，由这一版取代，不再生效")
    if outdated := [change.id for change in history.changes.values() if change.state is State.OUTDATED]:
        click.echo(f"已过时、须按新版重新提出的调整申请：{'、'.join(outdated)}")


def warn(lists: Lists) -> None:
    """Say which lists a crash left with a half written event."""
    for history in lists.histories.values():
        if history.unfinished:
            text = f"保留清单 {history.list_id} 的最后一条记录没有写完（中断所留），不算数；下次写入时清除"
            click.echo(f"warning: {text}", err=True)


def said(option: str, text: str, *, optional: bool = False) -> str:
    """One line of an option, as it will stand in the journal."""
    try:
        clean = clean_text(text, _LONGEST)
    except ValueError as error:
        raise InputError(f"{option}：{error}") from error
    if not (clean or optional):
        raise InputError(f"{option} 不能为空")
    return clean


def day_of(given: datetime | None) -> date | None:
    return given.date() if given else None


def able(change: Change) -> str:
    """What can be done next, or how it ended."""
    steps = "、".join(f"{step.name}（{step.id}，{step.by}）" for step in change.next_steps)
    against = "已有不同意，不会公布；" if change.against else ""
    return f"{against}现在可办：{steps}" if steps else f"调整申请{STATE_NAMES[change.state]}"
