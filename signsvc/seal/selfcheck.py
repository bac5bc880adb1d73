"""The last look at a sealed file before it leaves: quick, strict, and independent of the library that sealed it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from asn1crypto import algos, cms, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from signsvc.errors import SealFailed
from signsvc.models import Sha256

_BYTE_RANGE = re.compile(rb"/ByteRange ?\[0 (\d{1,10}) (\d{1,10}) (\d{1,10})\]")
_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")
# PAdES B-B (EN 319 142-1): these three and no other; the time stands in /M and in the time stamp.
_SIGNED_ATTRIBUTES = frozenset({"content_type", "message_digest", "signing_certificate_v2"})
_SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"}).dump()
_RSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}).dump()
_TIME_STAMP = "signature_time_stamp_token"


def check(pdf: bytes, certificates: Sequence[bytes], public: RSAPublicKey, *, stamped: bool) -> Sha256:
    """SHA-256 of the signed bytes of `pdf`; raises SealFailed unless every byte is what `public` sealed.

    1. One revision. 2. The byte range is the whole file around one hexadecimal string. 3. Certified, no changes
    allowed. 4. One signer, with these certificates and the attributes of PAdES. 5. Digest, certificate and signature
    hold. 6. A time stamp over this very signature stands in it exactly if `stamped`. `certificates` are DER, the
    pinned leaf first.
    """
    try:
        signed, contents = _split(pdf)
        signer = _signer(contents, certificates)
        attributes = {item["type"].native: item["values"] for item in signer["signed_attrs"]}
        digest = hashlib.sha256(signed).digest()
        _demand(set(attributes) == _SIGNED_ATTRIBUTES and len(signer["signed_attrs"]) == len(attributes), 4)
        _demand(attributes["message_digest"][0].native == digest, 5)
        _demand(
            _names(attributes["signing_certificate_v2"][0]) == hashlib.sha256(certificates[0]).digest(), 5
        )
        signature: bytes = signer["signature"].native
        public.verify(signature, signer["signed_attrs"].untag().dump(), PKCS1v15(), SHA256())
        _demand(_stamped_imprints(signer) == ([hashlib.sha256(signature).digest()] if stamped else []), 6)
    except (InvalidSignature, ValueError, TypeError, KeyError, IndexError) as error:
        raise _failed(5) from error
    return Sha256(digest.hex())


def _split(pdf: bytes) -> tuple[bytes, bytes]:
    """The signed bytes and the CMS."""
    whole = pdf.startswith(b"%PDF-1.7\n") and pdf.endswith(b"\n%%EOF\n")
    _demand(whole and pdf.count(b"startxref") == 1 and pdf.count(b"%%EOF") == 1, 1)
    ranges = _BYTE_RANGE.findall(pdf)
    _demand(len(ranges) == 1 and pdf.count(b"/ByteRange") == 1, 2)
    before, start, rest = map(int, ranges[0])
    _demand(before < start and start + rest == len(pdf), 2)
    hole = _HEX.fullmatch(pdf, before, start)
    signed = pdf[:before] + pdf[start:]
    _demand(signed.count(b"/TransformMethod /DocMDP") == 1 and re.search(rb"/P 1\b", signed) is not None, 3)
    if hole is None:
        raise _failed(2)
    return signed, bytes.fromhex(hole[1].decode())


def _signer(contents: bytes, certificates: Sequence[bytes]) -> Any:
    content = cms.ContentInfo.load(contents)
    padding = contents[len(content.dump()) :]
    data = content["content"]
    _demand(not any(padding) and content["content_type"].native == "signed_data", 4)
    wrapped = data["encap_content_info"]
    _demand(wrapped["content_type"].native == "data" and wrapped["content"].native is None, 4)
    _demand(sorted(item.chosen.dump() for item in data["certificates"]) == sorted(certificates), 4)
    _demand(
        len(data["signer_infos"]) == 1 and data["version"].native == "v1" and data["crls"].native is None, 4
    )
    signer = data["signer_infos"][0]
    own = x509.Certificate.load(certificates[0])
    named = (signer["sid"].chosen["issuer"].dump(), signer["sid"].chosen["serial_number"].native)
    _demand(named == (own.issuer.dump(), own.serial_number) and signer["version"].native == "v1", 4)
    used = [item.dump() for item in (*data["digest_algorithms"], signer["digest_algorithm"])]
    _demand(used == [_SHA256, _SHA256] and signer["signature_algorithm"].dump() == _RSA_SHA256, 4)
    return signer


def _names(signing_certificate: Any) -> bytes:
    """The hash by which the signed attributes pin the certificate (ESS, RFC 5035)."""
    value: bytes = signing_certificate["certs"][0]["cert_hash"].native
    return value


def _stamped_imprints(signer: Any) -> list[bytes]:
    unsigned = signer["unsigned_attrs"]
    tokens = [token for item in unsigned if item["type"].native == _TIME_STAMP for token in item["values"]]
    infos = [token["content"]["encap_content_info"]["content"].parsed for token in tokens]
    return [info["message_imprint"]["hashed_message"].native for info in infos]


def _demand(holds: bool, step: int) -> None:
    if not holds:
        raise _failed(step)


def _failed(step: int) -> SealFailed:
    return SealFailed(f"盖章后的自检未通过（第{step}步），文件未发出；请重试，仍失败请联系管理员")
