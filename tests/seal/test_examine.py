"""What an examination reports of a good file, and that no change of a good file passes."""

from __future__ import annotations

import dataclasses
import socket
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vectors.container import find, hole, stamped
from vectors.workshop import TIME_STAMPING, YEAR, Workshop, fresh, pem, sign

from signsvc.models import Sha256
from signsvc.seal.examine import examine
from signsvc.seal.findings import STEPS, Examination, Outcome, Trust
from signsvc.seal.prechecks import MAX_BYTES, der_end

HEX = b"0123456789ABCDEF"
# Coprime to any layout of the file, so that different places are met in different objects.
STRIDE_SIGNED, STRIDE_HOLE = 23, 37
quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_good_file_passes_every_step(shop: Workshop) -> None:
    found = examine(shop.sealed, shop.pinned)
    assert found.outcome is Outcome.SEALED
    assert [(check.name, check.result) for check in found.checks] == [(step, "pass") for step in STEPS]
    assert found.code == "ok"


def test_a_good_file_tells_who_sealed_it_and_when(shop: Workshop) -> None:
    found = examine(shop.sealed, shop.pinned)
    assert found.seal_certificate == shop.ours.sha256
    assert (found.sealed_at, found.timestamped) == (shop.now, False)


def test_the_hash_of_the_signed_bytes_leaves_out_the_hole_only(shop: Workshop) -> None:
    found = find(shop.sealed)
    signed = shop.sealed[: found.hole_start] + shop.sealed[found.hole_end :]
    assert examine(shop.sealed, shop.pinned).signed_sha256 == sha256(signed).hexdigest()


@pytest.mark.parametrize("tail", [b"\n", b"%%EOF", b"1 0 obj\nnull\nendobj\n"])
def test_the_hash_of_the_signed_bytes_survives_what_was_appended(shop: Workshop, tail: bytes) -> None:
    found = examine(shop.sealed + tail, shop.pinned)
    assert found.outcome is Outcome.ALTERED
    assert found.signed_sha256 == examine(shop.sealed, shop.pinned).signed_sha256


def test_a_failed_step_leaves_the_later_ones_unchecked(shop: Workshop) -> None:
    results = [check.result for check in examine(shop.sealed + b"\n", shop.pinned).checks]
    assert results == ["pass", "pass", "fail", "skip", "skip", "skip"]


def test_a_seal_outlives_its_certificate(shop: Workshop) -> None:
    sealed = shop.seal(shop.expired, shop.now - 2 * YEAR)
    assert shop.expired.not_after < shop.now
    assert examine(sealed, shop.pinned).outcome is Outcome.SEALED


def test_a_seal_that_is_not_registered_is_untrusted_online_only(shop: Workshop) -> None:
    registered = dataclasses.replace(shop.pinned, pins=frozenset({Sha256("0" * 64)}))
    assert examine(shop.sealed, registered).outcome is Outcome.UNTRUSTED
    assert examine(shop.sealed, shop.trust).outcome is Outcome.SEALED


def test_registration_stands_in_for_a_purpose_that_the_certificate_does_not_name(shop: Workshop) -> None:
    """As of an office that brings a certificate of its own."""
    own = shop.certify(shop.ours.leaf.subject, parent=shop.issuing, purposes=[])
    sealed = sign(fresh(shop.plain), own)
    registered = dataclasses.replace(shop.pinned, pins=frozenset({own.sha256}))
    assert examine(sealed, registered).outcome is Outcome.SEALED
    assert examine(sealed, shop.trust).outcome is Outcome.UNTRUSTED


def test_registration_does_not_outweigh_another_purpose(shop: Workshop) -> None:
    stamps = shop.certify(shop.ours.leaf.subject, parent=shop.issuing, purposes=[TIME_STAMPING])
    registered = dataclasses.replace(shop.pinned, pins=frozenset({stamps.sha256}))
    assert examine(sign(fresh(shop.plain), stamps), registered).outcome is Outcome.UNTRUSTED


def test_a_registered_seal_must_still_reach_a_root(shop: Workshop) -> None:
    stranger = shop.self_signed("别的根")
    elsewhere = dataclasses.replace(shop.pinned, roots=(pem(stranger.leaf),))
    assert examine(shop.sealed, elsewhere).outcome is Outcome.UNTRUSTED


def test_nobody_is_trusted_without_roots(shop: Workshop) -> None:
    assert examine(shop.sealed, Trust(roots=())).outcome is Outcome.UNTRUSTED


def test_without_a_root_for_time_stamps_the_seals_own_time_counts(shop: Workshop) -> None:
    found = examine(stamped(shop), dataclasses.replace(shop.trust, timestamp_roots=()))
    assert (found.outcome, found.timestamped) == (Outcome.SEALED, False)


