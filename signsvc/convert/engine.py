"""Child process of the embedded converter: `engine.py IN OUT [FONTS]` turns every .docx in IN into a PDF in OUT.

A document that cannot be converted leaves no PDF; why is not told, for it might quote the document.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from office2pdf import ConvertOptions, Office2PdfError, convert_bytes


def main(source: Path, target: Path, fonts: list[str]) -> None:
    """Convert in the order of the names; `fonts` are folders of font files."""
    options = ConvertOptions(font_paths=fonts, include_warnings=False, tagged=False)
    for path in sorted(source.glob("*.docx")):
        with suppress(Office2PdfError, ValueError):
            pdf = convert_bytes(path.read_bytes(), "docx", options).pdf
            (target / path.name).with_suffix(".pdf").write_bytes(pdf)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
