"""One LibreOffice for the tests that need a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from convert_forms import FONTS
from needs import require

from signsvc.convert.libreoffice import LibreOffice


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibreOffice]:
    require("soffice")
    with LibreOffice(tmp_path_factory.mktemp("office"), 120, FONTS) as converter:
        yield converter
