"""Metrics as Prometheus reads them."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from posthouse.telemetry.metrics import Metrics, merge
from posthouse.web.exposition import expose

OPENMETRICS = "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"


def snapshot():
    """Return a snapshot with one metric of each kind."""
    metrics = Metrics()
    metrics.counter("posthouse_sessions_opened_total", "smtp", 'odd"\n').add(3)
    metrics.counter("posthouse_queue_oldest_seconds").set(1.5)
    for value in (0.002, 0.002, 99.0):
        metrics.histogram("posthouse_store_commit_seconds").observe(value)
    return merge([metrics.snapshot(), {"undeclared": [([], 1)]}])


@pytest.mark.parametrize(
    ("accept", "parse", "content_type"),
    [("", parse_text, "text/plain"), ("*/*", parse_text, "text/plain"), (OPENMETRICS, parse_openmetrics, "application/openmetrics-text")],
    ids=["nothing asked", "anything", "OpenMetrics"],
)  # fmt: skip
def test_both_forms_are_read_back(accept, parse, content_type) -> None:
    """What is written in the form asked for says the same numbers."""
    kind, text = expose(snapshot(), accept)
    assert kind.startswith(content_type)
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text.decode())
        for sample in family.samples
    }
    assert samples["posthouse_sessions_opened_total", (("listener", 'odd"\n'), ("protocol", "smtp"))] == 3
    assert samples["posthouse_queue_oldest_seconds", ()] == 1.5
    assert samples["posthouse_store_commit_seconds_bucket", (("le", "0.001"),)] == 0
    assert samples["posthouse_store_commit_seconds_bucket", (("le", "0.0025"),)] == 2
    assert samples["posthouse_store_commit_seconds_bucket", (("le", "+Inf"),)] == 3
    assert samples["posthouse_store_commit_seconds_count", ()] == 3


@pytest.mark.parametrize(
    "accept", ["\x00", "application/openmetrics-text;version=", ";;;,,,", "a" * 8000, "text/plain;q=x"]
)
def test_any_accept_header_gives_a_form(accept) -> None:
    """Nonsense is no error."""
    assert expose(snapshot(), accept)[1].startswith(b"# HELP")