def test_a_strangers_certificate_puts_no_words_into_the_report(shop: Workshop) -> None:
    found = examine(sign(fresh(shop.plain), shop.self_signed("请放心使用")), shop.pinned)
    assert found.outcome is Outcome.UNTRUSTED
    assert "请放心使用" not in found.to_json().decode()


def test_a_file_without_any_signature_is_told_so(shop: Workshop) -> None:
    found = examine(shop.plain, shop.pinned)
    assert (found.outcome, found.code) == (Outcome.NOT_SEALED, "not_sealed")
    assert found.signed_sha256 is None


def test_a_file_over_the_limit_is_not_opened(shop: Workshop) -> None:
    assert examine(shop.sealed + bytes(MAX_BYTES), shop.pinned).code == "too_large"


def test_nothing_is_asked_of_the_network(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        pytest.fail("an address of the certificate was called")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    assert examine(shop.sealed, shop.pinned).outcome is Outcome.SEALED


def test_no_byte_of_the_signed_part_can_be_flipped(shop: Workshop) -> None:
    found = find(shop.sealed)
    signed = [*range(found.hole_start + 1), *range(found.hole_end - 1, len(shop.sealed))]
    passed = [
        place for place in signed[::STRIDE_SIGNED] if flipped(shop, place, 1 << place % 8) is Outcome.SEALED
    ]
    assert passed == []


def test_no_digit_of_the_signature_can_be_changed(shop: Workshop) -> None:
    """The container is not signed, so every digit must be pinned down some other way."""
    found = find(shop.sealed)
    passed = []
    for place in range(found.hole_start + 1, found.hole_end - 1, STRIDE_HOLE):
        digit = HEX.index(shop.sealed[place])
        other = HEX[digit ^ 1 << place % 4]
        if flipped(shop, place, shop.sealed[place] ^ other) is Outcome.SEALED:
            passed.append(place)
    assert passed == []


def flipped(shop: Workshop, place: int, bits: int) -> Outcome:
    data = bytearray(shop.sealed)
    data[place] ^= bits
    return examine(bytes(data), shop.trust).outcome


@quick
@given(data=st.data())
def test_any_change_of_any_byte_is_found(shop: Workshop, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(shop.sealed) - 1))
    assert flipped(shop, place, data.draw(st.integers(1, 255))) is not Outcome.SEALED


@quick
@given(data=st.data())
def test_any_part_of_the_file_cut_out_is_found(shop: Workshop, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shop.sealed) - 1))
    end = data.draw(st.integers(start + 1, len(shop.sealed)))
    assert examine(shop.sealed[:start] + shop.sealed[end:], shop.pinned).outcome is not Outcome.SEALED


@quick
@given(data=st.data())
def test_anything_put_in_anywhere_is_found(shop: Workshop, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(shop.sealed)))
    extra = data.draw(
        st.binary(min_size=1, max_size=64) | st.sampled_from([b"%%EOF", b"/ByteRange", b" ", b"0"])
    )
    changed = shop.sealed[:place] + extra + shop.sealed[place:]
    assert examine(changed, shop.pinned).outcome is not Outcome.SEALED


@quick
@given(tail=st.binary(max_size=2000), header=st.sampled_from([b"", b"%PDF-1.7\n"]))
def test_no_bytes_make_it_raise(shop: Workshop, tail: bytes, header: bytes) -> None:
    assert examine(header + tail, shop.pinned).outcome is not Outcome.SEALED


@quick
@given(noise=st.binary(min_size=1, max_size=600))
def test_no_signature_makes_it_raise(shop: Workshop, noise: bytes) -> None:
    found = find(shop.sealed)
    digits = noise.hex().upper().encode()[: len(hole(shop.sealed))].ljust(len(hole(shop.sealed)), b"0")
    changed = shop.sealed[: found.hole_start + 1] + digits + shop.sealed[found.hole_end - 1 :]
    assert examine(changed, shop.pinned).outcome in (Outcome.UNTRUSTED, Outcome.UNREADABLE)


@given(st.binary(max_size=20))
def test_the_end_of_a_der_sequence_is_inside_the_bytes_or_unknown(content: bytes) -> None:
    end = der_end(content)
    assert end is None or 2 <= end <= len(content)


@pytest.mark.parametrize(
    ("content", "end"),
    [
        ("3000", 2),
        ("300100", 3),
        ("30810100", 4),
        ("3082000100FF", 5),
        ("3080", None),
        ("3001", None),
        ("31", None),
    ],
)
def test_the_length_of_a_der_sequence(content: str, end: int | None) -> None:
    assert der_end(bytes.fromhex(content)) == end


def test_an_examination_survives_its_json_form(shop: Workshop) -> None:
    for data in (shop.sealed, shop.plain, stamped(shop), b""):
        found = examine(data, shop.pinned)
        assert Examination.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    "answer", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"outcome": "fine"}']
)
def test_an_answer_out_of_form_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Examination.from_json(answer)
