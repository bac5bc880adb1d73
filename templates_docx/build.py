"""Builds the forms, laid out by GB/T 9704-2012, so that the binary files can be reviewed.

Run `python templates_docx/build.py`; the same scripts give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import annex4
import refusal

FORMS = {"annex4.docx": annex4.build, "refusal.docx": refusal.build}


if __name__ == "__main__":
    for name, build in FORMS.items():
        Path(__file__).with_name(name).write_bytes(build())
