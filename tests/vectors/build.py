"""Builds the hostile files: `PYTHONPATH=tests python -m vectors.build FOLDER`.

Every file is named for its defect and made from one honestly sealed file. `expected.csv` beside them says what an
examination may answer; only the files named `honest-…` may ever be `sealed`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from vectors import container, forgers, hostile, revisions
from vectors.vector import SEALED, Vector
from vectors.workshop import YEAR, Workshop


def vectors(shop: Workshop) -> Iterator[Vector]:
    """All of them; names are unique."""
    yield from honest(shop)
    yield from container.vectors(shop)
    yield from revisions.vectors(shop)
    yield from forgers.vectors(shop)
    yield from hostile.vectors(shop)


def honest(shop: Workshop) -> Iterator[Vector]:
    """What must pass, or the rest proves nothing."""
    yield Vector("honest", shop.sealed, SEALED)
    yield Vector("honest-by-the-root-alone", shop.sealed, SEALED, pinned=False)
    yield Vector("honest-expired-since", shop.seal(shop.expired, shop.now - 2 * YEAR), SEALED)
    yield Vector("honest-padded", container.padded(shop), SEALED)
    yield Vector("honest-timestamped", container.stamped(shop), SEALED)


def write(folder: Path, shop: Workshop) -> list[Vector]:
    """Writes every vector to `folder` as NAME.pdf, with the table, the root and the pins that they are judged by."""
    folder.mkdir(parents=True, exist_ok=True)
    built = list(vectors(shop))
    for vector in built:
        (folder / f"{vector.name}.pdf").write_bytes(vector.data)
    (folder / "root.pem").write_bytes(b"".join(shop.trust.roots))
    (folder / "pins.txt").write_text("\n".join(sorted(shop.pinned.pins or ())) + "\n")
    with (folder / "expected.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "outcomes", "pinned"])
        table.writerows([f"{item.name}.pdf", " ".join(sorted(item.expected)), item.pinned] for item in built)
    return built


if __name__ == "__main__":
    print(len(write(Path(sys.argv[1]), Workshop())), "files")
