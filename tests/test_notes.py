"""Signed notes and checkpoints: the published examples, and everything malformed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from signsvc.notes import (
    Checkpoint,
    NoteError,
    Verifier,
    open_checkpoint,
    open_note,
    sign_note,
    split_note,
    verifier_of,
)

# The example of the reference implementation (golang.org/x/mod/sumdb/note): a public test key pair, text and note.
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
ENOCH_PUBLIC = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
# The example of the signed-note specification.
SPEC_PUBLIC = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
PETER = Verifier.parse(PUBLIC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_the_reference_note_is_signed_byte_for_byte_and_opens() -> None:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    assert str(verifier_of("PeterNeumann", key)) == PUBLIC
    assert sign_note(TEXT, "PeterNeumann", key) == f"{TEXT}\n{LINE}"
    assert open_note(f"{TEXT}\n{LINE}", [PETER]) == TEXT
    assert open_note(SPEC_NOTE.encode(), [Verifier.parse(SPEC_PUBLIC)]) == "This is an example message.\n"


def test_signatures_of_strangers_are_ignored_beside_a_known_one() -> None:
    note = f"{TEXT}\n{ENOCH}{LINE}"
    assert open_note(note, [PETER]) == TEXT
    assert open_note(note, [PETER, Verifier.parse(ENOCH_PUBLIC)]) == TEXT
    assert len(split_note(note)[1]) == 2


def test_a_note_by_strangers_alone_is_refused() -> None:
    with pytest.raises(NoteError):
        open_note(f"{TEXT}\n{ENOCH}", [PETER])


def test_a_known_key_whose_signature_fails_refuses_the_whole_note() -> None:
    broken = LINE.replace("ZJkuBS9UG", "ZJkuBS9UH")
    with pytest.raises(NoteError):
        open_note(f"{TEXT}\n{ENOCH}{broken}", [PETER, Verifier.parse(ENOCH_PUBLIC)])


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        f"{TEXT}{LINE}",  # no empty line
        f"{TEXT}\n{LINE[:-1]}",  # no newline at the end
        f"{TEXT}\n{LINE}\n",
        f"{TEXT}\n{LINE.replace('— ', '- ')}",
        f"{TEXT}\n{LINE.replace('PeterNeumann ', '')}",
        f"{TEXT}\n{LINE.replace('Peter', 'Peter+')}",
        f"{TEXT}\n{LINE.replace('=', '')}",  # base64 without its padding
        f"{TEXT}\n— PeterNeumann AAAA\n",  # no room for a signature
        f"{TEXT}\n{LINE * 101}",
        f"a\tb\n\n{LINE}",
        f"{TEXT * 2000}\n{LINE}",
        TEXT.encode() + b"\xff\n\n" + LINE.encode(),
    ],
)
def test_malformed_notes_are_refused(note: str | bytes) -> None:
    with pytest.raises(NoteError):
        open_note(note, [PETER])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        PUBLIC.replace("c74f20a3", "c74f20a4"),
        PUBLIC + "A",
        PUBLIC.replace("+AR", "+BR"),
        "+" + PUBLIC,
    ],
)
def test_malformed_verifier_keys_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(text)


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=200), st.integers(0, 10**6))
def test_no_changed_character_of_a_note_is_accepted(text: str, place: int) -> None:
    note = sign_note(text + "\n", "example.org/log", KEY)
    verifier = verifier_of("example.org/log", KEY)
    assert open_note(note, [verifier]) == text + "\n"
    place %= len(note)
    changed = note[:place] + ("x" if note[place] != "x" else "y") + note[place + 1 :]
    with pytest.raises(NoteError):
        open_note(changed, [verifier])


def test_a_checkpoint_of_the_go_checksum_database_is_verified_and_read() -> None:
    verifier = Verifier.parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    text = "go.sum database tree\n13485\n/ZWur4obeiqK+ASdnPK+/Rmz6LPQMUeSmHh0+UkL54Y=\n"
    line = "Az3grnQReYTvpCrRxT+w50vixbqBlB/aPS8bL8f8KW4HHP+UjLSXOJgCh4f54n8hO6lrESglzyRXMXnhaWzaeY3zqw8="
    checkpoint = Checkpoint.parse(open_note(f"{text}\n— sum.golang.org {line}\n", [verifier]))
    assert (checkpoint.origin, checkpoint.size) == ("go.sum database tree", 13485)
    assert checkpoint.text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n1\n",
        "log\n01\n" + "A" * 43 + "=\n",
        "log\n-1\n" + "A" * 43 + "=\n",
        "log\n१\n" + "A" * 43 + "=\n",
        "log\n9223372036854775808\n" + "A" * 43 + "=\n",
        "log\n1\nAAAA\n",
        "\n1\n" + "A" * 43 + "=\n",
        "log\n1\n" + "A" * 43 + "=",
        "log\n1\n" + "A" * 43 + "=\n\nextension\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_an_extension_line_is_allowed_and_a_checkpoint_of_another_log_is_not() -> None:
    verifier = verifier_of("example.org/log", KEY)
    mine = Checkpoint("example.org/log", 3, bytes(32))
    assert open_checkpoint(sign_note(mine.text() + "more\n", verifier.name, KEY), verifier) == mine
    other = Checkpoint("example.org/other", 3, bytes(32))
    with pytest.raises(NoteError):
        open_checkpoint(sign_note(other.text(), verifier.name, KEY), verifier)
