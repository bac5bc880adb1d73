"""The form's binary is what its script builds, and a converted page looks as it should."""

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
from fill_cases import ANNEX4, AUTONOMOUS, COMMUNITY, VILLAGE, draft
from needs import require
from pypdfium2 import raw

from signsvc.fill import Form, qr_png, text_of, values
from signsvc.fonts import FontBook
from signsvc.models import Draft

TEMPLATES = Path(__file__).parents[1] / "templates_docx"
MM = 72 / 25.4
LONG = "自2008年3月起与父母共同居住于和平街道幸福路12号院3号楼2单元501室，经社区网格员入户走访，情况属实，"
CASES: dict[str, tuple[Draft, int]] = {
    "ordinary": (draft(), 1),
    "short": (draft(office=replace(COMMUNITY, name="幸福社区居民委员会")), 1),
    "village": (draft(office=VILLAGE, name="加仓·晋美南杰"), 1),
    "long office": (draft(office=AUTONOMOUS, name="扎西·多杰䶮𬭎㛃𠅤"), 1),
    "two pages": (draft(statement="其属于本社区居民，" + LONG * 6 + "经常居住于本辖区"), 2),
}


def test_binary_is_what_the_script_builds() -> None:
    build = (
        "import sys; sys.path.insert(0, sys.argv[1]); import build; sys.stdout.buffer.write(build.build())"
    )
    built = subprocess.run([sys.executable, "-c", build, str(TEMPLATES)], capture_output=True, check=True)
    assert built.stdout == ANNEX4.read_bytes()


def test_page_is_a4_with_the_margins_of_gb_t_9704() -> None:
    section = Document(io.BytesIO(ANNEX4.read_bytes())).sections[0]
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


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every case as LibreOffice prints it, in one call."""
    soffice = require("soffice")
    folder = tmp_path_factory.mktemp("look")
    book = FontBook.load("Noto Serif CJK SC", "Noto Serif CJK SC:bold", ["BabelStone Han"])
    form = Form.load(ANNEX4.read_bytes())
    for name, (certificate, _) in CASES.items():
        docx = form.fill(values(certificate), qr_png(certificate.qr_url), book.choose)
        (folder / f"{name}.docx").write_bytes(docx)
        (folder / f"{name}.txt").write_text(text_of(docx))
    profile = f"-env:UserInstallation=file://{folder}/profile"
    files = sorted(str(file) for file in folder.glob("*.docx"))
    command = [soffice, "--headless", profile, "--convert-to", "pdf", "--outdir", str(folder), *files]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return {name: (folder / f"{name}.pdf").read_bytes() for name in CASES}


def boxes(page: pypdfium2.PdfPage, words: str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of `words` on the page, in points."""
    text = page.get_textpage()
    chars = [(chr(raw.FPDFText_GetUnicode(text, i)), i) for i in range(text.count_chars())]
    printed = [(char, i) for char, i in chars if not char.isspace()]
    start = "".join(char for char, _ in printed).find(words)
    assert start >= 0, words
    found = [text.get_charbox(i) for _, i in printed[start : start + len(words)]]
    return (
        min(b[0] for b in found),
        min(b[1] for b in found),
        max(b[2] for b in found),
        max(b[3] for b in found),
    )


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
