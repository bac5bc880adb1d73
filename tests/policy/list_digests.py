"""Digests of the two provinces' documents, so that the shipped packs can be compared with them without shipping them.

    python tests/policy/list_digests.py qinghai=DOCUMENT.txt guangdong=DOCUMENT.txt

reads the not-to-issue list (不应出具清单) out of each document's text and writes `list_digests.toml` beside this
script: SHA-256 of every cell as it is printed, with only the line breaks of the layout taken out. Passages that a
pack's rules quote are looked for in the document, white space apart, and get a digest only if they stand there.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

DIGESTS = Path(__file__).with_name("list_digests.toml")
PACKS = Path(__file__).parents[2] / "signsvc" / "policy" / "data" / "packs"
HEADER = re.compile(r"序号\s+证明名称\s+办\s?事\s?途\s?径")
NUMBERED = re.compile(r"(\d{1,2})(?:\s+(\S+))?(?:\s+(\S+))?")


class Row(NamedTuple):
    """One line of the printed list."""

    number: int
    title: str
    pathway: str


def digest(text: str) -> str:
    """SHA-256 of the text in UTF-8, hexadecimal."""
    return sha256(text.encode()).hexdigest()


def without_space(text: str) -> str:
    """The text without white space, which in running text is layout."""
    return re.sub(r"\s", "", text)


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


def quoted(province: str, document: str) -> Iterator[tuple[str, str]]:
    """Id and passage of each rule of the province's pack; ends the script if one is not in the document."""
    pack = tomllib.loads((PACKS / province / "pack.toml").read_text("utf-8"))
    body = without_space(document)
    for rule in pack["rules"]:
        passage = without_space(rule["text"])
        if passage not in body:
            raise SystemExit(f"{province}: rule {rule['id']} does not stand in the document")
        yield rule["id"], passage


def _lines(province: str, document: str) -> Iterator[str]:
    yield f"[{province}.items]"
    for row in rows_of(document):
        yield f'{row.number} = ["{digest(row.title)}", "{digest(row.pathway)}"]'
    yield f"\n[{province}.rules]"
    for key, passage in quoted(province, document):
        yield f'{key} = "{digest(passage)}"'
    yield ""


def main(arguments: list[str]) -> None:
    """Write the digests of every `province=path` given."""
    lines = [
        "# Written by list_digests.py from the documents' texts: [title, pathway] of each row, then each quoted rule."
    ]
    for argument in arguments:
        province, _, path = argument.partition("=")
        lines += ["", *_lines(province, Path(path).read_text("utf-8"))]
    DIGESTS.write_text("\n".join(lines).rstrip() + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
