"""A merged snapshot of metrics as Prometheus reads it: the text format, or OpenMetrics where it is asked for.

Names, explanations and kinds are those of ``telemetry.measures``; prometheus-client writes the text.
Tests: ``tests/unit/web/test_exposition.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from posthouse.telemetry.measures import MEASURES, Measure

_TOTAL: Final = "_total"


class _Snapshot(Collector):
    """Hands a snapshot to prometheus-client."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Yield each declared metric that has values."""
        for name, rows in self._snapshot.items():
            measure = MEASURES.get(name)
            if measure is not None:
                yield _family(name, measure, rows)


def _family(name: str, measure: Measure, rows: Any) -> Metric:
    if measure.kind == "histogram":
        histogram = HistogramMetricFamily(name, measure.explanation, labels=measure.labels)
        for labels, (counts, total) in rows:
            histogram.add_metric(labels, _buckets(measure, counts), total)
        return histogram
    made: CounterMetricFamily | GaugeMetricFamily
    if measure.kind == "counter":
        made = CounterMetricFamily(name.removesuffix(_TOTAL), measure.explanation, labels=measure.labels)
    else:
        made = GaugeMetricFamily(name, measure.explanation, labels=measure.labels)
    for labels, value in rows:
        made.add_metric(labels, value)
    return made


def _buckets(measure: Measure, counts: list[int]) -> list[tuple[str, float]]:
    """Return cumulative buckets with their upper bounds."""
    found: list[tuple[str, float]] = []
    so_far = 0
    for bound, count in zip((*map(str, measure.bounds), "+Inf"), counts, strict=True):
        so_far += count
        found.append((bound, so_far))
    return found


def expose(snapshot: Mapping[str, Any], accept: str = "") -> tuple[str, bytes]:
    """Return content type and text, in the form that an Accept header asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(snapshot))
    encode: Callable[[CollectorRegistry], bytes]
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)
