"""A pack's files: TOML to layers, and layers to the pack of a place. A fault names file, line and key."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from importlib.resources import files

from signsvc.errors import PolicyError
from signsvc.policy.packs.documents import Document, Successor
from signsvc.policy.packs.listing import read_list, read_validity
from signsvc.policy.packs.pack import CODES, EXPIRED, FIELDS, Deadline, Layer, Pack, Rule, Step, TableForm
from signsvc.policy.toml.strict import Section, read

NATION = "nation"
SHIPPED = "signsvc/policy/data/packs"  # as messages name the package's own folder
# The text of a folder's pack.toml and which file that is; None where there is none.
Source = Callable[[str], tuple[str, str] | None]
_JURISDICTION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?")


def shipped(folder: str) -> tuple[str, str] | None:
    """A pack file of the package."""
    file = files("signsvc.policy").joinpath("data", "packs", *folder.split("/"), "pack.toml")
    return (file.read_text("utf-8"), f"{SHIPPED}/{folder}/pack.toml") if file.is_file() else None


def shipped_jurisdictions() -> tuple[str, ...]:
    """The provinces of the package."""
    provinces = files("signsvc.policy").joinpath("data", "packs", NATION).iterdir()
    return tuple(sorted(folder.name for folder in provinces if folder.is_dir()))


def load_pack(jurisdiction: str, source: Source = shipped) -> Pack:
    """The pack of a province (`qinghai`) or of a city in it (`guangdong/somecity`); PolicyError names what is wrong."""
    if not is_jurisdiction(jurisdiction):
        raise PolicyError(f"辖区“{jurisdiction}”应写成 省 或 省/市，只用小写字母、数字和连字符")
    province, _, city = jurisdiction.partition("/")
    places = [NATION, province, *([jurisdiction] if city else [])]
    return Pack(tuple(_layer(place, source) for place in places))


def is_jurisdiction(text: str) -> bool:
    """Whether it is written as one: `qinghai`, `guangdong/somecity`."""
    return text.partition("/")[0] != NATION and _JURISDICTION.fullmatch(text) is not None


def folder_of(jurisdiction: str) -> str:
    """The folder of a layer among the packs: `nation`, `nation/qinghai`."""
    return NATION if jurisdiction == NATION else f"{NATION}/{jurisdiction}"


def _layer(jurisdiction: str, source: Source) -> Layer:
    folder = folder_of(jurisdiction)
    found = source(folder)
    if found is None:
        known = "、".join(shipped_jurisdictions())
        missing = f"没有辖区“{jurisdiction}”的政策包：缺少 packs/{folder}/pack.toml"
        raise PolicyError(f"{missing}（自带的有 {known}；自行添加的办法见 docs/policy.md）")
    return parse_layer(*found, jurisdiction)


def parse_layer(text: str, origin: str, jurisdiction: str | None = None) -> Layer:
    """One layer from the text of its file; `origin` names the file in messages. Raises PolicyError.

    `jurisdiction` is what the file must be about, by the folder in which it lies.
    """
    root = read(text, origin)
    if jurisdiction not in (None, root.text("jurisdiction")):
        root.fail("jurisdiction", f"与所在文件夹不一致，应为 {jurisdiction}")
    document = _document(root.section("document"))
    rules = tuple(_rule(section, document) for section in root.sections("rules", optional=True))
    layer = Layer(
        jurisdiction=root.text("jurisdiction"),
        name=root.text("name"),
        document=document,
        sha256=sha256(text.encode()).hexdigest(),
        origin=origin,
        rules=rules,
        items=tuple(
            item for section in root.sections("lists", optional=True) for item in read_list(section, document)
        ),
        lists_not_held=root.texts("lists_not_held", optional=True),
        channels=root.texts("channels", optional=True),
        report=root.text("report", ""),
        credit_platform=root.text("credit_platform", ""),
        deadlines=tuple(_deadline(section) for section in root.sections("deadlines", optional=True)),
        reasons=root.texts("reasons", optional=True),
        steps=_steps(root),
        form=_form(root.section("form")) if root.has("form") else None,
        issuer_must_be_named=root.flag("issuer_must_be_named", False),
    )
    root.finish()
    _check(root, layer)
    return layer


def _check(root: Section, layer: Layer) -> None:
    quoted = [code for rule in layer.rules for code in rule.codes]
    if len(set(quoted)) != len(quoted) or len({rule.id for rule in layer.rules}) != len(layer.rules):
        root.fail("rules", "同一 id 或同一代码出现了两次")
    if layer.document.valid_to and EXPIRED not in quoted:
        root.fail("rules", f"文件有失效日期，须有一条 codes 含 {EXPIRED} 的原文")
    if len({item.listing.id for item in layer.items}) != len({item.listing for item in layer.items}):
        root.fail("lists", "两个清单的 id 相同")


def _document(section: Section) -> Document:
    document = Document(
        number=section.text("number"),
        title=section.text("title"),
        issuers=section.texts("issuers"),
        printed_on=section.day("printed_on"),
        note=section.text("note", ""),
        successors=tuple(_successor(inner) for inner in section.sections("successors", optional=True)),
        **read_validity(section),
    )
    section.finish()
    return document


def _successor(section: Section) -> Successor:
    later = Successor(number=section.text("number"), title=section.text("title"), **read_validity(section))
    if later.valid_from is None:
        section.fail("valid_from", "接续的文件须写明施行日")
    section.finish()
    return later


def _rule(section: Section, document: Document) -> Rule:
    rule = Rule(
        id=section.text("id"),
        place=section.text("place"),
        text=_passage(section),
        document=document,
        codes=section.texts("codes", optional=True),
    )
    # A misspelt code would close the path that it was to open, and nobody would be told.
    if unknown := set(rule.codes) - CODES:
        section.fail("codes", f"没有这样的代码：{'、'.join(sorted(unknown))}")
    section.finish()
    return rule


def _passage(section: Section) -> str:
    text = section.text("text")
    if re.search(r"\s", text):
        section.fail("text", "原文不含空格和换行：排版的空格请去掉")
    return text


def _steps(root: Section) -> tuple[Step, ...]:
    """The steps in an order in which they can be taken: each comes after those it waits for."""
    steps: list[Step] = []
    for section in root.sections("steps", optional=True):
        step = Step(
            id=section.text("id"),
            name=section.text("name"),
            by=section.text("by"),
            after=section.texts("after", optional=True),
            with_basis=section.flag("with_basis", False),
        )
        known = {earlier.id for earlier in steps}
        if step.id in known or set(step.after) - known or bool(steps) != bool(step.after):
            section.fail("after", "第一步没有前置步骤；其余各步须写明前面已有的步骤，id 不能重复")
        steps.append(step)
        section.finish()
    return tuple(steps)


def _form(section: Section) -> TableForm:
    form = TableForm(
        label=section.text("label"),
        title=section.text("title"),
        columns=tuple(_column(inner) for inner in section.sections("columns")),
    )
    if re.search(r"[{}]", form.title.replace("{holder}", "", 1)):
        section.fail("title", "花括号只能是一个 {holder}（制定清单的市、州或部门）")
    fields = [field for _, field in form.columns]
    headings = {heading for heading, _ in form.columns}
    if len(set(fields)) != len(fields) or len(headings) != len(fields) or "name" not in fields:
        section.fail("columns", "每列的 heading 和 field 不能重复，且须有一列为 name")
    section.finish()
    return form


def _column(section: Section) -> tuple[str, str]:
    heading, field = section.text("heading"), section.text("field")
    if field not in FIELDS:
        section.fail("field", f"应为 {' | '.join(sorted(FIELDS))}")
    section.finish()
    return heading, field


def _deadline(section: Section) -> Deadline:
    deadline = Deadline(
        name=section.text("name"),
        place=section.text("place"),
        text=_passage(section),
        on=section.day("on"),
        yearly=section.text("yearly", ""),
    )
    if bool(deadline.on) == bool(deadline.yearly):
        section.fail("on", "on（日期）与 yearly（每年的月-日）写且只写一个")
    if deadline.yearly and not _every_year(deadline.yearly):
        section.fail("yearly", "应为每年都有的月-日，如 12-25")
    section.finish()
    return deadline


def _every_year(day: str) -> bool:
    """Whether it is a day of every year: 12-25, but not 02-29."""
    try:
        return date.fromisoformat(f"2001-{day}").strftime("%m-%d") == day
    except ValueError:
        return False
