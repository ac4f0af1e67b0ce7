"""All metrics, and how Prometheus' client library is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Told
from prometheus_client.registry import Collector

from core.meters import Reading
from monitor.figures import Figures
from monitor.metrics.hedges import HEDGE_METRICS
from monitor.metrics.machinery import MACHINERY_METRICS
from monitor.metrics.metric import Metric
from monitor.metrics.money import MONEY_METRICS
from monitor.metrics.state import STATE_METRICS
from monitor.metrics.venue import VENUE_METRICS

GROUPS: Final[dict[str, tuple[Metric, ...]]] = {
    "At a glance": STATE_METRICS,
    "Hedges, margin and orders": HEDGE_METRICS,
    "Earnings": MONEY_METRICS,
    "The venue": VENUE_METRICS,
    "Machinery": MACHINERY_METRICS,
}
METRICS: Final = tuple(metric for group in GROUPS.values() for metric in group)


class EngineCollector(Collector):
    """Asks for the figures at each scrape; an engine that has none yet tells nothing of itself."""

    def __init__(self, figures: Callable[[], Figures | None]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Told]:
        figures = self._figures()
        return () if figures is None else [family(metric, figures) for metric in METRICS]

    def describe(self) -> Iterable[Told]:
        return ()  # nothing is known before it is asked for


def registry_of(figures: Callable[[], Figures | None]) -> CollectorRegistry:
    """The engine's metrics and the process's own (`process_*`)."""
    registry = CollectorRegistry()
    registry.register(EngineCollector(figures))
    ProcessCollector(registry=registry)
    return registry


def family(metric: Metric, figures: Figures) -> Told:
    """One metric with all its samples, as the library writes it."""
    name, labels = metric.full_name, metric.labels
    match metric.kind:
        case "histogram":
            histogram = HistogramMetricFamily(name, metric.help, labels=labels)
            for values, reading in metric.read(figures):
                assert isinstance(reading, Reading)
                histogram.add_metric(values, _buckets(reading), reading.total)
            return histogram
        case "counter":
            counter = CounterMetricFamily(name.removesuffix("_total"), metric.help, labels=labels)
            for values, count in metric.read(figures):
                counter.add_metric(values, _number(count))
            return counter
        case _:
            gauge = GaugeMetricFamily(name, metric.help, labels=labels)
            for values, figure in metric.read(figures):
                gauge.add_metric(values, _number(figure))
            return gauge


def _number(value: float | int | Decimal | Reading) -> float:
    assert not isinstance(value, Reading)
    return float(value)


def _buckets(reading: Reading) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus counts them."""
    total, buckets = 0, []
    for bound, count in zip((*reading.bounds, float("inf")), reading.counts, strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else repr(float(bound)), float(total)))
    return buckets
