"""Keys: made once, encrypted, apart from one another, and refused when anything about them is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from needs import require
from seal.brought import Issued, bring, issue, key, with_an_unknown_key, with_extension_twice
from seal.pki import NOW, OFFICE

from signsvc import keys
from signsvc.certificates import DOCUMENT_SIGNING
from signsvc.errors import KeysError
from signsvc.keys import Role, pki
from signsvc.keys.envelope import to_pem
from signsvc.models import OfficeId, Standing

PASSPHRASE = "a passphrase of the tests only"
Break = Callable[[Issued], Issued]


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


@pytest.mark.parametrize("damaged", [{"d"}, {"dmp1"}, {"dmq1"}, {"iqmp"}, {"d", "dmp1"}], ids=sorted)
def test_a_key_with_a_damaged_number_is_caught(copy: Path, damaged: Collection[str]) -> None:
    file = copy / f"seal-{OFFICE.id}.key"
    numbers = keys.load(copy, PASSPHRASE, {Role.SEAL}).seal(OFFICE.id).private.private_numbers()
    fields = {name: getattr(numbers, name) for name in ("p", "q", "d", "dmp1", "dmq1", "iqmp")}
    fields |= {name: fields[name] + 2 for name in damaged}
    key = rsa.RSAPrivateNumbers(**fields, public_numbers=numbers.public_numbers)
    file.write_bytes(to_pem(key.private_key(unsafe_skip_rsa_key_validation=True), PASSPHRASE))
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
    root = issue("root", ca=True)
    bring(bare, PASSPHRASE, issue("office", root))
    assert standing(bare) is Standing.SELF_MANAGED
    assert standing(bare, root) is Standing.RECOGNISED
    assert standing(bare, issue("issuing", ca=True)) is Standing.SELF_MANAGED


def test_a_demonstration_seal_stays_one_even_under_a_recognised_issuer(copy: Path) -> None:
    root = (copy / "root.pem").read_bytes()
    assert {seal.standing for seal in load(copy, [root]).certificates.values()} == {Standing.DEMO}


def test_a_certificate_that_may_not_issue_makes_no_seal_recognised(bare: Path) -> None:
    issuer = issue("root", ca=False)
    bring(bare, PASSPHRASE, issue("office", issuer))
    assert standing(bare, issuer) is Standing.SELF_MANAGED


def test_a_chain_with_a_stranger_in_it_is_refused(bare: Path) -> None:
    bring(bare, PASSPHRASE, issue("office", issue("root", ca=True)), issue("issuing", ca=True))
    with pytest.raises(KeysError, match="不连续"):
        load(bare)


def test_a_small_key_is_refused(bare: Path) -> None:
    bring(bare, PASSPHRASE, issue("issuing", issue("root", ca=True)))
    with pytest.raises(KeysError, match="RSA-3072"):
        load(bare)


def test_a_seal_that_could_not_be_verified_is_not_loaded_but_may_be_looked_up(bare: Path) -> None:
    bring(bare, PASSPHRASE, issue("office", issue("root", ca=True)))
    for root in bare.glob("root*.pem"):
        root.unlink()
    assert load(bare).certificates["own"].standing is Standing.SELF_MANAGED
    with pytest.raises(KeysError, match=r"root\.pem"):
        load(bare, roles={Role.SEAL})


def test_what_stands_above_the_root_is_left_out_of_the_seal(bare: Path) -> None:
    """A root that is also certified by an older one, as CAs hand out theirs."""
    older = issue("older", ca=True)
    root, crossed = issue("root", ca=True), issue("root", older, ca=True)
    issuing = issue("issuing", root, ca=True)
    bring(bare, PASSPHRASE, issue("office", issuing), issuing, crossed, roots=[root])
    assert load(bare, roles={Role.SEAL}).seal(OfficeId("own")).chain == (issuing.der,)


def test_a_seal_lasts_no_longer_than_the_certificates_it_rests_on(bare: Path) -> None:
    root = issue("root", ca=True, days=(-9, 90))
    issuing = issue("issuing", root, ca=True, days=(2, 20))
    bring(bare, PASSPHRASE, issue("office", issuing, days=(-1, 30)), issuing, roots=[root])
    seal = load(bare, roles={Role.SEAL}).seal(OfficeId("own"))
    assert (seal.not_before, seal.not_after) == (NOW + timedelta(days=2), NOW + timedelta(days=20))


@pytest.mark.parametrize("purposes", [(), (DOCUMENT_SIGNING,)])
def test_a_seal_tells_whether_it_names_its_purpose(
    bare: Path, purposes: tuple[x509.ObjectIdentifier, ...]
) -> None:
    bring(bare, PASSPHRASE, issue("office", issue("root", ca=True), purposes=purposes))
    assert load(bare).certificates["own"].for_documents is bool(purposes)


@pytest.mark.parametrize("name", ["seal-own.pem", "root.pem", "tsa-root.pem", "log.pem"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x30\x80", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_that_is_no_certificate_is_named(bare: Path, name: str, content: bytes) -> None:
    (bare / name).write_bytes(content)
    with pytest.raises(KeysError, match=name.replace(".", r"\.")):
        load(bare)


@pytest.mark.parametrize("broken", [with_extension_twice, with_an_unknown_key])
def test_a_malformed_seal_certificate_is_refused_by_name(bare: Path, broken: Break) -> None:
    bring(bare, PASSPHRASE, broken(issue("office", issue("root", ca=True))))
    with pytest.raises(KeysError, match=r"seal-own\.pem"):
        load(bare, roles={Role.SEAL})


def test_a_malformed_issuer_breaks_the_chain(bare: Path) -> None:
    root = issue("root", ca=True)
    bring(bare, PASSPHRASE, issue("office", root), with_extension_twice(root), roots=[root])
    with pytest.raises(KeysError, match="不连续"):
        load(bare)


def test_roots_are_read_from_a_bundle_and_from_der() -> None:
    one, two = issue("root", ca=True), issue("older", ca=True)
    assert keys.read_roots(one.pem + b"a remark\n" + two.pem) == (one.pem, two.pem)
    assert keys.read_roots(one.der) == (one.pem,)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x30\x03\x02\x01\x01", to_pem(key("root"), PASSPHRASE)])
def test_roots_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(KeysError, match="不是可读取的证书"):
        keys.read_roots(data)


def test_the_logs_certificate_leads_to_its_name_and_key(made: Path) -> None:
    ring = keys.load(made, PASSPHRASE, set())
    log = keys.certified_log(ring.log_chain, ring.roots, NOW)
    assert (log.name, log.public) == ("127.0.0.1:8000/log", ring.log_public.public_bytes_raw())


def test_a_ca_certifies_the_log_as_the_readme_says(made: Path, tmp_path: Path) -> None:
    openssl, root = require("openssl"), issue("root", ca=True, days=(-9, 9000))
    (tmp_path / "ca.pem").write_bytes(root.pem)
    (tmp_path / "ca.key").write_bytes(to_pem(root.key, PASSPHRASE))
    readme = (Path(__file__).parent.parent / "keys" / "README.md").read_text("utf-8")
    names = ("basicConstraints", "keyUsage", "extendedKeyUsage", "subjectAltName")
    extensions = [line.strip() for line in readme.splitlines() if line.strip().startswith(names)]
    (tmp_path / "log.ext").write_text("\n".join(extensions), "ascii")

    def run(*words: str | Path) -> None:
        secret = ("-passin", f"pass:{PASSPHRASE}")
        subprocess.run([openssl, *words, *secret], check=True, capture_output=True, cwd=tmp_path)

    run("req", "-new", "-utf8", "-key", made / "log.key", "-subj", "/O=某社区/CN=日志", "-out", "log.csr")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-days", "3650", "-extfile", "log.ext")
    run("x509", "-req", "-in", "log.csr", *signing, "-out", "log.pem")
    (der,) = (item.public_bytes(Encoding.DER) for item in read_certificates(tmp_path / "log.pem"))
    log = keys.certified_log([der], [root.pem], datetime.now(UTC) + timedelta(days=1))
    public = keys.load(made, PASSPHRASE, set()).log_public.public_bytes_raw()
    assert (log.name, log.public) == ("check.example.org/log", public)


def test_a_log_without_a_certificate_is_told_apart_from_one_with_a_bad_one(made: Path) -> None:
    ring = keys.load(made, PASSPHRASE, set())
    with pytest.raises(KeysError, match="没有附日志证书"):
        keys.certified_log([], ring.roots, NOW)
    root = issue("root", ca=True)
    leaf = with_extension_twice(issue("office", root))
    for chain in ([b"hello"], [leaf.der], [issue("office", with_extension_twice(root)).der]):
        with pytest.raises(KeysError, match="日志证书"):
            keys.certified_log(chain, [root.pem], NOW)


def test_revocation_lists_tell_when_they_run_out(copy: Path) -> None:
    ends = keys.revocation_lists(copy)
    assert set(ends) == {"root.crl", "issuing.crl"}
    assert all(NOW + timedelta(days=3 * 365) < end < NOW + timedelta(days=3 * 366) for end in ends.values())
    (copy / "pki" / "root.crl").write_bytes(b"hello")
    with pytest.raises(KeysError, match=r"root\.crl"):
        keys.revocation_lists(copy)


@pytest.fixture
def bare(copy: Path) -> Path:
    """Keys without a seal of their own."""
    for file in copy.glob("seal-*"):
        file.unlink()
    return copy


def load(folder: Path, recognised: Sequence[bytes] = (), roles: Collection[Role] = ()) -> keys.KeyRing:
    return keys.load(folder, PASSPHRASE, roles, recognised)


def read_certificates(file: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(file.read_bytes())


def standing(folder: Path, *recognised: Issued) -> Standing:
    (seal,) = load(folder, [item.pem for item in recognised]).certificates.values()
    return seal.standing
