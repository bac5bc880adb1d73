"""Pictures that were left out of joined forms, put on their pages.

The first form of a file has kept its own. Where that stands from its mark, the others' pictures stand from theirs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from pikepdf import Array, Dictionary, Object, Page, Pdf, Stream

from .contents import Unreadable
from .marks import Mark, Part
from .pixels import bitmap, bitmap_of
from .pngimage import PngImage

_NUMBER = rb"(-?[0-9.]+)"
_DRAWN = re.compile(rb"\sq %b 0 0 %b %b %b cm\s(/\w+) Do Q" % ((_NUMBER,) * 4))
_SAVES = re.compile(rb"(?<!\S)[qQ](?!\S)")
_NAME = "Own"
_PLACES = 3  # decimals of a point


@dataclass(frozen=True)
class Inset:
    """A picture, and where it stands: its page in the file of all (from 0), its lower left corner and size, points."""

    page: int
    x: float
    y: float
    width: float
    height: float
    picture: PngImage

    def put_on(self, page: Page, file: Pdf) -> None:
        """Draw it after all else; raises Unreadable if the page leaves another state behind than it began with."""
        content = page.obj.Contents
        if not _balanced(content.read_bytes()) or f"/{_NAME}" in page.obj.Resources.get("/XObject", {}):
            raise Unreadable("no place for another picture")
        if "/XObject" not in page.obj.Resources:
            page.obj.Resources.XObject = Dictionary()
        page.obj.Resources.XObject[f"/{_NAME}"] = file.make_indirect(self.picture.object(file))
        numbers = " ".join(
            f"{value:.{_PLACES}f}" for value in (self.width, 0, 0, self.height, self.x, self.y)
        )
        drawing = Stream(file, f"q {numbers} cm /{_NAME} Do Q".encode("ascii"))
        page.obj.Contents = Array([file.make_indirect(content), file.make_indirect(drawing)])


def place_all(
    pages: Sequence[Object], parts: Sequence[Part], pictures: Sequence[PngImage]
) -> list[Inset | None]:
    """What is to be put on the pages of each part: nothing in the first, which has its picture.

    `pages` are those of the file of all. Raises Unreadable if places cannot be told from that of the first.
    """
    if not pictures:
        return [None for _ in parts]
    marks = [part.picture for part in parts if part.picture]
    model = _Model.of(pages[marks[0].page], marks[0], pictures[0])
    others = zip(marks[1:], pictures[1:], strict=True)
    return [None, *(model.inset(mark, picture) for mark, picture in others)]


@dataclass(frozen=True)
class _Model:
    """The first form's picture: its mark, its place from there, and its size, in points."""

    mark: Mark
    right: float
    up: float
    width: float
    height: float

    @classmethod
    def of(cls, page: Object, mark: Mark, picture: PngImage) -> Self:
        """From where the page shows that picture; raises Unreadable if it does not show it once, by its pixels."""
        wanted = bitmap_of(picture)
        images: Any = page.Resources.get("/XObject", {})
        found = [
            tuple(map(float, place))
            for *place, name in _DRAWN.findall(page.Contents.read_bytes())
            if bitmap(images[name.decode("ascii")], wanted.width, wanted.height) == wanted
        ]
        if len(found) != 1:
            raise Unreadable("the first form's picture is not there once")
        [(width, height, x, y)] = found
        return cls(mark, x - mark.x, y - mark.y, width, height)

    def inset(self, mark: Mark, picture: PngImage) -> Inset:
        """Raises Unreadable for a line that begins elsewhere: in the middle, say, where an empty one is no guide."""
        if round(mark.x - self.mark.x, 1):
            raise Unreadable("a line that does not begin on the left")
        return Inset(mark.page, mark.x + self.right, mark.y + self.up, self.width, self.height, picture)


def _balanced(content: bytes) -> bool:
    """Whether every saved state is restored, and none that was not saved."""
    depth = 0
    for operator in _SAVES.findall(content):
        depth += 1 if operator == b"q" else -1
        if depth < 0:
            return False
    return depth == 0
