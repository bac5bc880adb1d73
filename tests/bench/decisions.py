"""What a decision costs: the demonstration's rows, and the dearest row there can be."""

from __future__ import annotations

import time
from datetime import date

from signsvc.models import IdType, OfficeId, Request
from signsvc.policy import decide, demo_text, load_catalogue, load_offices, load_pack

ROWS = 100_000
TODAY = date(2026, 11, 21)
OFFICE = load_offices(demo_text("offices"), "offices.toml")[OfficeId("gd-demo")]
CATALOGUE = load_catalogue(demo_text("catalogue-guangdong"), "catalogue-guangdong.toml")
PACK = load_pack("guangdong")
KINDS = {
    "ordinary": {},
    "longest words": {"statement": "自2019年起居住，" * 80, "addressee": "示范区人民法院" * 14},
    "unlisted": {"matter": "某某情况" * 20, "statement": "自2019年起居住，" * 125},
    "banned": {"matter": "关于某人的居民财产证明", "purpose": "法律援助"},
}


def request(given: dict[str, str]) -> Request:
    return Request(
        request_id="1",
        office=None,
        **{"matter": "litigant-community", "addressee": "示范区人民法院"} | given,  # type: ignore[arg-type]
        name="李明",
        id_type=IdType.IDENTITY_CARD,
        id_number="11010519491231002X",
        valid_until=date(2027, 5, 20),
        verified_by="甲",
        verified_how="掌握信息",
        verified_on=TODAY,
        approved_by="乙",
    )


def tell() -> list[str]:
    """Microseconds of one decision, the mean over many; the ordinary ones are a whole file of 100,000 rows. Nothing
    can be wrong."""
    print(f"{'decision':<16}{'rows':>10}{'microseconds':>14}")
    for kind, given in KINDS.items():
        rows = ROWS if kind == "ordinary" else ROWS // 20
        row = request(given)
        begin = time.perf_counter()
        for _ in range(rows):
            decide(row, OFFICE, CATALOGUE, PACK, TODAY)
        print(f"{kind:<16}{rows:>10}{(time.perf_counter() - begin) / rows * 1e6:>14.0f}")
    return []
