"""Seals by other people, by other certificates of our own authority, and by our key in another form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfTimeStamper
from vectors.vector import ALTERED, NOT_SEALED, UNREADABLE, UNTRUSTED, Vector
from vectors.workshop import YEAR, Identity, Workshop, fresh, sign, update, written

from signsvc.keys import pki


def vectors(shop: Workshop) -> Iterator[Vector]:
    """Every forged or misused seal."""
    for name, identity in _strangers(shop).items():
        yield Vector(f"signed-by-{name}", sign(fresh(shop.plain), identity), UNTRUSTED, pinned=False)
        yield Vector(f"signed-by-{name}-pinned", sign(fresh(shop.plain), identity), UNTRUSTED)
    unregistered = shop.certify(shop.ours.leaf.subject, parent=shop.issuing)
    yield Vector("signed-by-unregistered-seal", sign(fresh(shop.plain), unregistered), UNTRUSTED)
    yield from _other_forms(shop)
    yield from _second_signatures(shop)
    yield from _encrypted(shop)


def _strangers(shop: Workshop) -> dict[str, Identity]:
    subject, issuing = shop.ours.leaf.subject, shop.issuing
    twin_key = pki.new_key()
    twin = shop.certify(issuing.certificate.subject, key=twin_key, ca=True)
    twin_authority = pki.Authority(twin_key, twin.leaf, "https://pki.test/twin")
    below_leaf = pki.Authority(shop.ours.key, shop.ours.leaf, "https://pki.test/leaf")  # type: ignore[arg-type]
    any_purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    below = shop.certify(subject, parent=below_leaf)
    return {
        "itself": shop.certify(subject),
        "other-authority-of-same-name": shop.certify(subject, parent=twin_authority),
        "our-tsa": shop.certify(subject, parent=issuing, purposes=[stamping]),
        "our-web-server": shop.certify(subject, parent=issuing, purposes=[server]),
        "any-purpose": shop.certify(subject, parent=issuing, purposes=[any_purpose]),
        "no-purpose": shop.certify(subject, parent=issuing, purposes=[]),
        "our-authority": shop.certify(subject, parent=issuing, ca=True),
        "issuing-authority-itself": Identity(issuing.key, issuing.certificate, (shop.root.certificate,)),
        "certificate-issued-by-a-seal": Identity(
            below.key, below.leaf, (shop.ours.leaf, issuing.certificate)
        ),
        "expired-before-sealing": shop.expired,
        "not-yet-valid": shop.certify(
            subject, parent=issuing, since=shop.now + YEAR, until=shop.now + 2 * YEAR
        ),
    }


def _other_forms(shop: Workshop) -> Iterator[Vector]:
    """Our own key, but not the one form of a seal: an accident or a thief, in either case not what we issue."""
    forms: dict[str, dict[str, Any]] = {
        "approval": {"certify": False},
        "permission-2": {"permission": MDPPerm.FILL_FORMS},
        "permission-3": {"permission": MDPPerm.ANNOTATE},
        "pkcs7-detached": {"subfilter": SigSeedSubFilter.ADOBE_PKCS7_DETACHED},
        "sha1": {"digest": "sha1"},
        "md5": {"digest": "md5"},
        "sha512": {"digest": "sha512"},
        "pss": {"pss": True},
    }
    for name, options in forms.items():
        yield Vector(f"our-key-{name}", sign(fresh(shop.plain), shop.ours, **options), ALTERED)
    key = ed25519.Ed25519PrivateKey.generate()
    edwards = shop.certify(shop.ours.leaf.subject, parent=shop.issuing, key=key)
    by_edwards = sign(fresh(shop.plain), edwards, digest="sha512")
    yield Vector("ed25519-under-our-root", by_edwards, ALTERED, pinned=False)
    yield Vector("ed25519-unregistered", by_edwards, UNTRUSTED)
    writer = fresh(shop.plain)
    field = generic.DictionaryObject({pdf_name("/FT"): pdf_name("/Tx"), pdf_name("/T"): pdf_string("t")})
    form = generic.DictionaryObject({pdf_name("/Fields"): generic.ArrayObject([writer.add_object(field)])})
    writer.root[pdf_name("/AcroForm")] = writer.add_object(form)
    yield Vector("our-key-with-text-field", sign(writer, shop.ours), ALTERED)


def _second_signatures(shop: Workshop) -> Iterator[Vector]:
    """Sneaky signature: an attacker signs a visible second field over a file that bears our seal."""
    thief = shop.self_signed("第二签章")
    approved = sign(fresh(shop.plain), shop.ours, certify=False)
    options: dict[str, Any] = {"field": "Second", "certify": False, "box": (80, 690, 480, 720)}
    yield Vector("second-signature-over-approval", sign(update(approved), thief, **options), ALTERED)
    for level in (MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE):
        certified = sign(fresh(shop.plain), shop.ours, permission=level)
        name = f"second-signature-over-permission-{level.value}"
        yield Vector(name, sign(update(certified), thief, **options), ALTERED)
    first = sign(fresh(shop.plain), thief, certify=False, field="First")
    yield Vector("our-seal-after-another", sign(update(first), shop.ours, certify=False), ALTERED)
    stamped = PdfTimeStamper(shop.timestamper()).timestamp_pdf(update(shop.sealed), "sha256")
    yield Vector("document-timestamp-appended", stamped.getvalue(), ALTERED)


def _encrypted(shop: Workshop) -> Iterator[Vector]:
    for name, identity, expected in (
        # An encrypted file carries a checksum that looks like the remains of a signature.
        ("unsigned", None, UNREADABLE | NOT_SEALED | UNTRUSTED),
        ("signed-by-stranger", shop.self_signed("加密"), UNTRUSTED),
        ("our-key", shop.ours, ALTERED),
    ):
        writer = fresh(shop.plain)
        writer.encrypt("owner", "")
        data = sign(writer, identity) if identity else written(writer)
        yield Vector(f"encrypted-{name}", data, expected)
