"""Bad documents among good ones, with a program that breaks on command."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signsvc.convert.rounds import convert_in_rounds
from signsvc.convert.workshop import Outcome
from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

GOOD, UNREADABLE, CRASHES, HANGS = (
    DocxBytes(kind) for kind in (b"good", b"unreadable", b"crashes", b"hangs")
)
ENDS = {CRASHES: Outcome.CRASHED, HANGS: Outcome.TIMED_OUT}


class Program:
    """Works through the documents in order, like LibreOffice, and counts its starts."""

    def __init__(self) -> None:
        self.starts = 0

    def __call__(self, documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        self.starts += 1
        made = {}
        for name, document in documents.items():
            if document in ENDS:
                return made, ENDS[document]
            if document == GOOD:
                made[name.replace(".docx", ".pdf")] = PdfBytes(name.encode())
        return made, Outcome.DONE


@given(
    st.lists(st.just(GOOD), max_size=120),
    st.lists(st.tuples(st.integers(0, 120), st.sampled_from([UNREADABLE, CRASHES, HANGS])), max_size=2),
)
def test_bad_documents_fail_alone(good: list[DocxBytes], bad: list[tuple[int, DocxBytes]]) -> None:
    documents = list(good)
    for place, document in bad:
        documents.insert(place, document)
    results = convert_in_rounds(documents, Program())
    for index, (document, result) in enumerate(zip(documents, results, strict=True)):
        if document == GOOD:
            assert result == f"{index + 1:04d}.docx".encode()
        else:
            assert isinstance(result, ConversionFailed)


def test_a_document_that_fails_once_is_tried_again() -> None:
    program, calls = Program(), []

    def flaky(documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        calls.append(documents)
        return ({}, Outcome.CRASHED) if len(calls) == 1 else program(documents)

    assert convert_in_rounds([GOOD, GOOD], flaky) == [b"0001.docx", b"0002.docx"]


def test_a_broken_program_is_not_started_for_every_document() -> None:
    starts = []

    def broken(documents: dict[str, DocxBytes]) -> tuple[dict[str, PdfBytes], Outcome]:
        starts.append(documents)
        return {}, Outcome.TIMED_OUT

    results = convert_in_rounds([GOOD] * 500, broken)
    assert all(isinstance(result, ConversionFailed) for result in results)
    assert len(results) == 500
    assert len(starts) < 10


def test_nothing_to_convert_starts_nothing() -> None:
    program = Program()
    assert convert_in_rounds([], program) == []
    assert program.starts == 0
