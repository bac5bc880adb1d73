"""The document around a signature, as a strict PDF reader and validator see it (ISO 32000-2 12.8, ETSI EN 319 142-1).

pyHanko is asked for each fact by itself, never for its summary. Nothing is fetched: chains are built from the file
and the roots given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from itertools import islice

from asn1crypto import cms, pem, x509
from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, extract_contents
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from signsvc.certificates import DOCUMENT_SIGNING
from signsvc.seal.claim import Claim
from signsvc.seal.findings import Trust
from signsvc.seal.prechecks import ByteRange, Misshapen

_MIB = 1024 * 1024
# A certificate's page and fonts decode to well under this; a bomb does not.
LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_ratio=200, max_output_size=16 * _MIB),
    document_budget=DocumentDecodeBudget(base_allowance=32 * _MIB, max_ratio=10),
)
_SIGNS = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=True)
_SIGNS_DOCUMENTS = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"},
    match_all_key_usages=True,
    extd_key_usage={DOCUMENT_SIGNING.dotted_string},
)
_MOST_FIELDS = 8
_TAIL = 2048  # bytes; common readers look for the end of the file in the last 1024


@dataclass(frozen=True)
class SealingTime:
    """When the seal was put on: by a time stamp, or by the seal's own word."""

    at: datetime
    timestamped: bool


def signatures_in(data: bytes) -> Iterator[bytes]:
    """Contents of the filled signature fields of any PDF, of whatever kind; raises if there is no document in it."""
    if b"startxref" not in data[-_TAIL:]:
        raise ValueError("no end")  # the reader would search for it through all of the file
    reader = PdfFileReader(BytesIO(data), strict=False, decode_limits=LIMITS)
    if not isinstance(reader.root["/Pages"], DictionaryObject):
        raise ValueError("no pages")
    for _, signature, _ in islice(enumerate_sig_fields(reader, filled_status=True), _MOST_FIELDS):
        yield extract_contents(signature.get_object())


def sealed_field(data: bytes, byte_range: ByteRange, der: bytes) -> EmbeddedPdfSignature:
    """The one seal field of the one revision; Misshapen if the document has anything else of the kind."""
    reader = PdfFileReader(BytesIO(data), strict=True, decode_limits=LIMITS)
    if reader.encrypted:
        raise Misshapen("encrypted")
    if reader.total_revisions != 1 or reader.xrefs.hybrid_xrefs_present:
        raise Misshapen("several_revisions")
    form = reader.root["/AcroForm"]
    signatures = reader.embedded_signatures
    if len(form["/Fields"]) != 1 or len(signatures) != 1 or "/XFA" in form or "/NeedAppearances" in form:
        raise Misshapen("form_changed")
    signature: EmbeddedPdfSignature = signatures[0]
    if list(signature.byte_range) != byte_range.as_list() or not signature.pkcs7_content.startswith(der):
        raise Misshapen("byte_range")
    _require_certified(reader, signature)
    return signature


def _require_certified(reader: PdfFileReader, signature: EmbeddedPdfSignature) -> None:
    """A certification signature with DocMDP permission 1 (ISO 32000-2 12.8.2.2), and PAdES by its type."""
    sealed = signature.sig_object
    kind = (sealed.get("/Type"), sealed.get("/Filter"), sealed.get("/SubFilter"))
    if kind != ("/Sig", "/Adobe.PPKLite", "/ETSI.CAdES.detached"):
        raise Misshapen("form_changed")
    permissions = reader.root.get("/Perms", {})
    certified = "/DocMDP" in permissions and permissions["/DocMDP"] == sealed
    if not certified or signature.docmdp_level is not MDPPerm.NO_CHANGES:
        raise Misshapen("not_certified")


def validate(signature: EmbeddedPdfSignature, claim: Claim, trust: Trust) -> SealingTime:
    """Digest, signature, time stamp and chain at the sealing time; Misshapen for whichever fails first."""
    claimed = signature.self_reported_timestamp
    if claimed is None:
        raise Misshapen("malformed")
    if not claim.timestamps:
        if "/DSS" in signature.reader.root:
            # Validation material is sealed in only together with a time stamp: that one was cut out.
            raise Misshapen("timestamp_missing")
        _require_sound(_status(signature, trust, claimed), claim)
        return SealingTime(claimed, timestamped=False)
    return _validate_timestamped(signature, claim, trust, claimed)


def _validate_timestamped(
    signature: EmbeddedPdfSignature, claim: Claim, trust: Trust, claimed: datetime
) -> SealingTime:
    stamped = _stamped_time(claim.timestamps[0])
    status = _status(signature, trust, stamped)
    stamp = status.timestamp_validity
    if stamp is None or not (stamp.intact and stamp.valid) or len(claim.timestamps) != 1:
        raise Misshapen("timestamp_invalid")
    if not trust.timestamp_roots:
        _require_sound(_status(signature, trust, claimed), claim)
        return SealingTime(claimed, timestamped=False)
    if not stamp.trusted:
        raise Misshapen("timestamp_untrusted")
    _require_sound(status, claim)
    return SealingTime(stamped, timestamped=True)


def _stamped_time(token: cms.SignedData) -> datetime:
    moment: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
    return moment


def _status(signature: EmbeddedPdfSignature, trust: Trust, moment: datetime) -> PdfSignatureStatus:
    return validate_pdf_signature(
        signature,
        signer_validation_context=_context(trust.roots, moment),
        ts_validation_context=_context(trust.timestamp_roots, moment),
        key_usage_settings=_SIGNS_DOCUMENTS if trust.pins is None else _SIGNS,
    )


def _context(roots: tuple[bytes, ...], moment: datetime) -> ValidationContext:
    return ValidationContext(
        trust_roots=[_certificate(root) for root in roots], moment=moment, allow_fetching=False
    )


@lru_cache(maxsize=16)
def _certificate(root: bytes) -> x509.Certificate:
    _, _, der = pem.unarmor(root)
    return x509.Certificate.load(der)


def _require_sound(status: PdfSignatureStatus, claim: Claim) -> None:
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise Misshapen("coverage")
    if status.modification_level is not ModificationLevel.NONE:
        raise Misshapen("several_revisions")
    if not status.intact:
        raise Misshapen("digest")
    if not status.valid or status.md_algorithm != "sha256":
        raise Misshapen("signature")
    if not status.trusted:
        raise Misshapen("certificate_chain")
    if not _only_the_path(status, claim):
        raise Misshapen("extra_certificates")


def _only_the_path(status: PdfSignatureStatus, claim: Claim) -> bool:
    """Certificates beside the path are signed by nothing, so none may be there, and none twice."""
    path = status.validation_path
    used = {certificate.dump() for certificate in path.iter_certs(include_root=True)} if path else set()
    carried = claim.encoded_certificates
    return used.issuperset(carried) and len(set(carried)) == len(carried)
