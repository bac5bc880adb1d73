"""Office files with fixed dates, so that the same list gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Final

# What the formats want to know of when a file was made; the list's own edition tells that.
NO_TIME: Final = datetime(1980, 1, 1)  # noqa: DTZ001 (the property has no zone)


def repacked(data: bytes) -> bytes:
    """The same parts, each with the earliest date that a zip can hold."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, NO_TIME.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, old.read(name))
    return stream.getvalue()
