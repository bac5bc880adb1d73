from __future__ import annotations

from pathlib import Path

import pytest

from signsvc.config import load
from signsvc.errors import SettingsError


def test_defaults_lie_in_the_working_folder(tmp_path: Path) -> None:
    settings = load({}, tmp_path)
    assert settings.home == tmp_path / "var"
    assert settings.keys == tmp_path / "keys"
    assert settings.converter == "auto"
    assert settings.loopback


def test_a_variable_outweighs_the_file(tmp_path: Path) -> None:
    (tmp_path / "signsvc.toml").write_text('base_url = "https://a.example"\nseal_diameter_mm = 40\n', "utf-8")
    settings = load({"SIGNSVC_BASE_URL": "https://b.example/", "OTHER": "x"}, tmp_path)
    assert settings.base_url == "https://b.example"
    assert settings.seal_diameter_mm == 40
    assert not settings.loopback


def test_lists_come_from_variables_and_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "signsvc.toml").write_text('font_fallback = ["A", "B"]\n', "utf-8")
    assert load({}, tmp_path).font_fallback == ("A", "B")
    assert load({"SIGNSVC_FONT_FALLBACK": "C; D"}, tmp_path).font_fallback == ("C", "D")


@pytest.mark.parametrize(
    "environ",
    [
        {"SIGNSVC_CONVERTOR": "auto"},
        {"SIGNSVC_CONVERTER": "word"},
        {"SIGNSVC_STRICT_POLICY": "maybe"},
        {"SIGNSVC_BACKDATING_DAYS": "-1"},
        {"SIGNSVC_CONVERSION_TIMEOUT": "soon"},
        {"SIGNSVC_CONVERSION_TIMEOUT": "nan"},
        {"SIGNSVC_BASE_URL": "example.org"},
        {"SIGNSVC_BASE_URL": "https://example.org/?a=b"},
        {"SIGNSVC_BASE_URL": "https://a b/log"},
        {"SIGNSVC_SEAL_DIAMETER_MM": "0"},
        {"SIGNSVC_LIMIT_CLIENT": "many"},
        {"SIGNSVC_LIMIT_CODE": "0/minute"},
        {"SIGNSVC_LIMIT_CLAIMS": "10 per minute; 5/hour"},
        {"SIGNSVC_CHECKS": "0"},
        {"SIGNSVC_PROXIES": "-1"},
    ],
)
def test_what_cannot_be_used_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=next(iter(environ)).removeprefix("SIGNSVC_").lower()):
        load(environ, tmp_path)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "signsvc.toml").write_text("base_url = ", "utf-8")
    with pytest.raises(SettingsError, match=r"signsvc\.toml"):
        load({}, tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org",
        "https://localhost",
        "https://127.0.0.1",
        "https://[::1]:8",
        "https://0.0.0.0",
        "https://127.0.0.2",
    ],
)
def test_an_address_that_nobody_else_can_trust_is_known(address: str, tmp_path: Path) -> None:
    assert load({"SIGNSVC_BASE_URL": address}, tmp_path).loopback
