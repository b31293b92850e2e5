"""Metrics of one worker: integers in slots, added to where things happen and read when somebody asks.

``Metrics`` hands out handles; a hot place resolves its handle once and then pays one addition. What events already say
is counted from the events (``count_event``), so that services need not know of metrics. ``snapshot`` gives plain values
that travel over the control sockets; ``merge`` adds those of several workers up. Memory is bounded: a metric has at
most ``MOST_SERIES`` combinations of labels, and what comes beyond them is counted under ``other``.

Not here: how they are written for Prometheus (``web.exposition``). Tests: ``tests/unit/telemetry/test_metrics.py``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from posthouse.telemetry.measures import MEASURES

MOST_SERIES: Final = 500
OTHER: Final = "other"

Snapshot = dict[str, list[tuple[list[str], Any]]]


class Counter:
    """A number that is added to; as a gauge it is ``set``."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def add(self, count: float = 1) -> None:
        """Add to it."""
        self.value += count

    def set(self, value: float) -> None:
        """Make it this."""
        self.value = value

    def plain(self) -> float:
        """Return what a snapshot holds."""
        return self.value


class Histogram:
    """Counts of observations by bucket, and their sum."""

    __slots__ = ("_bounds", "buckets", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one observation; a bucket's bound belongs to it."""
        self.buckets[bisect_left(self._bounds, value)] += 1
        self.total += value

    def plain(self) -> list[Any]:
        """Return what a snapshot holds: counts by bucket, not cumulative, and the sum."""
        return [list(self.buckets), self.total]


class Metrics:
    """All metrics of a worker."""

    def __init__(self) -> None:
        self._series: dict[str, dict[tuple[str, ...], Any]] = {name: {} for name in MEASURES}
        for name, measure in MEASURES.items():
            if not measure.labels and measure.merge == "sum":
                self._at(name, ())  # what never happened is 0, not absent
        self._by_event: dict[str, Callable[[Mapping[str, Any]], None]] = {
            name: make(self) for name, make in _BY_EVENT.items()
        }
        self._levels = {level: self.counter("posthouse_log_events_total", level) for level in ("warning", "error")}

    def counter(self, name: str, *labels: str) -> Counter:
        """Return the handle of a counter or gauge. Raises KeyError: for a name that is not declared."""
        assert MEASURES[name].kind != "histogram", name
        found: Counter = self._at(name, labels)
        return found

    def histogram(self, name: str, *labels: str) -> Histogram:
        """Return the handle of a histogram."""
        assert MEASURES[name].kind == "histogram", name
        found: Histogram = self._at(name, labels)
        return found

    def count_event(self, level: str, name: str, fields: Mapping[str, Any]) -> None:
        """Count what an event tells; never raises."""
        if level in self._levels:
            self._levels[level].value += 1
        count = self._by_event.get(name)
        if count is not None:
            try:
                count(fields)
            except Exception:  # a field of another type than declared is no reason to lose the event
                return

    def snapshot(self) -> Snapshot:
        """Return everything as plain values: for each name, labels with a number or a histogram's counts and sum."""
        return {
            name: [(list(labels), handle.plain()) for labels, handle in series.items()]
            for name, series in self._series.items()
            if series
        }

    def _at(self, name: str, labels: tuple[str, ...]) -> Any:
        series = self._series[name]
        found = series.get(labels)
        if found is None:
            measure = MEASURES[name]
            assert len(labels) == len(measure.labels), name
            if len(series) >= MOST_SERIES:
                labels = (OTHER,) * len(labels)
            made = Histogram(measure.bounds) if measure.kind == "histogram" else Counter()
            found = series.setdefault(labels, made)
        return found


def merge(snapshots: Iterable[Mapping[str, Any]]) -> Snapshot:
    """Return one snapshot of several workers; what is not of the declared form is left out."""
    merged: dict[str, dict[tuple[str, ...], Any]] = {}
    for snapshot in snapshots:
        for name, rows in snapshot.items():
            measure = MEASURES.get(name)
            if measure is None:
                continue
            series = merged.setdefault(name, {})
            for labels, value in rows:
                key = tuple(map(str, labels))
                if len(key) != len(measure.labels):
                    continue
                before = series.get(key)
                series[key] = value if before is None or measure.merge == "last" else _sum(before, value)
    return {
        name: [(list(labels), value) for labels, value in sorted(series.items())]
        for name, series in sorted(merged.items())
    }


def _sum(first: Any, second: Any) -> Any:
    if isinstance(first, list):
        return [[one + other for one, other in zip(first[0], second[0], strict=True)], first[1] + second[1]]
    return first + second


# ---- what events say ------------------------------------------------------------------------------------------

_Count = Callable[[Mapping[str, Any]], None]


def _received(metrics: Metrics) -> _Count:
    messages = metrics.counter("posthouse_messages_accepted_total")
    octets = metrics.counter("posthouse_messages_accepted_octets_total")
    filed = metrics.counter("posthouse_messages_filed_total")
    queued = metrics.counter("posthouse_messages_queued_recipients_total")

    def count(fields: Mapping[str, Any]) -> None:
        messages.value += 1
        octets.value += fields["size"]
        filed.value += fields.get("filed", 0)
        queued.value += fields.get("queued", 0)

    return count


def _refused(metrics: Metrics) -> _Count:
    classes = {digit: metrics.counter("posthouse_messages_refused_total", str(digit)) for digit in (4, 5)}

    def count(fields: Mapping[str, Any]) -> None:
        classes[int(fields["code"]) // 100].value += 1

    return count


def _closed(metrics: Metrics) -> _Count:
    def count(fields: Mapping[str, Any]) -> None:
        protocol = str(fields["protocol"])
        metrics.counter("posthouse_session_octets_total", protocol, "in").value += fields["received"]
        metrics.counter("posthouse_session_octets_total", protocol, "out").value += fields["sent"]

    return count


def _door_refused(metrics: Metrics) -> _Count:
    def count(fields: Mapping[str, Any]) -> None:
        metrics.counter("posthouse_sessions_refused_total", str(fields["listener"]), str(fields["reason"])).value += 1

    return count


def _sign_in(result: str) -> Callable[[Metrics], _Count]:
    def make(metrics: Metrics) -> _Count:
        def count(fields: Mapping[str, Any]) -> None:
            metrics.counter("posthouse_sign_ins_total", str(fields.get("protocol", "")), result).value += 1

        return count

    return make


def _plain(name: str, *labels: str) -> Callable[[Metrics], _Count]:
    def make(metrics: Metrics) -> _Count:
        counter = metrics.counter(name, *labels)

        def count(_fields: Mapping[str, Any]) -> None:
            counter.value += 1

        return count

    return make


_BY_EVENT: Final[dict[str, Callable[[Metrics], _Count]]] = {
    "auth.granted": _sign_in("ok"),
    "auth.refused": _sign_in("failed"),
    "door.closed": _closed,
    "door.refused": _door_refused,
    "message.failed": _plain("posthouse_messages_failed_total"),
    "message.received": _received,
    "message.refused": _refused,
    "relay.deferred": _plain("posthouse_relay_attempts_total", "deferred"),
    "relay.failed": _plain("posthouse_relay_attempts_total", "failed"),
    "relay.sent": _plain("posthouse_relay_attempts_total", "sent"),
}
