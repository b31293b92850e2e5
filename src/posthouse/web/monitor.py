"""Gathers the metrics of all workers of this machine, and those of what they share: the queue.

The queue is read once in ``QUEUE_SECONDS`` at most, however often a monitor asks.
Tests: ``tests/unit/web/test_monitor.py``, ``tests/interop/test_metrics_merged.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from posthouse.core.clock import Clock
from posthouse.core.errors import Fault
from posthouse.store.contract import Store
from posthouse.telemetry.metrics import Snapshot, merge
from posthouse.web.siblings import ask_siblings

QUEUE_SECONDS: Final = 5.0
STORE_PATIENCE: Final = 2.0


class Monitor:
    """Makes the merged snapshot.

    Args:
        store: is asked about the queue.
        clock: tells the time.
        measure: returns the snapshot of this worker.
        own: number of this worker, which is not asked by its socket.
        run: the folder with the control sockets.
    """

    def __init__(self, store: Store, clock: Clock, measure: Callable[[], Snapshot], *, own: int, run: Path) -> None:
        self._store = store
        self._clock = clock
        self._measure = measure
        self._own = f"control.{own}.sock"
        self._run = run
        self._queue: Snapshot = {}
        self._queue_at = float("-inf")

    async def collect(self) -> Snapshot:
        """Return the metrics of everybody who answers in time."""
        sockets = [path for path in sorted(self._run.glob("control.*.sock")) if path.name != self._own]
        (answers, silent), queue = await asyncio.gather(ask_siblings(sockets, "metrics"), self._read_queue())
        merged: list[dict[str, Any]] = [self._measure(), *answers, queue]
        merged.append({"posthouse_workers": [([], 1 + len(answers))], "posthouse_workers_silent": [([], silent)]})
        return merge(merged)

    async def _read_queue(self) -> Snapshot:
        now = self._clock.monotonic()
        if now - self._queue_at >= QUEUE_SECONDS:
            try:
                async with asyncio.timeout(STORE_PATIENCE):
                    self._queue = await self._ask_store()
            except (Fault, TimeoutError):
                self._queue = {}  # absent is better than old
            self._queue_at = now
        return self._queue

    async def _ask_store(self) -> Snapshot:
        counts = {"waiting": 0, "held": 0}
        for _, state, recipients, _ in await self._store.queue_summary():
            counts[state] = counts.get(state, 0) + recipients
        oldest = await self._store.queue_rows(limit=1)  # queue ids begin with the time
        age = max(0.0, self._clock.now() - oldest[0].received) if oldest else 0.0
        return {
            "posthouse_queue_recipients": [([state], count) for state, count in counts.items()],
            "posthouse_queue_oldest_seconds": [([], round(age, 1))],
        }
