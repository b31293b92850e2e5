"""Queue ids of one worker: from the clock, never the same twice, rising. Tests: ``tests/unit/services/journey``."""

from __future__ import annotations

from posthouse.core.clock import Clock
from posthouse.core.ids import QueueId, make_queue_id


class QueueIds:
    """Makes queue ids. Two sources of one store need different worker numbers (taken modulo 1024)."""

    def __init__(self, clock: Clock, worker: int) -> None:
        self._clock = clock
        self._worker = worker
        self._last = 0

    def next(self) -> QueueId:
        """Return an id greater than all before it, even where the clock went back."""
        microseconds = int(self._clock.now() * 1e6)
        if microseconds <= self._last:
            microseconds = self._last + 1
        self._last = microseconds
        return make_queue_id(microseconds, self._worker)
