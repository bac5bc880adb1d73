"""What stands in the notice of refusal, and that its form is held to as strictly as the certificate's."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from fill_cases import ANNEX4, AUTONOMOUS, COMMUNITY, plain_face
from refusal_cases import BANNED, BASIS, DOCUMENT, LIST, SEVERAL, SHORT, WAYS, decided, fault, notice

from signsvc.errors import Ground, TemplateError
from signsvc.fill import NOTICE, Form, notice_values, text_of
from signsvc.models import OfficeId, Refuse
from signsvc.policy import demo_text, load_offices

REFUSAL = Path(__file__).parents[2] / "templates_docx" / "refusal.docx"
FORM = Form.load(REFUSAL.read_bytes(), NOTICE)


def test_values_are_the_fields_of_the_form() -> None:
    assert set(notice_values(notice())) == set(NOTICE.texts)


def test_one_reason_stands_without_numbers() -> None:
    values = notice_values(notice())
    assert values["不予出具的原因"] == "该事项不应由本组织出具（banned_matter）。"
    assert values["依据"] == f"{DOCUMENT}二（二）：“{SHORT.sentence}”\n所在清单：{LIST}第10项“健在证明”"
    assert values["办事途径"] == SHORT.pathway
    assert values["可以怎么办"].splitlines() == [f"{at}. {way}" for at, way in enumerate(WAYS, 1)]


def test_several_reasons_are_numbered_and_what_they_share_is_told_once() -> None:
    values = notice_values(notice(decision=SEVERAL))
    assert [line[:3] for line in values["不予出具的原因"].splitlines()] == ["1. ", "2. ", "3. "]
    first, listed, shared = values["依据"].splitlines()
    assert first.startswith("第1项：")
    assert listed.startswith("所在清单：")
    assert shared == f"第2、3项：{DOCUMENT}二（三）：“{BASIS.sentence}”"
    assert values["办事途径"].startswith("第1项：")


def test_a_reason_does_not_repeat_what_has_a_place_of_its_own() -> None:
    quoted = f"该事项列入{SHORT.listed}，不应由本组织出具。办事途径：{SHORT.pathway}"
    passage = f"未列入保留清单（{DOCUMENT}二（二）：“{SHORT.sentence}”）"
    decision = Refuse((fault("banned_matter", SHORT, quoted), fault("unknown_matter", SHORT, passage)))
    reasons = notice_values(notice(decision=decision))["不予出具的原因"].splitlines()
    assert reasons == [f"1. 该事项列入{SHORT.listed}，不应由本组织出具。", "2. 未列入保留清单。"]
    assert "所在清单" not in notice_values(notice(decision=Refuse(decision.faults[:1])))["依据"]


def test_nothing_is_left_blank_where_the_policy_names_no_way() -> None:
    bare = Refuse((fault("unknown_matter", Ground(DOCUMENT, "二（三）", "原则上不再出具其他证明材料")),))
    values = notice_values(notice(decision=bare))
    assert "请向索要单位或本单位咨询" in values["办事途径"]
    assert "本单位咨询" in values["可以怎么办"]


def test_an_exempted_case_is_told_its_item_and_where_to_go() -> None:
    office = load_offices(demo_text("offices"), "offices")[OfficeId("gd-demo")]
    purpose = {"matter": "亲属关系证明", "purpose": "不动产登记"}
    values = notice_values(decided(office, date(2026, 11, 21), **purpose))
    reason = values["不予出具的原因"]
    assert "除外情形" in reason
    assert "办事途径" not in reason
    assert "“" not in reason.replace("“亲属关系证明”", "")
    listed = "粤民发〔2020〕139号附件1《广东省不应由基层群众性自治组织出具证明事项清单（第一批）》第1项“亲属关系证明”"
    assert listed in reason + values["依据"]
    assert "公安派出所在核实后应当出具" in values["办事途径"]


def test_only_a_demonstration_says_that_it_is_one() -> None:
    assert "演示文书，无法律效力" in notice_values(notice())["说明"]
    real = notice_values(notice(office=replace(COMMUNITY, demo=False)))["说明"]
    assert "演示" not in real
    assert "不是证明" in real


def test_the_filled_notice_says_its_values_line_by_line_and_has_no_picture() -> None:
    values = notice_values(notice(decision=SEVERAL, office=AUTONOMOUS))
    docx = FORM.fill(values, None, plain_face)
    words = "".join(text_of(docx).split())
    for value in values.values():
        assert "".join(value.split()) in words
    body = Document(io.BytesIO(docx)).element.body
    assert len(list(body.iter("{*}br"))) == sum(value.count("\n") for value in values.values())
    assert list(body.iter("{*}drawing")) == []


@pytest.mark.parametrize("name", NOTICE.texts)
def test_a_field_without_a_value_is_refused(name: str) -> None:
    values = {key: text for key, text in notice_values(notice()).items() if key != name}
    with pytest.raises(TemplateError, match=name):
        FORM.fill(values, None, plain_face)


def test_each_form_takes_a_picture_if_it_has_a_place_for_one() -> None:
    with pytest.raises(TemplateError, match="图片"):
        FORM.fill(notice_values(notice()), b"PNG", plain_face)


def test_no_form_passes_for_the_other() -> None:
    with pytest.raises(TemplateError, match="缺少字段"):
        Form.load(ANNEX4.read_bytes(), NOTICE)
    with pytest.raises(TemplateError, match="不认识的字段"):
        Form.load(REFUSAL.read_bytes())


def test_a_value_that_looks_like_a_field_is_only_text() -> None:
    values = notice_values(notice(matter="{{姓名}}", decision=BANNED))
    assert "{{姓名}}" in text_of(FORM.fill(values, None, plain_face))


def test_a_document_that_is_over_is_said_to_be() -> None:
    over = replace(BANNED, notes=("青民发〔2021〕103号已于2026年8月3日期满，请留意有无新文件",))
    told = notice_values(notice(decision=over))["依据"]
    assert told.endswith("\n（青民发〔2021〕103号已于2026年8月3日期满，请留意有无新文件）")
