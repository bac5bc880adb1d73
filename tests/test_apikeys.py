"""API keys: shown once, kept as a digest, revoked at once."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from threading import Thread
from typing import Any

import pytest
from breaking import Break, at_every_step
from home import Home

from signsvc.errors import InputError, KeysError, NotFound
from signsvc.wiring import apikeys
from signsvc.wiring.apikeys import ApiKeys

TODAY = date(2026, 11, 21)


def test_a_key_is_printed_once_and_kept_as_a_digest(home: Home) -> None:
    token = home.run("apikey", "add", "某某银行", "--per-minute", "600").stdout.strip()
    kind, key_id, secret = token.split("_", 2)
    file = home.var / "apikeys.toml"
    text = file.read_text("utf-8")
    assert kind == "sk"
    assert len(secret) >= 43  # 256 bits
    assert secret not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    entry = tomllib.loads(text)["key"][0]
    assert (entry["id"], entry["name"], entry["per_minute"]) == (key_id, "某某银行", 600)
    assert len(entry["sha256"]) == 64
    listed = home.run("apikey", "list").stdout
    assert f"{key_id}  600/minute" in listed
    assert "某某银行" in listed
    assert secret not in listed


def test_a_running_server_hears_of_new_and_revoked_keys(home: Home) -> None:
    keys = ApiKeys(home.settings)
    assert keys.find("sk_000000000000_x") is None
    token = apikeys.add(home.settings, "甲", 10, TODAY)
    other = apikeys.add(home.settings, "乙", 20, TODAY)
    found = keys.find(token)
    assert found is not None
    assert (found.name, found.per_minute, found.made_on) == ("甲", 10, TODAY)
    home.run("apikey", "revoke", found.id)
    assert keys.find(token) is None
    left = keys.find(other)
    assert left is not None
    assert left.name == "乙"
    assert home.run("apikey", "revoke", found.id, expect=1).stderr.startswith("error: unknown_api_key: ")


@pytest.mark.parametrize("change", ["{}x", "x{}", "{}\ud7ff", "pk{}"])
def test_only_the_whole_key_opens(home: Home, change: str) -> None:
    token = apikeys.add(home.settings, "甲", 10, TODAY)
    keys = ApiKeys(home.settings)
    assert keys.find(token)
    assert keys.find(change.format(token)) is None
    assert keys.find(token[:-1]) is None
    assert keys.find("sk_" + token.split("_")[1] + "_") is None


def test_the_name_is_for_people_to_read(home: Home) -> None:
    for name in ("", " ", "甲\n乙", "x" * 101):
        with pytest.raises(InputError):
            apikeys.add(home.settings, name, 10, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "key = ",
        "key = 1",
        "[[key]]\nid = 'a'",
        "[[key]]\nid = '000000000000'\nname = 'a'\nsha256 = ''\nper_minute = 1\nmade_on = 2026-01-01",
        "[[key]]\nid = '000000000000'\nname = 'a'\nsha256 = '"
        + "0" * 64
        + "'\nper_minute = true\nmade_on = 2026-01-01",
        "# " + "x" * (1 << 20),
    ],
)
def test_a_broken_file_stops_keys_and_the_commands_that_would_write_over_it(home: Home, text: str) -> None:
    token = apikeys.add(home.settings, "甲", 10, TODAY)
    keys = ApiKeys(home.settings)
    assert keys.find(token)
    (home.var / "apikeys.toml").write_text(text, "utf-8")
    for _ in range(2):
        with pytest.raises(KeysError):
            keys.find(token)
    with pytest.raises(KeysError):
        apikeys.add(home.settings, "乙", 10, TODAY)
    assert (home.var / "apikeys.toml").read_text("utf-8") == text


def test_a_service_does_not_start_over_a_broken_file(home: Home) -> None:
    (home.var / "apikeys.toml").write_text("key = 1", "utf-8")
    assert home.run("serve", expect=2).stderr.startswith("error: keys_error: ")


def test_of_two_changes_at_once_neither_is_lost(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes while the first has read the keys, and not yet written them."""
    first = apikeys.add(home.settings, "甲", 10, TODAY)
    real = apikeys._write

    def at_once(one: Callable[..., object], *given: object) -> None:
        """`one`, and between its reading and its writing a new key."""
        second = Thread(target=apikeys.add, args=(home.settings, "又", 10, TODAY))

        def slow(*written: Any) -> None:
            if second.ident is None:
                second.start()
                second.join(0.3)  # it waits for us, or is over by then
            real(*written)

        monkeypatch.setattr(apikeys, "_write", slow)
        one(home.settings, *given)
        second.join()

    at_once(apikeys.add, "乙", 10, TODAY)
    assert [key.name for key in apikeys.listed(home.settings)] == ["甲", "乙", "又"]
    at_once(apikeys.revoke, first.split("_")[1])
    assert [key.name for key in apikeys.listed(home.settings)] == ["乙", "又", "又"]


@at_every_step
def test_keys_that_cannot_be_written(home: Home, broken: Break) -> None:
    token = apikeys.add(home.settings, "甲", 10, TODAY)
    with broken.happening(), pytest.raises(KeysError):
        apikeys.add(home.settings, "乙", 10, TODAY)
    names = [key.name for key in apikeys.listed(home.settings)]
    assert names == (["甲", "乙"] if broken.persisted else ["甲"])
    assert ApiKeys(home.settings).find(token)
    assert [file.name for file in home.var.iterdir() if "apikeys" in file.name] == ["apikeys.toml"]
    assert stat.S_IMODE((home.var / "apikeys.toml").stat().st_mode) == 0o600
    assert ApiKeys(home.settings).find(apikeys.add(home.settings, "丙", 10, TODAY))


@at_every_step
def test_a_revocation_that_cannot_be_written(home: Home, broken: Break) -> None:
    token = apikeys.add(home.settings, "甲", 10, TODAY)
    [key] = apikeys.listed(home.settings)
    with broken.happening(), pytest.raises(KeysError):
        apikeys.revoke(home.settings, key.id)
    again = pytest.raises(NotFound) if broken.persisted else nullcontext()
    with again:
        apikeys.revoke(home.settings, key.id)
    assert ApiKeys(home.settings).find(token) is None
