"""`policy`: what the policy packs say, as an office or an operator reads it, and whether their files are right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click

from signsvc.cli.shared import settings
from signsvc.errors import Exit
from signsvc.policy import Document, Layer, Pack, load_pack
from signsvc.policy.packs.departures import departures, overruled
from signsvc.policy.packs.documents import Validity
from signsvc.policy.packs.pack import Item, Listing
from signsvc.policy.packs.standing import due, transitional, validity
from signsvc.wiring import packs
from signsvc.wiring.home import now


@click.group()
def policy() -> None:
    """政策包：依据的文件及其有效期、不应出具清单、报送期限。"""


@policy.command()
@click.argument("jurisdiction", required=False)
@click.option("--items", is_flag=True, help="列出清单各项及其办事途径、除外情形")
@click.option("--json", "as_json", is_flag=True)
def show(jurisdiction: str | None, items: bool, as_json: bool) -> None:
    """按辖区显示（qinghai、guangdong/某市）；不写辖区时为各组织的辖区。"""
    home, today = settings().home, now().date()
    for place in [jurisdiction] if jurisdiction else packs.jurisdictions(home):
        pack = load_pack(place, packs.source(home))
        if as_json:
            click.echo(json.dumps(as_data(pack, today, items), ensure_ascii=False))
        else:
            click.echo("\n".join(lines(pack, today, items)) + "\n")


@policy.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folders: tuple[Path, ...]) -> int:
    """检查 FOLDERS 中的政策包；不写时检查本地 packs/ 中的和各组织所用的。逐个文件指出错在哪一行，与自带的有何不同。"""
    findings = list(packs.examine(settings().home, folders))
    for finding in findings:
        click.echo(f"{finding.label} {finding.text}")
    if remarks := sum(finding.good and bool(finding.remark) for finding in findings):
        click.echo(f"注意 与自带的或上级的政策包有 {remarks} 处不同：请逐处核对有无文件依据，没有的请改回")
    return Exit.DONE if all(finding.good for finding in findings) else Exit.NOT_ALL


def lines(pack: Pack, today: date, items: bool) -> Iterator[str]:
    """The pack for a terminal, the broadest layer first."""
    yield f"# {pack.jurisdiction}：{'、'.join(layer.name for layer in pack.layers)}（版本 {pack.sha256}）"
    for layer in pack.layers:
        yield from _layer_lines(layer, today, items)
    yield "\n适用："
    for name, text in (
        ("过渡期", transitional(pack, today)),
        ("依据须写明由基层群众性自治组织出具", "是" if pack.issuer_must_be_named else "否"),
        ("公布渠道", "、".join(pack.channels)),
        ("信用平台", pack.credit_platform),
        ("举报渠道", pack.report),
        (
            "保留清单格式",
            f"{pack.form.label} {'、'.join(h for h, _ in pack.form.columns)}" if pack.form else "",
        ),
        ("清单调整原因", "、".join(pack.reasons)),
        ("清单调整步骤", " → ".join(f"{step.name}（{step.by}）" for step in pack.steps)),
    ):
        yield f"  {name}：{text or '无'}"
    yield from (f"  {found.label}：{found.text}" for found in overruled(pack))


def _layer_lines(layer: Layer, today: date, items: bool) -> Iterator[str]:
    document = layer.document
    yield f"\n## {layer.name}：{document.number}《{document.title}》"
    yield f"  机关：{'、'.join(document.issuers)}"
    yield f"  有效期：{validity(document, today)}"
    yield f"  日期：{_dates(document) or '文件未见施行、失效日期'}"
    yield from (f"  接续：{later.number}《{later.title}》{_span(later)}" for later in document.successors)
    if document.note:
        yield f"  说明：{document.note}"
    yield f"  来源：{layer.origin}（SHA-256 {layer.sha256}）"
    yield from (f"  {found.label}：{found.text}（与自带的政策包不同）" for found in departures(layer))
    for listing, held in _lists(layer):
        yield f"  清单：{listing.annex}《{listing.title}》{len(held)} 项{_span(listing)}"
        if items:
            yield from (line for item in held for line in _item_lines(item))
    yield from (f"  未附清单：{name}（文件提到，尚未取得原文）" for name in layer.lists_not_held)
    for deadline in layer.deadlines:
        yield f"  报送：{deadline.name}（{deadline.place}）：{due(deadline, today)}"


def _item_lines(item: Item) -> Iterator[str]:
    yield f"    {item.number}. {item.title}"
    yield f"       办事途径：{item.pathway}"
    for case in item.exemptions:
        closed = f"；但第{case.closed_by}项另有规定" if case.closed_by else ""
        yield f"       除外：{case.phrase}{closed}"


def _lists(layer: Layer) -> list[tuple[Listing, list[Item]]]:
    """The layer's lists with their items, in order."""
    listings = list(dict.fromkeys(item.listing for item in layer.items))
    return [(listing, [item for item in layer.items if item.listing == listing]) for listing in listings]


