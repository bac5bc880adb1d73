"""Policy packs (政策包) of a home: its own folders before those of the package, and all of them examined."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from signsvc import policy
from signsvc.errors import InputError, PolicyError, reason
from signsvc.policy import Pack, Source
from signsvc.policy.packs.departures import departures, overruled
from signsvc.wiring.home import OFFICES, PACKS

FILE = "pack.toml"
_LIMIT = 10 * 1024 * 1024  # bytes; what it may hold is limited again when it is read
_DEPTH = 6  # folders; deeper than any place lies, and an end to links that lead round


@dataclass(frozen=True)
class Finding:
    """A file or a pack that was examined: what it is, or what is wrong with it."""

    good: bool
    text: str
    remark: str = ""  # 放宽, 注意: what is good and yet to be looked at

    @property
    def label(self) -> str:
        """Its state, four columns wide."""
        return (self.remark or "ok  ") if self.good else "FAIL"


def source(home: Path, *nearer: tuple[Path, str]) -> Source:
    """Where packs are looked for: the folders `nearer` (with how messages name them), the home's own, the package's.

    What is there and cannot be read is a PolicyError: the package's pack in its place would be another policy.
    """

    def look(folder: str) -> tuple[str, str] | None:
        for root, name in (*nearer, (home / PACKS, PACKS)):
            if _is_there(root, (*folder.split("/"), FILE), name):
                origin = f"{name}/{folder}/{FILE}"
                return read(root / folder / FILE, origin), origin
        return policy.shipped(folder)

    return look


def _is_there(root: Path, parts: Sequence[str], name: str) -> bool:
    """Whether there is a file under a folder. PolicyError for a link that leads nowhere and for what is no file or, on
    the way to it, no folder."""
    for depth in range(len(parts) + 1):
        at = root.joinpath(*parts[:depth])
        origin = "/".join((name, *parts[:depth]))
        try:
            at.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise PolicyError(f"读不到 {origin}：{reason(error)}") from error
        _require(at, origin, folder=depth < len(parts))
    return True


def _require(at: Path, origin: str, *, folder: bool) -> None:
    try:
        mode = at.stat().st_mode
    except FileNotFoundError as error:
        raise PolicyError(f"{origin} 是失效的链接：请修复或删去") from error
    except OSError as error:
        raise PolicyError(f"读不到 {origin}：{reason(error)}") from error
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        raise PolicyError(f"{origin} 应为{'文件夹' if folder else '普通文件'}：请改正或移走")


def read(file: Path, origin: str) -> str:
    """The text of a file of the operator's; PolicyError if it cannot be read as text."""
    try:
        with open(file, "rb") as stream:
            data = stream.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise PolicyError(f"{origin} 第1行：文件过大")
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{origin} 第{line}行：不是 UTF-8 编码") from error
    except OSError as error:
        raise PolicyError(f"读不到 {origin}：{reason(error)}") from error


def jurisdictions(home: Path) -> tuple[str, ...]:
    """The places of the home's offices; of a home without offices, those of the package."""
    if not _is_there(home, (OFFICES,), "."):
        return policy.shipped_jurisdictions()
    offices = policy.load_offices(read(home / OFFICES, OFFICES), OFFICES)
    return tuple(sorted({office.jurisdiction for office in offices.values()}))


def examine(home: Path, folders: Sequence[Path] = ()) -> Iterator[Finding]:
    """The files in `folders`, or in the home's own, each with its first fault; then every pack they are part of."""
    roots = [_root(folder) for folder in folders]
    own = [(home / PACKS, PACKS, home / PACKS)]
    needed: set[str] = set()
    told: set[str] = set()
    for root, name, within in roots or own:
        for finding, place in _files(root, name, within):
            told.add(finding.text)
            needed |= {place} if place else set()
            yield finding
    if not folders:
        try:
            needed |= set(jurisdictions(home))
        except PolicyError as error:
            yield Finding(False, str(error))
    look = source(home, *((root, name) for root, name, _ in roots))
    yield from _packs(needed, look, told)


def _root(folder: Path) -> tuple[Path, str, Path]:
    """The folder that holds `nation`, how to name it, and the folder itself: a province's folder will do."""
    holder = next((part.parent for part in (folder, *folder.parents) if part.name == policy.NATION), folder)
    if not any(pack_files(folder)):
        raise InputError(f"{folder} 中没有 {FILE}：应为 nation/省/{FILE} 或 nation/省/市/{FILE}")
    return holder, str(holder), folder


def _files(root: Path, name: str, within: Path) -> Iterator[tuple[Finding, str]]:
    """Each file's finding, and the place it is about; "" where that cannot be told."""
    for file in pack_files(within):
        folder = file.parent.relative_to(root).as_posix()
        origin = f"{name}/{folder}/{FILE}"
        place = folder if folder == policy.NATION else folder.removeprefix(f"{policy.NATION}/")
        if place != policy.NATION and not (place != folder and policy.is_jurisdiction(place)):
            yield Finding(False, f"{origin}：不会被读到，应放在 nation/省 或 nation/省/市 中"), ""
            continue
        try:
            _require(file, origin, folder=False)
            layer = policy.parse_layer(read(file, origin), origin, place)
        except PolicyError as error:
            yield Finding(False, str(error)), place
            continue
        yield Finding(True, f"{origin} {layer.name}，不应出具 {len(layer.items)} 项"), place
        for departure in departures(layer):
            yield Finding(True, f"{origin}：{departure.text}", departure.label), place


def pack_files(within: Path) -> Iterator[Path]:
    """Every pack file in a folder, in order, whatever kind of file it is. Links to folders are followed."""
    for folder, inner, names in os.walk(within, followlinks=True):
        depth = len(Path(folder).relative_to(within).parts)
        if FILE in (*inner, *names):
            yield Path(folder, FILE)
        inner[:] = sorted(inner) if depth < _DEPTH else []


def _packs(places: Iterable[str], look: Source, told: set[str]) -> Iterator[Finding]:
    """Each place's pack as it is laid over; a fault that was told of its file is not told again."""
    everywhere = {*places, *policy.shipped_jurisdictions()} if policy.NATION in places else set(places)
    for place in sorted(everywhere - {policy.NATION}):
        try:
            pack = policy.load_pack(place, look)
        except PolicyError as error:
            if str(error) not in told:
                told.add(str(error))
                yield Finding(False, str(error))
            continue
        yield Finding(True, described(pack))
        yield from (Finding(True, f"{place}：{found.text}", found.label) for found in overruled(pack))


def described(pack: Pack) -> str:
    """guangdong：国家、广东省，不应出具 23 项."""
    names = "、".join(layer.name for layer in pack.layers)
    return f"{pack.jurisdiction}：{names}，不应出具 {len(pack.items)} 项"
