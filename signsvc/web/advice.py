"""What a person does with an answer: how far to rely on it, and what to do next. Pure; one table of plain words."""

from __future__ import annotations

from collections.abc import Mapping

from signsvc.models import Medium, Standing
from signsvc.report import Report, Verdict

CLAIMS = ("name", "id_number")  # what tells whether it is about the person in front of one
_NOT_THIS = "不要接受。"
_ASK_THE_OFFICE = "请拨打出具单位对外公布的电话询问；不要用这份证明上印的电话。"
_ON_PAPER = "只有纸质件时，请按编号和查验码查验。"
_ORIGINAL = "请对方提供出具时的原文件：另存、打印后扫描或截图的都不行。"

STEPS: Mapping[Verdict, tuple[str, ...]] = {
    Verdict.UNREADABLE: (_ORIGINAL, _ON_PAPER),
    Verdict.NOT_SEALED: (_ORIGINAL, _ON_PAPER),
    Verdict.UNTRUSTED: (_NOT_THIS, _ASK_THE_OFFICE),
    Verdict.ALTERED: (_NOT_THIS, _ORIGINAL, _ON_PAPER),
    Verdict.REVOKED: (_NOT_THIS, "仍需要证明的，请对方到出具单位重新开具。"),
    Verdict.SUPERSEDED: ("不要接受这一份，请对方提供换发后的新证明，再查一次。",),
    Verdict.SUSPENDED: ("暂时不要接受。", "请联系出具单位；恢复使用后再查一次。"),
    Verdict.NOT_YET_VALID: ("查询的日期早于出具日期：请核对查询的日期。",),
    Verdict.EXPIRED: ("不要接受这一份，请对方到出具单位重新开具。",),
    Verdict.VALID: ("把“证明上应当写着”的内容与手中的证明逐项对照，有一项不同就不要接受。",),
}
THE_PERSON = "填入来人的姓名和证件号码核对，两项都一致才是本人的证明。"
NOT_FOUND = (
    "请对照证明，逐位核对编号和查验码。查验码里没有字母 I、O、S、V、Z。",
    _ASK_THE_OFFICE,
)
FILE_NOT_FOUND = (_ORIGINAL, _ON_PAPER, _ASK_THE_OFFICE)
NOTICE = ("它告诉申请人为什么不出具证明，不能当证明使用。",)
MISMATCH = "“不一致”时先检查有没有输错；没有输错，就不是这个人的证明，不要接受。"

DEMO = "这是演示，不能用来办事。"
RELY = "可以采信：文件与出具时一致，电子印章经认可。"
RELY_ON_ENTRY = "登记可以采信，电子印章经认可。手中的文件有没有被改动，请再核对 PDF 文件。"
PAPER = "以加盖公章的纸质件为准：请核对纸质件和它的公章。"
SELF_MANAGED = "印章是自建的，不等同法定电子印章；是否采信，由您单位决定。"
UNKNOWN = "没有查到，不等于一定是假的；但查到之前不要采信。"
NO = "现在不能凭它办事。"


def reliance(report: Report) -> str:
    """`rely` in plain words."""
    certificate = report.certificate
    if _is_notice(report):
        return NO
    if certificate and certificate.demo:
        return DEMO
    if report.rely:
        return RELY_ON_ENTRY if report.checked == "number" else RELY
    if report.verdict is Verdict.NOT_FOUND:
        return UNKNOWN
    if report.verdict is not Verdict.VALID or certificate is None:
        return NO
    if certificate.medium is Medium.PAPER:
        return PAPER
    return SELF_MANAGED if certificate.standing is Standing.SELF_MANAGED else NO


def steps(report: Report, matches: Mapping[str, bool]) -> tuple[str, ...]:
    """What to do next, in order."""
    if _is_notice(report):
        return NOTICE
    if report.verdict is Verdict.NOT_FOUND:
        return NOT_FOUND if report.checked == "number" else FILE_NOT_FOUND
    person = THE_PERSON if report.verdict is Verdict.VALID and len(matches) < len(CLAIMS) else ""
    mismatch = "" if all(matches.values()) else MISMATCH
    return tuple(filter(None, (mismatch, *STEPS.get(report.verdict, ()), person)))


def _is_notice(report: Report) -> bool:
    """A notice of refusal (不予出具告知单) is registered, and no certificate."""
    return any(reason.code == "refusal_notice" for reason in report.reasons)
