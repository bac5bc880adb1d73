"""Many things that go from step to step: one that is refused or fails leaves the others alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from signsvc.errors import ConversionFailed, Fault, RowFailed, RowRefused
from signsvc.models import DocxBytes, Outcome, PdfBytes, Request

T = TypeVar("T")
U = TypeVar("U")
Convert = Callable[[Sequence[DocxBytes]], Sequence[PdfBytes | ConversionFailed]]


class Steps(ABC):
    """Some items on their way. Keys are their places among what was begun with."""

    refused_as = "refused"  # status of an outcome

    def each(self, items: Mapping[int, T], step: Callable[[int, T], U]) -> dict[int, U]:
        """Take every item one step on."""
        done: dict[int, U] = {}
        for key, item in items.items():
            try:
                done[key] = step(key, item)
            except RowRefused as refusal:
                self.end(key, self.refused_as, refusal.faults, refusal.ways)
            except RowFailed as failure:
                self.end(key, "failed", (Fault(failure.code, str(failure)),))
        return done

    @abstractmethod
    def end(self, key: int, status: str, faults: tuple[Fault, ...], ways: tuple[str, ...] = ()) -> None:
        """One that goes no further."""

    def convert(self, convert: Convert, documents: Mapping[int, DocxBytes]) -> dict[int, PdfBytes]:
        """All documents in one call."""
        pdfs: dict[int, PdfBytes] = {}
        for key, result in zip(documents, convert(list(documents.values())), strict=True):
            if isinstance(result, ConversionFailed):
                self.end(key, "failed", (Fault(result.code, str(result)),))
            else:
                pdfs[key] = result
        return pdfs


class Chunk(Steps):
    """A chunk of requests on its way: what each came to so far."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = dict(enumerate(requests))
        self.outcomes: dict[int, Outcome] = {}

    def end(self, key: int, status: str, faults: tuple[Fault, ...], ways: tuple[str, ...] = ()) -> None:
        self.outcomes[key] = Outcome(self.requests[key].request_id, status, faults=faults, ways=ways)
