"""The forms' binaries are what their scripts build, and a converted page looks as it should."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from docx.oxml.ns import qn
from fill_cases import ANNEX4, AUTONOMOUS, COMMUNITY, VILLAGE, draft, with_body
from home import DEMO_REQUESTS, Home
from needs import require
from printing import MM, Filled, boxes, converted_and_read, font_book

from signsvc.convert import Choice
from signsvc.fill import Form, qr_png, values
from signsvc.models import Draft

TEMPLATES = Path(__file__).parents[1] / "templates_docx"
REFUSAL = TEMPLATES / "refusal.docx"
LONG = "自2008年3月起与父母共同居住于和平街道幸福路12号院3号楼2单元501室，经社区网格员入户走访，情况属实，"
CASES: dict[str, tuple[Draft, int]] = {
    "ordinary": (draft(), 1),
    "short": (draft(office=replace(COMMUNITY, name="幸福社区居民委员会")), 1),
    "village": (draft(office=VILLAGE, name="加仓·晋美南杰"), 1),
    "long office": (draft(office=AUTONOMOUS, name="扎西·多杰䶮𬭎㛃𠅤"), 1),
    "two pages": (draft(statement="其属于本社区居民，" + LONG * 6 + "经常居住于本辖区"), 2),
}


@pytest.mark.parametrize("name", ["annex4.docx", "refusal.docx"])
def test_binary_is_what_the_scripts_build(name: str) -> None:
    build = (
        "import sys; sys.path.insert(0, sys.argv[1]); import build;"
        "sys.stdout.buffer.write(build.FORMS[sys.argv[2]]())"
    )
    command = [sys.executable, "-c", build, str(TEMPLATES), name]
    built = subprocess.run(command, capture_output=True, check=True)
    assert built.stdout == (TEMPLATES / name).read_bytes()


@pytest.mark.parametrize("form", [ANNEX4, REFUSAL])
def test_page_is_a4_with_the_margins_of_gb_t_9704(form: Path) -> None:
    section = Document(io.BytesIO(form.read_bytes())).sections[0]
    sizes = (section.page_width, section.page_height, section.top_margin, section.left_margin)
    assert [round(size.mm) for size in sizes if size] == [210, 297, 37, 28]
    assert round(210 - 28 - (section.right_margin or 0) / 36000) == 156
    assert round(297 - 37 - (section.bottom_margin or 0) / 36000) == 225


def test_body_is_size_3_in_fangsong_and_title_size_2() -> None:
    styles = {style.name: style for style in Document(io.BytesIO(ANNEX4.read_bytes())).styles}
    body, title = styles["证明正文"], styles["证明标题"]
    assert (body.font.size.pt, body.font.name) == (16, "仿宋_GB2312")
    assert (title.font.size.pt, title.font.name) == (22, "方正小标宋简体")
    assert body.element.rPr.rFonts.get(qn("w:eastAsia")) == "仿宋_GB2312"
    assert body.paragraph_format.first_line_indent.pt == 32
    assert body.paragraph_format.line_spacing.pt == 29


@pytest.fixture(scope="module", params=["libreoffice", "embedded"])
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every case as the converter prints it, in one call."""
    if request.param == "embedded":
        pytest.importorskip("office2pdf")
    else:
        require("soffice")
    return printed(
        request.param, {name: one for name, (one, _) in CASES.items()}, tmp_path_factory.mktemp("look")
    )


def printed(choice: Choice, drafts: dict[str, Draft], work: Path) -> dict[str, bytes]:
    """Each draft as a PDF that passed the reading back."""
    form, book = Form.load(ANNEX4.read_bytes()), font_book()
    filled = {}
    for name, one in drafts.items():
        anchor = (values(one)["出具日期"], f"（{values(one)['出具组织']}盖章）")
        code = qr_png(one.qr_url)
        filled[name] = Filled(form.fill(values(one), code, book.choose), anchor, code)
    return {name: pdf for name, (pdf, _) in converted_and_read(choice, book, filled, work).items()}


