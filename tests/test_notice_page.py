"""A converted notice of refusal looks as it should: short and long, one reason and several, by both converters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from fill_cases import AUTONOMOUS
from needs import require
from printing import MM, Filled, boxes, converted_and_read, font_book
from refusal_cases import BANNED, LONG, SEVERAL, every_item, fault, notice

from signsvc.fill import NOTICE, Form, notice_values
from signsvc.models import Refuse, SealPlace

REFUSAL = Path(__file__).parents[1] / "templates_docx" / "refusal.docx"
SEAL = 21 * MM
SEVERAL_AND_LONG = replace(SEVERAL, faults=(*SEVERAL.faults, *SEVERAL.faults), ways=SEVERAL.ways * 3)
CASES = {
    "short": (notice(), 1),
    "without ways": (notice(decision=Refuse(BANNED.faults)), 1),
    "long pathway": (notice(decision=Refuse((fault("banned_matter", LONG),), BANNED.ways)), 2),
    "several reasons": (notice(decision=SEVERAL, office=replace(AUTONOMOUS, demo=False)), 2),
    "more": (notice(decision=SEVERAL_AND_LONG), 2),
}
LISTED = every_item()
Converted = dict[str, tuple[bytes, SealPlace]]


@pytest.fixture(scope="module", params=["libreoffice", "embedded"])
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """Every case as the converter prints it, in one call."""
    if request.param == "embedded":
        pytest.importorskip("office2pdf")
    else:
        require("soffice")
    form, book = Form.load(REFUSAL.read_bytes(), NOTICE), font_book()
    filled = {}
    for name, one in {**LISTED, **{name: one for name, (one, _) in CASES.items()}}.items():
        values = notice_values(one)
        document = form.fill(values, None, book.choose)
        filled[name] = Filled(document, (values["出具日期"], values["出具组织"]))
    return converted_and_read(request.param, book, filled, tmp_path_factory.mktemp("look"))


def test_every_item_of_both_lists_fits_one_page(converted: Converted) -> None:
    assert len(LISTED) == 43
    pages = {name: len(pypdfium2.PdfDocument(converted[name][0])) for name in LISTED}
    assert {name: count for name, count in pages.items() if count > 1} == {}


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_pages_and_the_order_on_the_first(name: str, converted: Converted) -> None:
    pdf = pypdfium2.PdfDocument(converted[name][0])
    assert len(pdf) == CASES[name][1]
    order = ["不予出具告知单", "编号：qh-demo-J-7F3KQ2M9XA", "不是证明", "张三：", "您申请出具"]
    order += ["一、不予出具的原因", "二、依据", "三、办事途径"]
    tops = [boxes(pdf[0], words)[3] for words in order]
    assert tops == sorted(tops, reverse=True)


@pytest.mark.parametrize("name", [*CASES, "gd-demo 1", "qh-demo 8"])
def test_two_lines_of_text_go_with_the_signature_and_a_seal_fits_over_it(
    name: str, converted: Converted
) -> None:
    pdf, place = converted[name]
    document = pypdfium2.PdfDocument(pdf)
    last = document[len(document) - 1]
    first, second = boxes(last, "仍被要求提供的"), boxes(last, "本单位电话：")
    date = boxes(last, "2026年11月21日")
    assert place.page == len(document) - 1
    assert first[1] > second[3]
    assert second[1] > date[3]
    assert place.y + SEAL < second[1] + 4  # below the last line of text
    assert place.y - SEAL > 10 * MM
    assert place.x + SEAL < 210 * MM


@pytest.mark.parametrize("name", CASES)
def test_no_line_stands_in_another(name: str, converted: Converted) -> None:
    """Text in a table and the paragraph before it are the converters' to keep apart."""
    for page in pypdfium2.PdfDocument(converted[name][0]):
        if "12345可反映" in (told := page.get_textpage().get_text_bounded()) and "仍被" in told:
            assert boxes(page, "可拨打12345反映")[1] > boxes(page, "仍被要求提供的")[3]


@pytest.mark.parametrize("name", CASES)
def test_every_line_keeps_inside_the_margins(name: str, converted: Converted) -> None:
    for page in pypdfium2.PdfDocument(converted[name][0]):
        for item in page.get_objects():
            left, bottom, right, top = item.get_bounds()
            assert left >= 28 * MM - 1
            assert right <= (28 + 156) * MM + 16  # a closing bracket may hang over the end of its line
            assert bottom >= 34 * MM - 6
            assert top <= (297 - 37) * MM + 6
