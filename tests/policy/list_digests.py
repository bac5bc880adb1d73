"""Digests of the two provinces' documents, so that the shipped packs can be compared with them without shipping them.

    python tests/policy/list_digests.py qinghai=DOCUMENT.txt guangdong=DOCUMENT.txt

reads the documents' texts and writes `list_digests.toml` beside this script, SHA-256 of

- every cell of the not-to-issue list (不应出具清单) as it is printed, with only the line breaks of the layout taken
  out; its title and annex; title, annex and headings of the form of a retained list (保留清单), and Qinghai's example;
- every passage that a pack holds of its document: rules, deadlines, channels, credit platforms, the document's own
  title, number and issuers. These are looked for in the document, white space and page numbers apart; one that does
  not stand there stops the script, but for what the texts at hand are known to have lost (DAMAGED).

In headings and titles half-width brackets count as full-width ones: the texts have both for the same bracket.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

DIGESTS = Path(__file__).with_name("list_digests.toml")
PACKS = Path(__file__).parents[2] / "signsvc" / "policy" / "data" / "packs"
HEADER = re.compile(r"序号\s+证明名称\s+办\s?事\s?途\s?径")
NUMBERED = re.compile(r"(\d{1,2})(?:\s+(\S+))?(?:\s+(\S+))?")
ANNEX = re.compile(r"^\s*(附件 ?\d)\s*$", re.MULTILINE)
PAGE = re.compile(r"^\s*- \d+ -\s*$", re.MULTILINE)
# The letterheads: two offices misread in Qinghai's, one and the number lost in Guangdong's, and the national
# document's number torn apart by it.
DAMAGED = {"青海省公安厅", "青海省司法厅", "粤民发〔2020〕139号", "广东省公安厅", "民发〔2020〕20号"}
# The blanks of Qinghai's title, which say what kind of holder is to be filled in.
HOLDER = {"qinghai": "_____市（州）或_____部门", "guangdong": ""}


class Row(NamedTuple):
    """One line of the printed list."""

    number: int
    title: str
    pathway: str


class Form(NamedTuple):
    """A printed form of a retained list, with the rows that are filled in as examples."""

    label: str
    title: str
    headings: tuple[str, ...]
    example: tuple[str, ...]


def digest(text: str) -> str:
    """SHA-256 of the text in UTF-8, hexadecimal."""
    return sha256(text.encode()).hexdigest()


def without_space(text: str) -> str:
    """The text without white space, which in running text is layout, and without page numbers."""
    return re.sub(r"\s", "", PAGE.sub("", text))


def heading(text: str) -> str:
    """A heading or title without layout, its brackets full-width."""
    return without_space(text).translate(str.maketrans("()", "（）"))


def rows_of(document: str) -> list[Row]:
    """The rows of the not-to-issue list, from a table with tabs or from the lines of a page layout."""
    tabbed = [line.split("\t") for line in document.splitlines() if re.match(r"\d+\t", line)]
    if tabbed:
        return [Row(int(number), title, pathway) for number, title, pathway in tabbed]
    return list(_laid_out(document))


def _laid_out(document: str) -> Iterator[Row]:
    """A page layout: title and pathway are broken over lines, the title's lines come first."""
    begin = HEADER.search(document)
    if begin is None:
        raise SystemExit("no list in the document")
    body = document[begin.end() : document.index("（备注", begin.end())]
    block: list[str] = []
    for line in (line.strip() for line in HEADER.sub("\n", body).splitlines()):
        if NUMBERED.fullmatch(line) and block:
            yield _row(block)
            block = []
        if line:
            block.append(line)
    yield _row(block)


def _row(block: list[str]) -> Row:
    first = NUMBERED.fullmatch(block[0])
    if first is None:
        raise SystemExit("a row does not begin with its number")
    number, *begun = (part for part in first.groups() if part)
    parts = [*begun, *block[1:]]
    size = next(size for size in range(1, len(parts)) if _whole("".join(parts[:size]), parts[size]))
    return Row(int(number), "".join(parts[:size]), "".join(parts[size:]))


