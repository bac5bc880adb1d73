"""Which office may seal with which key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from seal.pki import NOW, OFFICE, PLACE, TITLE, document, ring

from signsvc.config import Settings
from signsvc.errors import SealFailed, SettingsError
from signsvc.models import Office
from signsvc.wiring.documents import load_fonts
from signsvc.wiring.seals import Seals


def seals(office: Office, home: Path) -> Seals:
    settings = Settings(home=home)
    return Seals(settings, ring(), {office.id: office}, load_fonts(settings))


@pytest.mark.parametrize(
    "act",
    [
        lambda one: one.check(OFFICE.id, NOW),
        lambda one: one.seal(OFFICE.id, document(), PLACE, TITLE),
    ],
)
@pytest.mark.parametrize("name", ["广东省示范市示范区和平街道幸福社区居民委员会", OFFICE.name + " "])
def test_no_office_seals_with_the_key_of_another(
    tmp_path: Path, act: Callable[[Seals], None], name: str
) -> None:
    with pytest.raises(SealFailed, match="不属于该组织") as refusal:
        act(seals(replace(OFFICE, name=name), tmp_path))
    assert refusal.value.code == "seal_failed"


def test_a_picture_that_is_not_there_is_named_with_its_office(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"qh-demo.*lost\.png"):
        seals(replace(OFFICE, seal_image="lost.png"), tmp_path).check(OFFICE.id, NOW)
