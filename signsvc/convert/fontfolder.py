"""Shows font files to a converter by way of fontconfig, without installing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

_SYSTEM = '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'


def font_environment(folder: Path, fonts: Sequence[Path], system: bool) -> Mapping[str, str]:
    """Environment in which a program sees `fonts`, linked into `folder/fonts`, and the system's only if `system`."""
    shelf, settings = folder / "fonts", folder / "fonts.conf"
    if not settings.exists():
        shelf.mkdir(mode=0o700)
        for index, font in enumerate(fonts):
            (shelf / f"{index}{font.suffix}").symlink_to(font.resolve())
        settings.write_text(
            f'<?xml version="1.0"?>\n<fontconfig>{_SYSTEM if system else ""}<dir>{shelf}</dir>'
            f"<cachedir>{folder / 'fontcache'}</cachedir></fontconfig>\n",
            "utf-8",
        )
    return {"FONTCONFIG_FILE": str(settings)}
