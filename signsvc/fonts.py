"""Which configured font has which character, and where its file is.

Conversion must never choose a font by itself: a silent fallback prints boxes that text extraction still reads
back correctly. So every character gets its face here, before anything is filled, or the row is refused.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import uharfbuzz
from fontTools.ttLib import TTCollection, TTFont, TTLibError

from signsvc.errors import RowFailed, SettingsError
from signsvc.models import BOLD, Role

FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
EMBEDDED_FAMILY = "Noto Serif SC"
# Control, format, surrogate, private-use and unassigned characters have no agreed look, whatever a font draws.
UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_REGULAR_WEIGHT, _BOLD_WEIGHT = 400, 700


@dataclass(frozen=True)
class FontFile:
    """One face of an installed font: `index` is its place in a collection (.ttc), 0 otherwise.

    `names` are the PostScript names of every face in the same file: faces of a collection share their glyphs, and
    LibreOffice embeds `Noto Serif CJK SC` under the name of the JP face.
    """

    path: Path
    index: int
    families: frozenset[str] = field(repr=False)  # case-folded, in every language of the file
    weight: int
    italic: bool
    names: frozenset[str] = field(repr=False)

    def has(self, char: str) -> bool:
        """Whether the face has a glyph for `char`."""
        return ord(char) in _coverage(self.path, self.index)


@dataclass(frozen=True)
class Face:
    """A face as the template and the settings name it: family, and `bold` for its bold face."""

    family: str
    bold: bool
    file: FontFile

    @property
    def spec(self) -> str:
        """`Family` or `Family:bold`."""
        return self.family + (BOLD if self.bold else "")


@dataclass(frozen=True)
class FontBook:
    """The faces in use, in the order in which they are tried. Built once, read by many."""

    body: Face
    title: Face
    fallback: tuple[Face, ...]
    substitutions: tuple[tuple[str, str], ...] = ()  # (configured, used instead; "" if nothing)
    # What was found before: every certificate asks for the same characters again.
    _known: dict[tuple[str, Role], Face | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def load(
        cls,
        body: str,
        title: str,
        fallback: Sequence[str],
        files: Sequence[Path] = (),
        optional: Collection[str] = (),
    ) -> FontBook:
        """Find the faces (`Family` or `Family:bold`) among `files` and the installed fonts.

        Only the `optional` ones may be missing: then body and title are replaced by the font of the Python package for
        machines without system fonts, and all are named in `substitutions`. Raises SettingsError if another one is
        missing, or that package, or if one of `files` is no font.
        """
        _require_fonts(files)
        shelf = _Shelf(tuple(files))
        if lost := [
            spec for spec in (body, title, *fallback) if spec not in optional and not shelf.face(spec)
        ]:
            raise SettingsError(f"找不到字体 {'、'.join(lost)}：请安装，或用 font_files 指定字体文件")
        swapped: list[tuple[str, str]] = []
        body_face = shelf.face(body) or _stand_in(body, shelf, swapped)
        title_face = shelf.face(title) or _stand_in(title, shelf, swapped)
        others = [(name, shelf.face(name)) for name in fallback]
        swapped += [(name, "") for name, face in others if face is None]
        return cls(body_face, title_face, tuple(face for _, face in others if face), tuple(swapped))

    @property
    def faces(self) -> tuple[Face, ...]:
        """Every face that may be printed, each once."""
        return tuple(dict.fromkeys((self.body, self.title, *self.fallback)))

    @property
    def families(self) -> tuple[str, ...]:
        """Every family that may be printed, each once."""
        return tuple(dict.fromkeys(face.family for face in self.faces))

    @property
    def allowed_names(self) -> frozenset[str]:
        """PostScript names under which these fonts may stand in a PDF, without a subset prefix."""
        return frozenset().union(*(face.file.names for face in self.faces))

    def choose(self, char: str, role: Role) -> str:
        """The face (`Family` or `Family:bold`) that prints `char`; raises RowFailed `glyph_missing`."""
        face = self._find(char, role)
        if face is None:
            raise RowFailed(
                f"没有字体能显示字符「{char}」（{code_point(char)}），请安装含该字的字体", "glyph_missing"
            )
        return face.spec

    def missing(self, text: str, role: Role = "body") -> tuple[str, ...]:
        """The characters of `text` that no configured font has, each once, in order. A line feed is not printed."""
        return tuple(char for char in dict.fromkeys(text) if char != "\n" and self._find(char, role) is None)

    def file_of(self, family: str, bold: bool = False) -> FontFile:
        """The file behind a face given out by `choose`; raises SettingsError for any other."""
        for face in self.faces:
            if face.family == family and face.bold == bold:
                return face.file
        raise SettingsError(f"字体 {family} 不在设置之内")

    def _find(self, char: str, role: Role) -> Face | None:
        if (char, role) not in self._known:
            self._known[char, role] = self._look_for(char, role)
        return self._known[char, role]

    def _look_for(self, char: str, role: Role) -> Face | None:
        if unicodedata.category(char) in UNPRINTABLE or _selects_variant(char):
            return None
        order = (self.title, self.body) if role == "title" else (self.body,)
        return next((face for face in (*order, *self.fallback) if face.file.has(char)), None)


def code_point(char: str) -> str:
    """`U+4DAE`."""
    return f"U+{ord(char):04X}"


def _selects_variant(char: str) -> bool:
    """Variation selectors change the character before them, in ways that differ from font to font."""
    return 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF


def _require_fonts(files: Sequence[Path]) -> None:
    if bad := [file.name for file in files if not _faces_in(file)]:
        raise SettingsError(f"font_files 中的 {'、'.join(bad)} 不存在或不是字体文件")


def _stand_in(wanted: str, shelf: _Shelf, swapped: list[tuple[str, str]]) -> Face:
    face = shelf.face(EMBEDDED_FAMILY)
    if face is None:
        raise SettingsError(f"找不到字体 {wanted}：请安装 fonts-noto-cjk，或用 font_files 指定字体文件")
    swapped.append((wanted, face.spec))
    return face


class _Shelf:
    """The font files at hand; those whose file name resembles the family are opened first."""

    def __init__(self, configured: tuple[Path, ...]) -> None:
        self._configured = configured
        self._paths = (*configured, *_embedded_package(), *_installed())

    def face(self, spec: str) -> Face | None:
        family, bold = spec.removesuffix(BOLD), spec.endswith(BOLD)
        likely = [path for path in self._paths if path in self._configured or _resembles(path, family)]
        for paths in (likely, self._paths):
            if file := _best(paths, family.casefold(), bold):
                return Face(family, bold, file)
        return None


def _best(paths: Sequence[Path], family: str, bold: bool) -> FontFile | None:
    """The upright face nearest to regular or bold weight; a bold face must really be one."""
    wanted = _BOLD_WEIGHT if bold else _REGULAR_WEIGHT
    fitting = [
        file
        for path in paths
        for file in _faces_in(path)
        if family in file.families and not file.italic and (file.weight >= 600) == bold
    ]
    return min(fitting, key=lambda file: abs(file.weight - wanted), default=None)


def _resembles(path: Path, family: str) -> bool:
    name = path.stem.partition("-")[0].replace("_", "").casefold()
    wanted = family.replace(" ", "").casefold()
    return wanted.startswith(name) or name.startswith(wanted)


def _embedded_package() -> Iterator[Path]:
    """The font that comes from PyPI with the extra `embedded`, if it is installed."""
    try:
        from pylopdf_fonts_zh_cn import serif_path
    except ImportError:
        return
    yield Path(serif_path())


@lru_cache(maxsize=1)
def _installed() -> tuple[Path, ...]:
    """Font files in the usual folders of Linux, macOS and Windows, sorted so that every run sees one order."""
    home = Path.home()
    folders = (
        home / ".local/share/fonts",
        home / ".fonts",
        home / "Library/Fonts",
        Path("/usr/local/share/fonts"),
        Path("/usr/share/fonts"),
        Path("/Library/Fonts"),
        Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",
    )
    return tuple(
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in FONT_SUFFIXES
    )


@lru_cache(maxsize=4096)
def _faces_in(path: Path) -> tuple[FontFile, ...]:
    """Every face of a font file, from its name, OS/2 and head tables only; none if it cannot be read."""
    try:
        if path.suffix.lower() in (".ttc", ".otc"):
            with TTCollection(str(path), lazy=True) as collection:
                return _describe(path, list(collection.fonts))
        with TTFont(str(path), lazy=True) as font:
            return _describe(path, [font])
    except (TTLibError, OSError, KeyError, AssertionError):
        return ()


def _describe(path: Path, fonts: Sequence[TTFont]) -> tuple[FontFile, ...]:
    names = frozenset(str(font["name"].getDebugName(6)) for font in fonts)
    return tuple(
        FontFile(
            path,
            index,
            frozenset(str(record).casefold() for record in font["name"].names if record.nameID in (1, 16)),
            int(font["OS/2"].usWeightClass),
            bool(font["OS/2"].fsSelection & 1),
            names,
        )
        for index, font in enumerate(fonts)
    )


@lru_cache(maxsize=64)
def _coverage(path: Path, index: int) -> uharfbuzz.Set:
    """Code points with a glyph, read once per process: by HarfBuzz, for fontTools names every glyph on the way."""
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)), index).unicodes
