"""The merged snapshot: this worker, its siblings, the queue."""

from __future__ import annotations

import asyncio

import orjson

from posthouse.core.errors import Unavailable
from posthouse.telemetry.metrics import Metrics
from posthouse.testing.clock import FakeClock
from posthouse.web.monitor import QUEUE_SECONDS, Monitor


class Row:
    """A row of the queue."""

    received = 1_699_999_990.0


class StubStore:
    """A queue of three recipients."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_broken = False

    async def queue_summary(self):
        self.asked += 1
        if self.is_broken:
            raise Unavailable("locked", where="store")
        return [("a.test", "waiting", 2, 0.0), ("b.test", "held", 1, 0.0)]

    async def queue_rows(self, *, limit):
        return [Row()]


def sample() -> Metrics:
    """Return metrics with one session opened."""
    metrics = Metrics()
    metrics.counter("posthouse_sessions_opened_total", "smtp", "mx").add()
    return metrics


async def test_everybody_is_added_up(tmp_path) -> None:
    """Two siblings answer, a socket without a worker is counted as silent, one's own is not asked."""
    metrics = sample()

    async def serve(reader, writer) -> None:
        await reader.readline()
        writer.write(orjson.dumps(metrics.snapshot()) + b"\n")
        writer.close()

    servers = [await asyncio.start_unix_server(serve, str(tmp_path / f"control.{number}.sock")) for number in (1, 2)]
    for number in (0, 3):
        (tmp_path / f"control.{number}.sock").touch()
    store, clock = StubStore(), FakeClock()
    monitor = Monitor(store, clock, metrics.snapshot, own=0, run=tmp_path)
    found = await monitor.collect()
    assert found["posthouse_sessions_opened_total"] == [(["smtp", "mx"], 3)]
    assert (found["posthouse_workers"], found["posthouse_workers_silent"]) == ([([], 3)], [([], 1)])
    assert found["posthouse_queue_recipients"] == [(["held"], 1), (["waiting"], 2)]
    assert found["posthouse_queue_oldest_seconds"] == [([], 10.0)]
    await monitor.collect()
    assert store.asked == 1
    clock.advance(QUEUE_SECONDS)
    store.is_broken = True
    assert "posthouse_queue_recipients" not in await monitor.collect()
    for server in servers:
        server.close()
        await server.wait_closed()
    await asyncio.sleep(0)
