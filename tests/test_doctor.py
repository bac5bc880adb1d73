"""What the doctor finds: everything that would stop a batch, or make its seals or proofs worthless."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from home import Home
from seal.brought import bring, issue
from seal.pki import NOW

from signsvc import keys
from signsvc.doctor import Point, examine
from signsvc.keys import pki
from signsvc.keys.envelope import from_pem
from signsvc.wiring.home import now

OWN_NAME = "广东省示范市示范区和平街道幸福社区居民委员会"
SINCE_TODAY = (now() - NOW).days


def found(home: Home, changes: Mapping[str, str] | None = None) -> dict[str, list[Point]]:
    """The points by name."""
    points: dict[str, list[Point]] = {}
    for point in examine(Home(home.folder, {**home.extra, **(changes or {})}).settings):
        points.setdefault(point.name, []).append(point)
    return points


@pytest.fixture(scope="module")
def troubled(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Point]]:
    """A home with one trouble of each kind."""
    home = Home(Path(shutil.copytree(pristine, tmp_path_factory.mktemp("troubled") / "home")))
    folder = home.folder / "keys"
    for kind in ("pem", "key"):
        shutil.copy(folder / f"seal-gd-demo.{kind}", folder / f"seal-qh-demo.{kind}")
        shutil.copy(folder / f"seal-gd-demo.{kind}", folder / f"seal-nobody.{kind}")
    offices = (home.var / "offices.toml").read_text("utf-8")
    named = offices.replace('id = "qh-demo-village"\n', 'id = "qh-demo-village"\nseal_image = "lost.png"\n')
    (home.var / "offices.toml").write_text(named, "utf-8")
    (folder / "log.pem").unlink()
    age_revocation_list(folder)
    return found(home, {"SIGNSVC_TSA_URL": "http://127.0.0.1:9/tsa"})


def age_revocation_list(folder: Path) -> None:
    """As if the list of the issuing CA had been made 320 days ago."""
    passphrase = keys.read_passphrase(folder / keys.PASSPHRASE_FILE)
    key = from_pem((folder / "ca" / "issuing.key").read_bytes(), "issuing.key", passphrase)
    assert isinstance(key, RSAPrivateKey)
    certificate = x509.load_der_x509_certificate((folder / "pki" / "issuing.crt").read_bytes())
    made = pki.crl(pki.Authority(key, certificate, ""), now() - timedelta(days=3 * 365 - 45))
    (folder / "pki" / "issuing.crl").write_bytes(made.public_bytes(Encoding.DER))


def test_a_seal_in_another_offices_name_is_found(troubled: dict[str, list[Point]]) -> None:
    (point,) = (point for point in troubled["印章"] if "qh-demo " in point.text)
    assert not point.good
    assert "不属于该组织" in point.text
    assert "seal_failed" in point.text
    assert "居民委员会" not in point.text


def test_the_other_offices_seals_are_still_told(troubled: dict[str, list[Point]]) -> None:
    assert [point.good for point in troubled["印章"] if "gd-demo" in point.text] == [True]


def test_a_seal_of_an_office_that_is_not_listed_is_found(troubled: dict[str, list[Point]]) -> None:
    assert [point.good for point in troubled["印章"] if "nobody" in point.text] == [False]


def test_a_lost_picture_is_found_and_its_office_named(troubled: dict[str, list[Point]]) -> None:
    (point,) = (point for point in troubled["印章"] if "lost.png" in point.text)
    assert not point.good
    assert "qh-demo-village" in point.text


def test_a_revocation_list_that_runs_out_soon_is_found(troubled: dict[str, list[Point]]) -> None:
    states = {point.text.split()[0]: point.good for point in troubled["吊销列表"]}
    assert states == {"issuing.crl": False, "root.crl": True}


def test_what_is_only_worth_knowing_is_no_fault(troubled: dict[str, list[Point]]) -> None:
    (stamp,), (log,) = troubled["时间戳"], troubled["日志证书"]
    assert (stamp.good, stamp.label) == (True, "注意")
    assert "连接不上" in stamp.text
    assert (log.good, log.label) == (True, "注意")
    assert "没有 log.pem" in log.text


def test_a_missing_root_is_found_and_the_keys_are_told_apart_from_the_seals(home: Home) -> None:
    (home.folder / "keys" / "root.pem").unlink()
    points = found(home)
    assert [point.good for point in points["密钥"]] == [True]
    for name in ("根证书", "印章", "日志证书"):
        assert [point.good for point in points[name]] == [False], name
    assert "root.pem" in points["根证书"][0].text


def test_a_converter_that_does_not_start_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home.folder / "soffice"
    program.write_text("#!/bin/sh\nexit 77\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(home.folder))
    [point] = found(home, {"SIGNSVC_CONVERTER": "libreoffice"})["转换"]
    assert not point.good


def test_a_missing_receipt_key_is_found(home: Home) -> None:
    (home.folder / "keys" / "receipt.key").unlink()
    (point,) = found(home)["密钥"]
    assert not point.good
    assert "receipt.key" in point.text


def test_a_seal_that_does_not_name_its_purpose_is_told_as_a_warning(home: Home) -> None:
    folder = home.folder / "keys"
    for file in folder.glob("seal-*"):
        file.unlink()
    days = (SINCE_TODAY - 1, SINCE_TODAY + 100)
    root = issue("root", ca=True, days=days)
    leaf = issue("office", root, purposes=(), days=days, holder=OWN_NAME)
    passphrase = keys.read_passphrase(folder / keys.PASSPHRASE_FILE)
    bring(folder, passphrase, leaf, roots=[root], office="gd-demo")
    points = found(home, {"SIGNSVC_BASE_URL": "https://check.example.org"})["印章"]
    assert [(point.good, point.label) for point in points] == [(True, "ok  "), (True, "注意")]
    assert "1.3.6.1.5.5.7.3.36" in points[1].text


def test_the_certificate_of_another_log_is_found(home: Home, tmp_path: Path) -> None:
    folder = home.folder / "keys"
    keys.make(tmp_path / "other", [], "https://other.example.org", now(), demo=True)
    for name in ("log.pem", "root.pem"):
        shutil.copy(tmp_path / "other" / name, folder / (name if name == "log.pem" else "root2.pem"))
    (point,) = found(home)["日志证书"]
    assert not point.good
    assert "重新签发" in point.text


def test_a_document_that_is_over_is_told_and_no_fault_unless_the_settings_make_it_one(home: Home) -> None:
    told = found(home)["政策文件"]
    assert [point.good for point in told] == [True, True, True]
    (ended,) = (point for point in told if "青民发〔2021〕103号已于2026年8月3日期满" in point.text)
    assert "停用" in ended.text
    assert [point.text for point in told if point.label == "注意"] == [ended.text]
    strict = found(home, {"SIGNSVC_STRICT_POLICY": "true"})["政策文件"]
    assert [point.text for point in strict if point.label == "FAIL"] == [ended.text]


def test_a_basis_that_is_over_is_a_matter_to_review_and_no_fault(home: Home) -> None:
    told = found(home)["保留清单"]
    assert all(point.good for point in told)
    lapsed = [point.text for point in told if point.label == "注意"]
    assert lapsed == [point.text for point in told if "已停办" in point.text]
    assert len(lapsed) == 2
    assert all("农民身份证明" in text and "已自2022年3月1日起由" in text for text in lapsed)


def test_an_office_without_a_list_is_found(home: Home) -> None:
    offices = home.var / "offices.toml"
    text = offices.read_text("utf-8")
    third = text[text.rindex("[[offices]]") :].replace("gd-demo", "gd-new").replace("幸福", "团结")
    offices.write_text(text + "\n" + third, "utf-8")
    (point,) = (point for point in found(home)["保留清单"] if not point.good)
    assert point.text.startswith("gd-new 没有保留清单")


def test_an_office_that_cannot_use_its_list_is_found_and_the_others_are_still_told(home: Home) -> None:
    offices = home.var / "offices.toml"
    moved = offices.read_text("utf-8").replace('jurisdiction = "guangdong"', 'jurisdiction = "qinghai"')
    offices.write_text(moved, "utf-8")
    told = found(home)["保留清单"]
    (fault,) = (point for point in told if not point.good)
    assert "gd-demo 的辖区 qinghai" in fault.text
    assert [point.text.split("/")[0] for point in told if point.label == "ok  "] == ["demo-qinghai"]


def test_a_pack_that_is_wrong_is_found_with_its_line(home: Home) -> None:
    pack = home.var / "packs" / "nation" / "qinghai" / "pack.toml"
    pack.parent.mkdir(parents=True)
    pack.write_text('jurisdiction = "qinghai"\nname = 1\n', "utf-8")
    (point,) = found(home)["政策文件"]
    assert not point.good
    assert point.text.startswith("packs/nation/qinghai/pack.toml 第1行 document：")
