"""What is told of a seal certificate, whatever stands in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st
from seal.brought import issue, with_an_unknown_key, with_extension_twice
from seal.pki import NOW, OFFICE, ring

from signsvc import certificates
from signsvc.certificates import (
    DOCUMENT_SIGNING,
    SealCertificateFacts,
    describe,
    may_seal,
    paths_to_root,
    signs_documents,
)

real = certificates.issued_by
DEMO = ring().certificates[OFFICE.id].certificate


def test_the_facts_of_a_seal_are_those_of_its_certificate() -> None:
    found = describe(DEMO)
    assert (found.holder, found.issuer, found.demo) == (OFFICE.name, "signsvc 演示电子印章签发证书", True)
    own = issue("office", issue("root", ca=True), holder="幸福社区居民委员会")
    assert describe(own.der) == SealCertificateFacts(
        "幸福社区居民委员会",
        "root",
        NOW,
        NOW + timedelta(days=30),
        False,
        listed=(own.certificate.issuer.public_bytes(), own.certificate.serial_number),
    )


def test_a_malformed_extension_takes_nothing_from_the_facts_but_lets_nothing_be_sealed() -> None:
    good = issue("office")
    for broken in (with_extension_twice(good), with_an_unknown_key(good)):
        assert describe(broken.der) == describe(good.der)
    assert may_seal(good.certificate)
    assert not may_seal(with_extension_twice(good).certificate)


ALLOWING = (
    DOCUMENT_SIGNING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
)
OTHERS = (
    ExtendedKeyUsageOID.TIME_STAMPING,
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.CODE_SIGNING,
    ExtendedKeyUsageOID.OCSP_SIGNING,
    x509.ObjectIdentifier("1.2.3.4"),
)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(ALLOWING + OTHERS)))
def test_a_certificate_for_other_purposes_only_seals_nothing(
    purposes: set[x509.ObjectIdentifier],
) -> None:
    found = issue("office", purposes=sorted(purposes, key=lambda oid: oid.dotted_string)).certificate
    assert may_seal(found) is (not purposes or not purposes.isdisjoint(ALLOWING))
    assert signs_documents(found) is (DOCUMENT_SIGNING in purposes)


ROOT, FOREIGN = issue("root", ca=True), issue("older", ca=True)
UPPER, FOREIGN_UPPER = issue("upper", ROOT, ca=True), issue("upper", FOREIGN, ca=True)
LOWER, FOREIGN_LOWER = issue("lower", UPPER, ca=True), issue("lower", FOREIGN, ca=True)
LEAF = issue("office", LOWER)
AROUND = [item.certificate for item in (FOREIGN_LOWER, FOREIGN_UPPER, FOREIGN, LOWER, UPPER)]


@settings(max_examples=40, deadline=None)
@given(st.permutations(AROUND))
def test_a_root_is_reached_whichever_certificates_of_the_same_keys_lie_around(
    others: list[x509.Certificate],
) -> None:
    wanted = (LEAF, LOWER, UPPER, ROOT)
    found = list(paths_to_root(LEAF.certificate, others, [ROOT.certificate]))
    assert found == [tuple(item.certificate for item in wanted)]


def test_no_more_than_four_certificates_lie_below_a_root() -> None:
    chain = [ROOT]
    for name in ("upper", "lower", "issuing", "last"):
        chain.append(issue(name, chain[-1], ca=True))
    for depth, reached in ((3, True), (4, False)):
        leaf = issue("office", chain[depth]).certificate
        others = [item.certificate for item in chain[1 : depth + 1]]
        assert bool(list(paths_to_root(leaf, others, [ROOT.certificate]))) is reached


def test_certificates_of_one_name_and_key_cost_few_checks_however_many_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a file with eight of them could keep an examination busy."""
    checks = []
    monkeypatch.setattr(certificates, "issued_by", lambda *pair: checks.append(pair) or real(*pair))
    selves = [issue("lower", ca=True).certificate for _ in range(7)]
    assert not any(paths_to_root(issue("office", LOWER).certificate, selves, [ROOT.certificate]))
    assert len(checks) <= 8 * 8


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DEMO) - 1), st.integers(1, 255))
def test_no_certificate_makes_the_facts_fail(at: int, change: int) -> None:
    changed = bytearray(DEMO)
    changed[at] ^= change
    assert isinstance(describe(bytes(changed)).holder, str)
    assert describe(bytes(changed[:at])) == SealCertificateFacts()
