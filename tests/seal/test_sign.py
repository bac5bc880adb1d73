"""The seal: what it makes passes tools that are not ours, and nothing that could act or was changed gets out."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import require
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText, Link
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DecodedStreamObject,
    DictionaryObject,
    Fit,
    FloatObject,
    NameObject,
    NumberObject,
    TextStringObject,
)
from seal.pki import NOW, OFFICE, PLACE, TITLE, altered, document, picture, ring, sealer, written

from signsvc.errors import KeyExpired, SealFailed
from signsvc.keys import pki
from signsvc.models import PdfBytes, SealPlace
from signsvc.seal.cms import public_key
from signsvc.seal.selfcheck import check
from signsvc.seal.sign import Sealer

KEY = ring().seal(OFFICE.id)
SEALED = sealer().seal(document(), PLACE, TITLE)
BYTE_RANGE = re.compile(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]")


@pytest.fixture
def sealed_file(tmp_path: Path) -> Path:
    file = tmp_path / "sealed.pdf"
    file.write_bytes(SEALED.pdf)
    return file


def parts(pdf: bytes) -> tuple[bytes, bytes]:
    """The signed bytes and the CMS, taken apart here once more."""
    found = BYTE_RANGE.search(pdf)
    assert found
    before, start, rest = map(int, found.groups())
    return pdf[:before] + pdf[start : start + rest], bytes.fromhex(pdf[before + 1 : start - 1].decode())


def self_check(pdf: bytes) -> str:
    return check(pdf, (KEY.certificate, *KEY.chain), public_key(KEY.certificate), stamped=False)


def test_poppler_finds_the_whole_document_signed(sealed_file: Path) -> None:
    report = run(require("pdfsig"), "-nocert", sealed_file)
    assert "Signature is Valid" in report
    assert "Total document signed" in report
    assert "ETSI.CAdES.detached" in report


def test_mupdf_finds_nothing_changed(sealed_file: Path) -> None:
    assert "unchanged since signing" in run(require("mutool"), "sign", "-v", sealed_file)


def test_openssl_verifies_the_signature_up_to_the_root(tmp_path: Path) -> None:
    signed, cms = parts(SEALED.pdf)
    for name, data in {"signed": signed, "cms": cms, "root.pem": ring().roots[0]}.items():
        (tmp_path / name).write_bytes(data)
    command = [require("openssl"), "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "cms"]
    command += ["-content", tmp_path / "signed", "-CAfile", tmp_path / "root.pem", "-purpose", "any"]
    run(*command, "-attime", str(int(NOW.timestamp())), "-out", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == signed


def test_there_is_one_revision_of_pdf_1_7() -> None:
    assert SEALED.pdf.startswith(b"%PDF-1.7\n")
    assert (
        SEALED.pdf.count(b"startxref") == SEALED.pdf.count(b"%%EOF") == SEALED.pdf.count(b"/ByteRange") == 1
    )
    assert SEALED.pdf.endswith(b"%%EOF\n")


def test_the_hash_of_the_signed_bytes_and_the_level_are_told() -> None:
    assert SEALED.signed_sha256 == hashlib.sha256(parts(SEALED.pdf)[0]).hexdigest()
    assert (SEALED.level, SEALED.sealed_at) == ("B-B", NOW)


def test_the_document_is_certified_and_allows_no_changes() -> None:
    catalogue = PdfReader(BytesIO(SEALED.pdf)).root_object
    certification = catalogue["/Perms"]["/DocMDP"]
    assert certification["/Reference"][0]["/TransformParams"]["/P"] == 1
    assert catalogue["/AcroForm"]["/SigFlags"] == 3
    assert "/NeedAppearances" not in catalogue["/AcroForm"]


def test_field_and_widget_are_one_with_a_description_and_the_seals_picture() -> None:
    page = PdfReader(BytesIO(SEALED.pdf)).pages[0]
    (widget,) = (item.get_object() for item in page["/Annots"])
    assert (widget["/Subtype"], widget["/FT"], widget["/T"]) == ("/Widget", "/Sig", "Seal")
    assert widget["/TU"] == f"{OFFICE.name}的电子印章"
    assert widget["/AP"]["/N"]["/Subtype"] == "/Form"
    assert page["/Tabs"] == "/S"


def test_the_seal_is_centred_where_it_was_asked_for() -> None:
    place = SealPlace(page=2, x=301.3, y=402.6)
    pages = PdfReader(BytesIO(sealer().seal(document(3), place, TITLE).pdf)).pages
    assert [len(page.get("/Annots", ())) for page in pages] == [0, 0, 1]
    left, bottom, right, top = map(float, pages[2]["/Annots"][0].get_object()["/Rect"])
    assert abs((left + right) / 2 - place.x) <= 0.75
    assert abs((bottom + top) / 2 - place.y) <= 0.75
    assert right - left == top - bottom == round(42 / 25.4 * 72)


def test_the_signature_names_the_office_and_the_time_and_nobody_else() -> None:
    value = PdfReader(BytesIO(SEALED.pdf)).root_object["/Perms"]["/DocMDP"]
    assert (value["/Name"], value["/Location"]) == (OFFICE.name, "示范区和平街道")
    assert value["/Reason"] == "出具基层群众性自治组织证明"
    assert value["/M"].startswith("D:20261121083000")


def test_metadata_are_the_number_and_nothing_of_the_template() -> None:
    info = PdfReader(BytesIO(SEALED.pdf)).metadata
    assert info is not None
    assert set(info) == {"/Title", "/Producer", "/CreationDate", "/ModDate"}
    assert info["/Title"] == TITLE
    assert info["/Producer"].startswith("signsvc")
    assert "模板作者".encode("utf-16-be") not in SEALED.pdf


def test_what_no_page_needs_is_left_behind() -> None:
    writer = altered(document())
    secret = DecodedStreamObject()
    secret.set_data(b"somebody else")
    reference = writer._add_object(secret)
    writer.root_object[NameObject("/Outlines")] = DictionaryObject({NameObject("/Hidden"): reference})
    writer._info = writer._add_object(DictionaryObject({NameObject("/Hidden"): reference}))
    pdf = written(writer)
    assert b"somebody else" in pdf
    assert b"somebody else" not in sealer().seal(pdf, PLACE, TITLE).pdf


def test_a_text_that_looks_like_a_reference_is_none() -> None:
    writer = altered(document())
    secret = DecodedStreamObject()
    secret.set_data(b"somebody else")
    note = rf") \ ({writer._add_object(secret).idnum} 0 R"
    writer.pages[0][NameObject("/Note")] = TextStringObject(note)
    sealed = sealer().seal(written(writer), PLACE, TITLE).pdf
    assert PdfReader(BytesIO(sealed)).pages[0]["/Note"] == note
    assert b"somebody else" not in sealed


def test_what_is_shared_or_leads_back_is_written_once() -> None:
    writer = altered(document(2))
    shared = writer._add_object(DictionaryObject({NameObject("/Mark"): NameObject("/Shared")}))
    for page in writer.pages:
        page[NameObject("/Note")] = shared
    reader = PdfReader(BytesIO(sealer().seal(written(writer), PLACE, TITLE).pdf))
    first, second = (page.raw_get("/Note").idnum for page in reader.pages)
    assert first == second
    assert [page["/Note"]["/Mark"] for page in reader.pages] == ["/Shared"] * 2
    assert [page["/Parent"]["/Count"] for page in reader.pages] == [2, 2]


def test_a_number_may_be_an_object_of_its_own() -> None:
    writer = altered(document())
    values = (NumberObject(7), FloatObject(-1.25), BooleanObject(True))
    writer.pages[0][NameObject("/Note")] = ArrayObject([ArrayObject(map(writer._add_object, values))])
    reader = PdfReader(BytesIO(sealer().seal(written(writer), PLACE, TITLE).pdf))
    assert [item.get_object() for item in reader.pages[0]["/Note"][0]] == [*values]


def test_the_seal_adds_little_to_the_file() -> None:
    assert len(SEALED.pdf) - len(document()) < 12_000


def test_a_hundred_seals_are_a_hundred_different_good_files() -> None:
    one = sealer()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: one.seal(document(), PLACE, f"n-{number}").pdf, range(100)))
    assert len({self_check(pdf) for pdf in made}) == 100


@pytest.mark.parametrize(
    "moment", [KEY.not_before - timedelta(seconds=1), KEY.not_after + timedelta(seconds=1)]
)
def test_a_certificate_outside_its_time_seals_nothing(moment: datetime) -> None:
    with pytest.raises(KeyExpired, match="不在有效期内"):
        sealer(moment).seal(document(), PLACE, TITLE)


@pytest.mark.parametrize("moment", [KEY.not_before, KEY.not_after])
def test_a_certificate_seals_on_its_first_and_last_second(moment: datetime) -> None:
    assert sealer(moment).seal(document(), PLACE, TITLE).sealed_at == moment


def action(kind: str) -> DictionaryObject:
    return DictionaryObject(
        {NameObject("/S"): NameObject(kind), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )


def at_root(key: str, value: object) -> Callable[[PdfWriter], None]:
    def put(writer: PdfWriter) -> None:
        writer.root_object[NameObject(key)] = value

    return put


def on_page(key: str, value: object) -> Callable[[PdfWriter], None]:
    def put(writer: PdfWriter) -> None:
        writer.pages[0][NameObject(key)] = value

    return put


def attach(writer: PdfWriter) -> None:
    writer.add_attachment("a.txt", b"a")


def annotate(writer: PdfWriter) -> None:
    writer.add_annotation(0, FreeText(text="盖过正文", rect=(50, 550, 200, 650)))


def launching_link(writer: PdfWriter) -> None:
    link = writer.add_annotation(0, Link(rect=(1, 1, 9, 9), url="https://example.org"))
    link[NameObject("/A")] = DictionaryObject({NameObject("/S"): NameObject("/Launch")})


def launching_link_behind_a_reference(writer: PdfWriter) -> None:
    launching_link(writer)
    link = writer.pages[0]["/Annots"][0].get_object()
    link[NameObject("/A")] = writer._add_object(link["/A"])


def names_script(writer: PdfWriter) -> None:
    scripts = DictionaryObject(
        {NameObject("/Names"): ArrayObject([TextStringObject("a"), action("/JavaScript")])}
    )
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/JavaScript"): scripts})


def outside(writer: PdfWriter) -> None:
    writer.pages[0]["/Contents"].get_object()[NameObject("/F")] = TextStringObject("other.pdf")


def layer(writer: PdfWriter) -> None:
    group = DictionaryObject({NameObject("/Type"): NameObject("/OCG")})
    writer.pages[0][NameObject("/Resources")] = DictionaryObject({NameObject("/OC"): group})


ACTIVE = {
    "script": names_script,
    "opening action": at_root("/OpenAction", action("/JavaScript")),
    "additional actions": at_root("/AA", DictionaryObject({NameObject("/WC"): action("/JavaScript")})),
    "page action": on_page("/AA", DictionaryObject({NameObject("/O"): action("/JavaScript")})),
    "form": at_root("/AcroForm", DictionaryObject({NameObject("/Fields"): ArrayObject()})),
    "layers": at_root("/OCProperties", DictionaryObject()),
    "layer on a page": layer,
    "attachment": attach,
    "annotation over the text": annotate,
    "link that starts a program": launching_link,
    "link that starts a program, behind a reference": launching_link_behind_a_reference,
    "content of another file": outside,
    "earlier permissions": at_root("/Perms", DictionaryObject()),
    "unknown catalogue entry": at_root("/Collection", DictionaryObject()),
}


@pytest.mark.parametrize("put", ACTIVE.values(), ids=ACTIVE.keys())
def test_what_can_act_is_not_sealed(put: Callable[[PdfWriter], None]) -> None:
    writer = altered(document())
    put(writer)
    with pytest.raises(SealFailed, match="不能盖章"):
        sealer().seal(written(writer), PLACE, TITLE)


def test_a_plain_link_and_an_opening_place_do_no_harm() -> None:
    writer = altered(document())
    writer.add_annotation(0, Link(rect=(1, 1, 9, 9), url="https://example.org/verify"))
    writer.open_destination = "nowhere"
    writer.add_annotation(0, Link(rect=(1, 1, 9, 9), target_page_index=0, fit=Fit.fit()))
    assert self_check(sealer().seal(written(writer), PLACE, TITLE).pdf)


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7\n", b"hello", document()[:-200], SEALED.pdf])
def test_what_is_no_fresh_pdf_is_not_sealed(pdf: bytes) -> None:
    with pytest.raises(SealFailed):
        sealer().seal(PdfBytes(pdf), PLACE, TITLE)


def test_an_encrypted_pdf_is_not_sealed() -> None:
    writer = altered(document())
    writer.encrypt("", "owner", algorithm="RC4-128")
    with pytest.raises(SealFailed):
        sealer().seal(written(writer), PLACE, TITLE)


def test_a_page_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SealFailed):
        sealer().seal(document(), SealPlace(7, 100, 100), TITLE)


def test_a_signature_by_another_key_never_leaves() -> None:
    """A key that does not belong to its certificate, as after a mix-up in a key store."""
    stranger = dataclasses.replace(KEY, private=pki.new_key())
    with pytest.raises(SealFailed, match="自检"):
        Sealer(stranger, picture(), lambda: NOW).seal(document(), PLACE, TITLE)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SEALED.pdf) - 1), st.integers(1, 255))
def test_any_byte_changed_outside_the_container_is_noticed(at: int, change: int) -> None:
    before, start, _ = map(int, BYTE_RANGE.search(SEALED.pdf).groups())  # type: ignore[union-attr]
    if before <= at < start:
        return
    changed = bytearray(SEALED.pdf)
    changed[at] ^= change
    with pytest.raises(SealFailed):
        self_check(bytes(changed))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_byte_changed_inside_the_container_is_noticed(data: st.DataObject) -> None:
    _, cms = parts(SEALED.pdf)
    changed = bytearray(cms)
    changed[data.draw(st.integers(0, len(cms) - 1))] ^= data.draw(st.integers(1, 255))
    pdf = SEALED.pdf.replace(cms.hex().upper().encode(), bytes(changed).hex().upper().encode())
    assert pdf != SEALED.pdf
    with pytest.raises(SealFailed):
        self_check(pdf)


@pytest.mark.parametrize("tail", [b"\n", b"\0", b"%%EOF\n", SEALED.pdf, b"1 0 obj\n<<>>\nendobj\n"])
def test_anything_appended_is_noticed(tail: bytes) -> None:
    with pytest.raises(SealFailed, match="第1步"):
        self_check(SEALED.pdf + tail)


def test_the_check_wants_a_document_that_allows_no_changes() -> None:
    assert SEALED.pdf.count(b"/P 1\n") == 1
    with pytest.raises(SealFailed, match="第3步"):
        self_check(SEALED.pdf.replace(b"/P 1\n", b"/P 2\n"))


def test_the_check_wants_the_time_stamp_it_was_promised() -> None:
    with pytest.raises(SealFailed, match="第6步"):
        check(SEALED.pdf, (KEY.certificate, *KEY.chain), public_key(KEY.certificate), stamped=True)


def run(*command: str | Path) -> str:
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return ended.stdout + ended.stderr
