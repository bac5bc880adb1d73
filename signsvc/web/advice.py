"""What a person does with an answer: what to read first, how far to rely on it, and what to do next. Pure; one table of
plain words.

`matches` are what was answered about the person: by field, whether it is the holder's.
"""

from __future__ import annotations

from collections.abc import Mapping

from signsvc.models import Certificate, Medium, Standing
from signsvc.report import Checked, Reason, Report, Verdict, headline
from signsvc.texts import Text

CLAIMS = ("name", "id_number")  # what tells whether it is about the person in front of one
# Colour of the answer; only a certificate that is valid today, of this person and no demonstration is green.
TONES = {
    Verdict.VALID: "good",
    Verdict.EXPIRED: "warn",
    Verdict.SUSPENDED: "warn",
    Verdict.NOT_YET_VALID: "warn",
}
# Reasons of an answer as of an earlier day that come before its headline, and what holds since.
STOPPED_LATER = {
    "revoked_later": Verdict.REVOKED,
    "superseded_later": Verdict.SUPERSEDED,
    "suspended_later": Verdict.SUSPENDED,
}
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
MISMATCHED = "{fields}与登记不一致：不是来人的证明，不要接受"
_FIELDS = {
    ("name",): "姓名",
    ("id_number",): "证件号码",
    ("name", "id_number"): "姓名和证件号码",
}
# A name or number was typed and not looked at.
UNMATCHED = "核对次数太多，请在{wait}后再核对姓名和证件号码；现在不知道是不是来人的证明"
# Over the facts: whoever compares them with the paper must know what is left out of them.
MASKED_HOLDER = "持有人只显示第一个字，与手中的证明不一样是正常的：是不是来人的证明，用姓名和证件号码核对。"
MASKED_SLOTS = "空白处（＿＿）填了什么，这里不显示：有没有被改动，要核对 PDF 文件。"
MASKED_SLOTS_SEEN = "空白处（＿＿）填了什么，这里不显示：以手中的证明为准。"

DEMO = "这是演示，不能用来办事。"
RELY = "可以采信：文件与出具时一致，电子印章经认可。"
RELY_ON_ENTRY = "登记可以采信，电子印章经认可。手中的文件有没有被改动，请再核对 PDF 文件。"
PAPER = "以加盖公章的纸质件为准：请核对纸质件和它的公章。"
SELF_MANAGED = "印章是自建的，不等同法定电子印章；是否采信，由您单位决定。"
UNKNOWN = "没有查到，不等于一定是假的；但查到之前不要采信。"
NO = "现在不能凭它办事。"
OTHER_DAY = "按{day}的情况回答，不是今天；现在能否采信请查今天。"
STOPPED_SINCE = "现在不能凭它办事。按{day}的情况：{verdict}"


def first_line(report: Report) -> str:
    """The headline; for an earlier day what happened since comes before what held then."""
    stopped = _stopped_later(report)
    if stopped is None:
        return headline(report)
    if report.certificate and report.certificate.demo:
        return Text("演示数据，无法律效力：{verdict}", verdict=stopped.message)
    return stopped.message


def mismatch(matches: Mapping[str, bool]) -> str:
    """What must be read before anything that sounds like yes; empty if everything that was asked matches."""
    wrong = tuple(field for field in CLAIMS if matches.get(field) is False)
    return Text(MISMATCHED, fields=_FIELDS[wrong]) if wrong else ""


def tone(report: Report, matches: Mapping[str, bool], unmatched: str = "") -> str:
    """`good`, `warn` or `bad`; `unmatched` says why the person was not looked at although that was asked."""
    if mismatch(matches) or _stopped_later(report):
        return "bad"
    demo = report.certificate is not None and report.certificate.demo
    found = TONES.get(report.verdict, "bad")
    return "warn" if found == "good" and (demo or unmatched or is_other_day(report)) else found


def reliance(report: Report, matches: Mapping[str, bool]) -> str:
    """`rely` in plain words."""
    certificate = report.certificate
    if _is_notice(report):
        return NO
    if report.verdict is Verdict.NOT_FOUND:
        return UNKNOWN
    if certificate is None:
        return NO
    if _stopped_later(report):
        return Text(STOPPED_SINCE, day=report.as_of, verdict=headline(report))
    if is_other_day(report):
        return Text(OTHER_DAY, day=report.as_of)
    if mismatch(matches):
        return NO
    if certificate.demo:
        return DEMO
    if report.rely:
        return RELY_ON_ENTRY if report.checked == "number" else RELY
    if report.verdict is not Verdict.VALID:
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
    stopped = _stopped_later(report)
    verdict = STOPPED_LATER[stopped.code] if stopped else report.verdict
    # What will have expired by the day that was asked about may be in date today.
    now = () if verdict is Verdict.EXPIRED and is_other_day(report) else STEPS.get(verdict, ())
    person = THE_PERSON if verdict is Verdict.VALID and len(matches) < len(CLAIMS) else ""
    typed = MISMATCH if mismatch(matches) else ""
    return tuple(filter(None, (typed, *now, person)))


def masked(certificate: Certificate, checked: Checked) -> tuple[str, ...]:
    """What is left out of the facts, and by what it is checked."""
    if "{" not in certificate.statement_pattern:
        return (MASKED_HOLDER,)
    by_entry = checked == "number" and certificate.medium is Medium.ELECTRONIC
    return (MASKED_HOLDER, MASKED_SLOTS if by_entry else MASKED_SLOTS_SEEN)


def is_other_day(report: Report) -> bool:
    """Whether it tells of another day than the one on which it was asked."""
    return report.as_of != report.checked_at.date()


def _stopped_later(report: Report) -> Reason | None:
    return next((reason for reason in report.reasons if reason.code in STOPPED_LATER), None)


def _is_notice(report: Report) -> bool:
    """A notice of refusal (不予出具告知单) is registered, and no certificate."""
    return any(reason.code == "refusal_notice" for reason in report.reasons)
