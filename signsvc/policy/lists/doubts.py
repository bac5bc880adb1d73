"""What a reviewer of a retained list (保留清单) has to look at: nothing here keeps a list from loading.

A list may be sound and still doubtful: a basis may end soon, or rest on what the province asks more reasons for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from signsvc.models import BasisKind, Matter
from signsvc.policy.lists.catalogue import Catalogue
from signsvc.policy.lists.matters import FOUNDING
from signsvc.policy.packs.conflicts import borne
from signsvc.policy.packs.pack import Pack
from signsvc.policy.packs.standing import lapse


def doubts(catalogue: Catalogue, pack: Pack, today: date) -> tuple[str, ...]:
    """One line for each thing to look at, in the order of the list; `today` is the day in Beijing.

    Raises ValueError if the list was drawn up under another pack.
    """
    if catalogue.jurisdiction != pack.jurisdiction:
        raise ValueError("the pack is not of the catalogue's jurisdiction")
    return tuple(
        f"“{matter.name}”：{doubt}"
        for matter in catalogue.matters
        for doubts_of in (_dates, _issuer, _local, _listed, _official)
        for doubt in doubts_of(matter, pack, today)
    )


def _dates(matter: Matter, pack: Pack, today: date) -> Iterator[str]:
    """A basis that does not hold suspends the matter, one that ends soon will (Q25)."""
    for basis in matter.bases:
        if told := lapse(basis, today):
            yield f"依据{told}"
        if basis.valid_from is None:
            yield f"依据{basis.printed}没有施行日期（valid_from），请核对补齐"


def _issuer(matter: Matter, pack: Pack, today: date) -> Iterator[str]:
    """The law itself should name the office as issuer (G16)."""
    if not any(basis.issuer_named for basis in matter.bases) and not matter.issuer_reason:
        effect = "，按本地规定不能出具" if pack.issuer_must_be_named else ""
        yield f"依据未写明由基层群众性自治组织出具，也未记录理由（issuer_reason）{effect}"


def _local(matter: Matter, pack: Pack, today: date) -> Iterator[str]:
    """A local regulation alone asks for its justification on four points (G17)."""
    founding = {basis.kind for basis in matter.bases if basis.kind in FOUNDING}
    if founding == {BasisKind.LOCAL_REGULATION} and not matter.justification:
        yield "仅以地方性法规为依据，未记录必要性、可行性、可替代性和法律风险论证（justification）"


def _listed(matter: Matter, pack: Pack, today: date) -> Iterator[str]:
    """A name of a not-to-issue list is kept only with its reason."""
    if not matter.conflict_reason:
        for item in borne(matter, pack, today):
            yield f"名称或内容列入{item.listed}，未记录保留理由（conflict_reason），不能出具"


def _official(matter: Matter, pack: Pack, today: date) -> Iterator[str]:
    """What the forms and the guides ask for (Q12, Q16)."""
    if not matter.handled:
        yield "没有涉及办理事项名称（handled）"
