"""How a policy document stands on a day, in words for offices and operators (文件有效期). Never for a bank."""

from __future__ import annotations

from datetime import date, timedelta

from signsvc.models import Basis, Matter
from signsvc.policy.packs.documents import Document
from signsvc.policy.packs.pack import TRANSITIONAL, Deadline, Pack
from signsvc.texts import chinese_date

SOON = timedelta(days=60)


def validity(document: Document, today: date) -> str:
    """Whether the document holds, until when, and what follows if it does not."""
    if document.expired(today):
        last = document.last_held(today)
        return (
            f"{last.number}已于{chinese_date(last.valid_to or today)}期满：有上位法依据的事项照常办理并附提示；"
            "以文件本身为依据的办理方式（过渡期、法律风险评估等）停用，直至登记接续的文件。请确认有无新文件"
        )
    held = document.held_by(today)
    if held and held is not document:
        over = f"{document.number}已于{chinese_date(document.valid_to or today)}期满"
        # An extension (延期) may keep the number.
        later = "已延期" if held.number == document.number else f"由{held.number}接续"
        return f"{over}，{later}" + (f"，有效期至{chinese_date(document.ends)}" if document.ends else "")
    if document.valid_from and today < document.valid_from:
        return f"{document.number}自{chinese_date(document.valid_from)}起施行，目前尚未施行"
    if document.valid_to is None:
        return f"{document.number}未见失效日期"
    text = f"{document.number}在有效期内，有效期至{chinese_date(document.valid_to)}"
    return text + ("；即将期满，请留意接续的文件" if ends_soon(document, today) else "")


def ends_soon(document: Document, today: date) -> bool:
    """Whether it holds today and, with all that succeeds it, for no more than 60 days."""
    return bool(document.ends and today <= document.ends <= today + SOON)


def transitional(pack: Pack, today: date) -> str:
    """Whether the transitional path (过渡期) can be taken."""
    if not pack.opens(TRANSITIONAL):
        return "没有过渡期规定：列入不应出具清单的不能按过渡期办理"
    rule = pack.rule_for(TRANSITIONAL)
    if rule.document.expired(today):
        return f"停用：{rule.document.number}已期满，须先登记接续的文件"
    return f"可逐件办理（{rule.document.number_on(today)}{rule.place}）"


def due(deadline: Deadline, today: date) -> str:
    """When a report (报送) is due next, and which day has passed: what was not handed in by then is late."""
    coming, past = deadline.next_due(today), deadline.last_due(today)
    told = [f"下次{chinese_date(coming)}（还有{(coming - today).days}天）"] if coming else []
    if past:
        told.append(f"应于{chinese_date(past)}前报送的，未报送即已逾期{(today - past).days}天")
    return "；".join(told)


def out_of_force(basis: Basis, first: date, last: date) -> str:
    """Why a legal basis (依据) does not hold on all days from `first` to `last` (Q25); "" if it does.

    The words go on from what is said of the basis: 已自2022年3月1日起失效.
    """
    if basis.valid_to and basis.valid_to < last:
        cause = f"由{basis.ended_by}废止" if basis.ended_by else "失效"
        return f"已自{chinese_date(basis.valid_to + timedelta(days=1))}起{cause}"
    if basis.valid_from and basis.valid_from > first:
        return f"自{chinese_date(basis.valid_from)}起施行，此前尚未施行"
    return ""


def in_force(matter: Matter, day: date) -> bool:
    """Whether every basis of the matter holds on that day: without one, nothing is issued."""
    return not any(out_of_force(basis, day, day) for basis in matter.bases)


def lapse(basis: Basis, today: date) -> str:
    """What to review about a legal basis: it does not hold, or will not in 60 days; "" if there is nothing."""
    if reason := out_of_force(basis, today, today):
        return f"{basis.printed}{reason}，已停办，请复核清单"
    if basis.valid_to and basis.valid_to <= today + SOON:
        return f"{basis.printed}将于{chinese_date(basis.valid_to)}失效，请及时复核"
    return ""
