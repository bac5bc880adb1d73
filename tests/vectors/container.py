"""Attacks on the bytes around and inside the signature, without a key and without a new revision."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from asn1crypto import cms
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from vectors.vector import ALTERED, NO_SEAL_LEFT, UNREADABLE, UNTRUSTED, Vector
from vectors.workshop import TIME_STAMPING, Workshop, asn1_certificate, der, fresh, sign

from signsvc.seal.prechecks import ByteRange, der_end, find_byte_range

Change = Callable[[cms.SignedData], None]
_RANGE = re.compile(rb"/ByteRange \[[^\]]*\] *")
_NO_LONGER_OURS = frozenset({"without-intermediate", "other-signer", "two-signers"})


def vectors(shop: Workshop) -> Iterator[Vector]:
    """Every attack of this kind on the shop's sealed file."""
    yield from _appended(shop)
    yield from _byte_ranges(shop.sealed)
    yield from _dictionary(shop.sealed)
    yield from _contents(shop)
    yield from _hole(shop)
    yield from _timestamped(shop)
    yield from _moved(shop)


def _appended(shop: Workshop) -> Iterator[Vector]:
    sealed = shop.sealed
    tails = {
        "garbage": b"\xde\xad\xbe\xef" * 64,
        "nul": b"\0",
        "newline": b"\n",
        "comment": b"% hello\n",
        "second-eof": b"%%EOF\n",
        "object-without-xref": b"99 0 obj\n<< /Type /Catalog >>\nendobj\n",
        "trailer-without-xref": b"trailer\n<< /Root 99 0 R >>\n%%EOF\n",
        "prev-loop": b"xref\n0 0\ntrailer\n<< /Size 12 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(sealed), len(sealed)),
        "hybrid-xref": b"xref\n0 0\ntrailer\n<< /Size 12 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (sealed.rfind(b" 0 obj"), len(sealed)),
        "deep-array": b"99 0 obj\n" + b"[" * 100_000 + b"]" * 100_000 + b"\nendobj\n",
        "whole-file-twice": sealed,
        "other-file": shop.plain,
    }
    for name, tail in tails.items():
        yield Vector(f"appended-{name}", sealed + tail, ALTERED)
    yield Vector("truncated-by-one", sealed[:-1], ALTERED)
    yield Vector("truncated-before-xref", sealed[: sealed.rfind(b"startxref")], ALTERED)
    yield Vector("truncated-in-signature", sealed[: find(sealed).hole_start + 200], NO_SEAL_LEFT)
    for name, head in {
        "byte": b" ",
        "line": b"%junk\n",
        "bom": b"\xef\xbb\xbf",
        "mime": b"X: y\r\n\r\n",
    }.items():
        yield Vector(f"prepended-{name}", head + sealed, UNREADABLE)


def _byte_ranges(sealed: bytes) -> Iterator[Vector]:
    found = find(sealed)
    start, end, rest = found.hole_start, found.hole_end, found.rest
    ranges = {
        "null": b"/ByteRange null",
        "empty": b"/ByteRange []",
        "zeros": b"/ByteRange [0 0 0 0]",
        "one-pair": b"/ByteRange [0 %d]" % start,
        "negative": b"/ByteRange [0 -%d %d %d]" % (start, end, rest),
        "float": b"/ByteRange [0 %d.0 %d %d]" % (start, end, rest),
        "huge": b"/ByteRange [0 99999999999999999999 1 1]",
        "not-from-start": b"/ByteRange [1 %d %d %d]" % (start - 1, end, rest),
        "short-of-end": b"/ByteRange [0 %d %d %d]" % (start, end, rest - 1),
        "past-end": b"/ByteRange [0 %d %d %d]" % (start, end, rest + 1),
        "overlapping": b"/ByteRange [0 %d %d %d]" % (end, start, rest),
        "wider-hole": b"/ByteRange [0 %d %d %d]" % (start - 16, end, rest),
        "six-numbers": b"/ByteRange [0 %d %d %d 0 0]" % (start, end, rest),
        "second-key": b"/ByteRange [0 %d %d %d]/ByteRange [0 0 0 0]" % (start, end, rest),
        "hundred-thousand-pairs": b"/ByteRange [" + b"0 9000 " * 100_000 + b"]",
        "removed": b"",
    }
    for name, text in ranges.items():
        changed = _RANGE.sub(lambda match, text=text: text.ljust(len(match.group())), sealed, count=1)
        yield Vector(f"byte-range-{name}", changed, ALTERED)


