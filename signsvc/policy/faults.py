"""Faults of a decision: each with its code, words for the clerk, and the passage that it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from signsvc.errors import Fault
from signsvc.policy.packs.pack import EXPIRED, Item, Layer, Pack, Rule
from signsvc.texts import chinese_date


def _asserts(column: str, text: str) -> bool:
    """Whether a text may assert a fact. An addressee may well be a federation of the disabled (残疾人联合会), and a
    purpose a divorce suit: they do if they are built as sentences. A person may be called 李健在, but no name is as
    long as a sentence, or ends in 未婚."""
    if column in ("addressee", "purpose"):
        return _BUILT.search(text) is not None
    return column != "name" or len(text) >= _SENTENCE or text.endswith(_NO_GIVEN_NAMES)


_BUILT = re.compile(r"[。；！？：，、,;:!?\s]|[其兹]|本人|系[^统列]")
_SENTENCE = 6  # characters
_NO_GIVEN_NAMES = ("已婚", "未婚", "丧偶", "离异", "离婚")
_NAMED = "所填文字提到的证明列入{}，不应由本组织出具，请从文字中删去"
_TOLD = "所填文字说明的情况属于{}，不应由本组织出具，请从文字中删去"


def grounded(pack: Pack, fault: Fault) -> Fault:
    """The fault with the passage that it rests on, its words left alone."""
    return replace(fault, ground=pack.rule_for(fault.code).ground)


def quoting(pack: Pack, code: str, message: str, column: str | None) -> Fault:
    """A fault whose words end in the passage."""
    ground = pack.rule_for(code).ground
    return Fault(code, message + ground.quoted, column, ground)


def banned(pack: Pack, item: Item, column: str, reason: str) -> Fault:
    """`reason` with the list and the item at its `{}`, and the way to go (办事途径, Q7)."""
    rule = next(
        (rule for layer in pack.layers for rule in layer.rules if _bans(rule, item)),
        pack.rule_for("banned_matter"),
    )
    ground = replace(rule.ground, listed=item.listed, pathway=item.pathway)
    message = f"{reason.format(item.listed)}{ground.quoted}。办事途径：{item.pathway}"
    return Fault("banned_matter", message, column, ground)


def _bans(rule: Rule, item: Item) -> bool:
    """The passage of the list's own document: a city's list is not banned by the province's words."""
    return rule.document == item.listing.document and "banned_matter" in rule.codes


def expired(layers: Iterable[Layer], today: date) -> Iterator[Fault]:
    """Each document that is over, with its own words about its end."""
    for layer in layers:
        rule = next(rule for rule in layer.rules if EXPIRED in rule.codes)
        ground = rule.ground
        message = f"{expiry(layer, today)}，须有接续的文件并经登记{ground.quoted}"
        yield Fault(EXPIRED, message, None, ground)


def expiry(layer: Layer, today: date) -> str:
    """青民发〔2021〕103号已于2026年8月3日期满: of the document or of the last that succeeded it."""
    over = layer.document.last_held(today)
    return f"{over.number}已于{chinese_date(over.valid_to)}期满" if over.valid_to else over.number


def smuggled(
    typed: Mapping[str, str],
    pack: Pack,
    today: date,
    filled: str,
    openly: Iterable[str] = (),
    granted: Iterable[Item] = (),
) -> Iterator[Fault]:
    """Typed texts, by column, that speak of a matter of the list by name or by the fact; also where `filled`, the
    pattern with its slots, does so only as a whole.

    What the certificate is about by its approved name and pattern (`openly`) or by the case (`granted`) may be said.
    """
    seen: set[Item] | None = None
    whole = () if filled == typed["statement"] else (("statement", filled),)
    for column, text in (*typed.items(), *whole):
        looked = pack.screen.look(text)
        told = looked.told if _asserts(column, text) else ()
        if not (looked.named or told):
            continue
        seen = {*granted, *_spoken_of(pack, openly, today)} if seen is None else seen
        for numbers, reason in ((looked.named, _NAMED), (told, _TOLD)):
            new = [item for item in pack.hits(numbers, today) if item not in seen]
            seen.update(new)
            yield from (banned(pack, item, column, reason) for item in new)


def _spoken_of(pack: Pack, texts: Iterable[str], today: date) -> Iterator[Item]:
    """Items that approved words name or tell."""
    for text in texts:
        looked = pack.screen.look(text)
        yield from pack.hits((*looked.named, *looked.told), today)
