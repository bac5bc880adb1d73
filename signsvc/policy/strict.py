"""TOML read strictly: each key is asked for by its kind, and a key that nobody asked for is an error.

Every fault is a PolicyError that names the file, the line and the key, for the person who keeps the file by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from signsvc.errors import PolicyError

Kind = TypeVar("Kind", bound=StrEnum)


class Section:
    """One table of a TOML file: a cursor that remembers which keys were asked for."""

    def __init__(self, values: dict[str, Any], lines: list[str], origin: str, name: str, start: int) -> None:
        self._values = values
        self._lines = lines
        self._origin = origin
        self._name = name  # dotted, as in its header
        self._start = start  # index of its first line
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
        at = self._start - 1
        for values in found:
            at = self._header(self._dotted(key), at + 1)
            yield Section(values, self._lines, self._origin, self._dotted(key), at)

    def section(self, key: str) -> Section:
        """The table `[key]` inside this one."""
        found = self._take(key)
        if not isinstance(found, dict):
            self.fail(key, f"应写成 [{self._dotted(key)}]")
        at = self._header(self._dotted(key), self._start)
        return Section(found, self._lines, self._origin, self._dotted(key), at)

    def finish(self) -> None:
        """Refuse what nobody asked for: a misspelt key must not be overlooked."""
        if unknown := sorted(set(self._values) - self._asked):
            self.fail(unknown[0], "未知的键")

    def fail(self, key: str, reason: str) -> NoReturn:
        """Raise PolicyError naming file, line and key."""
        raise PolicyError(f"{self._origin} 第{self._line_of(key)}行 {self._dotted(key)}：{reason}")

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

    def _header(self, dotted: str, begin: int) -> int:
        header = re.compile(rf"\s*\[+\s*{re.escape(dotted)}\s*\]")
        hits = (at for at in range(begin, len(self._lines)) if header.match(self._lines[at]))
        return next(hits, self._start)

    def _line_of(self, key: str) -> int:
        """Line of the key, else of the table's header: where the person has to look."""
        wanted = re.compile(rf"\s*(\[+\s*(\w+\.)*)?\"?{re.escape(key)}\"?\s*(=|\])")
        for at in range(self._start + bool(self._name), len(self._lines)):
            if wanted.match(self._lines[at]):
                return at + 1
            if self._name and re.match(rf"\s*\[+\s*{re.escape(self._name)}\s*\]", self._lines[at]):
                break
        return self._start + 1


def read(text: str, origin: str) -> Section:
    """The file's root table; PolicyError if it is not TOML (the reader's message says at which line)."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{origin} 不是正确的 TOML：{error}") from error
    return Section(values, text.splitlines(), origin, "", 0)