def _dates(document: Document) -> str:
    printed = f"{document.printed_on} 印发" if document.printed_on else ""
    return "，".join(part for part in (printed, _span(document).strip("（）")) if part)


def _span(span: Validity) -> str:
    """（2021-09-03 起，2026-08-03 止）."""
    ends = ((span.valid_from, "起"), (span.valid_to, "止"))
    return (
        f"（{'，'.join(f'{day} {word}' for day, word in ends if day)}）"
        if any(day for day, _ in ends)
        else ""
    )


def as_data(pack: Pack, today: date, items: bool) -> dict[str, Any]:
    """The pack for machines; dates are ISO 8601, None where unknown."""
    return {
        "jurisdiction": pack.jurisdiction,
        "version": pack.sha256,
        "as_of": today.isoformat(),
        "policy": pack.document.number_on(today),
        "layers": [_layer_data(layer, today, items) for layer in pack.layers],
        "transitional": transitional(pack, today),
        "issuer_must_be_named": pack.issuer_must_be_named,
        "channels": pack.channels,
        "credit_platform": pack.credit_platform,
        "report": pack.report,
        "form": vars(pack.form) if pack.form else None,
        "reasons": pack.reasons,
        "steps": [vars(step) for step in pack.steps],
        "overruled": [vars(found) for found in overruled(pack)],
    }


def _layer_data(layer: Layer, today: date, items: bool) -> dict[str, Any]:
    return {
        "jurisdiction": layer.jurisdiction,
        "name": layer.name,
        "file": layer.origin,
        "sha256": layer.sha256,
        "departures": [vars(found) for found in departures(layer)],
        "document": _document_data(layer.document, today),
        "lists": [
            {
                "id": listing.id,
                "title": listing.title,
                "annex": listing.annex,
                **_days(listing),
                "size": len(held),
                **({"items": [_item_data(item) for item in held]} if items else {}),
            }
            for listing, held in _lists(layer)
        ],
        "lists_not_held": layer.lists_not_held,
        "deadlines": [
            {
                "name": deadline.name,
                "place": deadline.place,
                "next_due": _day(deadline.next_due(today)),
                "last_due": _day(deadline.last_due(today)),
            }
            for deadline in layer.deadlines
        ],
    }


def _document_data(document: Document, today: date) -> dict[str, Any]:
    return {
        "number": document.number,
        "title": document.title,
        "issuers": document.issuers,
        "printed_on": _day(document.printed_on),
        **_days(document),
        "successors": [
            {"number": later.number, "title": later.title, **_days(later)} for later in document.successors
        ],
        "expired": document.expired(today),
        "validity": validity(document, today),
        "note": document.note,
    }


def _item_data(item: Item) -> dict[str, Any]:
    return {
        "number": item.number,
        "title": item.title,
        "names": (item.name, *item.aliases),
        "synonyms": item.synonyms,
        "pathway": item.pathway,
        "exemptions": [{"phrase": case.phrase, "closed_by": case.closed_by} for case in item.exemptions],
        "issued_by": item.issued_by,
    }


def _days(span: Validity) -> dict[str, str | None]:
    return {"valid_from": _day(span.valid_from), "valid_to": _day(span.valid_to)}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
