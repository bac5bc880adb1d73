"""What a new event of a retained list (保留清单) must bring besides its place in the order (G9, G11, Q25).

This is not asked of events told again from the journal: reasons, channels and the rules for a list's text change with
the years, and what was right on its day stays.
"""

from __future__ import annotations

from datetime import date, timedelta

from signsvc.errors import PolicyError
from signsvc.policy.lists.catalogue import Catalogue, load_catalogue
from signsvc.policy.lists.changes import Edition, History
from signsvc.policy.lists.events import Adopted, Event, Proposed, Taken
from signsvc.policy.lists.proceedings import refuse
from signsvc.policy.packs.pack import Pack
from signsvc.texts import chinese_date

FARTHEST = timedelta(days=366)  # from publication to effect: so a mistyped year is found
_INVALID = "change_invalid"


def vet(history: History, event: Event, pack: Pack, today: date) -> None:
    """PolicyError or ChangeRefused says what is wrong; `pack` is that of the list's place, `today` Beijing's day."""
    if not (event.by.strip() and event.text.strip()):
        refuse("须写明由哪个机关办理、内容是什么", _INVALID)
    match event:
        case Adopted():
            _check_list(event.text, history.list_id, pack)
            _check_day(event.effective, today)
        case Proposed():
            _check_proposal(history, event, pack, today)
        case Taken() if event.effective:
            _check_list(history.change(event.change).proposal.text, history.list_id, pack)
            _check_day(event.effective, today)
            _check_channels(event, pack)
        case _:
            pass


def within(place: str, wider: str) -> bool:
    """Whether a place is the other one or lies in it: guangdong/somecity in guangdong."""
    return place == wider or place.startswith(f"{wider}/")


def _check_proposal(history: History, event: Proposed, pack: Pack, today: date) -> None:
    found = _check_list(event.text, history.list_id, pack)
    # The text of an edition that is still to come may be proposed again: to let it take effect earlier.
    if history.newest.effective <= today and _says_the_same(found, history.newest):
        refuse("内容没有变：与最新一版相比没有要调整的内容", _INVALID)
    if event.reason not in pack.reasons:
        refuse(f"调整原因应为：{'、'.join(pack.reasons)}", _INVALID)
    if event.steps[0].with_basis and not event.basis:
        refuse("提出调整应当提供有关依据（--basis）：文件名称、文号和条款", _INVALID)


def _says_the_same(found: Catalogue, edition: Edition) -> bool:
    """Comments and the way of writing do not count."""
    try:
        return found == load_catalogue(edition.text, edition.list_id)
    except PolicyError:  # the present text is not allowed any more: this one mends it
        return False


def _check_list(text: str, list_id: str, pack: Pack) -> Catalogue:
    """The list; it stays in its place, but may go over to a city's pack there, or back."""
    found = load_catalogue(text, list_id)
    here = pack.jurisdiction
    if not (within(found.jurisdiction, here) or within(here, found.jurisdiction)):
        refuse(f"清单的 jurisdiction 应为 {here}，或其下的市", _INVALID)
    return found


def _check_day(effective: date, today: date) -> None:
    if effective > today + FARTHEST:
        latest = chinese_date(today + FARTHEST)
        refuse(f"生效日最迟为{latest}（今天起一年内）：更晚的请届时再办", _INVALID)


def _check_channels(event: Taken, pack: Pack) -> None:
    if unknown := set(event.channels) - set(pack.channels):
        refuse(f"没有公布渠道 {'、'.join(sorted(unknown))}：应为 {'、'.join(pack.channels)}", _INVALID)
