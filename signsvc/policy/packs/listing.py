"""Not-to-issue lists (不应出具清单) read from a pack's file: whatever is taken out of a cell must stand in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from signsvc.policy.packs.documents import Document, Validity
from signsvc.policy.packs.pack import Exemption, Item, Listing
from signsvc.policy.screen.facts import is_usable
from signsvc.policy.screen.names import squeeze
from signsvc.policy.toml.strict import Section


def read_list(section: Section, document: Document) -> Iterable[Item]:
    """The items of one `[[lists]]`. Raises PolicyError."""
    listing = Listing(
        id=section.text("id"),
        title=section.text("title"),
        annex=section.text("annex"),
        document=document,
        **read_validity(section),
    )
    items = [_item(inner, listing) for inner in section.sections("items")]
    numbers = [item.number for item in items]
    # A second batch may count on from the first.
    if numbers != list(range(numbers[0], numbers[0] + len(items))):
        section.fail("items", "序号应连续")
    if any(case.closed_by not in (None, *numbers) for item in items for case in item.exemptions):
        section.fail("items", "closed_by 指向清单中没有的序号")
    names = [name for item in items for name in item.names]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        section.fail("items", f"同一名称出现了两次：{'、'.join(twice)}")
    section.finish()
    return items


def _item(section: Section, listing: Listing) -> Item:
    item = Item(
        number=section.whole("number"),
        title=section.text("title"),
        name=section.text("name"),
        pathway=section.text("pathway"),
        listing=listing,
        aliases=section.texts("aliases", optional=True),
        synonyms=section.texts("synonyms", optional=True),
        only_with=dict(_only_with(inner) for inner in section.sections("only_with", optional=True)),
        facts=section.texts("facts", optional=True),
        everyday=section.texts("everyday", optional=True),
        hints=section.texts("hints", optional=True),
        unissued=section.texts("unissued", optional=True),
        open_ended=section.flag("open_ended", False),
        exemptions=tuple(_exemption(inner) for inner in section.sections("exemptions", optional=True)),
        issued_by=section.texts("issued_by", optional=True),
        paper=section.flag("paper", False),
    )
    _stand_in(section, "name", (item.name,), item.title)
    _stand_in(section, "aliases", item.aliases, item.title)
    _stand_in(section, "exemptions", (case.phrase for case in item.exemptions), item.pathway)
    _stand_in(section, "issued_by", item.issued_by, item.pathway)
    # A name of one character, or of none once squeezed, would be found in every text.
    if any(len(squeeze(name, prose=False)) < 3 for name in item.names):
        section.fail("name", "名称、别名和同义名称至少三个汉字")
    _check_words(section, item)
    section.finish()
    return item


def _check_words(section: Section, item: Item) -> None:
    """What was added for recognising: a word that is too short would be found everywhere."""
    for key, named in (("only_with", item.only_with), ("unissued", item.unissued)):
        if set(named) - set(item.names):
            section.fail(key, "应为本项的名称、别名或同义名称")
    if not all(map(is_usable, item.facts)):
        section.fail("facts", "每段文字不能为空，最后一段至少两个汉字")
    for key, words in (("everyday", item.everyday), ("hints", item.hints)):
        if any(len(squeeze(word, prose=False)) < 2 for word in words):
            section.fail(key, "至少两个汉字")


def _only_with(section: Section) -> tuple[str, tuple[str, ...]]:
    """A name, and the words with one of which it is found; without any it must be all that is asked."""
    found = section.text("name"), section.texts("words", optional=True)
    section.finish()
    return found


def _exemption(section: Section) -> Exemption:
    case = Exemption(
        phrase=section.text("phrase"),
        words=section.texts("words"),
        closed_by=section.whole_or_none("closed_by"),
    )
    section.finish()
    return case


def _stand_in(section: Section, key: str, phrases: Iterable[str], printed: str) -> None:
    """What is taken out of a printed cell must stand in it, or one of the two was mistyped."""
    if any(phrase not in printed for phrase in phrases):
        section.fail(key, "在清单原文中找不到")


def read_validity(section: Section) -> dict[str, Any]:
    """Its `valid_from` and `valid_to`, as keyword arguments of a Validity."""
    span = Validity(section.day("valid_from"), section.day("valid_to"))
    if span.valid_from and span.valid_to and span.valid_from > span.valid_to:
        section.fail("valid_to", "早于 valid_from")
    return vars(span)
