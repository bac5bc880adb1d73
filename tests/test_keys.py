"""Keys: made once, encrypted, apart from one another, and refused when anything about them is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from needs import require
from seal.pki import NOW, OFFICE

from signsvc import keys
from signsvc.errors import KeysError
from signsvc.keys import Role, pki
from signsvc.keys.envelope import to_pem
from signsvc.models import Standing

PASSPHRASE = "a passphrase of the tests only"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "keys"
    keys.make(folder, [OFFICE], "http://127.0.0.1:8000/", NOW, PASSPHRASE, demo=True)
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "keys"))


def test_what_was_made_can_be_loaded_and_every_key_is_another(made: Path) -> None:
    ring = keys.load(made, PASSPHRASE, set(Role))
    assert len(ring.archive) == len(ring.match) == 32
    assert ring.archive != ring.match
    assert ring.log.public_key() == ring.log_public != ring.receipt_public == ring.receipt.public_key()
    assert ring.seal(OFFICE.id).private.key_size == 3072


def test_a_process_holds_only_the_keys_of_its_roles(made: Path) -> None:
    ring = keys.load(made, PASSPHRASE, {Role.MATCH, Role.RECEIPT})
    assert ring.match
    assert ring.receipt
    assert ring.certificates[OFFICE.id].standing is Standing.DEMO
    for reach in (lambda: ring.log, lambda: ring.archive, lambda: ring.seal(OFFICE.id)):
        with pytest.raises(KeysError, match="没有载入"):
            reach()


def test_keys_of_other_roles_are_not_even_read(copy: Path) -> None:
    for name in ("log.key", "archive.key", f"seal-{OFFICE.id}.key"):
        (copy / name).unlink()
    assert keys.load(copy, PASSPHRASE, {Role.MATCH, Role.RECEIPT}).match


def test_key_files_are_private_and_certificates_are_not(made: Path) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in made.rglob("*")}
    assert {modes[name] for name in modes if name.endswith(".key")} == {0o600}
    assert modes["ca"] == modes["pki"] == made.stat().st_mode & 0o777 == 0o700
    assert modes["root.pem"] == 0o644
    assert "passphrase" not in modes


def test_a_random_passphrase_is_written_where_none_is_given(tmp_path: Path) -> None:
    for name in ("one", "two"):
        keys.make(tmp_path / name, [], "http://localhost", NOW)
    first, second = (keys.read_passphrase(tmp_path / name / keys.PASSPHRASE_FILE) for name in ("one", "two"))
    assert first != second
    assert len(first) >= 40
    assert (tmp_path / "one" / keys.PASSPHRASE_FILE).stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeysError, match="口令不对"):
        keys.load(tmp_path / "one", second, {Role.MATCH})


def test_without_demo_there_is_neither_seal_nor_root(tmp_path: Path) -> None:
    keys.make(tmp_path / "keys", [OFFICE], "https://example.org", NOW, PASSPHRASE)
    ring = keys.load(tmp_path / "keys", PASSPHRASE, set(Role))
    assert (ring.seals, ring.certificates, ring.roots) == ({}, {}, ())


def test_existing_keys_are_never_overwritten(copy: Path) -> None:
    before = {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}
    with pytest.raises(KeysError, match="已存在"):
        keys.make(copy, [OFFICE], "http://localhost", NOW, PASSPHRASE, demo=True)
    assert before == {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}


def test_one_key_left_behind_stops_making_before_anything_is_written(copy: Path) -> None:
    for file in copy.rglob("*.*"):
        if file.is_file() and file.name != "match.key":
            file.unlink()
    with pytest.raises(KeysError, match=r"match\.key"):
        keys.make(copy, [], "http://localhost", NOW)
    assert [file.name for file in copy.rglob("*") if file.is_file()] == ["match.key"]


def test_no_private_key_lies_unencrypted_in_any_form(copy: Path) -> None:
    ring = keys.load(copy, PASSPHRASE, set(Role))
    numbers = ring.seal(OFFICE.id).private.private_numbers()
    secrets = [ring.archive, ring.match, numbers.p.to_bytes(192), numbers.d.to_bytes(384)]
    secrets += [key.private_bytes_raw() for key in (ring.log, ring.receipt)]
    everything = b"".join(file.read_bytes() for file in copy.rglob("*") if file.is_file())
    assert not [secret for secret in secrets if secret in everything or secret.hex().encode() in everything]


def test_no_secret_shows_in_a_repr(made: Path) -> None:
    shown = repr(keys.load(made, PASSPHRASE, set(Role)))
    assert "private" not in shown.lower()
    assert "secrets" not in shown


@pytest.mark.parametrize("name", ["match.key", "log.key", f"seal-{OFFICE.id}.key"])
def test_a_key_that_others_can_read_is_refused(copy: Path, name: str) -> None:
    (copy / name).chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        keys.load(copy, PASSPHRASE, set(Role))


def test_a_folder_that_others_can_write_is_refused(copy: Path) -> None:
    copy.chmod(0o770)
    with pytest.raises(KeysError, match="chmod 700"):
        keys.load(copy, PASSPHRASE, set())


@pytest.mark.parametrize("name", ["archive.key", "receipt.key", "log.pub", f"seal-{OFFICE.id}.key"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(KeysError, match=name.replace(".", r"\.")):
        keys.load(copy, PASSPHRASE, set(Role))


@pytest.mark.parametrize(("one", "other"), [("archive.key", "match.key"), ("log.key", "receipt.key")])
def test_swapped_key_files_are_caught(copy: Path, one: str, other: str) -> None:
    first, second = (copy / one).read_bytes(), (copy / other).read_bytes()
    (copy / one).write_bytes(second)
    (copy / other).write_bytes(first)
    with pytest.raises(KeysError):
        keys.load(copy, PASSPHRASE, set(Role))


def test_another_offices_key_under_this_certificate_is_caught(copy: Path) -> None:
    (copy / f"seal-{OFFICE.id}.key").write_bytes(to_pem(pki.new_key(), PASSPHRASE))
    with pytest.raises(KeysError, match="不是一对"):
        keys.load(copy, PASSPHRASE, {Role.SEAL})


@pytest.mark.parametrize("role", list(Role))
def test_a_wrong_passphrase_opens_nothing(made: Path, role: Role) -> None:
    with pytest.raises(KeysError, match="口令不对"):
        keys.load(made, "wrong wrong wrong wrong", {role})


def test_an_unencrypted_key_is_refused(copy: Path) -> None:
    openssl = require("openssl")
    subprocess.run([openssl, "genpkey", "-algorithm", "ed25519", "-out", copy / "log.key"], check=True)
    with pytest.raises(KeysError, match="没有加密"):
        keys.load(copy, PASSPHRASE, {Role.LOG})


@pytest.mark.parametrize("given", ["", "short"])
def test_a_short_passphrase_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(KeysError, match="太短"):
        keys.make(tmp_path / "keys", [], "http://localhost", NOW, given)
    assert not (tmp_path / "keys").exists()


def test_openssl_reads_the_private_keys(made: Path) -> None:
    openssl = require("openssl")
    for name in ("log.key", f"seal-{OFFICE.id}.key", "ca/root.key"):
        command = [openssl, "pkey", "-in", made / name, "-passin", "env:PASSPHRASE", "-noout", "-check"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PASSPHRASE": PASSPHRASE})


def test_openssl_verifies_the_chain_with_its_revocation_lists(made: Path, tmp_path: Path) -> None:
    openssl = require("openssl")
    lists = [
        x509.load_der_x509_crl((made / "pki" / name).read_bytes()) for name in ("root.crl", "issuing.crl")
    ]
    joined = tmp_path / "lists.pem"
    joined.write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in lists))
    leaf, root = made / f"seal-{OFFICE.id}.pem", made / "root.pem"
    command = [openssl, "verify", "-CAfile", root, "-untrusted", leaf, "-CRLfile", joined, "-crl_check_all"]
    moment = str(int((NOW + timedelta(days=1)).timestamp()))
    ended = subprocess.run(
        [*command, "-x509_strict", "-attime", moment, leaf], check=False, capture_output=True, text=True
    )
    assert ended.stdout.endswith(": OK\n"), ended.stderr


def test_a_seal_is_recognised_only_under_a_configured_issuer(bare: Path) -> None:
    issuer, leaf = authority(), rsa.generate_private_key(public_exponent=65537, key_size=3072)
    bring(bare, leaf, [certificate(leaf, issuer)])
    assert standing(bare) is Standing.SELF_MANAGED
    assert standing(bare, issuer.certificate) is Standing.RECOGNISED
    assert standing(bare, authority().certificate) is Standing.SELF_MANAGED


def test_a_demonstration_seal_stays_one_even_under_a_recognised_issuer(copy: Path) -> None:
    assert standing(copy, *x509.load_pem_x509_certificates((copy / "root.pem").read_bytes())) is Standing.DEMO


def test_a_certificate_that_may_not_issue_makes_no_seal_recognised(bare: Path) -> None:
    issuer = authority(ca=False)
    leaf = pki.new_key()
    bring(bare, leaf, [certificate(leaf, issuer)])
    assert standing(bare, issuer.certificate) is Standing.SELF_MANAGED


def test_a_chain_with_a_stranger_in_it_is_refused(bare: Path) -> None:
    leaf = pki.new_key()
    bring(bare, leaf, [certificate(leaf, authority()), authority().certificate])
    with pytest.raises(KeysError, match="不连续"):
        keys.load(bare, PASSPHRASE, set())


def test_a_small_key_is_refused(bare: Path) -> None:
    leaf = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    bring(bare, leaf, [certificate(leaf, authority())])
    with pytest.raises(KeysError, match="RSA-3072"):
        keys.load(bare, PASSPHRASE, set())


@pytest.fixture
def bare(copy: Path) -> Path:
    """Keys without a seal of their own."""
    for file in copy.glob("seal-*"):
        file.unlink()
    return copy


def authority(ca: bool = True) -> pki.Authority:
    key = pki.new_key()
    own = pki.Authority(key, certificate(key, None), "https://ca.test/ca")
    return pki.Authority(key, certificate(key, own, ca), own.address)


def certificate(key: rsa.RSAPrivateKey, issuer: pki.Authority | None, ca: bool = False) -> x509.Certificate:
    """A certificate that is not marked 演示; signed by itself without `issuer`."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "测试")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW)
    builder = builder.not_valid_after(NOW + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    return builder.sign(issuer.key if issuer else key, SHA256())


def bring(folder: Path, key: rsa.RSAPrivateKey, chain: list[x509.Certificate]) -> None:
    (folder / "seal-own.pem").write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in chain))
    (folder / "seal-own.key").write_bytes(to_pem(key, PASSPHRASE))
    (folder / "seal-own.key").chmod(0o600)


def standing(folder: Path, *recognised: x509.Certificate) -> Standing:
    ring = keys.load(
        folder, PASSPHRASE, {Role.SEAL}, [item.public_bytes(Encoding.PEM) for item in recognised]
    )
    (seal,) = ring.seals.values()
    return seal.standing
