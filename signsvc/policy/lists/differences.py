"""What tells one version of a retained list from another, matter by matter and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from signsvc.models import Basis, BasisKind, Handling, Matter, Medium, OfficeKind, Path, Slot
from signsvc.policy.lists.catalogue import Catalogue


@dataclass(frozen=True)
class Difference:
    """One field that is not the same; `old` is blank where there was none, `new` where there is none any more."""

    kind: str  # 新增, 取消 (of a whole matter), 变更
    matter: str  # 名称（编号）; 清单 for the list itself
    field: str  # 证明用途; 依据《…》第六条 失效日
    old: str
    new: str


_LIST = {"jurisdiction": "辖区", "holder": "标题所填市（州）或部门", "offices": "适用组织"}
_MATTER = {
    "name": "证明名称",
    "aliases": "别名",
    "handled": "涉及办理事项名称",
    "pattern": "证明事项用语",
    "purposes": "证明用途",
    "addressee": "证明索要单位",
    "owner": "责任部门",
    "path": "办理方式",
    "medium": "载体",
    "office_kinds": "适用组织类别",
    "handling": "办结类型",
    "limit_days": "办理时限（工作日）",
    "can_verify": "有能力核实",
    "conflict_reason": "与不应出具清单同名的保留理由",
    "issuer_reason": "由基层群众性自治组织出具的理由",
    "justification": "设定论证",
    "necessity": "必要性",
    "yearly_count": "年办理数量",
    "reason": "保留理由",
    "channel": "办理渠道",
    "note": "备注",
    "demo": "演示",
}
_BASIS = {
    "kind": "类别",
    "title": "名称",
    "number": "文号",
    "article": "条款",
    "valid_from": "施行日",
    "valid_to": "失效日",
    "ended_by": "由何废止",
    "text": "条文",
    "issuer_named": "写明由基层群众性自治组织出具",
}
_SLOT = {"name": "名称", "free": "允许自填", "max_length": "最长字数", "default": "缺省内容"}
KINDS: Mapping[StrEnum, str] = {
    BasisKind.LAW: "法律",
    BasisKind.REGULATION: "行政法规",
    BasisKind.LOCAL_REGULATION: "地方性法规",
    BasisKind.STATE_COUNCIL: "国务院决定",
    BasisKind.INTERPRETATION: "司法解释",
    BasisKind.RULE: "规章",
    BasisKind.NORMATIVE: "规范性文件",
}
_VALUES: Mapping[StrEnum, str] = {
    **KINDS,
    Path.ORDINARY: "一般",
    Path.CONSULTATION: "议事协商",
    Path.RISK: "法律风险评估",
    Path.TRANSITIONAL: "过渡期",
    Handling.ON_THE_SPOT: "当场办结",
    Handling.TIMED: "限时办结",
    Medium.ELECTRONIC: "电子",
    Medium.PAPER: "纸质",
    OfficeKind.COMMUNITY: "居民委员会",
    OfficeKind.VILLAGE: "村民委员会",
}


def differences(old: Catalogue, new: Catalogue) -> tuple[Difference, ...]:
    """Every difference between two versions: of the list itself, then of its matters, by their ids."""
    found = list(_compared("变更", "清单", _facts(old, _LIST), _facts(new, _LIST)))
    before, after = _by_id(old), _by_id(new)
    found += _compared("变更", "清单", _order(before, after), _order(after, before))
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        kind = "变更" if was and now else "新增" if now else "取消"
        matter = now or was
        name = f"{matter.name}（{key}）" if matter else key
        found += _compared(kind, name, _matter_facts(was), _matter_facts(now))
    return tuple(found)


def _by_id(catalogue: Catalogue) -> dict[str, Matter]:
    return {matter.id: matter for matter in catalogue.matters}


def _order(one: Mapping[str, Matter], other: Mapping[str, Matter]) -> dict[str, str]:
    """The order of the matters that both have: those that come or go are told by themselves."""
    return {"事项的次序": "；".join(key for key in one if key in other)}


def _compared(kind: str, matter: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for label in dict.fromkeys((*old, *new)):
        was, now = old.get(label, ""), new.get(label, "")
        if was != now:
            yield Difference(kind, matter, label, was, now)


def _matter_facts(matter: Matter | None) -> dict[str, str]:
    if matter is None:
        return {}
    facts = _facts(matter, _MATTER)
    printed = [basis.printed for basis in matter.bases]
    for at, basis in enumerate(matter.bases):
        again = printed[:at].count(basis.printed)
        facts |= _inner(
            f"依据{basis.printed}" + (f"（第{again + 1}处）" if again else ""), _facts(basis, _BASIS)
        )
    for slot in matter.slots:
        facts |= _inner(f"空“{slot.name}”", _facts(slot, _SLOT))
    order = {
        "依据的次序": printed,
        "空的次序": [slot.name for slot in matter.slots],
    }
    return facts | {label: "；".join(names) for label, names in order.items()}


def _inner(name: str, facts: Mapping[str, str]) -> dict[str, str]:
    return {f"{name} {label}": value for label, value in facts.items()}


def _facts(item: Catalogue | Matter | Basis | Slot, labels: Mapping[str, str]) -> dict[str, str]:
    return {label: _shown(getattr(item, name)) for name, label in labels.items()}


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case StrEnum():
            return _VALUES[value]
        case date():
            return value.isoformat()
        case frozenset():
            return "；".join(sorted(value))
        case tuple():
            return "；".join(map(_shown, value))
        case _:
            return str(value)
