"""Whose seal a signature claims to be, judged from its certificates alone (RFC 5652, RFC 5280).

This answers "whose" for damaged files too, so it looks at no time and at no digest: those are the examination's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from asn1crypto import algos, cms, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from signsvc.certificates import may_seal, paths_to_root, signs_documents
from signsvc.models import Sha256
from signsvc.seal.findings import Trust

_MOST_CERTIFICATES = 8
_SHA256 = algos.DigestAlgorithm({"algorithm": "sha256"})
_RSA_SHA256 = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"})


@dataclass(frozen=True)
class Claim:
    """One signature and the certificate it says it was made with."""

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    signed_data: cms.SignedData
    signer: cms.SignerInfo

    @property
    def leaf_sha256(self) -> Sha256:
        """SHA-256 of the certificate's DER."""
        return Sha256(hashlib.sha256(_der(self.leaf)).hexdigest())

    @property
    def encoded_certificates(self) -> tuple[bytes, ...]:
        """DER of every certificate that the signature carries, the signer's first."""
        return tuple(_der(item) for item in (self.leaf, *self.others))

    @property
    def timestamps(self) -> tuple[cms.SignedData, ...]:
        """Time stamp tokens (RFC 3161) among the unsigned attributes."""
        return tuple(
            token["content"]
            for attribute in _attributes(self.signer["unsigned_attrs"])
            if attribute["type"].native == "signature_time_stamp_token"
            for token in attribute["values"]
        )


def read_claim(der: bytes) -> Claim:
    """The claim of one CMS signature with exactly one signer. Raises whatever malformed ASN.1 may cause."""
    content = cms.ContentInfo.load(der, strict=False)
    signed_data = content["content"]
    (signer,) = signed_data["signer_infos"]
    certificates = [item.chosen for item in signed_data["certificates"]]
    if content["content_type"].native != "signed_data" or len(certificates) > _MOST_CERTIFICATES:
        raise ValueError("not a signature of ours")
    named = signer["sid"].chosen
    wanted = (named["issuer"].dump(), named["serial_number"].native)
    leaves = [item for item in certificates if (item.issuer.dump(), item.serial_number) == wanted]
    leaf = leaves[0]
    others = [item for item in certificates if item is not leaf]
    return Claim(_loaded(leaf), tuple(_loaded(item) for item in others), signed_data, signer)


def is_ours(claim: Claim, trust: Trust) -> bool:
    """A seal certificate, signed up to one of the roots; a registered one if registration is asked for.

    Registration says what a certificate is for, where the certificate does not rule that out. Without registration
    the certificate itself must say so, or any other signer's certificate under the same root could seal.
    """
    registered = signs_documents(claim.leaf) if trust.pins is None else claim.leaf_sha256 in trust.pins
    if not registered or not may_seal(claim.leaf):
        return False
    roots = [x509.load_pem_x509_certificate(pem) for pem in trust.roots]
    return any(paths_to_root(claim.leaf, claim.others, roots))


def canonical(claim: Claim) -> bytes:
    """The only encoding that the signature may have: what the seal does not sign itself is rebuilt, not believed.

    Algorithms, versions and the signer's name stand outside the signed attributes; a container that says the same
    in other bytes (or says something else there) is not what was sealed.
    """
    signer = {
        "version": "v1",
        "sid": _signer_name(claim),
        "digest_algorithm": _SHA256,
        "signed_attrs": _attributes(claim.signer["signed_attrs"]),
        "signature_algorithm": _RSA_SHA256,
        "signature": claim.signer["signature"].native,
    }
    if claim.timestamps:
        signer["unsigned_attrs"] = [_timestamp_attribute(claim)]
    signed_data = {
        "version": "v1",
        "digest_algorithms": [_SHA256],
        "encap_content_info": {"content_type": "data"},
        "certificates": [_canonical_certificate(der) for der in claim.encoded_certificates],
        "signer_infos": [cms.SignerInfo(signer)],
    }
    whole = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed_data)})
    return bytes(whole.dump())


def names_its_certificate(claim: Claim) -> bool:
    """The signed attributes hold the hash of exactly this certificate (signing-certificate-v2, RFC 5035)."""
    # Importing tsp is also what teaches asn1crypto this attribute and the time stamp's.
    named: list[tsp.SigningCertificateV2] = [
        value
        for attribute in _attributes(claim.signer["signed_attrs"])
        if attribute["type"].native == "signing_certificate_v2"
        for value in attribute["values"]
    ]
    if len(named) != 1:
        return False
    first = named[0]["certs"][0]
    is_sha256 = first["hash_algorithm"]["algorithm"].native == "sha256"
    return bool(is_sha256 and first["cert_hash"].native == hashlib.sha256(_der(claim.leaf)).digest())


def _canonical_certificate(der: bytes) -> cms.Certificate:
    """As its issuer signed it: the frame around what is signed has one form only (RFC 5280 4.1.1)."""
    found = cms.Certificate.load(der)
    return cms.Certificate(
        {
            "tbs_certificate": found["tbs_certificate"],
            "signature_algorithm": found["tbs_certificate"]["signature"],
            "signature_value": found["signature_value"].native,
        }
    )


def _signer_name(claim: Claim) -> cms.SignerIdentifier:
    certificate = cms.Certificate.load(_der(claim.leaf))
    named = cms.IssuerAndSerialNumber(
        {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    )
    return cms.SignerIdentifier({"issuer_and_serial_number": named})


def _timestamp_attribute(claim: Claim) -> cms.CMSAttribute:
    tokens = [
        cms.ContentInfo({"content_type": "signed_data", "content": token}) for token in claim.timestamps
    ]
    return cms.CMSAttribute({"type": "signature_time_stamp_token", "values": tokens})


def _attributes(found: cms.CMSAttributes | core.Void) -> list[cms.CMSAttribute]:
    return [] if isinstance(found, core.Void) else list(found)


def _loaded(certificate: cms.Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.dump())


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
