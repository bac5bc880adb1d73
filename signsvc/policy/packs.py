"""Policy packs: one folder a province with its document, the rules that a refusal quotes, and its not-to-issue list.

The texts are official and stand as printed. A further province is a further folder under `data/packs`, no code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files

from signsvc.errors import PolicyError
from signsvc.policy.names import Screen, squeeze
from signsvc.policy.strict import Section, read


@dataclass(frozen=True)
class Document:
    """The province's document (实施意见). `valid_to` is the last day in force; None where it is not known."""

    province: str
    number: str  # 青民发〔2021〕103号
    title: str
    list_title: str  # 不应由基层群众性自治组织出具证明事项清单（第一批）
    list_annex: str  # 附件2
    printed_on: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Rule:
    """A passage of the document, verbatim without white space, and the refusal codes that quote it."""

    id: str
    place: str  # 二（二）
    text: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """An item of the not-to-issue list; `title` and `pathway` (办事途径) are the printed cells, verbatim."""

    number: int
    title: str  # 婚姻状况证明（婚姻关系证明、分居证明）
    name: str  # 婚姻状况证明
    pathway: str
    aliases: tuple[str, ...] = ()  # the names in the title's brackets
    synonyms: tuple[str, ...] = ()  # what people call it; not of the document
    exceptions: tuple[str, ...] = ()  # phrases of the pathway: 收养情况

    @property
    def names(self) -> tuple[str, ...]:
        """Every name by which the item is known."""
        return (self.name, *self.aliases, *self.synonyms)


@dataclass(frozen=True)
class Pack:
    """What a province lays down, loaded and checked, its names ready for screening."""

    document: Document
    rules: tuple[Rule, ...]
    items: Mapping[int, Item]
    screen: Screen = field(repr=False)
    _quoted: Mapping[str, Rule] = field(repr=False)

    def rule_for(self, code: str) -> Rule | None:
        """The passage that a refusal with this code quotes."""
        return self._quoted.get(code)

    def expired(self, day: date) -> bool:
        """Whether the document's validity (有效期) is over on that day; never, where its end is not known."""
        return self.document.valid_to is not None and day > self.document.valid_to


def load_pack(province: str) -> Pack:
    """The shipped pack of a province (`qinghai`); PolicyError if there is none or a line of it is wrong."""
    shipped = files(__package__) / "data" / "packs"
    names = sorted(folder.name for folder in shipped.iterdir() if folder.is_dir())
    if province not in names:
        raise PolicyError(f"没有这个省份的政策包，现有：{'、'.join(names)}")
    pack = parse_pack((shipped / province / "pack.toml").read_text("utf-8"), f"packs/{province}/pack.toml")
    if pack.document.province != province:
        raise PolicyError(f"packs/{province}/pack.toml：document.province 与文件夹名称不一致")
    return pack


def parse_pack(text: str, origin: str) -> Pack:
    """A pack from the text of its TOML file; `origin` names the file in messages. Raises PolicyError."""
    root = read(text, origin)
    document = _document(root.section("document"))
    rules = tuple(_rule(section) for section in root.sections("rules", optional=True))
    items = tuple(_item(section) for section in root.sections("items"))
    if [item.number for item in items] != list(range(1, len(items) + 1)):
        root.fail("items", "序号应从 1 起连续")
    quoted = [(code, rule) for rule in rules for code in rule.codes]
    if len(dict(quoted)) != len(quoted) or len({rule.id for rule in rules}) != len(rules):
        root.fail("rules", "同一 id 或同一代码出现了两次")
    root.finish()
    screen = Screen.of((name, item.number) for item in items for name in item.names)
    return Pack(document, rules, {item.number: item for item in items}, screen, dict(quoted))


def _document(section: Section) -> Document:
    document = Document(
        province=section.text("province"),
        number=section.text("number"),
        title=section.text("title"),
        list_title=section.text("list_title"),
        list_annex=section.text("list_annex"),
        printed_on=section.day("printed_on"),
        valid_from=section.day("valid_from"),
        valid_to=section.day("valid_to"),
    )
    if document.valid_from and document.valid_to and document.valid_from > document.valid_to:
        section.fail("valid_to", "早于 valid_from")
    section.finish()
    return document


def _rule(section: Section) -> Rule:
    rule = Rule(
        section.text("id"),
        section.text("place"),
        section.text("text"),
        section.texts("codes", optional=True),
    )
    section.finish()
    return rule


def _item(section: Section) -> Item:
    item = Item(
        number=section.whole("number"),
        title=section.text("title"),
        name=section.text("name"),
        pathway=section.text("pathway"),
        aliases=section.texts("aliases", optional=True),
        synonyms=section.texts("synonyms", optional=True),
        exceptions=section.texts("exceptions", optional=True),
    )
    _stand_in(section, "name", (item.name,), item.title)
    _stand_in(section, "aliases", item.aliases, item.title)
    _stand_in(section, "exceptions", item.exceptions, item.pathway)
    # A name of one character, or of none once squeezed, would be found in every text.
    if any(len(squeeze(name, prose=False)) < 3 for name in item.names):
        section.fail("name", "名称、别名和同义名称至少三个汉字")
    section.finish()
    return item


def _stand_in(section: Section, key: str, phrases: Iterable[str], printed: str) -> None:
    """What is taken out of a printed cell must stand in it, or one of the two was mistyped."""
    if any(phrase not in printed for phrase in phrases):
        section.fail(key, "在清单原文中找不到")
