"""Legal references read out of a basis cell: 《title》（note）（number）第…条第…款第…项, and the article's text.

What kind of text is cited is only guessed from its name and number; an unknown one is taken for a 规范性文件, on which
nothing can be founded, so that a wrong guess refuses rather than issues.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from signsvc.models import Basis, BasisKind
from signsvc.tables.rows import lines_of, squeezed

# Possessive everywhere: a hostile cell must not make them try again.
_ORDINAL: Final = r"第\s*+[（(]?[〇零一二三四五六七八九十百千两0-9０-９]++[）)]?\s*+"
_PART: Final = rf"{_ORDINAL}(?:条(?:之[一二三四五六七八九十]++)?|款|项|目)\s*+"
_ARTICLE: Final = re.compile(
    rf"\s*+((?:附件\s*+(?:\d++\s*+)?)?(?:{_PART})++(?:[、，,和及至或]\s*+(?:{_PART})++)*+)"
)
_BRACKET: Final = re.compile(r"\s*+[（(]([^（）()]*+)[）)]")
_BULLET: Final = re.compile(r"(?:\d++[.．、]|[（(]?[\d一二三四五六七八九十]++[）)、]|[①-⑳])\s*+(?=《)")
_JOINT: Final = re.compile(r"\s*+(?:[、，,；;和及]|以及)?\s*+(?=《)")
_BREAK: Final = re.compile(r"[；;]\s*+(?=《)")
_EMPTY: Final = re.compile(r"[\s、，,；;。.：:]*")
_LONGEST_TITLE: Final = 200  # characters
# A bracket behind the title that tells its version belongs to the title, any other with 号 or 令 is the number.
_VERSION: Final = re.compile(r"(?:修正|修订|修改|通过|公布|发布|颁布|施行|试行)$")


@dataclass(frozen=True)
class Cited:
    """A basis cell as understood, and the lines in which no reference with an article was found, verbatim."""

    bases: tuple[Basis, ...]
    unread: tuple[str, ...]


def read_references(cell: str) -> Cited:
    """References divided by line breaks, or by 、 or ； before the next 《; a line that begins otherwise goes on with
    the text of the reference above it."""
    bases: list[Basis] = []
    unread: list[str] = []
    for line in lines_of(cell):
        bullet = _BULLET.match(line)
        cited = line[bullet.end() :] if bullet else line
        if cited.startswith("《"):
            found, rest = _references(cited)
            bases += found
            unread += [rest] if rest else []
        elif bases and not unread:
            bases[-1] = _with_text(bases[-1], f"{bases[-1].text}\n{line}".strip())
        else:
            unread.append(line)
    return Cited(tuple(bases), tuple(unread))


def _references(line: str) -> tuple[list[Basis], str]:
    """The references of one line, and what is left where the next one could not be read."""
    bases: list[Basis] = []
    while line:
        found = _reference(line)
        if found is None:
            return bases, line
        basis, rest = found
        joint = _JOINT.match(rest)
        if joint and _reference(rest[joint.end() :]):
            text, line = "", rest[joint.end() :]
        else:
            text, line = _text(rest)
        bases.append(_with_text(basis, text))
    return bases, ""


def _text(rest: str) -> tuple[str, str]:
    """The article's text, up to a ； behind which another reference begins, and that reference."""
    for found in _BREAK.finditer(rest):
        if _reference(rest[found.end() :]):
            return rest[: found.start()].strip(), rest[found.end() :]
    return ("" if _EMPTY.fullmatch(rest) else rest.strip()), ""


def _reference(text: str) -> tuple[Basis, str] | None:
    """The reference at the beginning of a text, and what follows its article."""
    end = _title_end(text)
    if not end:
        return None
    title, number, rest = text[:end], "", text[end:]
    while bracket := _BRACKET.match(rest):
        inside, rest = bracket[1].strip(), rest[bracket.end() :]
        if not number and re.search("[号令]", inside) and not _VERSION.search(inside):
            number = inside
        else:
            title += f"（{inside}）"
    article = _ARTICLE.match(rest)
    if article is None:
        return None
    kind = guess_kind(title, number)
    return Basis(kind, title, "".join(article[1].split()), number), rest[article.end() :]


def _title_end(text: str) -> int:
    """Where the outermost 《…》 at the beginning closes; 0 if there is none."""
    depth = 0
    for at, character in enumerate(text[:_LONGEST_TITLE]):
        depth += {"《": 1, "》": -1}.get(character, 0)
        if depth == 0:
            return at + 1 if at else 0
    return 0


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
