"""Which configured font prints a character."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from needs import absent

from signsvc import fonts
from signsvc.errors import RowFailed, SettingsError
from signsvc.fonts import FontBook


def make_font(path: Path, family: str, text: str, weight: int = 400) -> Path:
    """A small real font file that has the characters of `text`."""
    names = [".notdef", *(f"u{ord(char):X}" for char in text)]
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 500))
    pen.lineTo((500, 0))
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(char): f"u{ord(char):X}" for char in text})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader()
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "psName": family.replace(" ", "")})
    builder.setupOS2(usWeightClass=weight)
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def book(tmp_path: Path) -> FontBook:
    files = [
        make_font(tmp_path / "a.ttf", "甲体", "文字 a"),
        make_font(tmp_path / "b.ttf", "甲体", "文题", 700),
        make_font(tmp_path / "c.ttf", "Rare Han", "䶮\ue000\ufe00"),
    ]
    return FontBook.load("甲体", "甲体:bold", ["Rare Han", "Absent"], files, optional=["Absent"])


def test_body_and_title_take_their_own_face(book: FontBook) -> None:
    assert (book.choose("文", "body"), book.choose("文", "title")) == ("甲体", "甲体:bold")
    assert book.file_of("甲体", bold=True).path.name == "b.ttf"
    assert book.file_of("甲体").path.name == "a.ttf"


def test_rare_character_falls_back(book: FontBook) -> None:
    assert book.choose("䶮", "body") == book.choose("䶮", "title") == "Rare Han"


def test_title_falls_back_to_the_body_first(book: FontBook) -> None:
    assert book.choose("字", "title") == "甲体"


def test_missing_character_is_named_by_code_point(book: FontBook) -> None:
    with pytest.raises(RowFailed, match=r"U\+0F40") as raised:
        book.choose("ཀ", "body")
    assert raised.value.code == "glyph_missing"


def test_missing_lists_each_once_and_ignores_line_feeds(book: FontBook) -> None:
    assert book.missing("文ཀ字\nཀ龘") == ("ཀ", "龘")


@pytest.mark.parametrize("char", ["\ue000", "\ufe00", "\U000e0100", "\u202e", "\u200b", "\x07", "\u0378"])
def test_what_has_no_agreed_look_is_missing_even_if_a_font_draws_it(book: FontBook, char: str) -> None:
    assert book.missing(char) == (char,)


def test_fallback_that_is_not_installed_is_told(book: FontBook) -> None:
    assert book.substitutions == (("Absent", ""),)
    assert book.families == ("甲体", "Rare Han")


def test_unknown_face_has_no_file(book: FontBook) -> None:
    with pytest.raises(SettingsError):
        book.file_of("Kai")


def test_absent_body_font_is_replaced_by_the_package_and_told() -> None:
    pytest.importorskip("pylopdf_fonts_zh_cn")
    wanted = ("没有这种字体", "没有这种字体:bold")
    book = FontBook.load(*wanted, [], optional=wanted)
    assert book.families == ("Noto Serif SC",)
    assert book.substitutions == (
        ("没有这种字体", "Noto Serif SC"),
        ("没有这种字体:bold", "Noto Serif SC"),
    )
    assert book.choose("证", "title") == "Noto Serif SC"


def test_no_font_at_all_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_installed", tuple)
    monkeypatch.setattr(fonts, "_embedded_package", lambda: iter(()))
    with pytest.raises(SettingsError, match="fonts-noto-cjk"):
        FontBook.load("仿宋_GB2312", "仿宋_GB2312", [], optional=["仿宋_GB2312"])


@pytest.mark.parametrize(
    "asked", [("没有这种字体", "甲体", []), ("甲体", "甲体:bold", []), ("甲体", "甲体", ["没有这种字体"])]
)
def test_a_face_that_was_asked_for_is_not_replaced(tmp_path: Path, asked: tuple[str, str, list[str]]) -> None:
    files = [make_font(tmp_path / "a.ttf", "甲体", "文字")]
    with pytest.raises(SettingsError, match=r"没有这种字体|甲体:bold"):
        FontBook.load(*asked, files)


@pytest.mark.parametrize(
    "data", [None, b"", b"not a font, only text", b"\0\1\0\0" + bytes(40), b"ttcf" + bytes(40)]
)
@pytest.mark.parametrize("suffix", [".ttf", ".ttc"])
def test_a_configured_file_that_is_no_font_is_named(tmp_path: Path, data: bytes | None, suffix: str) -> None:
    file = tmp_path / f"bad{suffix}"
    if data is not None:
        file.write_bytes(data)
    good = make_font(tmp_path / "good.ttf", "乙体", "文")
    with pytest.raises(SettingsError, match="bad"):
        FontBook.load("乙体", "乙体", [], [good, file])


def test_broken_installed_font_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"\0\1\0\0" + bytes(40))
    good = make_font(tmp_path / "good.ttf", "乙体", "文")
    monkeypatch.setattr(fonts, "_installed", lambda: (broken, good))
    assert FontBook.load("乙体", "乙体", []).choose("文", "body") == "乙体"


@pytest.fixture(scope="module")
def installed() -> FontBook:
    wanted = ("Noto Serif CJK SC", "Noto Serif CJK SC:bold", "BabelStone Han")
    book = FontBook.load(*wanted[:2], wanted[2:], optional=wanted)
    if book.substitutions:
        absent("fonts-noto-cjk or fonts-babelstone-han")
    return book


@pytest.mark.parametrize("char", "䶮𬭎㛃𠅤𡱝·")
def test_characters_of_real_names_have_a_font(installed: FontBook, char: str) -> None:
    assert installed.choose(char, "body") in ("Noto Serif CJK SC", "BabelStone Han")


def test_collection_faces_go_by_all_names_of_the_file(installed: FontBook) -> None:
    file = installed.file_of("Noto Serif CJK SC")
    assert {"NotoSerifCJKsc-Regular", "NotoSerifCJKjp-Regular"} <= file.names
    assert "NotoSerifCJKjp-Bold" not in file.names
    assert "BabelStoneHan" in installed.allowed_names


def test_what_a_face_has_is_what_fonttools_reads_in_it(installed: FontBook) -> None:
    for face in installed.faces:
        with TTFont(str(face.file.path), fontNumber=face.file.index, lazy=True) as font:
            known = font.getBestCmap()
        assert all(face.file.has(chr(code)) == (code in known) for code in range(0x30000))


def test_lookups_are_cheap_once_loaded(installed: FontBook) -> None:
    installed.choose("证", "body")
    start = time.perf_counter()
    for _ in range(1000):
        installed.choose("证", "body")
    assert time.perf_counter() - start < 0.1
