"""A catalogue as TOML, as `load_catalogue` reads it: nothing is written that goes without saying."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any

import tomli_w

from signsvc.models import Basis, Matter, Slot
from signsvc.policy.lists.catalogue import Catalogue

# Keys and values of one table; a list of such is a table each, `[[matters.bases]]`.
Values = Mapping[str, Any]


def to_toml(catalogue: Catalogue) -> str:
    """The catalogue's text. Its edition is not in it: that is the digest of the text. Comments of an older text are
    lost."""
    return document(head(catalogue), (values_of(matter) for matter in catalogue.matters))


def head(catalogue: Catalogue) -> Values:
    """What a catalogue says of itself."""
    named = {"jurisdiction": catalogue.jurisdiction, "holder": catalogue.holder}
    return {**named, "offices": sorted(catalogue.offices)}


def document(root: Values, matters: Iterable[Values]) -> str:
    """The file with these root keys and matters, sound or still with gaps."""
    return "\n".join((tomli_w.dumps(root), *(_table("matters", values) for values in matters)))


def values_of(noun: Matter | Slot | Basis) -> dict[str, Any]:
    """The keys of a matter, slot or basis that differ from what is read where nothing is said."""
    given = {field.name: (getattr(noun, field.name), field.default) for field in fields(noun)}
    return {
        name: _value(value)
        for name, (value, default) in given.items()
        if default is MISSING or value != default
    }


def _value(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Slot | Basis):
        return values_of(value)
    return [_value(item) for item in value] if isinstance(value, tuple) else value


def _table(header: str, values: Values) -> str:
    """One `[[header]]` with the tables inside it below; the loader finds lines by these headers."""
    inner = {key: value for key, value in values.items() if _is_tables(value)}
    own = {key: value for key, value in values.items() if key not in inner}
    below = (_table(f"{header}.{key}", item) for key, items in inner.items() for item in items)
    return "\n".join((f"[[{header}]]\n{tomli_w.dumps(own)}", *below))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
