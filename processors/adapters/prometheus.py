"""Metrics for Prometheus: counted in plain dictionaries, turned into the library's families when scraped.

The library's own counters cost about a microsecond each, which several per notification make felt.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from schemas.metrics import DESCRIPTIONS, Metric

Labels = tuple[tuple[str, str], ...]
Series = tuple[Metric, Labels]

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
AGES: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
BUCKETS: Final[Mapping[Metric, tuple[float, ...]]] = {Metric.EVENT_AGE_SECONDS: AGES}


@dataclass(slots=True)
class Histogram:
    """How many values fell into each bucket (not cumulated; the last is beyond all bounds), and their sum."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float = 0.0


class PrometheusMetrics(Collector):
    """`schemas.metrics.Metrics`, safe from any thread; `render` is what `/metrics` answers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers: dict[Series, float] = {}
        self._histograms: dict[Series, Histogram] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def count(self, metric: Metric, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        series = (metric, tuple(labels.items()))
        with self._lock:
            self._numbers[series] = self._numbers.get(series, 0) + amount

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._numbers[metric, tuple(labels.items())] = value

    def observe(self, metric: Metric, *values: float, **labels: str) -> None:
        """Record values of a histogram."""
        series = (metric, tuple(labels.items()))
        with self._lock:
            histogram = self._histograms.get(series)
            if histogram is None:
                bounds = BUCKETS.get(metric, SECONDS)
                histogram = self._histograms[series] = Histogram(bounds, [0] * (len(bounds) + 1))
            counts, bounds = histogram.counts, histogram.bounds
            for value in values:
                counts[bisect_left(bounds, value)] += 1
            histogram.total += sum(values)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format asked for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Family]:
        """Every metric of the table, those never touched too, so that dashboards know them."""
        with self._lock:
            numbers = dict(self._numbers)
            histograms = {
                series: Histogram(one.bounds, list(one.counts), one.total) for series, one in self._histograms.items()
            }
        for metric, description in DESCRIPTIONS.items():
            if description.kind == "histogram":
                yield _histogram_family(metric, histograms)
            else:
                yield _number_family(metric, numbers)


def _number_family(metric: Metric, numbers: Mapping[Series, float]) -> Family:
    description = DESCRIPTIONS[metric]
    kind = CounterMetricFamily if description.kind == "counter" else GaugeMetricFamily
    family = kind(metric.value, description.help, labels=description.labels)
    if not description.labels:
        family.add_metric((), numbers.get((metric, ()), 0.0))
        return family
    for (name, labels), value in numbers.items():
        if name is metric:
            family.add_metric(_ordered(metric, labels), value)
    return family


def _histogram_family(metric: Metric, histograms: Mapping[Series, Histogram]) -> Family:
    description = DESCRIPTIONS[metric]
    family = HistogramMetricFamily(metric.value, description.help, labels=description.labels)
    for (name, labels), histogram in histograms.items():
        if name is metric:
            family.add_metric(_ordered(metric, labels), _cumulated(histogram), histogram.total)
    return family


def _ordered(metric: Metric, labels: Labels) -> list[str]:
    given = dict(labels)
    return [given.get(name, "") for name in DESCRIPTIONS[metric].labels]


def _cumulated(histogram: Histogram) -> list[tuple[str, float]]:
    buckets: list[tuple[str, float]] = []
    seen = 0
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        seen += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), seen))
    return buckets
