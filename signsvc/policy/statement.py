"""The statement (证明事项): a matter's fixed words with its slots filled, and what is wrong with what was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from signsvc.errors import Fault
from signsvc.models import Matter, Request, Slot
from signsvc.policy.screen.names import PLACEHOLDER


def typed_texts(request: Request) -> dict[str, str]:
    """Everything the form would print that the row may word as it likes, by column; a name is words too."""
    return {
        **request.slots,
        "name": request.name,
        "id_number": request.id_number,
        "addressee": request.addressee,
        "statement": request.statement or "",
    }


def slot_values(request: Request, matter: Matter) -> dict[str, str]:
    """What goes into each slot: its own column, the column 证明事项 for the free one, else its default."""
    values = {slot.name: slot.default for slot in matter.slots if slot.default is not None}
    free = _free_slot(matter)
    if free and _given(request.statement):
        values[free.name] = _given(request.statement)
    own = {slot.name: _given(request.slots.get(slot.name)) for slot in matter.slots}
    return values | {name: value for name, value in own.items() if value}


def fill(matter: Matter, values: Mapping[str, str]) -> str:
    """The pattern with its slots filled in one pass; a slot without a value stays a blank, a value is never a slot."""
    return PLACEHOLDER.sub(lambda blank: values.get(blank[1], blank[0]), matter.pattern)


def not_allowed(request: Request, matter: Matter) -> Iterator[Fault]:
    """Words for which the matter has no room: `statement_not_allowed`."""
    free = _free_slot(matter)
    statement = _given(request.statement)
    if statement and free is None:
        yield _fault("该事项的证明内容是固定的，不能自填：请将“证明事项”留空", "statement")
    elif statement and free and _given(request.slots.get(free.name)) not in ("", statement):
        yield _fault(f"“证明事项”与“{free.name}”填写不一致：只填其中一处", "statement")
    own = {slot.name for slot in matter.slots}
    for name, value in request.slots.items():
        if name not in own and _given(value):
            yield _fault(f"该事项没有“{name}”一栏：请留空", name)


def incomplete(values: Mapping[str, str], matter: Matter) -> Iterator[Fault]:
    """Slots without a value or with more than fits: `request_invalid:missing_field`, `:text_too_long`."""
    for slot in matter.slots:
        value = values.get(slot.name)
        if value is None:
            yield Fault("request_invalid:missing_field", f"请填“{slot.name}”", slot.name)
        elif len(value) > slot.max_length:
            message = f"“{slot.name}”共{len(value)}字，超过{slot.max_length}字：请缩短"
            yield Fault("request_invalid:text_too_long", message, slot.name)


def _free_slot(matter: Matter) -> Slot | None:
    return next((slot for slot in matter.slots if slot.free), None)


def _given(text: str | None) -> str:
    return (text or "").strip()


def _fault(message: str, column: str) -> Fault:
    return Fault("statement_not_allowed", message, column)
