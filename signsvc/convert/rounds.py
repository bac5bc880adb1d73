"""Many documents through one program: one bad document fails alone, whatever it does to the file or call it is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

from .merged import Joined
from .workshop import Outcome

# One call of the program: file name -> document in, file name -> PDF out. Names are neutral: 0001.docx, 0001.pdf.
Call = Callable[[dict[str, DocxBytes]], tuple[dict[str, PdfBytes], Outcome]]

FILES = 50  # files a call: enough to forget the start-up, few enough to lose on a crash
PIECES = 16  # a file of many documents that fails is taken apart into so many
_TRIES = 2  # failures of a document alone after which it is given up
_FRUITLESS = 8  # calls in a row without any PDF after which the program itself is taken for broken
_REASONS = {
    Outcome.DONE: "转换程序没有生成 PDF，请用 signsvc template check 检查模板",
    Outcome.CRASHED: "转换程序异常退出，请重试；仍然失败时用 signsvc doctor 检查",
    Outcome.TIMED_OUT: "转换超时，已强制结束；请重试，或调大 conversion_timeout",
}


@dataclass(frozen=True)
class Joining:
    """How documents share a file: at most `most` of them.

    `join` gives None for documents that cannot share one. `divide` gives the PDF of each of those joined, or why there
    is none; nothing where they cannot be told apart.
    """

    most: int
    join: Callable[[Sequence[DocxBytes]], Joined | None]
    divide: Callable[[PdfBytes, Joined], Sequence[PdfBytes | ConversionFailed]]


EACH_ITS_OWN = Joining(1, lambda documents: None, lambda pdf, joined: [pdf])


@dataclass(frozen=True)
class _File:
    """What the program gets: the documents of these numbers."""

    numbers: Sequence[int]
    content: Joined = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.numbers[0] + 1:04d}"


def convert_in_rounds(
    documents: Sequence[DocxBytes], call: Call, joining: Joining = EACH_ITS_OWN
) -> list[PdfBytes | ConversionFailed]:
    """Convert all, in order. A file that fails is taken apart and tried again last, one document alone once more.

    The program works in order, so after a crash or time-out the first file without a PDF is the suspect, and the ones
    behind it are innocent. After a clean end every file without a PDF is.
    """
    rounds = _Rounds(documents, joining)
    outcome, fruitless = Outcome.DONE, 0
    while rounds.waiting and fruitless < _FRUITLESS:
        batch = rounds.next()
        made, outcome = call({f"{file.name}.docx": file.content.docx for file in batch})
        fruitless = 0 if made else fruitless + 1
        rounds.take(batch, made, outcome)
    lost = ConversionFailed(_REASONS[outcome])
    return [rounds.results.get(number, lost) for number in range(len(documents))]


class _Rounds:
    """What came of the documents so far, and the files that wait."""

    def __init__(self, documents: Sequence[DocxBytes], joining: Joining) -> None:
        self._documents = documents
        self._joining = joining
        self._failures: Counter[int] = Counter()
        self.results: dict[int, PdfBytes | ConversionFailed] = {}
        self.waiting = list(self._files(range(len(documents)), joining.most))

    def next(self) -> list[_File]:
        """The files of the next call."""
        batch, self.waiting = self.waiting[:FILES], self.waiting[FILES:]
        return batch

    def take(self, batch: Sequence[_File], made: Mapping[str, PdfBytes], outcome: Outcome) -> None:
        """The results of a call; what has none waits again, innocent files first."""
        unmade = [file for file in batch if f"{file.name}.pdf" not in made]
        innocent = [] if outcome is Outcome.DONE else unmade[1:]
        self.waiting = innocent + self.waiting
        for file in batch:
            if pdf := made.get(f"{file.name}.pdf"):
                self._divide(file, pdf)
            if file not in innocent:
                self._again(file, outcome)

    def _divide(self, file: _File, pdf: PdfBytes) -> None:
        """Of many, those without a result are tried again; one alone has had its chance."""
        results = self._joining.divide(pdf, file.content)
        for number, result in zip(file.numbers, results, strict=False):
            if isinstance(result, bytes) or len(file.numbers) == 1:
                self.results[number] = result

    def _again(self, file: _File, outcome: Outcome) -> None:
        left = [number for number in file.numbers if number not in self.results]
        if left and len(file.numbers) == 1:
            self._failures.update(left)
            if self._failures[left[0]] == _TRIES:
                self.results[left.pop()] = ConversionFailed(_REASONS[outcome])
        self.waiting += self._files(left, ceil(len(left) / PIECES))

    def _files(self, numbers: Sequence[int], most: int) -> Iterator[_File]:
        """The documents joined, at most so many a file, and fewer where they cannot be."""
        for start in range(0, len(numbers), max(most, 1)):
            some = numbers[start : start + most]
            documents = [self._documents[number] for number in some]
            content = Joined(documents[0], 1) if len(documents) == 1 else self._joining.join(documents)
            if content is None:
                yield from self._files(some, ceil(len(some) / PIECES))
            else:
                yield _File(some, content)
