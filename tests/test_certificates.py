"""What is told of a seal certificate, whatever stands in it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from seal.brought import issue, with_an_unknown_key, with_extension_twice
from seal.pki import NOW, OFFICE, ring

from signsvc.certificates import SealCertificateFacts, describe, may_seal

DEMO = ring().certificates[OFFICE.id].certificate


def test_the_facts_of_a_seal_are_those_of_its_certificate() -> None:
    found = describe(DEMO)
    assert (found.holder, found.issuer, found.demo) == (OFFICE.name, "signsvc 演示电子印章签发证书", True)
    own = describe(issue("office", issue("root", ca=True), holder="幸福社区居民委员会").der)
    assert own == SealCertificateFacts("幸福社区居民委员会", "root", NOW, NOW + timedelta(days=30), False)


def test_a_malformed_extension_takes_nothing_from_the_facts_but_lets_nothing_be_sealed() -> None:
    good = issue("office")
    for broken in (with_extension_twice(good), with_an_unknown_key(good)):
        assert describe(broken.der) == describe(good.der)
    assert may_seal(good.certificate)
    assert not may_seal(with_extension_twice(good).certificate)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DEMO) - 1), st.integers(1, 255))
def test_no_certificate_makes_the_facts_fail(at: int, change: int) -> None:
    changed = bytearray(DEMO)
    changed[at] ^= change
    assert isinstance(describe(bytes(changed)).holder, str)
    assert describe(bytes(changed[:at])) == SealCertificateFacts()
