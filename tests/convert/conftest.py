"""One LibreOffice for the tests that need a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from needs import require

from signsvc.convert.libreoffice import LibreOffice

NOTO = Path("/usr/share/fonts/opentype/noto")
FONTS = (NOTO / "NotoSerifCJK-Regular.ttc", NOTO / "NotoSerifCJK-Bold.ttc")


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibreOffice]:
    require("soffice")
    with LibreOffice(tmp_path_factory.mktemp("office"), 120, FONTS) as converter:
        yield converter
