"""What a home's own policy pack (政策包) says otherwise than the package's of the same place.

A home's pack takes the place of the package's. That is how a newer document comes in, and also how an item, a step or
a rule would get lost unseen; so each departure is told, and whether it lets more be issued (放宽). None of them is
refused: the operator may have the document for it. A successor (接续的文件) that was recorded is no departure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from signsvc.policy.packs.documents import Document
from signsvc.policy.packs.pack import TRANSITIONAL, Exemption, Item, Layer, Listing, Pack, Rule, Step
from signsvc.policy.packs.reading import folder_of, parse_layer, shipped

# What a layer says beside its lists, passages and steps.
_PLAIN = {
    "name": "名称",
    "channels": "公布渠道",
    "credit_platform": "信用平台",
    "deadlines": "报送期限",
    "reasons": "清单调整原因",
    "form": "保留清单格式",
}
_DOCUMENT = {"number": "文号", "title": "名称", "issuers": "机关", "valid_from": "施行日"}


@dataclass(frozen=True)
class Departure:
    """One thing that is not as in the package; `looser` if more can be issued, or a list changed with less."""

    looser: bool
    text: str

    @property
    def label(self) -> str:
        """放宽 or 注意."""
        return "放宽" if self.looser else "注意"


def departures(layer: Layer) -> tuple[Departure, ...]:
    """Where a layer departs from the package's of its place; none if it is that, or if the package has none."""
    found = shipped(folder_of(layer.jurisdiction))
    if found is None:
        return ()
    ours = parse_layer(*found)
    return () if ours.sha256 == layer.sha256 else tuple(dict.fromkeys(compared(ours, layer)))


def overruled(pack: Pack) -> Iterator[Departure]:
    """Where a nearer layer has a list changed in fewer steps than the broader one in whose place its own stand."""
    held: tuple[Step, ...] = ()
    for layer in pack.layers:
        if layer.steps:
            told = (found for found in _steps(held, layer.steps) if found.looser)
            yield from (_looser(f"{layer.name}比上级少：{found.text}") for found in told)
            held = layer.steps


def compared(ours: Layer, theirs: Layer) -> Iterator[Departure]:
    """Where `theirs` departs from `ours`."""
    yield from _documents(ours.document, theirs.document)
    yield from _lists(ours, theirs)
    yield from _rules(ours, theirs)
    yield from _steps(ours.steps, theirs.steps)
    if ours.issuer_must_be_named and not theirs.issuer_must_be_named:
        yield _looser("不再要求依据写明由基层群众性自治组织出具（issuer_must_be_named）")
    for key, name in _PLAIN.items():
        if getattr(ours, key) != getattr(theirs, key):
            yield _other(f"{name}（{key}）有改动")


def _looser(text: str) -> Departure:
    return Departure(True, text)


def _other(text: str) -> Departure:
    return Departure(False, text)


def _documents(ours: Document, theirs: Document) -> Iterator[Departure]:
    for key, name in _DOCUMENT.items():
        if getattr(ours, key) != getattr(theirs, key):
            yield _other(f"文件的{name}（document.{key}）有改动")
    if (theirs.valid_to or date.max) > (ours.valid_to or date.max):
        yield _looser("文件的失效日（document.valid_to）推后或删去：延期应登记为接续的文件（successors）")
    elif theirs.valid_to != ours.valid_to:
        yield _other("文件的失效日（document.valid_to）提前")
    if set(ours.successors) - set(theirs.successors):
        yield _other("没有自带政策包所登记的接续文件（document.successors）")


def _lists(ours: Layer, theirs: Layer) -> Iterator[Departure]:
    """Item by item: found again by its name, in the same list if there is one."""
    same = {(item.listing.id, item.name): item for item in theirs.items}
    alike = {item.name: item for item in theirs.items}
    for item in ours.items:
        found = same.get((item.listing.id, item.name)) or alike.get(item.name)
        where = f"不应出具清单第{item.number}项“{item.name}”"
        if found is None:
            yield _looser(f"{where}没有了")
        else:
            yield from _items(where, item, found)
            yield from _days(item.listing, found.listing)


def _items(where: str, ours: Item, theirs: Item) -> Iterator[Departure]:
    if (ours.number, ours.title, ours.pathway) != (theirs.number, theirs.title, theirs.pathway):
        yield _other(f"{where}的原文有改动")
    less = {
        "少了名称": {*ours.names} - {*theirs.names},
        "少了说明事实的说法": {*ours.facts} - {*theirs.facts},
        "增加了不作为事实的说法": {*theirs.everyday} - {*ours.everyday},
        "的名称增加了限定（only_with）": _narrowed(ours.only_with, theirs.only_with),
        "增加了除外情形或其用词": _exempted(theirs.exemptions) - _exempted(ours.exemptions),
        "不再另有规定（closed_by）": _closed(ours.exemptions) - _closed(theirs.exemptions),
    }
    for what, words in less.items():
        if words:
            yield _looser(f"{where}{what}：{'、'.join(sorted(words))}")
    if ours.paper and not theirs.paper:
        yield _looser(f"{where}不再以纸质件为准（paper）")


def _exempted(cases: Iterable[Exemption]) -> set[str]:
    return {word for case in cases for word in (case.phrase, *case.words)}


def _closed(cases: Iterable[Exemption]) -> set[str]:
    return {case.phrase for case in cases if case.closed_by}


def _narrowed(ours: Mapping[str, Iterable[str]], theirs: Mapping[str, Iterable[str]]) -> set[str]:
    """Names that count with fewer words beside them than before, when any word would do."""
    return {name for name, words in theirs.items() if name not in ours or {*ours[name]} - {*words}}


def _days(ours: Listing, theirs: Listing) -> Iterator[Departure]:
    late = (theirs.valid_from or date.min) > (ours.valid_from or date.min)
    if late or (theirs.valid_to or date.max) < (ours.valid_to or date.max):
        yield _looser(f"清单“{ours.annex}《{ours.title}》”的有效期缩短")


def _rules(ours: Layer, theirs: Layer) -> Iterator[Departure]:
    """Passages by their ids. One that opens the transitional path (过渡期) lets more be issued."""
    opened = [_opens(layer.rules) for layer in (ours, theirs)]
    if opened == [False, True]:
        yield _looser("开放了过渡期（transitional_case_required）")
    told = [
        {rule.id: (rule.place, rule.text, frozenset(rule.codes)) for rule in layer.rules}
        for layer in (ours, theirs)
    ]
    for key in dict.fromkeys((*told[0], *told[1])):
        if (was := told[0].get(key)) != (now := told[1].get(key)):
            yield _other(f"文件原文“{key}”{_changed(was, now)}")


def _opens(rules: Iterable[Rule]) -> bool:
    return any(TRANSITIONAL in rule.codes for rule in rules)


def _steps(ours: Iterable[Step], theirs: Iterable[Step]) -> Iterator[Departure]:
    before, after = ({step.id: step for step in steps} for steps in (ours, theirs))
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        name = (was or after[key]).name
        fewer = was and (now is None or {*was.after} - {*now.after} or was.with_basis > now.with_basis)
        yield Departure(bool(fewer), f"清单调整步骤“{name}”{_changed(was, now)}")


def _changed(was: object, now: object) -> str:
    return "有改动" if was and now else "没有了" if was else "是增加的"
