"""Examples of questions, for the description: a made-up certificate."""

from __future__ import annotations

from typing import Any, Final

ITEM: Final[dict[str, Any]] = {"number": "2026-000001", "code": "AY4C-L12T-H3BJ-1XGN"}
HASH: Final[dict[str, Any]] = {"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
NUMBER: Final[dict[str, Any]] = {**ITEM, "claims": {"name": "欧阳文", "valid_until": "2036-12-31"}}
FILE: Final[dict[str, Any]] = {"file": "@certificate.pdf"}
BATCH: Final[dict[str, Any]] = {"items": [{**ITEM, "number": "gd-demo-2026-000001"}, HASH]}
