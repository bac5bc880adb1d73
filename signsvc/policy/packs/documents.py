"""Published documents (文件): their names, the days on which they hold, and what succeeds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Validity:
    """A span of days, both ends inclusive; None where an end is not known."""

    valid_from: date | None = None
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Whether it holds on that day, as far as is known."""
        return not (self.valid_from and day < self.valid_from) and not (self.valid_to and day > self.valid_to)


@dataclass(frozen=True)
class Successor(Validity):
    """A later document that extends or replaces one (接续、延期), so that its passages go on."""

    number: str = ""
    title: str = ""


@dataclass(frozen=True)
class Document(Validity):
    """A published document (文件)."""

    number: str = ""  # 青民发〔2021〕103号
    title: str = ""
    issuers: tuple[str, ...] = ()
    printed_on: date | None = None
    successors: tuple[Successor, ...] = ()
    note: str = ""  # what is not sure about the data above

    def expired(self, day: date) -> bool:
        """Whether its validity (有效期) is over on that day and nothing that succeeds it covers the day."""
        return self.valid_to is not None and day > self.valid_to and self.held_by(day) is None

    def held_by(self, day: date) -> Document | Successor | None:
        """What holds on that day, itself or a successor; None if nothing of them covers the day."""
        spans: tuple[Document | Successor, ...] = (self, *self.successors)
        return next((span for span in spans if span.covers(day)), None)

    def number_on(self, day: date) -> str:
        """The number under which it holds on that day: its own, or its successor's."""
        return (self.held_by(day) or self).number

    @property
    def ends(self) -> date | None:
        """The last day on which it or what succeeds it holds; None where no end is known."""
        ends = [span.valid_to for span in (self, *self.successors)]
        return None if None in ends else max(end for end in ends if end)

    def last_held(self, day: date) -> Document | Successor:
        """Which of it and its successors ended last before that day: what is over when it has expired."""
        spans: tuple[Document | Successor, ...] = (self, *self.successors)
        over = [span for span in spans if span.valid_to and span.valid_to < day]
        return max(over, key=lambda span: span.valid_to or date.min, default=self)
