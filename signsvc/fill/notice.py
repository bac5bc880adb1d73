"""What is printed in each field of the notice of refusal (不予出具告知单)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from signsvc.errors import Fault
from signsvc.fill.values import printed_date, signature
from signsvc.models import Notice

NO_CERTIFICATE = "本告知单不是证明，不得代替证明使用"
DEMO = "演示文书，无法律效力"
NO_PATHWAY = "上述规定没有列明办事途径，请向索要单位或本单位咨询。"
NO_WAYS = "请拨打下方电话，向本单位咨询可以代替的材料和办理渠道。"


def notice_values(notice: Notice) -> dict[str, str]:
    """The text of every field. A line feed parts reasons, grounds and ways; a long office name takes two lines."""
    office, faults = notice.office, notice.decision.faults
    return {
        "编号": notice.number,
        "说明": f"（{DEMO}；{NO_CERTIFICATE}）" if office.demo else f"（{NO_CERTIFICATE}）",
        "姓名": notice.name,
        "证明事项": notice.matter,
        "索要单位": notice.addressee,
        "不予出具的原因": _numbered([_reason(fault) for fault in faults]),
        "依据": "\n".join((_told([_source(fault) for fault in faults]), *map(_aside, notice.decision.notes))),
        "办事途径": _told([fault.ground.pathway if fault.ground else "" for fault in faults]) or NO_PATHWAY,
        "可以怎么办": _numbered(notice.decision.ways) or NO_WAYS,
        "电话": office.phone,
        "出具日期": printed_date(notice.issued_on),
        "出具组织": signature(office),
    }


def _reason(fault: Fault) -> str:
    """Why, without the passage and the way to go that the words for a clerk quote: they have places of their own."""
    text, ground = fault.message, fault.ground
    if ground:
        text = text.replace(ground.quoted, "")
        text = text.replace(f"办事途径：{ground.pathway}", "") if ground.pathway else text
    return text.rstrip("。；") + "。"


def _source(fault: Fault) -> str:
    """The sentence with its place, and under it the item of the list where the reason does not name it."""
    ground = fault.ground
    if ground is None:
        return ""
    named = not ground.listed or ground.listed in fault.message
    listed = "" if named else f"\n所在清单：{ground.listed}"
    return f"{ground.document}{ground.place}：“{ground.sentence}”{listed}"


def _aside(note: str) -> str:
    return f"（{note}）"


def _numbered(texts: Sequence[str]) -> str:
    """One text as it is; several with 1., 2. before them, each on a line of its own."""
    if len(texts) < 2:
        return "".join(texts)
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def _told(texts: Sequence[str]) -> str:
    """What belongs to each reason, said once where it is the same, with the numbers of the reasons it belongs to."""
    reasons: dict[str, list[int]] = {}
    for number, text in enumerate(texts, 1):
        if text:
            reasons.setdefault(text, []).append(number)
    if len(texts) < 2:
        return "".join(reasons)
    return "\n".join(f"第{_list(numbers)}项：{text}" for text, numbers in reasons.items())


def _list(numbers: Iterable[int]) -> str:
    return "、".join(map(str, numbers))
