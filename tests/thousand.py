"""A file of 1,000 realistic rows, the same every time: good ones of every kind, and bad ones of every kind."""

from __future__ import annotations

import random
from dataclasses import dataclass

from home import a_row, id_number

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
)
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉梅鑫浩宇轩梓涵欣怡思远晨曦嘉懿卓玛"
TIBETAN = ("扎西·多杰", "加仓·晋美南杰", "才让·卓玛", "索南·旺堆", "仁青·措", "益西·拉姆")
RARE = ("䶮", "𬭎", "㛃", "𠅤")
ADDRESSES = (
    "自2012年起居住于本辖区",
    "与其母同住于本辖区和平路18号",
    "租住于本辖区，居住满三年",
    "户籍迁出后仍经常居住于本辖区",
)
LONG = (
    "其自二〇一一年三月起随父母居住于本辖区和平路十八号院，期间曾于二〇一六年至二〇一八年在外省务工，"
    "每年春节及农忙时节返回居住；二〇一八年九月返乡后连续居住至今，参加本社区历次居民会议，"
)
BAD = {
    "missing_name": ({"name": ""}, "request_invalid:missing_field"),
    "id_check_digit": ({"id_number": "449901198312240520"}, "request_invalid:invalid_id_number"),
    "excel_damage": ({"id_number": "6.3E+17"}, "request_invalid:invalid_id_number"),
    "future_birth": ({"id_number": id_number(1, "20300101")}, "request_invalid:invalid_id_number"),
    "lost_character": ({"name": "陈?"}, "request_invalid:invalid_name"),
    "expired_before_issue": ({"valid_until": "2020-01-01"}, "request_invalid:validity_order"),
    "no_date": ({"valid_until": "明年"}, "request_invalid:invalid_date"),
    "no_investigation": ({"verified_how": "听说"}, "request_invalid:investigation_required"),
    "same_person_approves": ({"approved_by": "核实人甲"}, "request_invalid:approval_required"),
    "child_alone": ({"id_number": id_number(7, "20200601")}, "request_invalid:guardian_required"),
    "bidi": ({"addressee": "法院\u202e"}, "request_invalid:forbidden_character"),
    "too_long": ({"addressee": "院" * 101}, "request_invalid:text_too_long"),
    "no_font": ({"name": "王\U000323af"}, "glyph_missing"),
    "other_office": ({"office": "nowhere"}, "unknown_office"),
    "not_in_catalogue": ({"matter": "居住天数证明"}, "unknown_matter"),
    "banned": ({"matter": "亲属关系证明"}, "banned_matter"),
    "banned_in_slot": ({"statement": "特此出具无犯罪记录证明"}, "banned_matter"),
    "lapsed": ({"matter": "farmer-identity", "office": "qh-demo-village"}, "basis_lapsed"),
    "paper": ({"matter": "adopter-circumstances"}, "paper_only"),
    "meeting": ({"matter": "homestead-discussion", "office": "qh-demo-village"}, "consultation_required"),
    "other_basis": ({"legal_basis": "《婚姻法》第一条"}, "basis_not_allowed"),
    "other_purpose": ({"purpose": "办理贷款"}, "purpose_not_allowed"),
}


@dataclass(frozen=True)
class Row:
    """A row of the file, and the code it must end with; None if it must be issued."""

    cells: dict[str, str]
    code: str | None


def thousand(count: int = 1000) -> list[Row]:
    """`count` rows; about one in twelve is bad, about one in fifty needs a second page."""
    chance = random.Random(20261121)
    rows = [_row(number, chance) for number in range(1, count + 1)]
    for place, (changes, code) in enumerate(BAD.values()):
        for at in range(10 + place * 3, count, max(250, count // 4)):
            rows[at] = Row({**rows[at].cells, **changes}, code)
    return rows


def _row(number: int, chance: random.Random) -> Row:
    office = chance.choice(("qh-demo", "qh-demo-village", "gd-demo"))
    cells = a_row(
        number, office=office, name=_name(number, chance), id_number=id_number(number, _birth(chance))
    )
    if chance.random() < 0.4:
        cells["statement"] = chance.choice(ADDRESSES)
    if number % 50 == 0:
        cells["statement"] = (LONG * 5)[: chance.randint(350, 700)] + "特此说明"
    if number % 70 == 0:
        cells |= {
            "id_number": id_number(number, "20190909"),
            "guardian": "李大伟",
            "guardian_relation": "父亲",
        }
        cells["guardian_consent"] = "同意"
    return Row(cells, None)


def _name(number: int, chance: random.Random) -> str:
    if number % 17 == 0:
        return chance.choice(TIBETAN)
    given = "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
    if number % 29 == 0:
        given = RARE[number // 29 % len(RARE)]
    return chance.choice(SURNAMES) + given


def _birth(chance: random.Random) -> str:
    return f"{chance.randint(1940, 2008)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}"
