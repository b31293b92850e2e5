"""Counters, histograms, what events say, and the sum of several workers."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from posthouse.telemetry.events import EVENTS
from posthouse.telemetry.measures import MEASURES
from posthouse.telemetry.metrics import _BY_EVENT, MOST_SERIES, OTHER, Metrics, merge
from posthouse.telemetry.process import measure_process, start_time


@pytest.mark.parametrize("name", MEASURES)
def test_every_metric_is_explained(name) -> None:
    """Names follow the rule, counters end in _total, explanations are sentences."""
    measure = MEASURES[name]
    assert re.fullmatch(r"posthouse(_[a-z]+)+", name)
    assert name.endswith("_total") == (measure.kind == "counter")
    assert measure.explanation.endswith(".")
    assert bool(measure.bounds) == (measure.kind == "histogram")
    assert measure.merge in {"sum", "last"}


@pytest.mark.parametrize("name", MEASURES)
def test_every_metric_is_measured_somewhere(name) -> None:
    """A metric that is explained and never counted misleads."""
    source = Path(__file__).parents[3] / "src" / "posthouse"
    texts = [path.read_text() for path in source.rglob("*.py") if path.name != "measures.py"]
    assert any(f'"{name}"' in text for text in texts)


def test_events_that_are_counted_exist() -> None:
    """The table of events names declared ones only."""
    assert set(_BY_EVENT) <= set(EVENTS)


def test_events_are_counted() -> None:
    """Each event adds where it should; one with fields of another kind does no harm."""
    metrics = Metrics()
    received = {"size": 100, "filed": 2, "queued": 1}
    for level, name, fields in (
        ("info", "message.received", received),
        ("info", "message.received", received),
        ("info", "message.refused", {"code": 450}),
        ("info", "message.refused", {"code": "550"}),
        ("info", "message.refused", {"code": None}),
        ("warning", "auth.refused", {"protocol": "imap"}),
        ("info", "auth.granted", {"protocol": "imap"}),
        ("info", "door.closed", {"protocol": "pop3", "received": 5, "sent": 7}),
        ("warning", "door.refused", {"listener": "mx", "reason": "drain"}),
        ("error", "message.failed", {}),
        ("info", "relay.deferred", {}),
        ("info", "settings.skipped", {}),
    ):
        metrics.count_event(level, name, fields)
    found = metrics.snapshot()
    assert found["posthouse_messages_accepted_total"] == [([], 2)]
    assert found["posthouse_messages_accepted_octets_total"] == [([], 200)]
    assert found["posthouse_messages_filed_total"] == [([], 4)]
    assert found["posthouse_messages_queued_recipients_total"] == [([], 2)]
    assert sorted(found["posthouse_messages_refused_total"]) == [(["4"], 1), (["5"], 1)]
    assert sorted(found["posthouse_sign_ins_total"]) == [(["imap", "failed"], 1), (["imap", "ok"], 1)]
    assert sorted(found["posthouse_session_octets_total"]) == [(["pop3", "in"], 5), (["pop3", "out"], 7)]
    assert found["posthouse_sessions_refused_total"] == [(["mx", "drain"], 1)]
    assert sorted(found["posthouse_log_events_total"]) == [(["error"], 1), (["warning"], 2)]
    assert found["posthouse_relay_attempts_total"][0] == (["deferred"], 1)


def test_a_histogram() -> None:
    """An observation at a bound belongs to its bucket; the last bucket takes the rest."""
    metrics = Metrics()
    handle = metrics.histogram("posthouse_store_commit_seconds")
    for value in (0.0, 0.001, 0.0011, 99.0):
        handle.observe(value)
    ((_, (buckets, total)),) = metrics.snapshot()["posthouse_store_commit_seconds"]
    assert (buckets[0], buckets[1], buckets[-1], sum(buckets)) == (2, 1, 1, 4)
    assert total == pytest.approx(99.0021)


def test_labels_are_bounded() -> None:
    """Peers cannot fill the memory with labels."""
    metrics = Metrics()
    for number in range(MOST_SERIES + 50):
        metrics.counter("posthouse_sessions_refused_total", "mx", str(number)).add()
    rows = metrics.snapshot()["posthouse_sessions_refused_total"]
    assert len(rows) == MOST_SERIES + 1
    assert rows[-1] == ([OTHER, OTHER], 50)


def test_an_unknown_name_is_a_mistake_of_ours() -> None:
    """Names are declared before they are used."""
    with pytest.raises(KeyError):
        Metrics().counter("posthouse_unheard_of_total")


def test_workers_are_added_up() -> None:
    """Counters and histograms are summed, shared values are not; what is not declared is left out."""
    one, two = Metrics(), Metrics()
    for each, count in ((one, 2), (two, 3)):
        each.counter("posthouse_sessions_opened_total", "smtp", "mx").add(count)
        each.counter("posthouse_queue_oldest_seconds").set(count)
        each.histogram("posthouse_store_commit_seconds").observe(count)
    over_the_wire = orjson.loads(orjson.dumps(two.snapshot()))
    found = merge([one.snapshot(), over_the_wire, {"other_total": [([], 1)], "posthouse_workers": [(["x"], 1)]}])
    assert found["posthouse_sessions_opened_total"] == [(["smtp", "mx"], 5)]
    assert found["posthouse_queue_oldest_seconds"] == [([], 3)]
    assert found["posthouse_store_commit_seconds"][0][1][1] == 5
    assert sum(found["posthouse_store_commit_seconds"][0][1][0]) == 2
    assert "other_total" not in found
    assert found["posthouse_workers"] == []


def test_what_a_process_uses() -> None:
    """Memory, descriptors and time of this very process."""
    metrics = Metrics()
    measure_process(metrics, 3, "1.2", started=start_time(5.0))
    found = metrics.snapshot()
    assert found["posthouse_process_resident_octets"][0][1] > 1 << 20
    assert 3 <= found["posthouse_process_open_files"][0][1] < 100_000
    assert found["posthouse_process_cpu_seconds_total"][0][0] == ["3"]
    assert found["posthouse_build_info"][0][0][0] == "1.2"
