"""Refusals as the decision gives them, and notices of them: hand-made, in the documents' words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from fill_cases import COMMUNITY
from home import a_row

from signsvc.errors import Fault, Ground
from signsvc.models import Notice, Number, Office, Refuse
from signsvc.policy import Catalogue, Pack, decide, demo_text, load_catalogue, load_offices, load_pack
from signsvc.requests import row
from signsvc.requests.table import RawRow

DOCUMENT = "青民发〔2021〕103号"
LIST = f"{DOCUMENT}附件2《不应由基层群众性自治组织出具证明事项清单（第一批）》"
SITUATIONS = "对具有以下5种情形的证明事项，不予出具"
SHORT = Ground(
    DOCUMENT, "二（二）", SITUATIONS, f"{LIST}第10项“健在证明”", "由卫生健康部门等相关部门通过信息共享核查。"
)
LONG_PATHWAY = (
    "违法犯罪和受处分等情况可通过公安机关、司法机关、纪检监察机关和人事档案管理单位查询核实，"
    "需要书面材料的，由当事人向有管辖权的机关申请并出示有效身份证件；"
)
LONG = Ground(
    DOCUMENT, "二（二）", SITUATIONS, f"{LIST}第20项“政审（考察）证明（表现证明）”", LONG_PATHWAY * 6
)
BASIS = Ground(
    DOCUMENT, "二（三）", "必须是有明确法律法规依据或经国务院批准列入保留证明事项清单、属于职责范围的事项"
)
WAYS = (
    "凭现有证照办理：请先向索要单位说明您持有的证件。",
    "采取书面承诺：请向索要单位索取告知承诺书。",
    "索要单位擅自要求提供的，可拨打12345反映。",
)


def fault(code: str, ground: Ground | None, message: str = "", column: str = "matter") -> Fault:
    return Fault(code, message or f"该事项不应由本组织出具（{code}）", column, ground)


BANNED = Refuse((fault("banned_matter", SHORT),), WAYS, policy=DOCUMENT, policy_sha256="0" * 64)
SEVERAL = Refuse(
    (
        fault("banned_matter", LONG),
        fault("basis_lapsed", BASIS, "依据已被废止，不能据以出具：请报清单管理部门核对保留清单"),
        fault("basis_not_allowed", BASIS, "该事项的依据未写明由基层群众性自治组织出具"),
    ),
    WAYS,
    policy=DOCUMENT,
)


def notice(**changes: Any) -> Notice:
    """An ordinary notice of the demonstration, with `changes`."""
    ordinary = Notice(
        number=Number("qh-demo-J-7F3KQ2M9XA"),
        office=COMMUNITY,
        name="张三",
        matter="健在证明",
        addressee="示范市示范区社会保险事业管理局",
        decision=BANNED,
        issued_on=date(2026, 11, 21),
    )
    return replace(ordinary, **changes)


def decided(by: Office, today: date, **cells: str) -> Notice:
    """The notice of a real decision on a row with `cells` changed."""
    asked = row.parse(RawRow(2, a_row(**cells)), today, {}, 0)
    decision = decide(asked, by, *rules(by.jurisdiction), today)
    assert isinstance(decision, Refuse)
    return Notice(
        Number(f"{by.id}-J-7F3KQ2M9XA"),
        by,
        asked.name,
        asked.matter,
        asked.addressee,
        decision,
        today,
    )


@cache
def rules(place: str) -> tuple[Catalogue, Pack]:
    """The demonstration's retained list of a province, and its pack."""
    return load_catalogue(demo_text(f"catalogue-{place}"), place), load_pack(place)


def every_item() -> dict[str, Notice]:
    """A notice for every item of both provinces' lists, as the demonstration's offices give it."""
    today = date(2026, 11, 21)
    offices = load_offices(demo_text("offices"), "offices")
    return {
        f"{office.id} {item.number}": decided(office, today, matter=item.name)
        for office in offices.values()
        if office.id in ("qh-demo", "gd-demo")
        for item in load_pack(office.jurisdiction).items
    }
