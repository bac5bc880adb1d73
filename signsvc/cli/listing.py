"""`catalogue`: the retained lists (保留清单) of this home, read and handed on as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import click

from signsvc.cli import changing, tabling
from signsvc.cli.changing import warn
from signsvc.cli.shared import settings
from signsvc.models import Matter
from signsvc.policy import load_catalogue, printed_basis
from signsvc.policy.changes import STATE_NAMES, Change, Edition, History
from signsvc.policy.differences import Difference, differences
from signsvc.policy.standing import lapse
from signsvc.report import chinese_date, rfc3339
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
    """列出各保留清单：现行版本、事项数、在办的调整。"""
    today = now().date()
    told = [overview(history, today) for history in lists().histories.values()]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in told:
        held = line["in_force"]
        state = f"现行第{held['edition']}版，{len(held['matters'])}项" if held else "尚未生效"
        waiting = f"；在办的调整 {'、'.join(line['open'])}" if line["open"] else ""
        click.echo(f"{line['list']}（{line['jurisdiction']}）：{state}{waiting}")
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
        editions = [edition_json(edition) for edition in told.editions]
        changes = [change_json(change) for change in told.changes.values()]
        click.echo(
            json.dumps({"list": list_id, "editions": editions, "changes": changes}, ensure_ascii=False)
        )
        return
    for edition in told.editions:
        days = f"{edition.size}项，{chinese_date(edition.effective)}起生效"
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
    new = load_catalogue(proposal.text, f"{list_id} {change}")
    found = differences(told.edition(proposal.base).catalogue(), new)
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


def overview(history: History, today: date) -> dict[str, Any]:
    held = history.on(today)
    return {
        "list": history.list_id,
        "jurisdiction": history.newest.jurisdiction,
        "editions": len(history.editions),
        "in_force": held and list_json(held, today),
        "open": [change.id for change in history.changes.values() if change.state == "open"],
    }


def origin_of(edition: Edition) -> str:
    """Who laid the edition down, by what, when, and where it was published."""
    day = chinese_date(edition.published_on)
    how = f"{day}公布（调整申请 {edition.change}）" if edition.change else f"{day}录入"
    where = f"，公布于 {'、'.join(edition.channels)}" if edition.channels else ""
    return f"{how}，{edition.by}，{edition.document}{where}"


def edition_json(edition: Edition) -> dict[str, Any]:
    return {
        "list": edition.list_id,
        "edition": edition.number,
        "label": edition.label,
        "sha256": edition.sha256,
        "jurisdiction": edition.jurisdiction,
        "effective": edition.effective.isoformat(),
        "published_on": edition.published_on.isoformat(),
        "by": edition.by,
        "document": edition.document,
        "change": edition.change or None,
        "channels": list(edition.channels),
        "size": edition.size,
    }


def list_json(edition: Edition, day: date) -> dict[str, Any]:
    """The edition with what is in it."""
    shown = edition.catalogue()
    inside = {"holder": shown.holder, "offices": sorted(shown.offices)}
    return {
        **edition_json(edition),
        **inside,
        "matters": [matter_json(matter, day) for matter in shown.matters],
    }


def matter_json(matter: Matter, day: date) -> dict[str, Any]:
    return {
        "id": matter.id,
        "name": matter.name,
        "aliases": list(matter.aliases),
        "handled": matter.handled,
        "legal_basis": printed_basis(matter),
        "purposes": list(matter.purposes),
        "addressee": matter.addressee,
        "owner": matter.owner,
        "handling": matter.handling.value,
        "limit_days": matter.limit_days,
        "path": matter.path.value,
        "medium": matter.medium.value,
        "suspended": lapses(matter, day),
    }


def change_json(change: Change) -> dict[str, Any]:
    proposal = change.proposal
    return {
        "change": change.id,
        "state": change.state.value,
        "base": proposal.base,
        "reason": proposal.reason,
        "basis": proposal.basis,
        "note": proposal.note,
        "by": proposal.by,
        "at": rfc3339(change.at),
        "steps": [
            {
                "step": taken.step,
                "by": taken.by,
                "text": taken.text,
                "agrees": taken.agrees,
                "at": rfc3339(at),
            }
            for at, taken in change.taken
        ],
        "next": [step.id for step in change.next_steps],
        "withdrawn": change.withdrawn and {"by": change.withdrawn.by, "text": change.withdrawn.text},
    }


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
    if able := "、".join(f"{step.name}（{step.id}）" for step in change.next_steps):
        yield f"  现在可办：{able}"


def difference_line(item: Difference) -> str:
    if not item.old:
        return f"{item.kind} {item.matter} {item.field}：＋{item.new}"
    if not item.new:
        return f"{item.kind} {item.matter} {item.field}：－{item.old}"
    return f"{item.kind} {item.matter} {item.field}：{item.old} → {item.new}"


def lapses(matter: Matter, day: date) -> list[str]:
    """Why the matter is suspended on that day; empty if it is not."""
    over = [lapse(basis, day) for basis in matter.bases if basis.valid_to and basis.valid_to < day]
    early = [basis for basis in matter.bases if basis.valid_from and basis.valid_from > day]
    return over + [
        f"{basis.printed}自{chinese_date(basis.valid_from)}起才施行" for basis in early if basis.valid_from
    ]
