"""Shared by the tests of the seal: demonstration keys made once a run, and a document to seal."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from signsvc import keys
from signsvc.models import Office, OfficeId, OfficeKind, PdfBytes, SealPlace
from signsvc.seal import art
from signsvc.seal.sign import Sealer

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
OFFICE = Office(
    id=OfficeId("qh-demo"),
    name="青海省示范市示范区和平街道幸福社区居民委员会",
    jurisdiction="qinghai",
    county="示范区",
    town="和平街道",
    community="幸福社区",
    kind=OfficeKind.COMMUNITY,
    phone="0971-0000000",
    demo=True,
)
PLACE = SealPlace(page=0, x=400.0, y=250.0)
TITLE = "qh-demo-2026-000001"
SQUARE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M1 1H9V9H1Z" fill="#d00"/></svg>'
)


def make_keys(folder: Path, now: datetime = NOW, base_url: str = "http://127.0.0.1:8000") -> keys.KeyRing:
    """Demonstration keys for OFFICE in `folder`, all roles loaded."""
    keys.make(folder, [OFFICE], base_url, now, demo=True)
    return keys.load(folder, keys.read_passphrase(folder / keys.PASSPHRASE_FILE), set(keys.Role))


@cache
def ring() -> keys.KeyRing:
    """One key ring for the whole run: making RSA keys is slow."""
    with tempfile.TemporaryDirectory() as folder:
        return make_keys(Path(folder) / "keys")


@cache
def picture() -> bytes:
    """A seal's picture that needs no font."""
    return art.from_image(SQUARE, "svg", 42.0, False, Path("unused"))


def sealer(now: datetime = NOW) -> Sealer:
    """A Sealer of OFFICE whose clock stands at `now`."""
    return Sealer(ring().seal(OFFICE.id), picture(), lambda: now)


def document(pages: int = 1) -> PdfBytes:
    """A plain A4 document with a grey bar on each page."""
    writer = PdfWriter()
    for _ in range(pages):
        page = writer.add_blank_page(595, 842)
        content = DecodedStreamObject()
        content.set_data(b"0.5 g 72 700 400 20 re f")
        page[NameObject("/Contents")] = writer._add_object(content)
    writer.add_metadata({"/Author": "模板作者"})
    return written(writer)


def written(writer: PdfWriter) -> PdfBytes:
    """The bytes of `writer`."""
    output = BytesIO()
    writer.write(output)
    return PdfBytes(output.getvalue())


def altered(pdf: bytes) -> PdfWriter:
    """A writer holding `pdf`, to put something into it."""
    return PdfWriter(clone_from=PdfReader(BytesIO(pdf)))
