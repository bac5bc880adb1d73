"""The questions: by number and code, by hash, by file, and many at once. Every answer carries its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from flask import Response, request
from pydantic import ValidationError

from signsvc.errors import InputError, RegistryError, TooMany
from signsvc.report import Report
from signsvc.verify import not_asked, verify_file, verify_hash, verify_item, verify_number
from signsvc.web.api.answers import BatchAnswer, NumberReport
from signsvc.web.api.answers import Report as Answer
from signsvc.web.api.bodies import ITEM, BatchQuestion, Claims, HashQuestion, NumberQuestion
from signsvc.web.api.operation import ASKING, FILE_FORM, Operation
from signsvc.web.api.reading import asked, day
from signsvc.web.api.sample import BATCH, FILE, HASH, NUMBER
from signsvc.web.api.words import PROBLEMS
from signsvc.web.faults import log
from signsvc.web.languages import CHINESE, language, say
from signsvc.web.replies import answer_text
from signsvc.web.site import Site
from signsvc.web.uploads import uploaded
from signsvc.wiring.answering import answered

BATCH_BYTES = 1024 * 1024
_DAMAGED = "registry_damaged"


class Verifying:
    """The views over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def by_number(self) -> Response:
        """A Report, and whether the claims are the certificate's."""
        question = asked(NumberQuestion)
        as_of = day(question.as_of)
        self._site.guard.code(question.code)
        report = verify_number(self._site.verifier, question.number, question.code, as_of)
        return answer_text(self._told(report, self._matches(report, question.claims)))

    def by_hash(self) -> Response:
        """A Report on a file that stays with the asker."""
        question = asked(HashQuestion)
        return answer_text(self._told(verify_hash(self._site.verifier, question.sha256, day(question.as_of))))

    def by_file(self) -> Response:
        """A Report on the file that is sent."""
        data = uploaded()
        if request.form or len(request.files) != 1:
            raise InputError("除 file 外不接受别的栏", "malformed_request")
        # Only now: who sends slowly must not hold a place that others wait for.
        with self._site.guard.examining():
            return answer_text(self._told(verify_file(self._site.verifier, data)))

    def batch(self) -> Response:
        """A Report on each item, in the order asked."""
        question = asked(BatchQuestion, BATCH_BYTES)
        as_of = day(question.as_of)
        self._site.guard.items(len(question.items))
        items = ",".join(self._told(self._one(_item(item), as_of)) for item in question.items)
        return answer_text(f'{{"items":[{items}]}}')

    def _one(self, item: Mapping[str, str], as_of: date | None) -> Report:
        """A Report on one item. A code that was asked about too often spoils no other item, nor does an entry that was
        changed in the database."""
        try:
            self._site.guard.code(item.get("code", ""))
            return verify_item(self._site.verifier, item, as_of)
        except TooMany as error:
            return not_asked(self._site.verifier, item, error, as_of)
        except RegistryError as error:
            if error.code != _DAMAGED:
                raise
            log(error)
            return not_asked(self._site.verifier, item, _for_the_public(error), as_of)

    def _matches(self, report: Report, claims: Claims | None) -> Mapping[str, bool]:
        said = claims.model_dump(exclude_unset=True) if claims else {}
        if not said or report.certificate is None:
            return {}
        self._site.guard.claims(report.certificate.number)
        return self._site.guard.matched(report.certificate.number, self._site.verifier.claims(report, said))

    def _told(self, report: Report, matches: Mapping[str, bool] | None = None) -> str:
        """The answer in the asker's language (JSON), signed as it is given."""
        self._site.guard.verdict(report.verdict.value)
        worded = report if language() == CHINESE else _worded(report)
        return answered(worded, matches or {}, self._site.receipts).text


def _worded(report: Report) -> Report:
    """The same in the asker's language."""
    return replace(
        report,
        checks=tuple(replace(check, detail=say(check.detail)) for check in report.checks),
        reasons=tuple(replace(reason, message=say(reason.message)) for reason in report.reasons),
    )


def _for_the_public(error: RegistryError) -> RegistryError:
    """The same without the words that are for the operator."""
    _, meaning = PROBLEMS[error.code]
    return RegistryError(meaning, error.code)


def _item(raw: object) -> Mapping[str, str]:
    """An item as it may be looked up; empty, hence malformed, if it has not the fields of one."""
    try:
        return ITEM.validate_python(raw).model_dump()
    except ValidationError:
        return {}


def verifying(site: Site) -> tuple[Operation, ...]:
    """The operations that verify."""
    views = Verifying(site)
    return (
        Operation(
            "verifyNumber",
            "post",
            "/api/v1/verify",
            "按编号和查验码查验",
            "编号不存在与查验码不符得到同样的回答（200，not_found）。"
            "问 claims 时另答所述姓名、证件号码、有效期、证明事项与登记是否相符，从不给出登记的内容；"
            "没有查到证明时不答。",
            views.by_number,
            asks=NumberQuestion,
            gives=NumberReport,
            faults=ASKING,
            example=NUMBER,
        ),
        Operation(
            "verifyHash",
            "post",
            "/api/v1/verify/hash",
            "按文件摘要查验",
            "文件留在对方手中，只送 SHA-256。登记的是整个文件的摘要，差一个字节就是 not_found；"
            "要知道差在哪里，请送文件。",
            views.by_hash,
            asks=HashQuestion,
            gives=Answer,
            faults=ASKING,
            example=HASH,
        ),
        Operation(
            "verifyFile",
            "post",
            "/api/v1/verify/file",
            "按文件查验",
            "核对签章、文件有无改动和登记。文件只在内存中检查，不留存；不看文件名和所报类型。",
            views.by_file,
            asks=FILE_FORM,
            gives=Answer,
            faults=ASKING,
            example=FILE,
        ),
        Operation(
            "verifyBatch",
            "post",
            "/api/v1/verify/batch",
            "成批查验",
            "一次 1 至 1000 项，可混用编号和摘要；逐项回答，各有回执。某一项写错时该项为 not_found，"
            "原因在其 reasons（malformed_code、malformed_number、malformed_sha256、malformed_item），不影响其他项。"
            "同一查验码查得太频繁时也是如此（too_many_requests）：该项没有查，请稍后再查；"
            "该项的登记与日志不符时也是如此（registry_damaged）：请联系运营方。",
            views.batch,
            asks=BatchQuestion,
            gives=BatchAnswer,
            faults=ASKING,
            example=BATCH,
        ),
    )