def _whole(title: str, following: str) -> bool:
    """Whether a title is complete: it ends in 证明 or its bracket, and no bracket is open or about to open."""
    ended = title.endswith(("证明", "）")) and title.count("（") == title.count("）")
    return ended and not following.startswith("（")


def list_of(document: str) -> tuple[str, str]:
    """Annex label and title of the not-to-issue list."""
    begin = HEADER.search(document)
    _, *annexes = ANNEX.split(document[: begin.start() if begin else 0])
    return heading(annexes[-2]), heading(annexes[-1])


def form_of(document: str) -> Form:
    """The form in the document's 附件3: its headings stand in one line, an example row under them."""
    parts = ANNEX.split(document)
    at = max(at for at, part in enumerate(parts) if heading(part) == "附件3")
    title, first, table = parts[at + 1].partition("序号")
    head, *rows = (first + table).splitlines()
    cells = head.split("\t") if "\t" in head else head.split()
    example = next((row.split("\t")[1:] for row in rows if row.startswith("示例\t")), [])
    return Form(heading(parts[at]), heading(title), tuple(map(heading, cells)), tuple(example))


def pack_of(*folders: str) -> Mapping[str, Any]:
    """A shipped pack's file."""
    return tomllib.loads(PACKS.joinpath("nation", *folders, "pack.toml").read_text("utf-8"))


def passages_of(pack: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and passage of what the pack takes from its document beside rules and list; enumerations part by part."""
    document = pack["document"]
    yield from (("number", document["number"]), ("title", document["title"]))
    named: Mapping[str, Iterable[str]] = {
        "issuer": document["issuers"],
        "channel": pack.get("channels", []),
        "not-held": pack.get("lists_not_held", []),
        "credit": [part for part in pack.get("credit_platform", "").split("、") if part],
        "deadline": [deadline["text"] for deadline in pack.get("deadlines", [])],
    }
    for key, parts in named.items():
        yield from ((f"{key}-{at}", part) for at, part in enumerate(parts, 1))
    if printed := document.get("printed_on"):
        yield "printed-on", f"{printed.year}年{printed.month}月{printed.day}日印"


def standing(claims: Iterable[tuple[str, str]], body: str) -> Iterator[tuple[str, str]]:
    """The claims that stand in the text without white space; ends the script if one does not and is not damaged."""
    for key, passage in claims:
        if passage in body:
            yield key, passage
        elif passage not in DAMAGED:
            raise SystemExit(f"{key} does not stand in the document: {passage}")


def _province(name: str, document: str) -> Iterator[str]:
    pack, form = pack_of(name), form_of(document)
    body = without_space(document)
    yield f"\n[{name}.items]"
    for row in rows_of(document):
        yield f'{row.number} = ["{digest(row.title)}", "{digest(row.pathway)}"]'
    yield f"\n[{name}.rules]"
    yield from _table(standing(((rule["id"], rule["text"]) for rule in pack["rules"]), body))
    yield f"\n[{name}.passages]"
    yield from _table(standing(passages_of(pack), body))
    yield f"\n[{name}.tables]"
    for key, cells in (
        ("list", list_of(document)),
        ("form", (form.label, form.title, *form.headings)),
        ("example", form.example),
    ):
        yield f"{key} = [" + ", ".join(f'"{digest(cell)}"' for cell in cells) + "]"


def _table(passages: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from (f'{key} = "{digest(passage)}"' for key, passage in passages)


def main(arguments: list[str]) -> None:
    """Write the digests of every `province=path` given; both documents speak of the national one."""
    given = (argument.partition("=") for argument in arguments)
    documents = {name: Path(path).read_text("utf-8") for name, _, path in given}
    body = "".join(map(without_space, documents.values()))
    lines = ["# Written by list_digests.py from the documents' texts.", "\n[nation.passages]"]
    lines += _table(standing(passages_of(pack_of()), body))
    for name, document in documents.items():
        lines += _province(name, document)
    DIGESTS.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
