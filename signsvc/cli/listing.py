"""`catalogue`: the retained lists (保留清单) of this home, read and handed on as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import click

from signsvc.cli import changing, tabling
from signsvc.cli.changing import able, warn
from signsvc.cli.listed import history_json, lapses, list_json, overview
from signsvc.cli.shared import settings
from signsvc.policy import load_catalogue, printed_basis
from signsvc.policy.lists.changes import Edition, History
from signsvc.policy.lists.differences import Difference, differences
from signsvc.policy.lists.proceedings import STATE_NAMES, Change, State
from signsvc.texts import chinese_date
from signsvc.wiring.home import CATALOGUES, now
from signsvc.wiring.lists import Lists, load_lists

json_option = click.option("--json", "as_json", is_flag=True, help="供程序读取")


@click.group()
def catalogue() -> None:
    """保留清单：录入、调整（提出、审核、审定、公布）、历史、对照、表格。"""


for command in (*changing.COMMANDS, *tabling.COMMANDS):
    catalogue.add_command(command)


@catalogue.command(name="list")
@json_option
def list_all(as_json: bool) -> None:
    """列出各保留清单：现行版本、事项数、将生效的版本、在办和已过时的调整。"""
    today = now().date()
    told = [overview(history, today) for history in lists().histories.values()]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in told:
        click.echo("；".join(overview_parts(line)))
    if not told:
        click.echo("没有保留清单：用 signsvc catalogue adopt 录入")


@catalogue.command()
@click.argument("list_id", metavar="LIST")
@click.option("--edition", type=int, help="第几版")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="这一天现行的一版")
@json_option
def show(list_id: str, edition: int | None, day: datetime | None, as_json: bool) -> None:
    """显示一版清单的各事项；依据不在有效期内的标明停办。缺省为今天现行的一版。"""
    if edition is not None and day is not None:
        raise click.UsageError("--edition 与 --on 只写一个")
    on = day.date() if day else now().date()
    history = lists().history(list_id)
    chosen = history.edition(edition) if edition is not None else held_on(history, on)
    shown = chosen.catalogue()
    if as_json:
        click.echo(json.dumps(list_json(chosen, on), ensure_ascii=False))
        return
    click.echo(f"# {chosen.label}：{shown.holder}，{chinese_date(chosen.effective)}起生效")
    click.echo(f"{chosen.by}，{chosen.document}；适用组织 {'、'.join(sorted(shown.offices))}")
    for at, matter in enumerate(shown.matters, 1):
        click.echo(f"{at}. {matter.name}（{matter.id}）：{printed_basis(matter)}")
        for reason in lapses(matter, on):
            click.echo(f"   停办：{reason}")


@catalogue.command()
@click.argument("list_id", metavar="LIST")
@json_option
def history(list_id: str, as_json: bool) -> None:
    """全部版本，和每个调整申请的每一步。"""
    told = lists().history(list_id)
    if as_json:
        click.echo(json.dumps(history_json(told), ensure_ascii=False))
        return
    for edition in told.editions:
        days = f"{edition.size}项，{effect_of(edition, told)}"
        click.echo(f"第{edition.number}版（{edition.sha256[:16]}）：{days}；{origin_of(edition)}")
    for change in told.changes.values():
        click.echo("\n".join(change_lines(change)))


@catalogue.command()
@click.argument("list_id", metavar="LIST")
@click.argument("change")
@json_option
def diff(list_id: str, change: str, as_json: bool) -> None:
    """一个调整申请改动了什么：逐个事项、逐个栏目，原文和新文。"""
    told = lists().history(list_id)
    proposal = told.change(change).proposal
    base = told.edition(proposal.base)
    found = differences(base.catalogue(), load_catalogue(proposal.text, f"{list_id} {change}"))
    if base.effective > now().date():
        click.echo(f"对照的第{base.number}版{effect_of(base, told)}，不是今天现行的一版", err=True)
    if as_json:
        click.echo(json.dumps([vars(item) for item in found], ensure_ascii=False))
        return
    click.echo("\n".join(map(difference_line, found)) or "只改动了写法和注释，内容没有变")


def lists() -> Lists:
    """Every list of the home; what a crash left is told."""
    found = load_lists(settings().home / CATALOGUES)
    warn(found)
    return found


def held_on(history: History, day: date) -> Edition:
    """The edition in force on that day, else the newest, which is yet to come."""
    return history.on(day) or history.newest


def overview_parts(told: Mapping[str, Any]) -> Iterator[str]:
    """The overview in words."""
    if not told["editions"]:
        yield f"{told['list']}：尚未录入"
        return
    held = told["in_force"]
    state = f"现行第{held['edition']}版，{held['size']}项" if held else "尚无生效的版本"
    yield f"{told['list']}（{told['jurisdiction']}）：{state}"
    if held and "fault" in held:
        yield f"不能使用：{held['fault']}"
    for edition in told["coming"]:
        yield f"第{edition['edition']}版{chinese_date(date.fromisoformat(edition['effective']))}起生效"
    for state, name in ((State.OPEN, "在办"), (State.OUTDATED, "已过时")):
        if told[state.value]:
            yield f"{name}的调整 {'、'.join(told[state.value])}"


def effect_of(edition: Edition, history: History) -> str:
    """From when it holds, or that it never did."""
    day = f"{chinese_date(edition.effective)}起生效"
    later = history.overtaken_by(edition)
    return f"原定{day}，未生效即由第{later.number}版取代" if later else day


def origin_of(edition: Edition) -> str:
    """Who laid the edition down, by what, when, and where it was published."""
    day = chinese_date(edition.published_on)
    how = f"{day}公布（调整申请 {edition.change}）" if edition.change else f"{day}录入"
    where = f"，公布于 {'、'.join(edition.channels)}" if edition.channels else ""
    return f"{how}，{edition.by}，{edition.document}{where}"


def change_lines(change: Change) -> Iterator[str]:
    proposal = change.proposal
    yield f"调整申请 {change.id}（改第{proposal.base}版）：{STATE_NAMES[change.state]}"
    basis = f"，依据 {proposal.basis}" if proposal.basis else ""
    note = f"，{proposal.note}" if proposal.note else ""
    first = proposal.steps[0].name
    yield f"  {chinese_date(change.at.date())} {first}：{proposal.by}，原因 {proposal.reason}{basis}{note}"
    names = {step.id: step.name for step in proposal.steps}
    for at, taken in change.taken:
        opinion = "" if taken.agrees else "不同意："
        yield f"  {chinese_date(at.date())} {names[taken.step]}：{taken.by}，{opinion}{taken.text}"
    if change.withdrawn:
        yield f"  撤回：{change.withdrawn.by}，{change.withdrawn.text}"
    if change.next_steps:
        yield f"  {able(change)}"


def difference_line(item: Difference) -> str:
    if not item.old:
        return f"{item.kind} {item.matter} {item.field}：＋{item.new}"
    if not item.new:
        return f"{item.kind} {item.matter} {item.field}：－{item.old}"
    return f"{item.kind} {item.matter} {item.field}：{item.old} → {item.new}"