def test_the_stand_in_never_parts_the_date_from_the_office(tmp_path: Path) -> None:
    """Wherever the body ends on its page."""
    pytest.importorskip("office2pdf")
    lengths = range(100, 801, 25)
    drafts = {str(size): draft(statement=("其自出生起居住于本辖区，" * 70)[:size]) for size in lengths}
    pages = [len(pypdfium2.PdfDocument(pdf)) for pdf in printed("embedded", drafts, tmp_path).values()]
    assert pages == sorted(pages)
    assert {1, 2} <= set(pages)


@pytest.mark.parametrize("name", CASES)
def test_page_count_and_last_page(name: str, converted: dict[str, bytes]) -> None:
    pdf = pypdfium2.PdfDocument(converted[name])
    assert len(pdf) == CASES[name][1]
    last = pdf[len(pdf) - 1]
    validity = boxes(last, "此证明有效期至2027年5月20日。")
    date = boxes(last, "2026年11月21日")
    office = boxes(last, "盖章）")
    copies = boxes(last, "本证明一式两份，基层群众性自治组织留存一份，居民持有一份。")
    code = boxes(last, "查验码：7F3K-Q2M9-XA4R-TW1C")
    assert validity[1] > date[3] > office[3] > copies[3] > code[3] > 35 * MM
    assert office[1] - copies[3] > 15 * MM
    assert validity[1] - date[3] > 11 * MM
    assert copies[3] - copies[1] < 16  # on one line


@pytest.mark.parametrize("name", CASES)
def test_date_and_office_share_an_axis_in_the_right_half(name: str, converted: dict[str, bytes]) -> None:
    pdf = pypdfium2.PdfDocument(converted[name])
    last = pdf[len(pdf) - 1]
    date = boxes(last, "2026年11月21日")
    middle = (date[0] + date[2]) / 2
    assert middle > 105 * MM + 20
    for line in f"（{values(CASES[name][0])['出具组织']}盖章）".split("\n"):
        left, _, right, _ = boxes(last, line)
        assert abs((left + right) / 2 - middle) < 8  # half a bracket's white space
        assert right < (28 + 156) * MM


@pytest.mark.parametrize("name", CASES)
def test_qr_code_is_whole_square_and_clear_of_the_text(name: str, converted: dict[str, bytes]) -> None:
    pdf = pypdfium2.PdfDocument(converted[name])
    last = pdf[len(pdf) - 1]
    pictures = [item.get_bounds() for item in last.get_objects() if item.type == 3]
    assert len(pictures) == 1
    left, bottom, right, top = pictures[0]
    assert round((right - left) / MM) == round((top - bottom) / MM) == 23
    assert right + 5 < boxes(last, "查验码：")[0]
    assert top < boxes(last, "本证明一式两份")[1]
    assert bottom > 30 * MM


def test_own_text_of_a_template_that_no_font_has_is_told_before_any_row(home: Home) -> None:
    file = home.folder / "tibetan.docx"
    file.write_bytes(with_body("<w:p><w:r><w:t>ཀ</w:t></w:r></w:p>"))
    done = replace(home, extra={"SIGNSVC_TEMPLATE": str(file)}).run("sign", DEMO_REQUESTS, expect=2)
    assert done.stderr.startswith("error: template_error: ")
    assert "U+0F40" in done.stderr
    assert home.run("template", "check", ANNEX4).stdout.endswith("模板可用\n")
    assert "ཀ" in home.run("template", "check", file, expect=1).stdout


def test_what_is_no_docx_at_all_is_unusable_input(home: Home) -> None:
    file = home.folder / "form.docx"
    file.write_bytes(b"%PDF-1.7")
    assert home.run("template", "check", file, expect=2).stderr.startswith("error: unusable_input: ")


@pytest.mark.parametrize(("key", "value"), [("FONT_BODY", "NoSuchFont"), ("FONT_FILES", "/nope.ttf")])
def test_a_font_that_was_asked_for_and_is_not_there_stops_the_batch(home: Home, key: str, value: str) -> None:
    asked = replace(home, extra={f"SIGNSVC_{key}": value})
    assert asked.run("sign", DEMO_REQUESTS, expect=2).stderr.startswith("error: bad_setting: ")
