"""Files made to break the reader, not to deceive it; and files that are nothing of ours at all."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from vectors.container import hole, refill
from vectors.vector import NOT_SEALED, UNREADABLE, UNTRUSTED, Vector
from vectors.workshop import Workshop, fresh, sign

_ANY = UNREADABLE | NOT_SEALED | UNTRUSTED
_PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"


def vectors(shop: Workshop) -> Iterator[Vector]:
    """Every bomb, loop and stray file."""
    yield Vector("no-seal", shop.plain, NOT_SEALED)
    yield from _strays()
    yield from _bombs()
    stranger = sign(fresh(shop.plain), shop.self_signed("冒名"))
    width = len(hole(stranger))
    for name, pattern in {
        "deep-asn1": b"30820FFF",
        "many-lengths": b"30803080",
        "noise": b"0123456789ABCDEF",
    }.items():
        yield Vector(f"hostile-signature-{name}", refill(stranger, (pattern * width)[:width]), UNTRUSTED)


def _strays() -> Iterator[Vector]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    strays = {
        "empty": b"",
        "header-only": b"%PDF-1.7\n",
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "docx": packed.getvalue(),
        "text": "证明".encode(),
        "nul": bytes(4096),
        "ten-megabytes-of-header": b"%PDF-1.7\n" + b"% " * (4 << 20),
        "ten-megabytes-of-byte-ranges": b"%PDF-1.7\n" + b"/ByteRange [0 1 2 3] " * 450_000,
        "ten-megabytes-of-contents": b"%PDF-1.7\n" + b"/Contents <" * 900_000,
        "ten-megabytes-of-hex": b"%PDF-1.7\n/Contents <" + b"30" * 5_000_000,
        "ten-megabytes-of-eof": b"%PDF-1.7\n" + b"startxref\n0\n%%EOF\n" * 500_000,
        "ten-megabytes-of-brackets": b"%PDF-1.7\n" + b"<<" * 5_000_000,
        "too-large": b"%PDF-1.7\n" + bytes(10 << 20),
    }
    for name, data in strays.items():
        yield Vector(f"stray-{name}", data, _ANY)


def _bombs() -> Iterator[Vector]:
    deep = b"[" * 200_000 + b"]" * 200_000
    fields = b" ".join(b"%d 0 R" % number for number in range(10, 20_010))
    field = b"<< /FT /Sig /T (a) /V << /Type /Sig /Contents <00> /ByteRange [0 1 2 3] >> >>"
    bombs = {
        "deep-arrays": pdf(root=b"/Deep " + deep),
        "deep-dictionaries": pdf(root=b"/Deep " + b"<</A " * 100_000 + b"null" + b">>" * 100_000),
        "deep-page-tree": _page_tree(5_000),
        "page-tree-loop": pdf(pages=b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"),
        "reference-loop": pdf(pages=b"2 0 R"),
        "many-fields": pdf(root=b"/AcroForm << /Fields [" + fields + b"] >>", more=[field] * 20_000),
        "field-loop": pdf(
            root=b"/AcroForm << /Fields [4 0 R] >>", more=[b"<< /Kids [4 0 R 4 0 R] /T (a) >>"]
        ),
        "field-tree-explosion": field_tree(24),
        "flate-object-stream": _object_stream(zlib.compress(bytes(48 << 20))),
        "flate-twice": _object_stream(zlib.compress(zlib.compress(bytes(48 << 20))), twice=True),
        "xref-size": b"%PDF-1.7\nxref\n0 999999999\ntrailer\n<< /Size 999999999 /Root 1 0 R >>\nstartxref\n9\n%%EOF",
        "xref-stream-bomb": _xref_stream(),
        "long-number": pdf(root=b"/N " + b"9" * 200_000),
        "long-name": pdf(root=b"/" + b"A" * 200_000 + b" 1"),
        "prev-loop": pdf(trailer=b"/Prev 9"),
        "hundred-thousand-ranges": pdf(root=b"/ByteRange [" + b"0 9 " * 100_000 + b"]"),
    }
    for name, data in bombs.items():
        yield Vector(f"bomb-{name}", data, _ANY)


def pdf(
    root: bytes = b"", pages: bytes = _PAGES, more: list[bytes] | None = None, trailer: bytes = b""
) -> bytes:
    """A small well-formed file by hand, with whatever is asked for in its catalogue and trailer."""
    catalogue = b"<< /Type /Catalog /Pages 2 0 R " + root + b" >>"
    objects = [catalogue, pages, _PAGE, *(more or [])]
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )
    return bytes(out)


def _page_tree(depth: int) -> bytes:
    nodes = [b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (number + 5) for number in range(depth)]
    return pdf(pages=b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>", more=[*nodes, _PAGE])


def field_tree(depth: int) -> bytes:
    """Every field has the next one twice: two to the power of `depth` paths."""
    nodes = [b"<< /T (a) /Kids [%d 0 R %d 0 R] >>" % (number + 5, number + 5) for number in range(depth)]
    return pdf(root=b"/AcroForm << /Fields [4 0 R] >>", more=[*nodes, b"<< /T (z) /FT /Sig >>"])


def _object_stream(content: bytes, *, twice: bool = False) -> bytes:
    """The page tree sits in an object stream that decodes to far more than a certificate holds."""
    filters = b"[/FlateDecode /FlateDecode]" if twice else b"/FlateDecode"
    head = b"%PDF-1.5\n"
    catalogue = b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    stream = b"3 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter %s /Length %d >>\nstream\n" % (
        filters,
        len(content),
    )
    body = head + catalogue + stream + content + b"\nendstream\nendobj\n"
    at = [0, len(head), 3, len(head + catalogue), len(body)]
    kinds = [0, 1, 2, 1, 1]
    rows = b"".join(
        bytes([kind]) + offset.to_bytes(4, "big") + b"\0" for kind, offset in zip(kinds, at, strict=True)
    )
    xref = b"4 0 obj\n<< /Type /XRef /Size 5 /W [1 4 1] /Root 1 0 R /Length %d >>\nstream\n" % len(rows)
    return body + xref + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _xref_stream() -> bytes:
    content = zlib.compress(bytes(48 << 20))
    head = b"%PDF-1.5\n"
    xref = b"1 0 obj\n<< /Type /XRef /Size 50000000 /W [1 4 1] /Root 1 0 R /Filter /FlateDecode /Length %d >>\nstream\n"
    return head + xref % len(content) + content + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(head)
