"""The last look at a sealed file before it leaves: quick, strict, and independent of the library that sealed it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from asn1crypto import algos, cms, tsp, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from signsvc.errors import SealFailed
from signsvc.models import Sha256

_BYTE_RANGE = re.compile(rb"/ByteRange ?\[0 (\d{1,10}) (\d{1,10}) (\d{1,10})\]")
_CERTIFICATION = b"/TransformMethod /DocMDP"
_CERTIFIED = re.compile(_CERTIFICATION + rb"\s+/TransformParams <<[^<>]*/P 1\s[^<>]*>>")
_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")
_SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"})
_RSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"})
_TIME_STAMP = "signature_time_stamp_token"
# Stands in the expected container where the digest will stand; 32 bytes that occur nowhere else.
_DIGEST = hashlib.sha256(b"where the self-check expects the digest").digest()


def check(pdf: bytes, certificates: Sequence[bytes], public: RSAPublicKey, *, stamped: bool) -> Sha256:
    """SHA-256 of the signed bytes of `pdf`; raises SealFailed unless every byte is what `public` sealed.

    1. One revision. 2. The byte range is the whole file around one hexadecimal string. 3. Certified, no changes
    allowed. 4. The container is, byte for byte, the only one for these certificates and this digest, and nothing
    follows it. 5. The signature holds. 6. A time stamp over this very signature stands in it exactly if `stamped`.
    `certificates` are DER, the pinned leaf first.
    """
    try:
        signed, contents = _split(pdf)
        digest = hashlib.sha256(signed).digest()
        container, imprints = _without_stamp(contents) if stamped else (contents, [])
        expected, attributes = _expected(tuple(certificates), public.key_size // 8)
        end = len(expected)
        start = end - public.key_size // 8
        signature = container[start:end]
        _demand(container[:start] == expected[:start].replace(_DIGEST, digest), 4)
        _demand(not any(container[end:]), 4)
        public.verify(signature, attributes.replace(_DIGEST, digest), PKCS1v15(), SHA256())
        _demand(imprints == ([hashlib.sha256(signature).digest()] if stamped else []), 6)
    except (InvalidSignature, ValueError, TypeError, KeyError, IndexError) as error:
        raise _failed(5) from error
    return Sha256(digest.hex())


def _split(pdf: bytes) -> tuple[bytes, bytes]:
    """The signed bytes and the CMS."""
    whole = pdf.startswith(b"%PDF-1.7\n") and pdf.endswith(b"\n%%EOF\n")
    _demand(whole and pdf.count(b"startxref") == 1 and pdf.count(b"%%EOF") == 1, 1)
    found = _BYTE_RANGE.match(pdf, pdf.rfind(b"/ByteRange"))
    if found is None or pdf.count(b"/ByteRange") != 1:
        raise _failed(2)
    before, start, rest = map(int, found.groups())
    _demand(before < start and start + rest == len(pdf), 2)
    hole = _HEX.fullmatch(pdf, before, start)
    signed = pdf[:before] + pdf[start:]
    certified = _CERTIFIED.match(signed, signed.rfind(_CERTIFICATION))
    _demand(certified is not None and signed.count(_CERTIFICATION) == 1, 3)
    if hole is None:
        raise _failed(2)
    return signed, bytes.fromhex(hole[1].decode())


@lru_cache(maxsize=64)
def _expected(certificates: tuple[bytes, ...], length: int) -> tuple[bytes, bytes]:
    """The DER of a container over _DIGEST, ending with `length` zeros for the signature, and of what is signed in it.

    PAdES B-B (EN 319 142-1): one signer, three signed attributes and no other; the time stands in /M and in the time
    stamp.
    """
    leaf = x509.Certificate.load(certificates[0])
    values = {"content_type": "data", "message_digest": _DIGEST, "signing_certificate_v2": _pinned(leaf)}
    attributes = cms.CMSAttributes([{"type": kind, "values": [value]} for kind, value in values.items()])
    name = cms.IssuerAndSerialNumber({"issuer": leaf.issuer, "serial_number": leaf.serial_number})
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": name}),
        "digest_algorithm": _SHA256,
        "signed_attrs": attributes,
        "signature_algorithm": _RSA_SHA256,
        "signature": bytes(length),
    }
    signed_data = {
        "version": "v1",
        "digest_algorithms": [_SHA256],
        "encap_content_info": {"content_type": "data"},
        "certificates": [x509.Certificate.load(item) for item in certificates],
        "signer_infos": [signer],
    }
    whole = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed_data)})
    return whole.dump(), attributes.dump()


def _pinned(leaf: x509.Certificate) -> tsp.SigningCertificateV2:
    """The signed attributes name the certificate by its hash (ESS, RFC 5035)."""
    issuer = [x509.GeneralName({"directory_name": leaf.issuer})]
    named = {
        "hash_algorithm": _SHA256,
        "cert_hash": hashlib.sha256(leaf.dump()).digest(),
        "issuer_serial": {"issuer": issuer, "serial_number": leaf.serial_number},
    }
    return tsp.SigningCertificateV2({"certs": [named]})


def _without_stamp(contents: bytes) -> tuple[bytes, list[bytes]]:
    """The container as it was before it was stamped, and what the time stamps in it were made over."""
    whole = cms.ContentInfo.load(contents)
    _demand(not any(contents[len(whole.dump()) :]), 4)
    signer: Any = whole["content"]["signer_infos"][0]
    unsigned = list(signer["unsigned_attrs"])
    _demand(all(item["type"].native == _TIME_STAMP for item in unsigned), 4)
    tokens = [token for item in unsigned for token in item["values"]]
    infos = [token["content"]["encap_content_info"]["content"].parsed for token in tokens]
    del signer["unsigned_attrs"]
    return whole.dump(force=True), [info["message_imprint"]["hashed_message"].native for info in infos]


def _demand(holds: bool, step: int) -> None:
    if not holds:
        raise _failed(step)


def _failed(step: int) -> SealFailed:
    return SealFailed(f"盖章后的自检未通过（第{step}步），文件未发出；请重试，仍失败请联系管理员")
