"""One coarse timer for all doors of a worker, instead of a timer for each command.

Every ``INTERVAL`` seconds each door is asked to look at its own limits (``Door.on_sweep``). A timeout is therefore
late by up to that interval, and a command costs no timer. The sweep also keeps the set of open doors, which is what
draining walks over. Tests: ``tests/unit/servers/test_sweep.py``.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from posthouse.core.clock import Clock

INTERVAL: Final = 1.0


class Swept(Protocol):
    """What the sweep walks over: a door."""

    def on_sweep(self, now: float) -> None:
        """Look at the time limits; ``now`` is monotonic."""
        ...


class Sweep:
    """The open doors of a worker, and the time as of the last tick.

    Attributes:
        now: monotonic seconds, up to ``INTERVAL`` old; what doors stamp activity with.
        doors: every open door.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self.now = clock.monotonic()
        self.doors: set[Swept] = set()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to tick."""
        self._timer = loop.call_later(INTERVAL, self._again, loop)

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def tick(self) -> None:
        """Ask every door to look at its limits."""
        self.now = self._clock.monotonic()
        for door in tuple(self.doors):
            door.on_sweep(self.now)

    def _again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(INTERVAL, self._again, loop)
        self.tick()
