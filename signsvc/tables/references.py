"""Legal references read out of a basis cell: 《title》（note）（number）第…条第…款第…项, and the article's text.

What kind of text is cited is only guessed from its name and number; an unknown one is taken for a 规范性文件, on which
nothing can be founded, so that a wrong guess refuses rather than issues.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from signsvc.models import Basis, BasisKind
from signsvc.tables.rows import lines_of, squeezed

# Possessive everywhere: a hostile cell must not make them try again.
_ORDINAL: Final = r"第\s*+[（(]?[〇零一二三四五六七八九十百千两0-9０-９]++[）)]?\s*+"
_PART: Final = rf"{_ORDINAL}(?:条(?:之[一二三四五六七八九十]++)?|款|项|目)\s*+"
_ARTICLE: Final = re.compile(
    rf"\s*+((?:附件\s*+(?:\d++\s*+)?)?(?:{_PART})++(?:[、，,和及至或]\s*+(?:{_PART})++)*+)"
)
_BRACKET: Final = re.compile(r"\s*+[（(]([^（）()]{0,200}+)[）)]")
_BULLET: Final = re.compile(r"(?:\d++[.．、]|[（(]?[\d一二三四五六七八九十]++[）)、]|[①-⑳])\s*+(?=《)")
_JOINT: Final = re.compile(r"\s*+(?:[、，,；;和及]|以及)?\s*+(?=《)")
_BREAK: Final = re.compile(r"[；;]\s*+(?=《)")
_EMPTY: Final = re.compile(r"[\s、，,；;。.：:]*")
_LONGEST_TITLE: Final = 200  # characters
_MOST: Final = (
    50  # references of a cell, as of a matter; and places in one article's text where the next may begin
)
_MOST_BRACKETS: Final = 5  # behind a title
# A bracket behind the title that tells its version belongs to the title, any other with 号 or 令 is the number.
_VERSION: Final = re.compile(r"(?:修正|修订|修改|通过|公布|发布|颁布|施行|试行)$")


@dataclass(frozen=True)
class Cited:
    """A basis cell as understood, and the lines in which no reference with an article was found, verbatim."""

    bases: tuple[Basis, ...]
    unread: tuple[str, ...]


def read_references(cell: str) -> Cited:
    """References divided by line breaks, or by 、 or ； before the next 《; a line that begins otherwise goes on with
    the text of the reference above it. What follows the fiftieth reference is left unread."""
    bases: list[Basis] = []
    unread: list[str] = []
    for line in lines_of(cell):
        bullet = _BULLET.match(line)
        cited = line[bullet.end() :] if bullet else line
        if len(bases) >= _MOST:
            unread.append(line)
        elif cited.startswith("《"):
            found, rest = _references(cited, _MOST - len(bases))
            bases += found
            unread += [rest] if rest else []
        elif bases and not unread:
            bases[-1] = _with_text(bases[-1], f"{bases[-1].text}\n{line}".strip())
        else:
            unread.append(line)
    return Cited(tuple(bases), tuple(unread))


def _references(line: str, most: int) -> tuple[list[Basis], str]:
    """The references of one line, and what is left where the next one could not be read."""
    bases: list[Basis] = []
    at = 0
    while at < len(line):
        found = _reference(line, at) if len(bases) < most else None
        if found is None:
            return bases, line[at:]
        basis, end = found
        joint = _JOINT.match(line, end)
        if joint and _reference(line, joint.end()):
            text, at = "", joint.end()
        else:
            text, at = _text(line, end)
        bases.append(_with_text(basis, text))
    return bases, ""


def _text(line: str, begin: int) -> tuple[str, int]:
    """The article's text, up to a ； behind which another reference begins, and where that is."""
    for found in islice(_BREAK.finditer(line, begin), _MOST):
        if _reference(line, found.end()):
            return line[begin : found.start()].strip(), found.end()
    return ("" if _EMPTY.fullmatch(line, begin) else line[begin:].strip()), len(line)


def _reference(line: str, begin: int) -> tuple[Basis, int] | None:
    """The reference at this place of a line, and where its article ends."""
    end = _title_end(line, begin)
    title, number = line[begin:end], ""
    if not title:
        return None
    for _ in range(_MOST_BRACKETS):
        bracket = _BRACKET.match(line, end)
        if bracket is None:
            break
        inside, end = bracket[1].strip(), bracket.end()
        if not number and re.search("[号令]", inside) and not _VERSION.search(inside):
            number = inside
        else:
            title += f"（{inside}）"
    article = _ARTICLE.match(line, end)
    if article is None:
        return None
    return Basis(guess_kind(title, number), title, "".join(article[1].split()), number), article.end()


def _title_end(line: str, begin: int) -> int:
    """Where the outermost 《…》 that begins here closes; `begin` if there is none."""
    depth = 0
    for at, character in enumerate(line[begin : begin + _LONGEST_TITLE], begin):
        depth += {"《": 1, "》": -1}.get(character, 0)
        if depth == 0:
            return at + 1 if at > begin else begin
    return begin


def _with_text(basis: Basis, text: str) -> Basis:
    return Basis(basis.kind, basis.title, basis.article, basis.number, text=text)


_PLACE: Final = r"《(?!中华人民共和国)\w{2,12}?(?:省|自治区|(?<!城)市(?!场)|州|县)"
# In this order: the first that fits a title with its number behind it, white space and width aside.
_KINDS: Final = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"最高人民(法院|检察院)|法释|高检发释", BasisKind.INTERPRETATION),
        (r"《国务院[^》]*(决定|清单|目录)[^》]*》|国务院批准", BasisKind.STATE_COUNCIL),
        (r"[〔\[]\d{4}[〕\]]\s*\d+号", BasisKind.NORMATIVE),
        (r"国务院令", BasisKind.REGULATION),
        (r"主席令|《全国人民代表大会[^》]*决定》", BasisKind.LAW),
        (r"(人民代表大会|人大)[^》]*公告|《[^》]*实施[〈<《][^》]*(条例|办法)》", BasisKind.LOCAL_REGULATION),
        (r"令", BasisKind.RULE),
        (r"(?<!办)法》", BasisKind.LAW),
        (rf"{_PLACE}[^》]*条例(\([^)]*\))?》", BasisKind.LOCAL_REGULATION),
        (r"条例(\([^)]*\))?》", BasisKind.REGULATION),
        (r"(规定|办法|细则|规则)(\([^)]*\))?》", BasisKind.RULE),
    )
)


def guess_kind(title: str, number: str) -> BasisKind:
    """What a text of this title and 文号 probably is; a person has to confirm it."""
    named = f"{squeezed(title)}{squeezed(number)}"
    return next((kind for pattern, kind in _KINDS if pattern.search(named)), BasisKind.NORMATIVE)