def _dictionary(sealed: bytes) -> Iterator[Vector]:
    swaps = {
        "subfilter-pkcs7": (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached"),
        "subfilter-sha1": (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1    "),
        "subfilter-unknown": (b"/ETSI.CAdES.detached", b"/ETSI.CAdES.unknown "),
        "subfilter-removed": (b"/SubFilter /ETSI.CAdES.detached", b" " * 31),
        "filter-unknown": (b"/Adobe.PPKLite", b"/Other.PPKLite"),
        "type-not-sig": (b"/Type /Sig\n", b"/Type /Sog\n"),
        "type-timestamp": (b"/Type /Sig\n", b"/Type /DocTimeStamp\n"),
        "permission-2": (b"/P 1", b"/P 2"),
        "permission-3": (b"/P 1", b"/P 3"),
        "transform-fieldmdp": (b"/TransformMethod /DocMDP", b"/TransformMethod /FldMDP"),
        "duplicate-contents": (b"/Contents <", b"/Contents <00>/Contents <"),
        "duplicate-type": (b"/Type /Sig\n", b"/Type /Sig/Type /Sig\n"),
        "signing-time": (b"/M (D\\07220", b"/M (D\\07219"),
        "version": (b"%PDF-1.7", b"%PDF-1.4"),
        "startxref": (b"startxref\n", b"startxref\n1"),
        "field-out-of-use": (b"/Type /XRef", b"/Type /XRfe"),
    }
    for name, (old, new) in swaps.items():
        assert old in sealed, name
        yield Vector(f"dictionary-{name}", sealed.replace(old, new, 1), ALTERED)


def _contents(shop: Workshop) -> Iterator[Vector]:
    sealed, found = shop.sealed, find(shop.sealed)
    before, after = sealed[: found.hole_start], sealed[found.hole_end :]
    width = found.hole_end - found.hole_start
    fillings = {
        "null": b"null".ljust(width),
        "empty": b"<>".ljust(width),
        "one-byte": b"<00>".ljust(width),
        "zeros": b"<" + b"0" * (width - 2) + b">",
        "deep-asn1": b"<" + (b"30820FFF" * (width // 8))[: width - 2] + b">",
        "endless-asn1": b"<" + b"3080" * ((width - 2) // 4) + b"0" * ((width - 2) % 4) + b">",
        "name": b"/Nothing".ljust(width),
    }
    for name, filling in fillings.items():
        yield Vector(f"contents-{name}", before + filling + after, NO_SEAL_LEFT)
    literal = b"(" + bytes.fromhex(hole(sealed).decode()).replace(b"\\", b"\\\\").replace(b"(", b"\\(")
    shown = before + literal.replace(b")", b"\\)").replace(b"\r", b"\\r") + b")"
    yield Vector("contents-as-literal", shown.ljust(found.hole_end) + after, ALTERED | NO_SEAL_LEFT)


def _hole(shop: Workshop) -> Iterator[Vector]:
    sealed = padded(shop)
    digits = hole(sealed)
    content = bytes.fromhex(digits.decode())
    end = der_end(content) or 0
    used = digits[: 2 * end]
    padding = len(digits) - len(used)
    yield Vector("hole-padding-nonzero", refill(sealed, digits[:-2] + b"01"), ALTERED)
    yield Vector("hole-padding-hidden-text", refill(sealed, used + b"41" * (padding // 2)), ALTERED)
    yield Vector("hole-lower-case", refill(sealed, digits.lower()), ALTERED)
    yield Vector("hole-one-digit-lower-case", refill(sealed, digits.replace(b"A", b"a", 1)), ALTERED)
    yield Vector("hole-blank-padding", refill(sealed, used + b" " * padding), ALTERED)
    yield Vector("hole-blank-inside", refill(sealed, used[:8] + b" " + digits[8:-1]), ALTERED)
    yield Vector("hole-early-end", refill(sealed, used + b">" + b" " * (padding - 1)), ALTERED)
    early = used + b">" + b"%".ljust(padding - 1, b"x")
    yield Vector("hole-early-end-comment", refill(sealed, early), ALTERED)
    extra = used + b"> /Extra <".ljust(padding, b"0")
    yield Vector("hole-extra-key", refill(sealed, extra), ALTERED)
    again = used + b"> /Contents <".ljust(padding, b"0")
    yield Vector("hole-second-contents", refill(sealed, again), ALTERED)
    # One bit beside the issuer's signature, the number of bits to leave out: some readers mind, some do not.
    frame = der(shop.issuing.certificate).hex().upper().encode()
    other = frame.replace(b"0382018100", b"0382018101")
    yield Vector(
        "signature-certificate-frame", refill(sealed, digits.replace(frame, other)), ALTERED | UNTRUSTED
    )
    for name, change in _encodings(shop).items():
        expected = UNTRUSTED if name in _NO_LONGER_OURS else ALTERED
        yield Vector(f"signature-{name}", reencoded(sealed, change), expected)


def _encodings(shop: Workshop) -> dict[str, Change]:
    """Changes of what the seal does not sign inside its own container."""

    def unsigned_attribute(data: cms.SignedData) -> None:
        attribute = cms.CMSAttribute({"type": "1.2.3.4", "values": [cms.OctetString(b"hidden")]})
        data["signer_infos"][0]["unsigned_attrs"] = cms.CMSAttributes([attribute])

    def foreign_certificate(data: cms.SignedData) -> None:
        stranger = asn1_certificate(shop.self_signed("夹带").leaf)
        data["certificates"].append(cms.CertificateChoices("certificate", stranger))

    def certificate_twice(data: cms.SignedData) -> None:
        data["certificates"].append(data["certificates"][0])

    def without_intermediate(data: cms.SignedData) -> None:
        data["certificates"] = [item for item in data["certificates"] if not item.chosen.ca]

    def other_version(data: cms.SignedData) -> None:
        data["version"] = "v3"

    def other_signer(data: cms.SignedData) -> None:
        issuer = data["signer_infos"][0]["sid"].chosen["issuer"]
        named = cms.IssuerAndSerialNumber({"issuer": issuer, "serial_number": 7})
        data["signer_infos"][0]["sid"] = cms.SignerIdentifier({"issuer_and_serial_number": named})

    def two_signers(data: cms.SignedData) -> None:
        data["signer_infos"].append(data["signer_infos"][0])

    def other_mechanism(data: cms.SignedData) -> None:
        data["signer_infos"][0]["signature_algorithm"] = {"algorithm": "rsassa_pkcs1v15"}

    def weaker_digest(data: cms.SignedData) -> None:
        data["signer_infos"][0]["digest_algorithm"] = {"algorithm": "sha1"}

    def enclosed_content(data: cms.SignedData) -> None:
        data["encap_content_info"]["content"] = b"something else"

    def without_signed_attributes(data: cms.SignedData) -> None:
        data["signer_infos"][0]["signed_attrs"] = cms.CMSAttributes([])

    return {
        "without-intermediate": without_intermediate,
        "other-signer": other_signer,
        "two-signers": two_signers,
        "unsigned-attribute": unsigned_attribute,
        "foreign-certificate": foreign_certificate,
        "certificate-twice": certificate_twice,
        "other-version": other_version,
        "other-mechanism": other_mechanism,
        "weaker-digest": weaker_digest,
        "enclosed-content": enclosed_content,
        "without-signed-attributes": without_signed_attributes,
    }


def padded(shop: Workshop) -> bytes:
    """A seal of ours with room left in the hole, as a time stamp's estimate leaves some."""
    return sign(fresh(shop.plain), shop.ours)


def stamped(shop: Workshop) -> bytes:
    """A seal with a time stamp and, as the signer adds it then, validation material in the same revision."""
    writer = fresh(shop.plain)
    writer.root[pdf_name("/DSS")] = generic.DictionaryObject({pdf_name("/Certs"): generic.ArrayObject()})
    return sign(writer, shop.ours, timestamper=shop.timestamper())


def _timestamped(shop: Workshop) -> Iterator[Vector]:
    sealed = stamped(shop)
    stranger = shop.self_signed("别的时间戳", purposes=[TIME_STAMPING])
    foreign = sign(fresh(shop.plain), shop.ours, timestamper=shop.timestamper(stranger))
    other = sign(fresh(shop.plain), shop.ours, timestamper=shop.timestamper())

    def strip(data: cms.SignedData) -> None:
        del data["signer_infos"][0]["unsigned_attrs"]

    def another(data: cms.SignedData) -> None:
        data["signer_infos"][0]["unsigned_attrs"] = signed_data(other)["signer_infos"][0]["unsigned_attrs"]

    yield Vector("timestamp-stripped", reencoded(sealed, strip), ALTERED)
    yield Vector("timestamp-of-another-seal", reencoded(sealed, another), ALTERED)
    yield Vector("timestamp-by-a-stranger", foreign, UNTRUSTED)


def _moved(shop: Workshop) -> Iterator[Vector]:
    """Our signature around other content."""
    sealed, found = shop.sealed, find(shop.sealed)
    stranger = sign(fresh(shop.plain), shop.self_signed("冒名"))
    theirs = len(hole(stranger))
    yield Vector(
        "signature-transplanted", refill(stranger, hole(sealed)[:theirs].ljust(theirs, b"0")), ALTERED
    )
    evil = b"\n99 0 obj\n<< /Type /Catalog >>\nendobj\n"
    head, middle, tail = (
        sealed[: found.hole_start],
        sealed[found.hole_start : found.hole_end],
        sealed[found.hole_end :],
    )
    again = b"/ByteRange [0 %d %d %d]" % (found.hole_start, found.hole_end + 200, found.rest)
    gap = (again + evil).ljust(200)
    yield Vector("byte-range-second-part-moved", head + middle + gap + tail, ALTERED)
    yield Vector("byte-range-gap-filled", head + middle + evil + tail, ALTERED)


def find(pdf: bytes) -> ByteRange:
    found = find_byte_range(pdf)
    assert found is not None
    return found


def hole(pdf: bytes) -> bytes:
    """The digits between `<` and `>`."""
    found = find(pdf)
    return pdf[found.hole_start + 1 : found.hole_end - 1]


def refill(pdf: bytes, digits: bytes) -> bytes:
    """`pdf` with other digits, as many as before."""
    found = find(pdf)
    assert len(digits) == found.hole_end - found.hole_start - 2
    return pdf[: found.hole_start + 1] + digits + pdf[found.hole_end - 1 :]


def signed_data(pdf: bytes) -> cms.SignedData:
    return cms.ContentInfo.load(bytes.fromhex(hole(pdf).decode()))["content"]


def reencoded(pdf: bytes, change: Change) -> bytes:
    """`pdf` with its signature changed and encoded anew in the same room."""
    content = cms.ContentInfo.load(bytes.fromhex(hole(pdf).decode()))
    change(content["content"])
    digits = content.dump().hex().upper().encode()
    return refill(pdf, digits[: len(hole(pdf))].ljust(len(hole(pdf)), b"0"))
