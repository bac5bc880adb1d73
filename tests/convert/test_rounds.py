"""Bad documents among good ones, with a program that breaks on command."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from signsvc.convert.merged import Joined
from signsvc.convert.rounds import PIECES, Joining, convert_in_rounds
from signsvc.convert.workshop import Outcome
from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

GOOD, UNREADABLE, CRASHES, HANGS, LONER, BLURS, LOST = (
    DocxBytes(kind)
    for kind in (b"good", b"unreadable", b"crashes", b"hangs", b"loner", b"blurs", b"lost in the crowd")
)
ENDS = {CRASHES: Outcome.CRASHED, HANGS: Outcome.TIMED_OUT}
FINE = (GOOD, LONER, BLURS, LOST)


def join(documents: Sequence[DocxBytes]) -> Joined | None:
    """A loner is not joined."""
    return None if LONER in documents else Joined(DocxBytes(b"+".join(documents)), len(documents))


def divide(pdf: PdfBytes, joined: Joined) -> list[PdfBytes | ConversionFailed]:
    """Nobody can tell what is in a file with one that blurs; another is lost among others."""
    kinds, many = pdf.split(b"+"), joined.parts > 1
    if many and BLURS in kinds:
        return []
    return [ConversionFailed("lost") if many and kind == LOST else PdfBytes(kind) for kind in kinds]


def joining(most: int) -> Joining:
    return Joining(most, join, divide)


class Program:
    """Works through the files in order, like LibreOffice, and counts its starts."""

    def __init__(self) -> None:
        self.starts = 0

    def __call__(self, documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        self.starts += 1
        made = {}
        for name, document in documents.items():
            kinds = document.split(b"+")
            for kind, outcome in ENDS.items():
                if kind in kinds:
                    return made, outcome
            if UNREADABLE not in kinds:
                made[name.replace(".docx", ".pdf")] = PdfBytes(document)
        return made, Outcome.DONE


@given(
    st.lists(st.sampled_from(FINE), max_size=120),
    st.lists(st.tuples(st.integers(0, 120), st.sampled_from([UNREADABLE, CRASHES, HANGS])), max_size=2),
    st.sampled_from([1, 2, 30, 200]),
)
def test_bad_documents_fail_alone(good: list[DocxBytes], bad: list[tuple[int, DocxBytes]], most: int) -> None:
    documents = list(good)
    for place, document in bad:
        documents.insert(place, document)
    results = convert_in_rounds(documents, Program(), joining(most))
    for document, result in zip(documents, results, strict=True):
        if document in FINE:
            assert result == document
        else:
            assert isinstance(result, ConversionFailed)


def test_results_are_in_order() -> None:
    documents = [DocxBytes(f"{number}".encode()) for number in range(300)]
    assert convert_in_rounds(documents, Program()) == documents
    assert convert_in_rounds(documents, Program(), joining(70)) == documents


def test_one_bad_document_costs_few_starts() -> None:
    for bad in (UNREADABLE, CRASHES, HANGS):
        program = Program()
        convert_in_rounds([*[GOOD] * 130, bad, *[GOOD] * 69], program, joining(200))
        assert program.starts <= 6
    assert PIECES**2 >= 200


def test_a_document_that_fails_once_is_tried_again() -> None:
    program, calls = Program(), []

    def flaky(documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        calls.append(documents)
        return ({}, Outcome.CRASHED) if len(calls) == 1 else program(documents)

    assert convert_in_rounds([GOOD, GOOD], flaky) == [GOOD, GOOD]


def test_a_broken_program_is_not_started_for_every_document() -> None:
    starts = []

    def broken(documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        starts.append(documents)
        return {}, Outcome.TIMED_OUT

    for most in (1, 200):
        starts.clear()
        results = convert_in_rounds([GOOD] * 500, broken, joining(most))
        assert all(isinstance(result, ConversionFailed) for result in results)
        assert len(results) == 500
        assert len(starts) < 10


def test_nothing_to_convert_starts_nothing() -> None:
    program = Program()
    assert convert_in_rounds([], program) == []
    assert program.starts == 0
