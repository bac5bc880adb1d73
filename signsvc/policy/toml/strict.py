"""TOML read strictly: each key is asked for by its kind, and a key that nobody asked for is an error.

Every fault is a PolicyError that names the file, the line and the key, for the person who keeps the file by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from signsvc.errors import PolicyError
from signsvc.policy.toml.outline import Outline, Spot

# Of a file that people keep by hand: a list of some hundred items has some ten thousand characters.
LONGEST = 1_500_000  # characters
MOST_TABLES = 20_000

Kind = TypeVar("Kind", bound=StrEnum)


class Section:
    """One table of a TOML file: a cursor that remembers which keys were asked for."""

    def __init__(self, values: dict[str, Any], outline: Outline, origin: str, name: str, spot: Spot) -> None:
        self._values = values
        self._outline = outline
        self._origin = origin
        self._name = name  # dotted, as in its header
        self._spot = spot  # where it stands
        self._asked: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not blank; without a default it must be there."""
        return self._optional_text(key) or self._or_missing(key, default)

    def texts(self, key: str, *, optional: bool = False) -> tuple[str, ...]:
        """A list of texts, none blank and none twice; not empty unless optional."""
        found = self._take(key)
        if found is None and optional:
            return ()
        if not isinstance(found, list) or not all(isinstance(item, str) and item.strip() for item in found):
            self.fail(key, "应为由文字组成的列表")
        if not found or len(set(found)) != len(found):
            self.fail(key, "不能为空，也不能重复")
        return tuple(found)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false."""
        found = self._or_missing(key, default) if (given := self._take(key)) is None else given
        if not isinstance(found, bool):
            self.fail(key, "应为 true 或 false")
        return found

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number from 1."""
        found = self._or_missing(key, default) if (given := self._take(key)) is None else given
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            self.fail(key, "应为正整数")
        return found

    def whole_or_none(self, key: str) -> int | None:
        """A whole number from 1, or None where it is not given."""
        return self.whole(key) if self.has(key) else None

    def day(self, key: str) -> date | None:
        """A date without time, or None."""
        found = self._take(key)
        if found is not None and (not isinstance(found, date) or isinstance(found, datetime)):
            self.fail(key, "应为日期，如 2021-09-03（不加引号）")
        return found

    def choice(self, key: str, kinds: type[Kind], default: Kind | None = None) -> Kind:
        """One of an enumeration's values."""
        given = self.text(key, default)
        if given not in set(kinds):
            self.fail(key, "应为 " + " | ".join(kinds))
        return kinds(given)

    def sections(self, key: str, *, optional: bool = False) -> Iterator[Section]:
        """The tables `[[key]]` inside this one, in order."""
        found = self._take(key)
        if found is None and optional:
            return
        if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
            self.fail(key, f"应写成一个或多个 [[{self._dotted(key)}]]")
        spots = self._outline.tables(self._spot, self._dotted(key))
        for at, values in enumerate(found):
            spot = spots[at] if at < len(spots) else self._spot
            yield Section(values, self._outline, self._origin, self._dotted(key), spot)

    def has(self, key: str) -> bool:
        """Whether the key is given at all."""
        return key in self._values

    def section(self, key: str) -> Section:
        """The table `[key]` inside this one."""
        found = self._take(key)
        if not isinstance(found, dict):
            self.fail(key, f"应写成 [{self._dotted(key)}]")
        spots = self._outline.tables(self._spot, self._dotted(key)) or [self._spot]
        return Section(found, self._outline, self._origin, self._dotted(key), spots[0])

    def finish(self) -> None:
        """Refuse what nobody asked for: a misspelt key must not be overlooked."""
        if unknown := sorted(set(self._values) - self._asked):
            self.fail(unknown[0], "未知的键")

    def fail(self, key: str, reason: str) -> NoReturn:
        """Raise PolicyError naming file, line and key."""
        dotted = self._dotted(key)
        raise PolicyError(f"{self._origin} 第{self._outline.line(self._spot, dotted)}行 {dotted}：{reason}")

    def _take(self, key: str) -> Any:
        self._asked.add(key)
        return self._values.get(key)

    def _optional_text(self, key: str) -> str:
        found = self._take(key)
        if found is not None and (not isinstance(found, str) or not found.strip()):
            self.fail(key, "应为非空文字")
        return str(found or "")

    def _or_missing(self, key: str, default: Any) -> Any:
        if default is None:
            self.fail(key, "缺少")
        return default

    def _dotted(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


def read(text: str, origin: str) -> Section:
    """The file's root table; PolicyError if it is not TOML (the reader's message says at which line)."""
    outline = _outline(text, origin)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{origin} 不是正确的 TOML：{error}") from error
    # A number of thousands of digits, arrays within arrays without end: nobody wrote that by hand.
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{origin} 第1行：不是可用的 TOML 文件") from error
    return Section(values, outline, origin, "", outline.root)


def _outline(text: str, origin: str) -> Outline:
    """The outline of a text that is not too much for the TOML reader: deep keys would cost it the square of that."""
    if len(text) > LONGEST:
        raise PolicyError(f"{origin} 第1行：文件过大，不超过{LONGEST // 10_000}万字")
    outline = Outline(text)
    if line := outline.too_deep:
        raise PolicyError(f"{origin} 第{line}行：键的层次过多")
    if outline.size > MOST_TABLES:
        raise PolicyError(f"{origin} 第1行：表（[…] 和 [[…]]）过多，不超过{MOST_TABLES}个")
    return outline
