"""Faults of a decision: each with its code, words for the clerk, and the passage that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from signsvc.errors import Fault
from signsvc.models import Request
from signsvc.policy import statement
from signsvc.policy.packs import EXPIRED, Item, Layer, Pack, Rule


def grounded(pack: Pack, fault: Fault) -> Fault:
    """The fault with the passage that it rests on, its words left alone."""
    return replace(fault, ground=pack.rule_for(fault.code).ground)


def quoting(pack: Pack, code: str, message: str, column: str | None) -> Fault:
    """A fault whose words end in the passage."""
    ground = pack.rule_for(code).ground
    return Fault(code, f"{message}（{ground.document}{ground.place}：“{ground.sentence}”）", column, ground)


def banned(pack: Pack, item: Item, column: str, reason: str) -> Fault:
    """`reason` with the list and the item at its `{}`, and the way to go (办事途径, Q7)."""
    rule = next(
        (rule for layer in pack.layers for rule in layer.rules if _bans(rule, item)),
        pack.rule_for("banned_matter"),
    )
    ground = replace(rule.ground, listed=item.listed, pathway=item.pathway)
    message = f"{reason.format(item.listed)}。办事途径：{item.pathway}"
    return Fault("banned_matter", message, column, ground)


def _bans(rule: Rule, item: Item) -> bool:
    """The passage of the list's own document: a city's list is not banned by the province's words."""
    return rule.document == item.listing.document and "banned_matter" in rule.codes


def expired(layers: Iterable[Layer], today: date) -> Iterator[Fault]:
    """Each document that is over, with its own words about its end."""
    for layer in layers:
        rule = next(rule for rule in layer.rules if EXPIRED in rule.codes)
        ground = rule.ground
        quoted = f"（{ground.document}{ground.place}：“{ground.sentence}”）"
        message = f"{expiry(layer, today)}，请先确认并登记接续的文件{quoted}"
        yield Fault(EXPIRED, message, None, ground)


def expiry(layer: Layer, today: date) -> str:
    """青民发〔2021〕103号已于2026年8月3日期满: of the document or of the last that succeeded it."""
    over = layer.document.last_held(today)
    return f"{over.number}已于{zh(over.valid_to)}期满" if over.valid_to else over.number


def smuggled(
    request: Request, pack: Pack, today: date, filled: str, pattern: str, granted: Iterable[Item] = ()
) -> Iterator[Fault]:
    """Free text that speaks of a matter of the list, also where only text and pattern together do.

    `granted` items are what the certificate is openly about.
    """
    seen = {*pack.hits(pack.screen.in_prose(pattern), today), *granted}
    for column, text in (*statement.typed_texts(request).items(), ("statement", filled)):
        new = [item for item in pack.hits(pack.screen.in_prose(text), today) if item not in seen]
        seen.update(new)
        reason = "所填文字提到的证明列入{}，不应由本组织出具，请从文字中删去"
        yield from (banned(pack, item, column, reason) for item in new)


def zh(day: date) -> str:
    """2026年8月3日."""
    return f"{day.year}年{day.month}月{day.day}日"
