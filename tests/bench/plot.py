"""Rates over rows, as a picture for the page of benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

FILE = "benchmarks.svg"


def rates(points: Sequence[tuple[str, int, float]], folder: Path) -> None:
    """Programs, rows and certificates a second, both axes logarithmic; the same points give the same bytes."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(point[0] for point in points):
        own = [point[1:] for point in points if point[0] == name]
        axes.loglog(*zip(*own, strict=True), marker="o", label=name)
    axes.set(xlabel="rows in the file", ylabel="certificates a second")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    with mpl.rc_context({"svg.hashsalt": "signsvc"}):
        figure.savefig(folder / FILE, metadata={"Date": None})
