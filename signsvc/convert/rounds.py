"""Many documents through one program: one bad document fails alone, whatever it does to the call it is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from signsvc.errors import ConversionFailed
from signsvc.models import DocxBytes, PdfBytes

from .workshop import Outcome

# One call of the program: file name -> document in, file name -> PDF out. Names are neutral: 0001.docx, 0001.pdf.
Call = Callable[[dict[str, DocxBytes]], tuple[dict[str, PdfBytes], Outcome]]

CHUNK = 50  # documents a call: enough to forget the start-up, few enough to lose on a crash
_TRIES = 2  # failures of its own after which a document is given up
_FRUITLESS = 6  # calls in a row without any PDF after which the program itself is taken for broken
_REASONS = {
    Outcome.DONE: "转换程序没有生成 PDF，请用 signsvc template check 检查模板",
    Outcome.CRASHED: "转换程序异常退出，请重试；仍然失败时用 signsvc doctor 检查",
    Outcome.TIMED_OUT: "转换超时，已强制结束；请重试，或调大 conversion_timeout",
}


def convert_in_rounds(documents: Sequence[DocxBytes], call: Call) -> list[PdfBytes | ConversionFailed]:
    """Convert all, in order; documents left over are tried once more.

    The program works in order, so after a crash or time-out the first document without a PDF is the suspect, and the
    ones behind it are innocent. After a clean end every document without a PDF is. Suspects are tried again last.
    """
    results: dict[int, PdfBytes | ConversionFailed] = {}
    failures: Counter[int] = Counter()
    waiting = list(range(len(documents)))
    fruitless = 0
    while waiting:
        chunk = waiting[:CHUNK]
        made, outcome = call({f"{index + 1:04d}.docx": documents[index] for index in chunk})
        fruitless = 0 if made else fruitless + 1
        results |= {index: made[name] for index in chunk if (name := f"{index + 1:04d}.pdf") in made}
        left = [index for index in chunk if index not in results]
        failures.update(left if outcome is Outcome.DONE else left[:1])
        lost = waiting if fruitless == _FRUITLESS else [index for index in left if failures[index] == _TRIES]
        results |= {index: ConversionFailed(_REASONS[outcome]) for index in lost}
        waiting = sorted((index for index in waiting if index not in results), key=lambda i: (failures[i], i))
    return [results[index] for index in range(len(documents))]
