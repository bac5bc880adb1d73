"""What the service tells about itself to a Prometheus: how much, how fast, with what verdicts, how often refused.

Labels are route rules, statuses, verdicts and names of limits: never an address, a path or what was asked about.

Each worker counts in files of its own, which `/metrics` of whichever worker adds up. They are named by the worker's
place among the workers, not by its process: a new worker goes on where a dead one stopped, and their number is fixed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus_client looks for the folder of the files
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The counters of one worker, and the page about all of them."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter(
            "signsvc_requests", "Requests answered", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "signsvc_request_seconds", "Time to answer", ("route",), buckets=_SECONDS, registry=registry
        )
        self._verdicts = Counter("signsvc_verdicts", "Verdicts given", ("verdict",), registry=registry)
        self._refusals = Counter("signsvc_refused", "Requests refused", ("reason",), registry=registry)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def verdict(self, verdict: str) -> None:
        self._verdicts.labels(verdict).inc()

    def refused(self, reason: str) -> None:
        """By which limit, or `cross_site`, `unknown_api_key`, `busy`."""
        self._refusals.labels(reason).inc()

    def page(self, now: Callable[[], dict[str, float]]) -> bytes:
        """The text format 0.0.4; `now` gives what is measured at this moment, by name."""
        shown = CollectorRegistry()
        shown.register(_Gauges(now()))
        if folder := os.environ.get(FOLDER):
            MultiProcessCollector(shown, folder)  # type: ignore[no-untyped-call]
            return generate_latest(shown)
        return generate_latest(shown) + generate_latest(self._registry)


def share(folder: Path, place: int) -> None:
    """From now on this process counts in `folder` as worker number `place`."""
    os.environ[FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


class _Gauges:
    """Plain values as Prometheus collects them."""

    def __init__(self, found: dict[str, float]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        for name, value in self._found.items():
            yield GaugeMetricFamily(f"signsvc_{name}", name.replace("_", " "), value)
