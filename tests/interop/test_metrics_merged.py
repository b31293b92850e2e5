"""Monitoring of a running server: both workers added up, by curl; health; the live log with filters."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.server import DOMAIN, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("metrics")]


def curl(server: PosthouseServer, path: str, *options: str) -> str:
    """Ask with curl; return the body."""
    url = f"http://127.0.0.1:{server.port(9290)}{path}"
    return subprocess.run(
        ["curl", "-sS", "--max-time", "10", *options, url], capture_output=True, text=True, check=True, timeout=20
    ).stdout


def metrics(server: PosthouseServer) -> dict[str, float]:
    """Return the sums of all samples by name."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(curl(server, "/metrics")):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


@pytest.mark.slow
def test_both_workers_are_added_up(house) -> None:
    """Sessions and messages that different workers took are one number, whichever worker is asked."""
    before = metrics(house)
    for number in range(12):
        with house.smtp(25) as client:
            client.sendmail("a@b.example", [f"anna@{DOMAIN}"], f"Subject: {number}\n\nHi")
    until(lambda: len(house.events("message.received")) == 12, "the log to be written")
    workers = {event["worker"] for event in house.events("message.received")}
    assert workers == {0, 1}
    for _ in range(4):
        after = metrics(house)
        assert after["posthouse_workers"] == 2
        assert after["posthouse_workers_silent"] == 0
        for name, count in (
            ("posthouse_messages_accepted_total", 12),
            ("posthouse_messages_filed_total", 12),
            ("posthouse_sessions_opened_total", 12),
            ("posthouse_message_acceptance_seconds_count", 12),
        ):
            assert after[name] - before.get(name, 0) == count, name
    assert after["posthouse_store_commit_seconds_count"] > before["posthouse_store_commit_seconds_count"]


@pytest.mark.slow
def test_a_silent_worker_is_left_out(house) -> None:
    """A control socket behind which nobody answers costs a second, not the metrics."""
    (house.home / "run" / "control.7.sock").touch()
    try:
        found = metrics(house)
    finally:
        (house.home / "run" / "control.7.sock").unlink()
    assert (found["posthouse_workers"], found["posthouse_workers_silent"]) == (2, 1)


@pytest.mark.slow
def test_health_by_curl(house) -> None:
    """Live and ready; a mark that the disk does not reach makes it unready at once, without a restart."""
    assert json.loads(curl(house, "/health/live")) == {"status": "ok"}
    until(lambda: json.loads(curl(house, "/health/ready")) == {"status": "ok"}, "the server to be ready")
    house.set(metrics__ready_disk_space="1 PiB".replace("1 P", "1024 T"))
    until(lambda: "disk" in curl(house, "/health/ready"), "the mark to be seen")
    assert curl(house, "/health/ready", "-o", "/dev/null", "-w", "%{http_code}") == "503"
    house.set(metrics__ready_disk_space="0")
    until(lambda: json.loads(curl(house, "/health/ready")) == {"status": "ok"}, "the mark to be lowered")


@pytest.mark.slow
def test_the_live_log_has_filters(house) -> None:
    """Tail at debug shows what the log leaves out, and only what is asked for."""
    words = [sys.executable, "-m", "posthouse.cli", "--home", str(house.home), "log", "tail"]
    with subprocess.Popen(
        [*words, "--level", "debug", "--event", "door.opened", "--count", "1"], stdout=subprocess.PIPE, text=True
    ) as tail:

        def knock() -> bool:
            with house.smtp(25) as client:
                client.noop()
            return tail.poll() is not None

        until(knock, "the tail to end")
        line = json.loads(tail.stdout.readline())
    assert (line["event"], line["protocol"], line["level"]) == ("door.opened", "smtp", "debug")
    assert house.events("door.opened") == []
