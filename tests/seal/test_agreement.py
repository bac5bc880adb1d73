"""What may be loaded for sealing and what is trusted afterwards is one and the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from seal.brought import Issued, bring, issue
from seal.pki import NOW, PLACE, TITLE, document, picture, ring

from signsvc import keys
from signsvc.certificates import DOCUMENT_SIGNING
from signsvc.errors import KeyExpired, KeysError
from signsvc.keys import pki
from signsvc.keys.chain import sealing_path
from signsvc.models import OfficeId, Sha256
from signsvc.seal.examine import examine
from signsvc.seal.findings import Outcome, Trust
from signsvc.seal.sign import Sealer

OWN = OfficeId("own")
PASSPHRASE = "a passphrase of the tests only"
LATER = NOW + timedelta(days=10)


@dataclass(frozen=True)
class Case:
    """What an office brings."""

    leaf: Issued
    above: tuple[Issued, ...]
    roots: tuple[Issued, ...]


def under(root: Issued, *above: Issued, leaf: Issued | None = None) -> Case:
    return Case(leaf or issue("office", above[0] if above else root), above, (root,))


ROOT, STRANGER = issue("root", ca=True), issue("older", ca=True)
ISSUING, LAST = issue("issuing", ROOT, ca=True), issue("issuing", ROOT, ca=True, depth=0)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")

# Purposes that leave open whether documents may be signed.
NAMELESS: dict[str, tuple[x509.ObjectIdentifier, ...]] = {
    "without naming its purpose": (),
    "for e-mail": (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION),
    "for any purpose": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,),
}
GOOD = {
    "directly under the root": under(ROOT),
    "under an intermediate": under(ROOT, ISSUING),
    "with the root in the file": Case(issue("office", ISSUING), (ISSUING, ROOT), (ROOT,)),
    "with several roots": Case(issue("office", ISSUING), (ISSUING,), (STRANGER, ROOT)),
    **{
        name: under(ROOT, leaf=issue("office", ROOT, purposes=purposes))
        for name, purposes in (
            ("for documents and time stamps", (ExtendedKeyUsageOID.TIME_STAMPING, DOCUMENT_SIGNING)),
            *NAMELESS.items(),
        )
    },
}
BAD = {
    **{
        f"for {name} only": under(ROOT, leaf=issue("office", ROOT, purposes=(purpose,)))
        for name, purpose in (
            ("time stamps", ExtendedKeyUsageOID.TIME_STAMPING),
            ("servers", ExtendedKeyUsageOID.SERVER_AUTH),
            ("OCSP answers", ExtendedKeyUsageOID.OCSP_SIGNING),
        )
    },
    "without a usage": under(ROOT, leaf=issue("office", ROOT, usage=None)),
    "for signatures only": under(ROOT, leaf=issue("office", ROOT, usage=pki.usage(digital_signature=True))),
    "for commitment only": under(ROOT, leaf=issue("office", ROOT, usage=pki.usage(content_commitment=True))),
    "a CA": under(ROOT, leaf=issue("office", ROOT, ca=True, usage=pki.usage(True, True))),
    "an intermediate missing": Case(issue("office", ISSUING), (), (ROOT,)),
    "under a strange root": Case(issue("office", ISSUING), (ISSUING,), (STRANGER,)),
    "its own root": Case(issue("office"), (), (issue("office"),)),
    "under an intermediate that may not issue": under(
        ROOT, issue("issuing", ROOT, ca=True, usage=pki.usage(True))
    ),
    "under one intermediate too many": under(ROOT, issue("older", LAST, ca=True), LAST),
    "with a critical extension unknown to all": under(ROOT, leaf=issue("office", ROOT, extra=UNKNOWN)),
}


def load(folder: Path, case: Case) -> keys.SealKey:
    keys.make(folder, [], "https://example.org", NOW, PASSPHRASE)
    bring(folder, PASSPHRASE, case.leaf, *case.above, roots=case.roots)
    return keys.load(folder, PASSPHRASE, {keys.Role.SEAL}).seal(OWN)


def forced(case: Case) -> keys.SealKey:
    """What nobody asked whether it may be loaded."""
    return replace(
        ring().seal(OfficeId("qh-demo")),
        certificate=case.leaf.der,
        chain=tuple(item.der for item in case.above),
        private=case.leaf.key,
    )


def examined(key: keys.SealKey, case: Case, *, registered: bool = True) -> Outcome:
    """How a file sealed with `key` is judged where its certificate is registered, or offline."""
    sealed = Sealer(key, picture(), lambda: LATER).seal(document(), PLACE, TITLE)
    pins = frozenset({Sha256(hashlib.sha256(case.leaf.der).hexdigest())}) if registered else None
    return examine(sealed.pdf, Trust(tuple(root.pem for root in case.roots), pins)).outcome


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD.keys())
def test_what_may_be_loaded_seals_what_is_trusted(tmp_path: Path, case: Case) -> None:
    assert examined(load(tmp_path / "keys", case), case) is Outcome.SEALED


@pytest.mark.parametrize("name", GOOD)
def test_offline_a_seal_is_trusted_if_its_certificate_itself_is_for_documents(
    tmp_path: Path, name: str
) -> None:
    key = load(tmp_path / "keys", GOOD[name])
    assert key.for_documents is (name not in NAMELESS)
    found = examined(key, GOOD[name], registered=False)
    assert found is (Outcome.SEALED if key.for_documents else Outcome.UNTRUSTED)


def test_of_an_issuers_certificates_the_one_that_is_valid_is_taken() -> None:
    old, new = (issue("issuing", ROOT, ca=True, days=days) for days in ((-90, -60), (-9, 90)))
    path = sealing_path(
        issue("office", new).certificate,
        [issue("issuing", STRANGER, ca=True).certificate, old.certificate, new.certificate],
        [ROOT.certificate],
        "seal-own.pem",
    )
    assert path[1:] == (new.certificate, ROOT.certificate)


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_what_would_not_be_trusted_is_not_loaded(tmp_path: Path, case: Case) -> None:
    assert examined(forced(case), case) is not Outcome.SEALED
    with pytest.raises(KeysError, match=r"seal-own\.pem"):
        load(tmp_path / "keys", case)


def test_nothing_is_sealed_once_a_certificate_above_has_run_out(tmp_path: Path) -> None:
    key = load(tmp_path / "keys", under(ROOT, issue("issuing", ROOT, ca=True, days=(0, 9))))
    assert Sealer(key, picture(), lambda: NOW).seal(document(), PLACE, TITLE)
    with pytest.raises(KeyExpired, match="上级证书"):
        Sealer(key, picture(), lambda: LATER).seal(document(), PLACE, TITLE)


def test_certificates_that_are_never_valid_together_are_not_loaded(tmp_path: Path) -> None:
    issuing = issue("issuing", ROOT, ca=True, days=(0, 5))
    with pytest.raises(KeysError, match="有效期"):
        load(tmp_path / "keys", under(ROOT, issuing, leaf=issue("office", issuing, days=(6, 30))))
